// Results of jobs (`once`). A result is written into shared state by whoever ran the
// job, and counts once another live member says that it holds it (or at once when
// there is none): from then on the job is never run again. An owner that dies before
// leaves no trace of it, and the next owner runs the job anew: at least once.

import type { Millis, NodeId, TaskId } from '../ids.js'
import type { Json } from '../json.js'
import { jsonBytes, utf8Bytes } from '../state/json-size.js'
import { type Epoch, formatEpoch, parseEpoch } from './claim.js'
import { addTo, type Context, isLive, mayBe, meshNow, placeTask, SPACES } from './context.js'
import type { Slot } from './slots.js'
import { asObject, isReadable, type Task } from './task-table.js'

export interface Result {
  readonly execution: number
  readonly epoch: string
  readonly node: NodeId
  readonly at: Millis
  readonly error: string | null
  readonly result: Json
}

export interface Results {
  /** Whether a result of this very version of the task stands: nobody starts it again. */
  isDone(task: Task): boolean
  /** Whether it counts: its owner may forget its claim. */
  isSafe(task: Task): boolean
  get(task: Task): Result | null
  /** The number of the epoch under which a result was reached, in whatever version. */
  numberOf(task: TaskId): number
  record(slot: Slot, task: Task, epoch: Epoch, error: string | null, result: Json): void
  /** Shared state holds another value. */
  load(task: TaskId): void
  forget(task: TaskId): void
  asked(from: NodeId, tasks: readonly TaskId[]): void
  held(tasks: readonly TaskId[]): void
  /** Time to ask (again) who holds them. */
  ask(): void
  /** Answers what was asked of this node, once a step. */
  flush(): void
}

const ASKED_MAX = 500
const QUESTIONS_MAX = 20_000
/** Results that are reached together are asked about together. */
const ASK_DELAY_MS = 20

export const createResults = (ctx: Context): Results => {
  const known = new Map<TaskId, Result>()
  const unsafe = new Set<TaskId>()
  const questions = new Map<TaskId, NodeId>()
  const answers = new Map<NodeId, Set<TaskId>>()
  let attempt = 0

  const get = (task: Task): Result | null => {
    const result = known.get(task.id)
    return task.kind === 'job' && result?.execution === task.execution ? result : null
  }

  const numberOf = (id: TaskId): number => {
    const number = parseEpoch(known.get(id)?.epoch ?? '')?.number ?? 0
    return mayBe(ctx, number) ? number : 0
  }

  /** Whether this node holds the result that the asker reached; one of an earlier version of the task is another. */
  const holds = (id: TaskId, asker: NodeId): boolean => {
    const task = ctx.tasks.get(id)
    return known.get(id)?.node === asker && (task === undefined || !isReadable(task) || get(task) !== null)
  }

  const settleSlots = (task: TaskId): void => {
    for (const slot of ctx.slots.of(task)) ctx.dirty.add(slot)
  }

  /** A job that is done weighs nothing. */
  const place = (id: TaskId): void => {
    const task = ctx.tasks.get(id)
    if (task === undefined || !isReadable(task) || task.kind !== 'job') return
    if (get(task) !== null) ctx.placer.removeTask(id)
    else placeTask(ctx, task)
  }

  const load = (id: TaskId): void => {
    const result = readResult(ctx.deps.state.get(SPACES.results, id))
    if (result === null) known.delete(id)
    else known.set(id, result)
    if (result === null || result.node !== ctx.self) unsafe.delete(id)
    const asker = questions.get(id)
    if (asker !== undefined && holds(id, asker)) {
      questions.delete(id)
      addTo(answers, asker, id)
    }
    place(id)
    settleSlots(id)
  }

  const isSafe = (task: Task): boolean => get(task) !== null && !unsafe.has(task.id)

  return {
    get,
    load,
    isSafe,
    isDone: task => get(task) !== null,
    numberOf,

    record: (slot, task, epoch, error, result) => {
      const value: Result = {
        execution: task.execution,
        epoch: formatEpoch(epoch),
        node: ctx.self,
        at: meshNow(ctx),
        ...bounded(error, result),
      }
      ctx.out.push(
        ...ctx.deps.state.write(
          ctx.now,
          SPACES.results,
          [{ key: slot.task, value: value as unknown as Json }],
          null,
        ),
      )
      unsafe.add(slot.task)
      load(slot.task)
      const at = ctx.now + ASK_DELAY_MS
      const asking = ctx.deadlines.get('ask')
      if (asking === null || asking > at) ctx.deadlines.set('ask', at)
    },

    ask: () => {
      if (unsafe.size === 0) return
      const helper = pickHelper()
      const tasks = [...unsafe].slice(0, ASKED_MAX)
      if (helper === null) {
        // Alone: no other live member could hold it.
        for (const id of [...unsafe]) {
          unsafe.delete(id)
          settleSlots(id)
        }
        return
      }
      const channel = ctx.deps.members.isLinked(helper) ? 'link' : 'direct'
      ctx.out.push({ kind: 'send', to: helper, channel, message: { kind: 'resultsAsked', tasks } })
      ctx.deadlines.set('ask', ctx.now + ctx.config.resultAskMs)
    },

    asked: (from, tasks) => {
      for (const id of tasks.slice(0, ASKED_MAX)) {
        if (holds(id, from)) addTo(answers, from, id)
        else if (questions.size < QUESTIONS_MAX) questions.set(id, from)
      }
    },

    held: tasks => {
      for (const id of tasks) if (unsafe.delete(id)) settleSlots(id)
      if (unsafe.size > 0 && tasks.length > 0) ctx.deadlines.set('ask', ctx.now + ASK_DELAY_MS)
    },

    forget: id => {
      known.delete(id)
      unsafe.delete(id)
      questions.delete(id)
    },

    flush: () => {
      for (const [to, tasks] of answers) {
        const channel = ctx.deps.members.isLinked(to) ? 'link' : 'direct'
        ctx.out.push({ kind: 'send', to, channel, message: { kind: 'resultsHeld', tasks: [...tasks] } })
      }
      answers.clear()
    },
  }

  /** Another live member, a neighbor if there is one, a different one at each attempt. */
  function pickHelper(): NodeId | null {
    const alive = (id: NodeId): boolean => id !== ctx.self && ctx.deps.members.get(id)?.verdict === 'alive'
    const near = ctx.deps.members.neighbors().filter(alive)
    const others =
      near.length > 0
        ? near
        : ctx.deps.members
            .all()
            .map(({ id }) => id)
            .filter(id => id !== ctx.self && isLive(ctx, id))
    return others.length === 0 ? null : (others[attempt++ % others.length] as NodeId)
  }
}

/** What a handler returned may be anything; the copy ended all the same, and what cannot be kept is said. */
const bounded = (
  error: string | null,
  result: Json,
): { readonly error: string | null; readonly result: Json } => {
  if (error !== null) return { error: error.slice(0, ERROR_CHARS_MAX), result: null }
  if (result === undefined || result === null) return { error: null, result: null }
  if (jsonBytes(result, RESULT_DEPTH_MAX) < 0)
    return { error: `the result is not JSON, at most ${RESULT_DEPTH_MAX} levels deep`, result: null }
  const bytes = utf8Bytes(JSON.stringify(result))
  if (bytes <= RESULT_BYTES_MAX) return { error: null, result }
  return { error: `the result has ${bytes} bytes; at most ${RESULT_BYTES_MAX} are kept`, result: null }
}

/** As for an input: larger things are files, not state. */
const RESULT_BYTES_MAX = 65_536
const RESULT_DEPTH_MAX = 64
const ERROR_CHARS_MAX = 4_096

export const readResult = (value: Json | undefined): Result | null => {
  const fields = asObject(value)
  if (fields === null || typeof fields.execution !== 'number' || typeof fields.epoch !== 'string') return null
  if (typeof fields.node !== 'string' || parseEpoch(fields.epoch) === null) return null
  return {
    execution: fields.execution,
    epoch: fields.epoch,
    node: fields.node as NodeId,
    at: typeof fields.at === 'number' ? fields.at : 0,
    error: typeof fields.error === 'string' ? fields.error : null,
    result: fields.result ?? null,
  }
}
