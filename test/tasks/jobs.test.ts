import test from 'ava'
import type { Context } from '../../src/core/tasks/context.js'
import { createJobs } from '../../src/core/tasks/jobs.js'
import type { Slot } from '../../src/core/tasks/slots.js'
import type { Task } from '../../src/core/tasks/task-table.js'

test('all places of jobs that end in one step are taken again, and never more than there are', t => {
  for (let ending = 1; ending <= 4; ending++) {
    const dirty = new Set<Slot>()
    const jobs = createJobs({ dirty, config: { jobsRunningMax: 4 } } as unknown as Context)
    const job = { kind: 'job' } as Task
    const running = new Set<Slot>()
    // What a step does with the slots that are to be looked at.
    const settle = (): void => {
      for (const slot of dirty) {
        dirty.delete(slot)
        if (!jobs.admits(slot, job)) continue
        jobs.began(slot)
        running.add(slot)
      }
    }
    for (let i = 0; i < 20; i++) dirty.add({ key: `job/${i}` } as unknown as Slot)
    settle()
    t.is(running.size, 4)
    for (let done = 4; done < 20; done += ending) {
      for (const slot of [...running].slice(0, ending)) {
        running.delete(slot)
        jobs.ended(slot)
      }
      settle()
      t.is(running.size, Math.min(4, 20 - done + 4 - ending), `${ending} ended at once, after ${done}`)
    }
  }
})
