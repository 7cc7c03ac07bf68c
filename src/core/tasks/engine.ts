// The task engine: every node computes every owner, and the right one simply begins.
// It turns what changed (members, shared state, the application, the executor, time)
// into the slots that have to be looked at, lets the runner settle those, and shows
// what it knows. Work is in proportion to what changed; no event walks all tasks.
//
// It never decides who owns what (placement does) nor what a copy may do next
// (`copy.ts` does).

import { DeadlineQueue } from '../deadline-queue.js'
import { unreachable } from '../errors.js'
import type { Millis, NodeId, TaskId } from '../ids.js'
import type { Json, JsonObject } from '../json.js'
import type { Member } from '../member.js'
import type { CopyId, CoreEvent, Effect, StateChange, Stepper } from '../step.js'
import type { TaskAvailability } from './availability.js'
import { createCheckpoints } from './checkpoints.js'
import { parseClaimKey, parseEpoch, readClaim } from './claim.js'
import { BALANCE_MAX, BALANCE_MIN } from './config.js'
import {
  type Context,
  claimOf,
  deleteClaim,
  isLive,
  meshNow,
  placeTask,
  SPACES,
  setClaim,
  slotAt,
  type TaskEngineDeps,
  taskOf,
  toPlacementTask,
} from './context.js'
import { isHolding } from './copy.js'
import { type Explanation, explain, type Move, rehearseLoss } from './explain.js'
import type { TaskMessage } from './message.js'
import { createObserver } from './observer.js'
import type { PlacementMember, PlacementRule } from './placement.js'
import { createPlacer } from './placer.js'
import { createResults } from './results.js'
import { createRunner } from './runner.js'
import { createSchedule } from './schedule.js'
import type { TaskSpec } from './spec.js'
import {
  asObject,
  isReadable,
  readStored,
  readTask,
  sameSpec,
  showTask,
  storeTask,
  type Task,
} from './task-table.js'
import { countPhases, type TaskView, viewTask } from './views.js'

export type { TaskEngineDeps } from './context.js'

export interface TaskEngine extends Stepper {
  /** Verdicts or records changed; without `ids` all members are compared. */
  membersChanged(now: Millis, ids?: Iterable<NodeId>): readonly Effect[]
  stateChanged(now: Millis, space: string, keys: readonly string[]): readonly Effect[]
  /** This node has exchanged state with a member: a booting node may start tasks. */
  exchanged(now: Millis): readonly Effect[]
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
}

export const createTaskEngine = (deps: TaskEngineDeps): TaskEngine => {
  const ctx: Context = {
    deps,
    self: deps.self,
    config: deps.config,
    now: 0,
    out: [],
    tasks: new Map(),
    slots: new Map(),
    slotsOfTask: new Map(),
    slotsOfNode: new Map(),
    deadlines: new DeadlineQueue(),
    dirty: new Set(),
    placer: createPlacer({ balance: null }),
    placedMembers: new Map(),
    floor: readFloor(deps),
    started: false,
    gateOpen: false,
    leaving: false,
    quiet: false,
    availableSince: new Map(),
  }
  const observer = createObserver(ctx)
  const checkpoints = createCheckpoints(ctx)
  const results = createResults(ctx)
  const runner = createRunner(ctx, checkpoints, results, observer)
  const membersSeen = new Map<
    NodeId,
    { readonly record: Member['record']; readonly verdict: Member['verdict'] }
  >()
  const replies = new Map<number, { readonly request: number; readonly value: Json }>()
  const orphans = new Set<string>()
  let rule: PlacementRule = { balance: null }

  // One step: what happened marks slots, then they are settled and written down.
  const during = (now: Millis, work: () => void): readonly Effect[] => {
    ctx.now = Math.max(now, ctx.now)
    ctx.out = []
    work()
    settleAll()
    const effects = ctx.out
    ctx.out = []
    return effects
  }

  const settleAll = (): void => {
    takeChanges()
    const looked = new Set(ctx.dirty)
    for (const slot of ctx.dirty) {
      ctx.dirty.delete(slot)
      if (ctx.slots.get(slot.key) !== slot) continue
      runner.settle(slot)
      looked.add(slot)
      takeChanges()
    }
    for (const slot of looked) if (ctx.slots.get(slot.key) === slot) observer.look(slot)
    runner.flush()
    results.flush()
  }

  const takeChanges = (): void => {
    for (const { task, slot } of ctx.placer.takeChanges()) ctx.dirty.add(slotAt(ctx, task, slot))
  }

  const loadTask = (id: TaskId): void => {
    const value = deps.state.get(SPACES.tasks, id)
    const before = ctx.tasks.get(id)
    if (value === undefined) {
      if (before === undefined) return
      ctx.tasks.delete(id)
      ctx.placer.removeTask(id)
      results.forget(id)
      observer.taskChanged(id, 'removed')
      for (const slot of ctx.slotsOfTask.get(id) ?? []) ctx.dirty.add(slot)
      return
    }
    const task = readTask(id, value, (spec, createdAt) =>
      createSchedule(spec.when, createdAt, deps.zoneOffset),
    )
    ctx.tasks.set(id, task)
    if (!isReadable(task) || results.isDone(task)) ctx.placer.removeTask(id)
    else placeTask(ctx, task)
    for (const slot of ctx.slotsOfTask.get(id) ?? []) ctx.dirty.add(slot)
    const revision = isReadable(task) ? task.revision : 0
    const revisionBefore = before === undefined ? null : isReadable(before) ? before.revision : 0
    if (revisionBefore === null || revisionBefore !== revision)
      observer.taskChanged(id, before === undefined ? 'applied' : 'changed')
  }

  const loadClaim = (key: string): void => {
    const at = parseClaimKey(key)
    if (at === null) return
    const value = deps.state.get(SPACES.claims, key)
    const claim = value === undefined ? null : readClaim(key, value)
    const known = ctx.slots.has(`${at.task}/${at.slot}`)
    if (claim === null && !known) return
    const slot = slotAt(ctx, at.task, at.slot)
    const before = claimOf(slot, at.node) ?? null
    if (at.node === ctx.self) {
      // Only this node writes its claims: news of them is that somebody removed one, or what the disk kept.
      if (before === null && claim !== null && !ctx.started) setClaim(ctx, slot, claim)
      else if (before !== null && claim === null) {
        runner.forgetOwnClaim(slot, before)
        if (isHolding(slot.local?.state.phase ?? 'waiting') && slot.local !== null)
          slot.local.claimLost = true
        else deleteClaim(ctx, slot, ctx.self)
      }
    } else if (claim === null) deleteClaim(ctx, slot, at.node)
    else {
      // What was handed over has ended, whatever an older word says.
      const ended =
        before !== null && before.phase === 'stopped' && before.epoch.number === claim.epoch.number
      if (ended && isHolding(claim.phase)) return
      setClaim(ctx, slot, claim)
      observer.claimChanged(slot, before, claim)
    }
    if (claim !== null && !ctx.tasks.has(at.task)) noteOrphan(SPACES.claims, key)
    ctx.dirty.add(slot)
  }

  const load = (space: string, key: string): void => {
    if (space === SPACES.tasks) loadTask(key as TaskId)
    else if (space === SPACES.claims) loadClaim(key)
    else if (space === SPACES.results) {
      results.load(key as TaskId)
      if (!ctx.tasks.has(key as TaskId)) noteOrphan(space, key)
    } else if (space === SPACES.checkpoints) {
      const [task = '', index = ''] = key.split('/')
      checkpoints.stateChanged(task as TaskId, Number(index))
      if (!ctx.tasks.has(task as TaskId)) noteOrphan(space, key)
    } else if (space === SPACES.mesh) loadRule()
  }

  const loadRule = (): void => {
    const balance = deps.state.get(SPACES.mesh, 'balance')
    rule = {
      balance:
        typeof balance === 'number' && balance >= BALANCE_MIN && balance <= BALANCE_MAX ? balance : null,
    }
    ctx.placer.setRule(rule)
  }

  const noteOrphan = (space: string, key: string): void => {
    orphans.add(`${space} ${key}`)
    if (ctx.deadlines.get('orphans') === null) ctx.deadlines.set('orphans', ctx.now + ctx.config.orphanMs)
  }

  /** What tasks left behind that are long gone: the lowest live member clears it away. */
  const sweepOrphans = (): void => {
    const lowest = deps.members.all().find(({ verdict }) => verdict === 'alive' || verdict === 'suspect')?.id
    const changes = new Map<string, StateChange[]>()
    for (const orphan of orphans) {
      const [space = '', key = ''] = orphan.split(' ')
      const task = key.split('/')[0] as TaskId
      const own = space === SPACES.claims && parseClaimKey(key)?.node === ctx.self
      if (ctx.tasks.has(task) || deps.state.get(space, key) === undefined) continue
      if (lowest !== ctx.self && !own) continue
      changes.set(space, [...(changes.get(space) ?? []), { key, value: undefined }])
    }
    orphans.clear()
    for (const [space, removed] of changes) {
      ctx.out.push(...deps.state.write(ctx.now, space, removed, null))
      for (const { key } of removed) load(space, key)
    }
  }

  const loadMember = (id: NodeId): void => {
    const member = deps.members.get(id)
    const seen = membersSeen.get(id)
    if (member === undefined) {
      if (seen === undefined) return
      membersSeen.delete(id)
      ctx.availableSince.delete(id)
      ctx.placedMembers.delete(id)
      ctx.placer.removeMember(id)
    } else {
      const { record, verdict } = member
      if (seen?.record === record && seen.verdict === verdict && id !== ctx.self) return
      membersSeen.set(id, { record, verdict })
      const absent = verdict === 'dead' || verdict === 'left'
      const draining = record.draining || (id === ctx.self && ctx.leaving)
      const { labels, capacity, runs, settled, health } = record
      const placed: PlacementMember = {
        id,
        labels,
        capacity,
        runs,
        settled,
        draining,
        failing: health === 'failing',
        absent,
      }
      ctx.placedMembers.set(id, placed)
      ctx.placer.setMember(placed)
      if (absent || draining || !settled) ctx.availableSince.delete(id)
      else if (!ctx.availableSince.has(id)) ctx.availableSince.set(id, ctx.now)
      if (
        seen !== undefined &&
        seen.verdict === verdict &&
        seen.record.generation.number === record.generation.number
      )
        return
    }
    // Its claims count otherwise now: they stand no more, or again.
    for (const slot of ctx.slotsOfNode.get(id) ?? []) ctx.dirty.add(slot)
  }

  const loadMembers = (ids: Iterable<NodeId> | undefined): void => {
    if (ids !== undefined) for (const id of ids) loadMember(id)
    else {
      for (const { id } of deps.members.all()) loadMember(id)
      for (const id of [...membersSeen.keys()]) if (deps.members.get(id) === undefined) loadMember(id)
    }
    if (!ctx.gateOpen && deps.members.neighbors().length > 0) {
      const at = ctx.now + ctx.config.bootGate.linkMs
      const gate = ctx.deadlines.get('gate')
      if (gate !== null && gate > at && !gateByLink) {
        gateByLink = true
        ctx.deadlines.set('gate', at)
      }
    }
  }
  let gateByLink = false

  const openGate = (): void => {
    if (ctx.gateOpen) return
    ctx.gateOpen = true
    ctx.deadlines.delete('gate')
    for (const slot of ctx.slots.values()) ctx.dirty.add(slot)
  }

  const start = (): void => {
    ctx.quiet = true
    loadRule()
    loadMembers(undefined)
    for (const space of [SPACES.tasks, SPACES.results, SPACES.claims, SPACES.checkpoints])
      for (const [key] of deps.state.entries(space)) load(space, key)
    ctx.started = true
    takeChanges()
    for (const slot of ctx.dirty) observer.look(slot)
    ctx.quiet = false
    runner.buryEarlierLife()
    if (ctx.config.bootGate.remembers) ctx.deadlines.set('gate', ctx.now + ctx.config.bootGate.waitMs)
    else openGate()
  }

  const putTask = (spec: TaskSpec, request: number): void => {
    const id = spec.id
    const before = asObject(deps.state.get(SPACES.tasks, id))
    if (before === null && ctx.tasks.size >= ctx.config.tasksMax)
      return refuse(
        request,
        'TASKS_TOO_MANY',
        `task ${id} would be one more than the ${ctx.config.tasksMax} that are accepted`,
      )
    const known = ctx.tasks.get(id)
    if (known !== undefined && isReadable(known) && sameSpec(known.spec, spec)) {
      ctx.out.push({ kind: 'reply', request, value: showTask(known) })
      return
    }
    const stored =
      before === null
        ? { revision: 1, createdAt: Math.floor(meshNow(ctx)), restartedAt: 0 }
        : { ...readStored(before), revision: readStored(before).revision + 1 }
    writeTask(id, storeTask(spec, stored), request, { ...spec, revision: stored.revision } as unknown as Json)
  }

  const deleteTask = (id: TaskId, request: number): void => {
    if (deps.state.get(SPACES.tasks, id) === undefined) return refuseUnknown(id, request)
    // Of its owners each removes its own claim when the copy has ended; the rest goes at once.
    const slots = [...(ctx.slotsOfTask.get(id) ?? [])]
    const claims = slots.flatMap(slot =>
      slot.claims
        .filter(({ epoch: { node } }) => node !== ctx.self && !isLive(ctx, node))
        .map(({ epoch: { node } }) => `${slot.key}/${node}`),
    )
    remove(SPACES.claims, claims)
    remove(
      SPACES.checkpoints,
      slots.map(slot => slot.key),
    )
    remove(SPACES.results, [id])
    writeTask(id, undefined, request, null)
  }

  const remove = (space: string, keys: readonly string[]): void => {
    const present = keys.filter(key => deps.state.get(space, key) !== undefined)
    if (present.length === 0) return
    const changes = present.map(key => ({ key, value: undefined }))
    ctx.out.push(...deps.state.write(ctx.now, space, changes, null))
    for (const key of present) load(space, key)
  }

  const restartTask = (id: TaskId, request: number): void => {
    const task = taskOf(ctx, id)
    if (task === null) return refuseUnknown(id, request)
    const { revision, createdAt } = task
    // A stamp that differs is what counts: the owners start their copies anew.
    const restartedAt = Math.max(
      Math.floor(meshNow(ctx)),
      readStored(asObject(deps.state.get(SPACES.tasks, id)) ?? {}).restartedAt + 1,
    )
    writeTask(id, storeTask(task.spec, { revision, createdAt, restartedAt }), request, null)
  }

  const writeTask = (id: TaskId, value: Json | undefined, request: number, reply: Json): void => {
    const token = deps.nextToken()
    replies.set(token, { request, value: reply })
    ctx.out.push(...deps.state.write(ctx.now, SPACES.tasks, [{ key: id, value }], token))
    loadTask(id)
  }

  const refuse = (request: number, code: string, message: string): void => {
    ctx.out.push({ kind: 'refuse', request, code, message })
  }
  const refuseUnknown = (id: TaskId, request: number): void =>
    refuse(request, 'TASK_UNKNOWN', `there is no task ${id}`)

  const onMessage = (from: NodeId, message: TaskMessage): void => {
    switch (message.kind) {
      case 'checkpoint':
      case 'handover': {
        const epoch = parseEpoch(message.epoch)
        // Only a claim's own node speaks for it; what is said of unknown tasks is kept out of the tables.
        if (epoch === null || epoch.node !== from || !ctx.tasks.has(message.task)) return count('misfit')
        const slot = slotAt(ctx, message.task, message.slot)
        const { task } = message
        if (message.kind === 'checkpoint') checkpoints.receive(slot, message)
        else {
          if (message.checkpoint !== null) checkpoints.receive(slot, message)
          const before = claimOf(slot, from) ?? null
          if (before !== null && before.epoch.number > epoch.number) return count('late')
          const { cause, covered } = message
          const after = {
            ...(before ?? {
              task,
              slot: message.slot,
              since: meshNow(ctx),
              restarts: 0,
              lastError: null,
              boot: 0,
              execution: 0,
            }),
            epoch,
            phase: 'stopped' as const,
            cause,
            covered,
          }
          setClaim(ctx, slot, after)
          observer.claimChanged(slot, before, after)
        }
        ctx.dirty.add(slot)
        return
      }
      case 'resultsAsked':
        return results.asked(from, message.tasks)
      case 'resultsHeld':
        return results.held(message.tasks)
      default:
        return unreachable(message)
    }
  }

  const count = (what: string): void => {
    ctx.out.push({ kind: 'count', metric: 'shoal_task_messages_dropped', by: 1, labels: { what } })
  }

  const onTimer = (): void => {
    const dueAt = ctx.deadlines.nextAt
    if (dueAt !== null && ctx.now - dueAt > LATE_MS) {
      // This process stood still. Others may have taken over meanwhile; what they said is read first.
      ctx.deadlines.postpone(ctx.now - dueAt + CATCH_UP_MS)
      return
    }
    for (let key = ctx.deadlines.takeDue(ctx.now); key !== undefined; key = ctx.deadlines.takeDue(ctx.now)) {
      if (key === 'gate') openGate()
      else if (key === 'ask') results.ask()
      else if (key === 'orphans') sweepOrphans()
      else {
        const bar = key.indexOf('|')
        const slot = ctx.slots.get(key.slice(bar + 1))
        if (slot === undefined) continue
        const what = key.slice(0, bar)
        if (what === 'save') checkpoints.publish(slot)
        else runner.due(what, slot)
      }
    }
  }

  const save = (copy: CopyId, checkpoint: Json, request: number): void => {
    const slot = runner.slotOfCopy(copy)
    if (slot === null || !runner.isCurrent(copy))
      return refuse(
        request,
        'FENCED',
        `copy ${copy.slot} of task ${copy.task} under epoch ${copy.epoch} is no longer the owner's`,
      )
    const bytes = JSON.stringify(checkpoint).length
    if (bytes > ctx.config.checkpointBytesMax)
      return refuse(
        request,
        'CHECKPOINT_TOO_LARGE',
        `the checkpoint has ${bytes} bytes; at most ${ctx.config.checkpointBytesMax} are accepted`,
      )
    checkpoints.save(slot, copy, checkpoint, request)
  }

  const handle = (event: CoreEvent): void => {
    switch (event.kind) {
      case 'started':
        return start()
      case 'timer':
        return onTimer()
      case 'wall':
        return runner.rearm()
      case 'durable': {
        const reply = replies.get(event.token)
        if (reply !== undefined) {
          replies.delete(event.token)
          ctx.out.push({ kind: 'reply', ...reply })
        } else if (!runner.durable(event.token)) checkpoints.durable(event.token)
        return
      }
      case 'taskPut':
        return putTask(event.spec, event.request)
      case 'taskDelete':
        return deleteTask(event.task, event.request)
      case 'taskRestart':
        return restartTask(event.task, event.request)
      case 'copyStarted':
        return runner.copyStarted(event.copy)
      case 'copyExited':
        return runner.copyExited(event.copy, event.error, event.result)
      case 'copySaved':
        return save(event.copy, event.checkpoint, event.request)
      case 'leave':
        ctx.leaving = true
        return loadMember(ctx.self)
      case 'message': {
        const { message, from } = event
        switch (message.kind) {
          case 'checkpoint':
          case 'handover':
          case 'resultsAsked':
          case 'resultsHeld':
            return onMessage(from, message)
        }
        return
      }
    }
  }

  return {
    step: (now, event) => during(now, () => (ctx.started || event.kind === 'started') && handle(event)),
    get nextDeadlineAt() {
      return ctx.deadlines.nextAt
    },
    membersChanged: (now, ids) => during(now, () => ctx.started && loadMembers(ids)),
    stateChanged: (now, space, keys) =>
      during(now, () => {
        if (ctx.started && Object.values<string>(SPACES).includes(space))
          for (const key of keys) load(space, key)
      }),
    exchanged: now => during(now, () => ctx.started && openGate()),
    list: () => [...ctx.tasks.keys()].sort().map(id => viewTask(ctx, results, ctx.tasks.get(id) as Task)),
    get: id => {
      const task = ctx.tasks.get(id)
      return task === undefined ? null : viewTask(ctx, results, task)
    },
    why: id => {
      const task = taskOf(ctx, id)
      return task === null
        ? null
        : explain(toPlacementTask(task), ctx.placedMembers.values(), ctx.placer.owners())
    },
    plan: without => {
      const tasks = [...ctx.tasks.values()].filter(isReadable).filter(task => !results.isDone(task))
      return rehearseLoss(tasks.map(toPlacementTask), [...ctx.placedMembers.values()], rule, without)
    },
    availability: observer.availability,
    phases: () => countPhases(ctx),
    isCurrent: runner.isCurrent,
    get holding() {
      return runner.holding
    },
  }
}

/** A timer this late means that the process was frozen … */
const LATE_MS: Millis = 1_000
/** … and that this much time is needed to hear what happened. */
const CATCH_UP_MS: Millis = 500

const readFloor = (deps: TaskEngineDeps): number => {
  const entry = deps.entries.find(({ key }) => key === 't/floor')
  const floor = entry === undefined ? 0 : Number(new TextDecoder().decode(entry.value))
  return Number.isSafeInteger(floor) ? floor : 0
}
