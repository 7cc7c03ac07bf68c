// What the runner judges a slot by, from the claims and members that this node knows:
// who else may run it, why it begins or ends here, and which periods are done.

import type { Millis, NodeId } from '../ids.js'
import type { TaskCause } from '../mesh-event.js'
import type { Claim } from './claim.js'
import { type Context, isStanding, meshNow } from './context.js'
import { numberOf } from './copy.js'
import type { Slot } from './slots.js'
import type { Task } from './task-table.js'

/** Others' copies that may live, as far as this node can tell. */
export const rivalsOf = (ctx: Context, slot: Slot): Claim[] =>
  slot.claims.filter(claim => claim.epoch.node !== ctx.self && isStanding(ctx, claim))

/** Why a slot whose highest claim is this one is taken now. */
export const causeOfTake = (ctx: Context, before: Claim | null): TaskCause => {
  if (before === null) return 'applied'
  const verdict = ctx.deps.members.get(before.epoch.node)?.verdict
  if (before.phase === 'stopped') return before.cause
  if (before.epoch.node === ctx.self) return before.phase === 'failed' ? 'exited' : 'died'
  return verdict === 'left' ? 'left' : isStanding(ctx, before) ? 'rebalanced' : 'died'
}

/** Why this node gives a slot up that placement does not name it for. */
export const causeOfStop = (
  ctx: Context,
  slot: Slot,
  task: Task | null,
  owner: NodeId | null,
  rivals: readonly Claim[],
): TaskCause => {
  if (task === null) return ctx.tasks.has(slot.task) ? 'changed' : 'removed'
  if (ctx.leaving) return 'left'
  if (isGoing(ctx)) return 'drained'
  const rival = rivals.find(claim => claim.epoch.node === owner && claim.phase === 'running')
  if (rival !== undefined && slot.local !== null)
    return rival.epoch.number > numberOf(slot.local.state) ? 'lower-epoch' : 'heal'
  if (owner === null) return 'changed'
  const since = ctx.availableSince.get(owner)
  return since !== undefined && ctx.now - since < NEWCOMER_MS ? 'joined' : 'rebalanced'
}

/** In mesh time, up to where periods are done when this node takes the slot over. */
export const coveredAt = (ctx: Context, slot: Slot, task: Task): Millis => {
  // A task that nobody ran yet begins with its first period.
  if (slot.claims.length === 0 && slot.highest === 0) {
    const first = task.schedule?.nextAfter(task.createdAt)?.startAt ?? null
    if (first === null || meshNow(ctx) < first) return task.createdAt - 1
  }
  let covered = 0
  for (const claim of slot.claims) {
    // Nobody can tell whether the current period was run: the next whole one is the first.
    if (claim.phase !== 'stopped' || claim.covered === null)
      return Math.ceil(meshNow(ctx)) + ctx.config.clockErrorMs
    covered = Math.max(covered, claim.covered)
  }
  return slot.claims.length === 0 ? Math.ceil(meshNow(ctx)) + ctx.config.clockErrorMs : covered
}

/** Whether this node gives all its tasks away. */
export const isGoing = (ctx: Context): boolean => {
  const own = ctx.deps.members.get(ctx.self)
  return ctx.leaving || (own !== undefined && (own.record.draining || own.record.health === 'failing'))
}

/** A move to a member that became available this lately is on account of its joining. */
const NEWCOMER_MS: Millis = 10_000
