// How long a copy that is due here waits for what its last owner still has to say:
// that its own copy has ended, and the checkpoint which that left behind. Both come
// by gossip or by a message; where they are late, somebody is asked for shared state,
// because what gossip lost would otherwise be found by chance, seconds later.

import type { Claim } from './claim.js'
import { type Context, highestClaim, type LocalCopy, type Slot } from './context.js'
import type { Task } from './task-table.js'

export interface Patience {
  /** Whether this slot has to wait now; its time is counted from the first call. */
  waits(slot: Slot, local: LocalCopy, task: Task, rivals: readonly Claim[]): boolean
  /** It has waited for a while: asks, and will again. */
  look(slot: Slot, local: LocalCopy): void
}

/** `hasCheckpoint`: whether the checkpoint that a claim speaks of, or a newer one, is here. */
export const createPatience = (
  ctx: Context,
  hasCheckpoint: (slot: Slot, claim: Claim) => boolean,
): Patience => {
  const { handoverLookMs, handoverMarginMs } = ctx.config

  const waitUntil = (slot: Slot, local: LocalCopy, at: number): boolean => {
    if (local.handAt === null) {
      local.lookMs = handoverLookMs
      ctx.deadlines.set(`look|${slot.key}`, ctx.now + handoverLookMs)
    }
    local.handAt = Math.min(local.handAt ?? at, at)
    ctx.deadlines.set(`hand|${slot.key}`, local.handAt)
    return ctx.now < local.handAt
  }

  return {
    waits: (slot, local, task, rivals) => {
      if (rivals.length > 0) return waitUntil(slot, local, ctx.now + task.graceMs + handoverMarginMs)
      const last = highestClaim(slot)
      if (last === null || last.phase !== 'stopped' || last.saved === 0 || hasCheckpoint(slot, last))
        return false
      return waitUntil(slot, local, ctx.now + handoverMarginMs)
    },

    look: (slot, local) => {
      if (local.handAt === null || ctx.now >= local.handAt) return
      const last = highestClaim(slot)
      if (last !== null) ctx.overdue.add(last.epoch.node)
      local.lookMs *= 2
      ctx.deadlines.set(`look|${slot.key}`, ctx.now + local.lookMs)
    },
  }
}
