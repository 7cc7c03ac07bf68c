// A planned move, from the side that gives: nobody died, so there is time to do it well.
//
// First the view settles: the copy runs on for a moment while everybody hears why it is
// to move, and a way to its next owner is opened. Then it is stopped, and its next owner
// told directly: what lies between the two copies is one message and one write to a disk.
// The mesh hears of it a little later, when nobody waits for the processor any more.

import type { Millis, NodeId } from '../ids.js'
import type { Checkpoint } from './checkpoint.js'
import { formatEpoch } from './claim.js'
import { type Context, channelTo, isBack, isLive } from './context.js'
import { isGoing } from './owning.js'
import { claimNumber, type LocalCopy, type Slot } from './slots.js'
import type { Task } from './task-table.js'

export interface HandOver {
  /** Whether a copy that is to move to this node runs on for now. */
  settles(slot: Slot, local: LocalCopy, to: NodeId): boolean
  /** Who is to be told when this slot's copy has ended, or null. */
  heirOf(slot: Slot): NodeId | null
  /** It has ended. */
  tell(slot: Slot, local: LocalCopy, heir: NodeId): void
}

/** `checkpointOf`: the newest checkpoint known here. */
export const createHandOver = (
  ctx: Context,
  checkpointOf: (slot: Slot, task: Task) => Checkpoint | null,
): HandOver => {
  /** When a way to these nodes was last opened. */
  const opened = new Map<NodeId, Millis>()

  const open = (to: NodeId, slot: Slot): void => {
    const { wayOpenMs, tasksMax } = ctx.config
    if (channelTo(ctx, to) === 'link' || ctx.now - (opened.get(to) ?? Number.NEGATIVE_INFINITY) < wayOpenMs)
      return
    if (opened.size >= tasksMax) opened.clear()
    opened.set(to, ctx.now)
    ctx.out.push({
      kind: 'send',
      to,
      channel: 'direct',
      message: { kind: 'handoverAhead', tasks: [slot.task] },
    })
  }

  return {
    settles: (slot, local, to) => {
      // Who was held dead has been replaced meanwhile: every moment that it runs on is one too many.
      if (ctx.deps.members.get(ctx.self)?.record.settled === false) return false
      // It most likely runs there: its claim will say so, and then nothing is to be handed over.
      const isAwaited = isBack(ctx, to) && !isGoing(ctx)
      const settledAt = ctx.now + (isAwaited ? ctx.config.backSettleMs : ctx.config.moveSettleMs)
      // Whoever begins to go away meanwhile does not wait for so long any more.
      if (local.movesAt === null || local.movesAt > settledAt) {
        local.movesAt = settledAt
        ctx.deadlines.set(`move|${slot.key}`, local.movesAt)
      }
      if (ctx.now >= local.movesAt) return false
      if (!isAwaited) open(to, slot)
      return true
    },

    heirOf: slot => {
      const owner = ctx.placer.owners().ownerOf(slot.task, slot.index)
      return owner === null || owner === ctx.self || !isLive(ctx, owner) ? null : owner
    },

    tell: (slot, local, heir) => {
      local.handedTo = { node: heir, untilAt: ctx.now + ctx.config.handoverMarginMs }
      ctx.out.push({
        kind: 'send',
        to: heir,
        channel: channelTo(ctx, heir),
        message: {
          kind: 'handover',
          task: slot.task,
          slot: slot.index,
          epoch: formatEpoch({ number: claimNumber(local), node: ctx.self }),
          cause: local.state.phase === 'stopped' ? local.state.cause : 'rebalanced',
          covered: local.covered,
          // As it was saved: under the number of a copy that saved nothing itself it would be above what is newer.
          saved: checkpointOf(slot, local.task as Task),
        },
      })
    },
  }
}
