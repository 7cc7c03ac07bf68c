// What other nodes say about tasks. All of it is a short cut past shared state: what
// makes no sense is dropped and counted, and nothing here is needed to be right.

import { unreachable } from '../errors.js'
import type { NodeId } from '../ids.js'
import type { Checkpoints } from './checkpoints.js'
import { parseEpoch } from './claim.js'
import { type Context, claimOf, localOf, meshNow, setClaim, slotAt } from './context.js'
import type { TaskMessage } from './message.js'
import type { Observer } from './observer.js'
import type { Results } from './results.js'

export type Inbox = (from: NodeId, message: TaskMessage) => void

export const createInbox = (
  ctx: Context,
  checkpoints: Checkpoints,
  results: Results,
  observer: Observer,
): Inbox => {
  const receive = (from: NodeId, message: TaskMessage): void => {
    switch (message.kind) {
      case 'checkpoint':
      case 'handover': {
        const epoch = parseEpoch(message.epoch)
        // Only a claim's own node speaks for it; what is said of unknown tasks is kept out of the tables.
        if (epoch === null || epoch.node !== from || !ctx.tasks.has(message.task)) {
          count('misfit')
          return
        }
        const slot = slotAt(ctx, message.task, message.slot)
        const { task } = message
        if (message.kind === 'checkpoint') checkpoints.receive(slot, message)
        else {
          if (message.checkpoint !== null) checkpoints.receive(slot, message)
          const before = claimOf(slot, from) ?? null
          if (before !== null && before.epoch.number > epoch.number) {
            count('late')
            return
          }
          const { cause, covered } = message
          const after = {
            ...(before ?? {
              task,
              slot: message.slot,
              since: meshNow(ctx),
              restarts: 0,
              lastError: null,
              boot: 0,
              saved: 0,
              execution: 0,
            }),
            epoch,
            phase: 'stopped' as const,
            cause,
            covered,
          }
          localOf(slot).invited = true
          setClaim(ctx, slot, after)
          observer.claimChanged(slot, before, after)
        }
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

  const count = (what: string): void => {
    ctx.out.push({ kind: 'count', metric: 'shoal_task_messages_dropped', by: 1, labels: { what } })
  }

  return receive
}
