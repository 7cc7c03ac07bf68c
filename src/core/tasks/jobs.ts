// How many jobs (`once`) run on this node at the same time: the rest of its share queues,
// first come, first served. Ten thousand must not start together.

import type { Context } from './context.js'
import type { Slot } from './slots.js'
import type { Task } from './task-table.js'

export interface Jobs {
  /** Whether this one may begin now; if not, it is looked at again when there is room. Other tasks always may. */
  admits(slot: Slot, task: Task): boolean
  /** It does not want to begin any more, for now: the next one may. */
  giveUp(slot: Slot): void
  began(slot: Slot): void
  ended(slot: Slot): void
}

export const createJobs = (ctx: Context): Jobs => {
  const running = new Set<Slot>()
  const queue = new Set<Slot>()

  const admitNext = (): void => {
    const [next] = queue
    if (next !== undefined) ctx.dirty.add(next)
  }

  return {
    admits: (slot, task) => {
      if (task.kind === 'job' && running.size >= ctx.config.jobsRunningMax) {
        queue.add(slot)
        return false
      }
      queue.delete(slot)
      return true
    },
    giveUp: slot => {
      if (queue.delete(slot)) admitNext()
    },
    began: slot => {
      running.add(slot)
      // Several may have ended in one step, each of which woke the same one.
      if (running.size < ctx.config.jobsRunningMax) admitNext()
    },
    ended: slot => {
      if (running.delete(slot)) admitNext()
    },
  }
}
