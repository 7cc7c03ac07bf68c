// What this node sees of every slot, told to the world: the `task.*` events with
// their causes, and the measured availability. It reads claims and decides nothing.

import type { Millis, NodeId, TaskId } from '../ids.js'
import type { TaskCause, TaskEvent } from '../mesh-event.js'
import {
  addCoverage,
  type Coverage,
  cover,
  type Interval,
  startCoverage,
  sumCoverage,
  type TaskAvailability,
} from './availability.js'
import { type Claim, formatEpoch } from './claim.js'
import { type Context, claimOf, isPlaced, isStanding } from './context.js'
import type { Slot } from './slots.js'
import { isReadable } from './task-table.js'

type Kind = 'gaps' | 'overlaps'

/** A gap or an overlap that is over; those of one task form a chain, so that the usual one (its first start) costs one object. */
interface Lapse extends Interval {
  older: Lapse | null
}

export interface Observer {
  /** A node's claim became another one (null: there was, or is, none). */
  claimChanged(slot: Slot, before: Claim | null, after: Claim | null): void
  /** Looks again at who runs the slot. */
  look(slot: Slot): void
  /** The slot is no more; what was measured of it stays in its task's sums. */
  retire(slot: Slot): void
  taskChanged(task: TaskId, cause: 'applied' | 'changed' | 'removed'): void
  availability(now: Millis): ReadonlyMap<TaskId, TaskAvailability>
}

export const createObserver = (ctx: Context): Observer => {
  /** The newest of each task. */
  const lapses = { gaps: new Map<TaskId, Lapse>(), overlaps: new Map<TaskId, Lapse>() }
  /** What slots that are no more had added up. */
  const retired = new Map<TaskId, Coverage>()

  const tell = (event: TaskEvent): void => {
    if (!ctx.quiet) ctx.out.push({ kind: 'notify', event })
  }

  const remember = (slot: Slot, kind: Kind, from: Millis, cause: TaskCause): void => {
    const older = lapses[kind].get(slot.task) ?? null
    const newest: Lapse = { slot: slot.index, from, to: ctx.now, cause, older }
    lapses[kind].set(slot.task, newest)
    let count = 1
    for (let at = newest; at.older !== null; at = at.older) {
      if (++count <= ctx.config.gapsMax) continue
      at.older = null
      return
    }
  }

  const listed = (task: TaskId, kind: Kind): Interval[] => {
    const intervals: Interval[] = []
    for (let lapse = lapses[kind].get(task) ?? null; lapse !== null; lapse = lapse.older) {
      const { slot, from, to, cause } = lapse
      intervals.push({ slot, from, to, cause })
    }
    return intervals.reverse()
  }

  return {
    claimChanged: (slot, before, after) => {
      if (after === null || (before !== null && before.phase === after.phase)) return
      if (after.phase !== 'stopped' && after.phase !== 'failed') return
      // A copy that was never seen to run and ended long ago is no news.
      if (before === null) return
      const { task, index } = slot
      const node = after.epoch.node
      const epoch = formatEpoch(after.epoch)
      if (after.phase === 'failed')
        tell({
          kind: 'task.failed',
          task,
          slot: index,
          node,
          epoch,
          cause: 'exited',
          error: after.lastError ?? '',
          at: ctx.now,
        })
      else tell({ kind: 'task.stopped', task, slot: index, node, epoch, cause: after.cause, at: ctx.now })
    },

    look: slot => {
      const { coverage, task, index } = slot
      const runners: NodeId[] = []
      for (const claim of slot.claims)
        if (claim.phase === 'running' && isStanding(ctx, claim)) runners.push(claim.epoch.node)
      const lastRunner = coverage.lastRunner
      const change = cover(coverage, ctx.now, isPlaced(ctx, slot), runners, () => endCause(ctx, slot))
      if (change.gap !== null) {
        remember(slot, 'gaps', change.gap.from, change.gap.cause)
        // The very first start is no failover.
        if (lastRunner !== null) count('shoal_task_gap_ms', ctx.now - change.gap.from, change.gap.cause)
      }
      if (change.overlap !== null) {
        remember(slot, 'overlaps', change.overlap.from, change.overlap.cause)
        count('shoal_task_overlap_ms', ctx.now - change.overlap.from, change.overlap.cause)
      }
      for (const node of change.began) {
        const claim = claimOf(slot, node)
        if (claim === undefined) continue
        const { cause } = claim
        const at = ctx.now
        const epoch = formatEpoch(claim.epoch)
        tell({ kind: 'task.started', task, slot: index, node, epoch, cause, at })
        if (lastRunner !== null && lastRunner !== node)
          tell({ kind: 'task.moved', task, slot: index, node, epoch, cause, from: lastRunner, to: node, at })
        coverage.lastRunner = node
      }
    },

    retire: ({ task, coverage }) => {
      if (coverage.totalMs === 0 || !ctx.tasks.has(task)) return
      const sum = retired.get(task) ?? startCoverage(ctx.now)
      addCoverage(sum, coverage)
      retired.set(task, sum)
    },

    taskChanged: (task, cause) => {
      if (cause === 'removed') {
        lapses.gaps.delete(task)
        lapses.overlaps.delete(task)
        retired.delete(task)
      }
      tell({
        kind: cause === 'removed' ? 'task.removed' : 'task.applied',
        task,
        node: null,
        epoch: null,
        cause,
        at: ctx.now,
      })
    },

    availability: now => {
      const sums = new Map<TaskId, TaskAvailability>()
      for (const [id, task] of ctx.tasks) {
        if (!isReadable(task)) continue
        const coverages = [...ctx.slots.of(id)].map(slot => slot.coverage)
        const gone = retired.get(id)
        if (gone !== undefined) coverages.push(gone)
        sums.set(id, sumCoverage(coverages, now, listed(id, 'gaps'), listed(id, 'overlaps')))
      }
      return sums
    },
  }

  function count(metric: string, by: number, cause: TaskCause): void {
    if (!ctx.quiet) ctx.out.push({ kind: 'count', metric, by, labels: { cause } })
  }
}

/** Why a slot that was covered is so no more. */
const endCause = (ctx: Context, slot: Slot): TaskCause => {
  const last: NodeId | null = slot.coverage.lastRunner
  if (last === null) return 'applied'
  const verdict = ctx.deps.members.get(last)?.verdict
  if (verdict === 'left') return 'left'
  const claim = claimOf(slot, last)
  if (verdict === 'dead' || claim === undefined) return 'died'
  if (claim.phase === 'failed') return 'exited'
  return claim.phase === 'running' ? 'heal' : claim.cause
}
