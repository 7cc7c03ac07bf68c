// What other nodes say about tasks. All of it is a short cut past shared state: what
// makes no sense is dropped and counted, and nothing here is needed to be right.

import { unreachable } from '../errors.js'
import type { NodeId, TaskId } from '../ids.js'
import type { Checkpoints } from './checkpoints.js'
import { type Epoch, parseEpoch, toldClaim } from './claim.js'
import { type Context, claimOf, localOf, mayBe, meshNow, setClaim, slotAt } from './context.js'
import type { TaskMessage } from './message.js'
import type { Observer } from './observer.js'
import { answerOverlap, takeLastWord } from './overlap.js'
import type { Results } from './results.js'

type Handover = Extract<TaskMessage, { readonly kind: 'handover' }>

export type Inbox = (from: NodeId, message: TaskMessage) => void

export const createInbox = (
  ctx: Context,
  checkpoints: Checkpoints,
  results: Results,
  observer: Observer,
): Inbox => {
  const receive = (from: NodeId, message: TaskMessage): void => {
    switch (message.kind) {
      case 'checkpoint': {
        if (!ctx.tasks.has(message.task)) return count('misfit')
        const slot = slotAt(ctx, message.task, message.slot)
        if (!checkpoints.receive(slot, message.saved)) return count('misfit')
        ctx.dirty.add(slot)
        return
      }
      case 'handover':
        handedOver(from, message)
        return
      case 'handoverAsked': {
        const epoch = ownEpoch(from, message)
        if (epoch === null) return count('misfit')
        const slot = slotAt(ctx, message.task, message.slot)
        answerOverlap(ctx, checkpoints, slot, epoch)
        ctx.dirty.add(slot)
        return
      }
      case 'handoverAnswered': {
        const slot = ctx.slots.get(message.task, message.slot)
        const { epoch, saved } = message
        if (slot === undefined || !takeLastWord(ctx, checkpoints, slot, { from, epoch, saved }))
          return count('late')
        ctx.dirty.add(slot)
        return
      }
      case 'handoverAhead':
        // That it came is all of it.
        return
      case 'resultsAsked':
        results.asked(from, message.tasks)
        return
      case 'resultsHeld':
        results.held(message.tasks)
        return
      default:
        unreachable(message)
    }
  }

  const handedOver = (from: NodeId, message: Handover): void => {
    const epoch = ownEpoch(from, message)
    if (epoch === null) return count('misfit')
    const { task, cause, covered, saved } = message
    const slot = slotAt(ctx, task, message.slot)
    if (saved !== null && !checkpoints.receive(slot, saved)) return count('misfit')
    const before = claimOf(slot, from) ?? null
    if (before !== null && before.epoch.number > epoch.number) return count('late')
    const phase = 'stopped'
    const told = before ?? toldClaim({ task, slot: message.slot, epoch, phase, cause, since: meshNow(ctx) })
    const after = { ...told, epoch, phase, cause, covered } as const
    localOf(slot).invited = true
    setClaim(ctx, slot, after)
    observer.claimChanged(slot, before, after)
    ctx.dirty.add(slot)
  }

  /** Only a claim's own node speaks for it; what is said of unknown tasks is kept out of the tables. */
  const ownEpoch = (from: NodeId, { task, epoch: text }: { task: TaskId; epoch: string }): Epoch | null => {
    const epoch = parseEpoch(text)
    if (epoch === null || epoch.node !== from || !ctx.tasks.has(task)) return null
    return mayBe(ctx, epoch.number) ? epoch : null
  }

  const count = (what: string): void => {
    ctx.out.push({ kind: 'count', metric: 'shoal_task_messages_dropped', by: 1, labels: { what } })
  }

  return receive
}
