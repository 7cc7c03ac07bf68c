// How long a copy that is due here waits for what its last owner still has to say:
// that its own copy has ended, and the checkpoint which that left behind. Both come
// by gossip or by a message; where they are late, somebody is asked for shared state,
// because what gossip lost would otherwise be found by chance, seconds later.

import type { Claim } from './claim.js'
import { type Context, highestClaim, isLive } from './context.js'
import type { LocalCopy, Slot } from './slots.js'
import type { Task } from './task-table.js'

export interface Patience {
  /** Whether this slot has to wait now; its time is counted from the first call. */
  waits(slot: Slot, local: LocalCopy, task: Task, rivals: readonly Claim[]): boolean
  /** It has waited for a while: asks, and will again. */
  look(slot: Slot, local: LocalCopy): void
  /** It runs here, and so did members that are held dead: whether that has stood for so long that nobody's word will follow. */
  isOverDead(slot: Slot, local: LocalCopy): boolean
  /** It runs here, or is not due here any more. */
  end(slot: Slot, local: LocalCopy): void
}

/** `hasCheckpoint`: whether the checkpoint that a claim speaks of, or a newer one, is here. */
export const createPatience = (
  ctx: Context,
  hasCheckpoint: (slot: Slot, claim: Claim) => boolean,
): Patience => {
  const { deadClaimMs, handoverLookMs, handoverMarginMs, savedWaitMs } = ctx.config

  /** Who made a claim still knows what its copy saved, and tells it to whoever asks. */
  const isInSameLife = ({ epoch, boot }: Claim): boolean =>
    isLive(ctx, epoch.node) && ctx.deps.members.get(epoch.node)?.record.generation.number === boot

  /** Both waits are counted from their beginning; a rival that appears later has its own time. */
  const waitUntil = (slot: Slot, local: LocalCopy, at: number): boolean => {
    if (ctx.now >= at) return false
    if (ctx.deadlines.get(`look|${slot.key}`) === null) {
      local.lookMs = handoverLookMs
      ctx.deadlines.set(`look|${slot.key}`, ctx.now + handoverLookMs)
    }
    ctx.deadlines.set(`hand|${slot.key}`, at)
    return true
  }

  return {
    waits: (slot, local, task, rivals) => {
      if (rivals.length > 0) {
        local.handAt ??= ctx.now + task.graceMs + handoverMarginMs
        return waitUntil(slot, local, local.handAt)
      }
      const last = highestClaim(slot)
      if (last === null || last.phase !== 'stopped' || last.saved === 0 || hasCheckpoint(slot, last))
        return false
      const untilAt = ctx.now + (isInSameLife(last) ? savedWaitMs : handoverMarginMs)
      if (local.savedAt === null || local.savedAt > untilAt) local.savedAt = untilAt
      return waitUntil(slot, local, local.savedAt)
    },

    look: (slot, local) => {
      if (ctx.now >= Math.max(local.handAt ?? 0, local.savedAt ?? 0)) return
      const last = highestClaim(slot)
      if (last !== null) ctx.overdue.add(last.epoch.node)
      local.lookMs *= 2
      ctx.deadlines.set(`look|${slot.key}`, ctx.now + local.lookMs)
    },

    isOverDead: (slot, local) => {
      const isAmongDead = slot.claims.some(({ epoch }) => epoch.node !== ctx.self && !isLive(ctx, epoch.node))
      if (isAmongDead && local.deadClaimsAt === null) {
        local.deadClaimsAt = ctx.now + deadClaimMs
        ctx.deadlines.set(`dead|${slot.key}`, local.deadClaimsAt)
      }
      if (isAmongDead && ctx.now < (local.deadClaimsAt ?? 0)) return false
      if (local.deadClaimsAt !== null) {
        local.deadClaimsAt = null
        ctx.deadlines.delete(`dead|${slot.key}`)
      }
      return true
    },

    end: (slot, local) => {
      local.handAt = null
      local.savedAt = null
      ctx.deadlines.delete(`hand|${slot.key}`)
      ctx.deadlines.delete(`look|${slot.key}`)
    },
  }
}
