// The task engine: every node computes every owner, and the right one simply begins.
// It turns what changed (members, shared state, the application, the executor, time)
// into the slots that have to be looked at, lets the runner settle those, and shows
// what it knows. Work is in proportion to what changed; no event walks all tasks.
//
// It never decides who owns what (placement does) nor what a copy may do next
// (`copy.ts` does).

import { compareText, type Millis, type NodeId, type TaskId } from '../ids.js'
import type { Message } from '../message.js'
import type { CopyId, CoreEvent, Effect, Stepper } from '../step.js'
import type { TaskAvailability } from './availability.js'
import { createCheckpoints } from './checkpoints.js'
import { createContext, SPACES, slotAt, type TaskEngineDeps, taskOf } from './context.js'
import { type Explanation, explain, type Move, rehearseLoss } from './explain.js'
import { createInbox } from './inbox.js'
import { createIntake } from './intake.js'
import type { TaskMessage } from './message.js'
import { createObserver } from './observer.js'
import { createRequests } from './requests.js'
import { createResults } from './results.js'
import { createRunner } from './runner.js'
import type { Slot } from './slots.js'
import { isReadable, type Task } from './task-table.js'
import { countPhases, type TaskView, viewTask } from './views.js'

export type { TaskEngineDeps } from './context.js'

export interface TaskEngine extends Stepper {
  /** Verdicts or records changed; without `ids` all members are compared. */
  membersChanged(now: Millis, ids?: Iterable<NodeId>): readonly Effect[]
  stateChanged(now: Millis, space: string, keys: readonly string[]): readonly Effect[]
  /** This node has exchanged state with a member: a booting node may start tasks. */
  exchanged(now: Millis): readonly Effect[]
  /** Members whose word about a hand-over is late, since this was last asked: shared state may have it. */
  takeOverdue(): readonly NodeId[]
  list(): readonly TaskView[]
  get(id: TaskId): TaskView | null
  /** Every candidate of a task with the reason that it was or was not chosen. */
  why(id: TaskId): Explanation | null
  /** What would move if these members died now. */
  plan(without: readonly NodeId[]): { readonly moves: readonly Move[] }
  availability(now: Millis): ReadonlyMap<TaskId, TaskAvailability>
  /** Copies by phase, for the metrics. */
  phases(): Readonly<Record<string, number>>
  /** Whether this copy may still write in its task's name. */
  isCurrent(copy: CopyId): boolean
  /** Copies of this node that have not ended: a node says goodbye when none is left. */
  readonly holding: number
  /** Copies that this node handed over, and of whose next life it has not heard. */
  readonly unanswered: number
}

/** So much of what comes before the first exchange is kept in mind; of the rest, shared state will tell. */
const EARLY_MAX = 256

export const createTaskEngine = (deps: TaskEngineDeps): TaskEngine => {
  const ctx = createContext(deps)
  const observer = createObserver(ctx)
  const checkpoints = createCheckpoints(ctx)
  const results = createResults(ctx)
  const runner = createRunner(ctx, checkpoints, results, observer)
  const intake = createIntake(ctx, checkpoints, results, observer)
  const requests = createRequests(ctx, intake, runner, checkpoints)
  const receive = createInbox(ctx, checkpoints, results, observer)
  let startedAt: Millis = 0
  let linkedAt: Millis | null = null

  // One step: what happened marks slots, then they are settled and written down.
  const during = (now: Millis, work: () => void): readonly Effect[] => {
    ctx.now = Math.max(now, ctx.now)
    ctx.out = []
    noticeFreeze()
    work()
    settleAll()
    const effects = ctx.out
    ctx.out = []
    return effects
  }

  /** This process stood still: others may have taken over meanwhile, and what they said is read first. */
  const noticeFreeze = (): void => {
    const dueAt = ctx.deadlines.nextAt
    if (dueAt === null || ctx.now - dueAt <= LATE_MS || ctx.now < ctx.calmUntil + LATE_MS) return
    ctx.calmUntil = ctx.now + CATCH_UP_MS
    ctx.deadlines.postpone(ctx.calmUntil - dueAt)
  }

  const settleAll = (): void => {
    takeChanges()
    const looked = new Set<Slot>()
    for (const slot of ctx.dirty) {
      ctx.dirty.delete(slot)
      looked.add(slot)
      if (!ctx.slots.has(slot)) continue
      runner.settle(slot)
      takeChanges()
    }
    for (const slot of looked) if (ctx.slots.has(slot)) observer.look(slot)
    runner.flush()
    results.flush()
  }

  const takeChanges = (): void => {
    const changes = ctx.placer.takeChanges()
    for (const { task, slot } of changes) ctx.dirty.add(slotAt(ctx, task, slot))
    // Where room is short, a task that comes or goes changes who is next for others.
    if (changes.length > 0) checkpoints.ranksChanged()
  }

  /** What the application asked for before the gate opened. */
  const held: TaskRequest[] = []
  /** What others said of tasks before then: they may be of tasks that this node has not heard of yet. */
  const early: { readonly from: NodeId; readonly message: TaskMessage }[] = []

  const openGate = (): void => {
    if (ctx.gateOpen) return
    ctx.gateOpen = true
    ctx.deadlines.delete('gate')
    for (const slot of ctx.slots.all()) ctx.dirty.add(slot)
    for (const { from, message } of early.splice(0)) receive(from, message)
    for (const event of held.splice(0)) request(event)
  }

  /** Who is alone waits for so long at most, who has a link for what comes by it. */
  const awaitExchange = (): void => {
    const { waitMs, linkMs } = ctx.config.bootGate
    const isLinked = deps.members.neighbors().length > 0
    if (isLinked) linkedAt ??= ctx.now
    ctx.deadlines.set('gate', isLinked && linkedAt !== null ? linkedAt + linkMs : startedAt + waitMs)
  }

  const start = (): void => {
    ctx.quiet = true
    intake.loadRule()
    intake.loadMembers(undefined)
    for (const space of [SPACES.tasks, SPACES.results, SPACES.claims, SPACES.checkpoints])
      for (const [key] of deps.state.entries(space)) intake.load(space, key)
    ctx.started = true
    takeChanges()
    for (const slot of ctx.dirty) observer.look(slot)
    ctx.quiet = false
    runner.buryEarlierLife()
    startedAt = ctx.now
    if (ctx.config.bootGate.awaits) awaitExchange()
    else openGate()
  }

  const onTimer = (): void => {
    for (let key = ctx.deadlines.takeDue(ctx.now); key !== undefined; key = ctx.deadlines.takeDue(ctx.now))
      onDue(key)
  }

  const onDue = (key: string): void => {
    const bar = key.indexOf('|')
    const slot = ctx.slots.find(key.slice(bar + 1))
    if (key === 'gate') openGate()
    else if (key === 'ask') results.ask()
    else if (key === 'holders') checkpoints.tellHolders()
    else if (key === 'orphans') intake.sweepOrphans()
    else if (slot !== undefined && key.startsWith('save|')) checkpoints.publish(slot)
    else if (slot !== undefined) runner.due(key.slice(0, bar), slot)
  }

  const onMembers = (ids: Iterable<NodeId> | undefined): void => {
    intake.loadMembers(ids)
    checkpoints.ranksChanged()
    if (!ctx.gateOpen) awaitExchange()
  }

  const request = (event: TaskRequest): void => {
    if (event.kind === 'taskPut') requests.putTask(event.spec, event.request)
    else if (event.kind === 'taskDelete') requests.deleteTask(event.task, event.request)
    else requests.restartTask(event.task, event.request)
  }

  const handle = (event: CoreEvent): void => {
    switch (event.kind) {
      case 'started':
        start()
        return
      case 'timer':
        onTimer()
        return
      case 'wall':
        runner.rearm()
        return
      case 'durable':
        // Tokens are shared with the other parts: at most one of these knows it.
        if (!requests.durable(event.token) && !runner.durable(event.token)) checkpoints.durable(event.token)
        return
      case 'taskPut':
      case 'taskDelete':
      case 'taskRestart':
        // A task that the mesh has, and this node has not heard of yet, would be made anew: with no checkpoint.
        if (ctx.gateOpen) request(event)
        else held.push(event)
        return
      case 'copyStarted':
        runner.copyStarted(event.copy)
        return
      case 'copyExited':
        runner.copyExited(event.copy, event.error, event.result)
        return
      case 'copySaved':
        requests.save(event.copy, event.checkpoint, event.request)
        return
      case 'leave':
        ctx.leaving = true
        intake.loadMember(ctx.self)
        return
      case 'message':
        if (!isTaskMessage(event.message)) return
        if (ctx.gateOpen) receive(event.from, event.message)
        else if (early.length < EARLY_MAX) early.push({ from: event.from, message: event.message })
        return
      default:
        // The rest is the business of the other parts of the core.
        return
    }
  }

  return {
    step: (now, event) =>
      during(now, () => {
        if (ctx.started || event.kind === 'started') handle(event)
      }),
    get nextDeadlineAt() {
      return ctx.deadlines.nextAt
    },
    takeOverdue: () => {
      const nodes = [...ctx.overdue]
      ctx.overdue.clear()
      return nodes
    },
    membersChanged: (now, ids) =>
      during(now, () => {
        if (ctx.started) onMembers(ids)
      }),
    stateChanged: (now, space, keys) =>
      during(now, () => {
        if (!ctx.started || !OWN_SPACES.has(space)) return
        for (const key of keys) intake.load(space, key)
      }),
    exchanged: now =>
      during(now, () => {
        if (ctx.started) openGate()
      }),
    list: () =>
      [...ctx.tasks.keys()].sort(compareText).map(id => viewTask(ctx, results, ctx.tasks.get(id) as Task)),
    get: id => {
      const task = ctx.tasks.get(id)
      return task === undefined ? null : viewTask(ctx, results, task)
    },
    why: id => {
      const task = taskOf(ctx, id)
      return task === null ? null : explain(task.placement, ctx.placedMembers.values(), ctx.placer.owners())
    },
    plan: without => {
      const tasks = [...ctx.tasks.values()].filter(isReadable).filter(task => !results.isDone(task))
      const members = [...ctx.placedMembers.values()]
      return rehearseLoss(
        tasks.map(task => task.placement),
        members,
        intake.rule,
        without,
      )
    },
    availability: observer.availability,
    phases: () => countPhases(ctx),
    isCurrent: runner.isCurrent,
    get unanswered() {
      return runner.unanswered
    },
    get holding() {
      return runner.holding
    },
  }
}

type TaskRequest = CoreEvent & { readonly kind: 'taskPut' | 'taskDelete' | 'taskRestart' }

/** A timer this late means that the process was frozen … */
const LATE_MS: Millis = 1_000
/** … and that this much time is needed to hear what happened. */
const CATCH_UP_MS: Millis = 500

const OWN_SPACES: ReadonlySet<string> = new Set(Object.values(SPACES))

const isTaskMessage = (message: Message): message is TaskMessage =>
  message.kind === 'checkpoint' ||
  message.kind === 'handover' ||
  message.kind === 'handoverAhead' ||
  message.kind === 'handoverAsked' ||
  message.kind === 'handoverAnswered' ||
  message.kind === 'resultsAsked' ||
  message.kind === 'resultsHeld'
