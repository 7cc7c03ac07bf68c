// A task that asks for overlap: its next copy starts while the last one runs, so that nothing
// of its time is uncovered. It still begins with all that was acknowledged to the last one: its
// claim is durable first, then it asks the last owner, which answers with the newest checkpoint
// and from then on refuses what its copy saves, as it is no longer the owner's. That copy runs
// on until the next one does. Who does not answer is not waited for longer than a second.

import type { NodeId } from '../ids.js'
import type { Checkpoints } from './checkpoints.js'
import { type Epoch, formatEpoch, toldClaim } from './claim.js'
import { type Context, channelTo, claimOf, meshNow, setClaim, taskOf } from './context.js'
import { numberOf } from './copy.js'
import type { TaskMessage } from './message.js'
import { rivalsOf } from './owning.js'
import type { LocalCopy, Slot } from './slots.js'
import type { Task } from './task-table.js'

/** Whether the next copy of this task may start before the last one has ended. */
export const overlaps = (task: Task): boolean => task.spec.overlap && task.kind === 'always'

export interface Overlap {
  /** The claim of this copy is durable: whether what another copy saved is still awaited. */
  waits(slot: Slot, local: LocalCopy): boolean
}

export const createOverlap = (ctx: Context): Overlap => {
  const ask = (slot: Slot, local: LocalCopy): Set<NodeId> => {
    const asked = new Set<NodeId>()
    const epoch = formatEpoch({ number: numberOf(local.state), node: ctx.self })
    for (const rival of rivalsOf(ctx, slot)) {
      const to = rival.epoch.node
      asked.add(to)
      const message = { kind: 'handoverAsked', task: slot.task, slot: slot.index, epoch } as const
      ctx.out.push({ kind: 'send', to, channel: channelTo(ctx, to), message })
    }
    return asked
  }

  return {
    waits: (slot, local) => {
      if (local.task === null || !overlaps(local.task)) return false
      local.lastWords ??= { from: ask(slot, local), untilAt: ctx.now + ctx.config.handoverMarginMs }
      const { from, untilAt } = local.lastWords
      const isAwaited = rivalsOf(ctx, slot).some(({ epoch }) => from.has(epoch.node))
      if (isAwaited && ctx.now < untilAt) {
        ctx.deadlines.set(`hand|${slot.key}`, untilAt)
        return true
      }
      ctx.deadlines.delete(`hand|${slot.key}`)
      return false
    },
  }
}

/** Another node has claimed this slot and starts its copy when it has heard what was saved here. */
export const answerOverlap = (ctx: Context, checkpoints: Checkpoints, slot: Slot, epoch: Epoch): void => {
  const { node } = epoch
  const at = { task: slot.task, slot: slot.index }
  const before = claimOf(slot, node) ?? null
  if (before === null || before.epoch.number < epoch.number)
    // The fence for what the copy here saves, which would otherwise have to wait for gossip.
    setClaim(ctx, slot, {
      ...toldClaim({ ...at, epoch, phase: 'starting', cause: 'rebalanced', since: meshNow(ctx) }),
      boot: ctx.deps.members.get(node)?.record.generation.number ?? 0,
    })
  const task = taskOf(ctx, slot.task)
  const message: TaskMessage = {
    kind: 'handoverAnswered',
    ...at,
    epoch: formatEpoch(epoch),
    saved: task === null ? null : checkpoints.newest(slot, task),
  }
  ctx.out.push({ kind: 'send', to: node, channel: channelTo(ctx, node), message })
}

/** What the last copy saved is here, if that is what this one waits for. */
export const takeLastWord = (ctx: Context, checkpoints: Checkpoints, slot: Slot, said: LastWord): boolean => {
  const { local } = slot
  const { from, epoch, saved } = said
  if (local === null || local.lastWords === null) return false
  if (epoch !== formatEpoch({ number: numberOf(local.state), node: ctx.self })) return false
  if (!local.lastWords.from.delete(from)) return false
  if (saved !== null) checkpoints.receive(slot, saved)
  return true
}

interface LastWord
  extends Pick<Extract<TaskMessage, { readonly kind: 'handoverAnswered' }>, 'epoch' | 'saved'> {
  readonly from: NodeId
}
