// The copies that live on this node: carries out what the table of a copy's life
// (`copy.ts`) asks for at each transition, and takes in what the executor and the clock
// say of them. Periods, back-offs and what is told of a copy that ended are here.
//
// It never decides whether a copy should live here: that is the runner's affair.

import type { Millis } from '../ids.js'
import type { Json } from '../json.js'
import type { CopyId } from '../step.js'
import type { Checkpoints } from './checkpoints.js'
import { formatEpoch } from './claim.js'
import type { ClaimWriter } from './claim-writer.js'
import { type Context, localOf, meshNow } from './context.js'
import { advance, type CopyAction, type CopyEvent, isHolding, numberOf } from './copy.js'
import type { HandOver } from './hand-over.js'
import type { Jobs } from './jobs.js'
import { rivalsOf } from './owning.js'
import type { Results } from './results.js'
import type { LocalCopy, Slot } from './slots.js'
import type { Task } from './task-table.js'

export interface Lives {
  /** Something happened to the copy; what follows from it is done. */
  apply(slot: Slot, event: CopyEvent): void
  /** Sets when the next run of a periodic copy is due. */
  armPeriod(slot: Slot, local: LocalCopy): void
  /** Mesh time jumped: periods fall due at other times. */
  rearm(): void
  /** A deadline of the copy fell due; false when it is none of these. */
  due(what: string, slot: Slot, local: LocalCopy): boolean
  started(copy: CopyId): void
  exited(copy: CopyId, error: string | null, result: Json): void
  slotOfCopy(copy: CopyId): Slot | null
  /** Copies that are not yet gone. */
  readonly holding: number
}

export const createLives = (
  ctx: Context,
  checkpoints: Checkpoints,
  results: Results,
  claims: ClaimWriter,
  moves: HandOver,
  jobs: Jobs,
): Lives => {
  const held = new Set<Slot>()

  const apply = (slot: Slot, event: CopyEvent): void => {
    const local = localOf(slot)
    const { state, actions } = advance(local.state, event)
    if (state === local.state) return
    if (state.phase !== local.state.phase) local.since = meshNow(ctx)
    local.state = state
    if (isHolding(state.phase)) {
      held.add(slot)
      if (local.task?.kind === 'job') jobs.began(slot)
    } else {
      held.delete(slot)
      jobs.ended(slot)
    }
    for (const action of actions) perform(slot, local, action)
    ctx.dirty.add(slot)
  }

  const perform = (slot: Slot, local: LocalCopy, action: CopyAction): void => {
    const task = local.task as Task
    switch (action) {
      case 'claim':
        claims.publish(slot, local)
        claims.bury(slot, numberOf(local.state))
        claims.await(slot, numberOf(local.state))
        return
      case 'launch': {
        const copy: CopyId = {
          task: slot.task,
          slot: slot.index,
          epoch: formatEpoch({ number: numberOf(local.state), node: ctx.self }),
        }
        local.launched = copy
        const period = task.schedule?.periodAt(local.covered as Millis)?.number ?? null
        const checkpoint = checkpoints.resume(slot, task)
        ctx.out.push({ kind: 'startCopy', copy, spec: task.spec, checkpoint, period })
        return
      }
      case 'halt':
        if (local.launched !== null)
          ctx.out.push({ kind: 'stopCopy', copy: local.launched, graceMs: task.graceMs })
        return
      case 'publish':
        if (local.state.phase === 'stopping') {
          // Most have ended before the others would have heard of it.
          claims.note(slot, local)
          ctx.deadlines.set(`show|${slot.key}`, ctx.now + ctx.config.stoppingMs)
          return
        }
        claims.publish(slot, local)
        if (local.state.phase === 'running') {
          if (task.schedule !== null) armPeriod(slot, local)
          else if (local.state.restarts > 0)
            ctx.deadlines.set(`steady|${slot.key}`, ctx.now + ctx.config.steadyMs)
        }
        return
      case 'ended':
        for (const what of ['period', 'steady', 'error', 'hand', 'move', 'dead', 'show'])
          ctx.deadlines.delete(`${what}|${slot.key}`)
        local.handAt = null
        end(slot, local)
        return
      case 'backOff': {
        const { backOffMinMs, backOffMaxMs } = ctx.config
        const restarts = 'restarts' in local.state ? local.state.restarts : 1
        const wait = Math.min(backOffMaxMs, backOffMinMs * 2 ** Math.min(20, restarts - 1))
        ctx.deadlines.delete(`steady|${slot.key}`)
        ctx.deadlines.set(`retry|${slot.key}`, ctx.now + ctx.deps.rng.jitter(wait, 0.1))
        return
      }
    }
  }

  const end = (slot: Slot, local: LocalCopy): void => {
    checkpoints.publish(slot)
    local.handedTo = null
    local.movesAt = null
    local.deadClaimsAt = null
    const heir = moves.heirOf(slot)
    claims.publish(slot, local, heir !== null)
    if (heir === null) return
    // After a split the heir runs already: it is not worth a connection to hear that it now runs alone.
    const isRunning = rivalsOf(ctx, slot).some(claim => claim.epoch.node === heir)
    if (!isRunning || ctx.deps.members.isLinked(heir)) moves.tell(slot, local, heir)
  }

  const armPeriod = (slot: Slot, local: LocalCopy): void => {
    if (local.state.phase !== 'running' || local.state.active || local.task === null) return
    const next = local.task.schedule?.nextAfter(local.covered as Millis)?.startAt ?? null
    if (next === null) ctx.deadlines.delete(`period|${slot.key}`)
    else {
      const at = ctx.now + Math.max(0, Math.ceil(next - meshNow(ctx)))
      ctx.deadlines.set(`period|${slot.key}`, Math.max(at, ctx.calmUntil, local.calmUntil))
    }
  }

  const due = (what: string, slot: Slot, local: LocalCopy): boolean => {
    switch (what) {
      case 'steady':
        apply(slot, { kind: 'steady' })
        return true
      case 'error':
      case 'show':
        claims.publish(slot, local)
        return true
      case 'period':
        onPeriod(slot, local)
        return true
      default:
        return false
    }
  }

  const onPeriod = (slot: Slot, local: LocalCopy): void => {
    const next = local.task?.schedule?.nextAfter(local.covered as Millis)?.startAt ?? null
    if (next !== null && next > meshNow(ctx)) {
      armPeriod(slot, local)
      return
    }
    local.covered = Math.floor(meshNow(ctx))
    if (isContested(slot, local)) armPeriod(slot, local)
    else apply(slot, { kind: 'run' })
  }

  /** Another runs it too, as after a split: until one has given way, a period is rather missed than doubled. */
  const isContested = (slot: Slot, local: LocalCopy): boolean => {
    if (rivalsOf(ctx, slot).length === 0) {
      local.handAt = null
      return false
    }
    local.handAt ??= ctx.now + (local.task?.graceMs ?? 0) + ctx.config.handoverMarginMs
    return ctx.now < local.handAt
  }

  const slotOfCopy = (copy: CopyId): Slot | null => {
    const slot = ctx.slots.get(copy.task, copy.slot)
    return slot?.local?.launched?.epoch === copy.epoch ? slot : null
  }

  const exited = (copy: CopyId, error: string | null, result: Json): void => {
    const slot = slotOfCopy(copy)
    if (slot === null) return
    const local = localOf(slot)
    const task = local.task as Task
    const wasAsked = local.state.phase === 'stopping'
    local.launched = null
    if (wasAsked) apply(slot, { kind: 'exited', how: 'ran', error: '', cause: 'exited' })
    else if (task.kind === 'always') {
      local.lastError = error ?? 'it ended, but it is to run always'
      local.errors += 1
      local.cause = 'exited'
      apply(slot, { kind: 'exited', how: 'broken', error: local.lastError, cause: 'exited' })
    } else if (task.kind === 'job') {
      local.lastError = error
      results.record(slot, task, { number: numberOf(local.state), node: ctx.self }, error, result)
      apply(slot, { kind: 'exited', how: 'finished', error: '', cause: 'exited' })
    } else {
      if (error !== null) {
        local.lastError = error
        local.errors += 1
        if (ctx.deadlines.get(`error|${slot.key}`) === null)
          ctx.deadlines.set(`error|${slot.key}`, ctx.now + ctx.config.errorPaceMs)
      }
      apply(slot, { kind: 'exited', how: 'ran', error: '', cause: 'exited' })
      armPeriod(slot, local)
    }
  }

  return {
    apply,
    armPeriod,
    due,
    exited,
    slotOfCopy,
    rearm: () => {
      for (const slot of held) armPeriod(slot, localOf(slot))
    },
    started: copy => {
      const slot = slotOfCopy(copy)
      if (slot !== null) apply(slot, { kind: 'started' })
    },
    get holding() {
      return held.size
    },
  }
}
