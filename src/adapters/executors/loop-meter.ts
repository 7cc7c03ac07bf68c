// Says which handler kept the event loop busy. A handler is a function of the
// embedding program: it shares the loop with the heartbeats, so one that computes for
// seconds makes its node look dead, and only the task's name helps whoever has to repair it.
//
// How: every asynchronous resource created while a handler runs inherits its owner, and
// the time between `before` and `after` of such a resource is the owner's. A window timer
// that fires late by `lateMs` looks who held the loop for most of that time. The hook is on
// only while a handler is under way: a node without handlers pays nothing for it.

import { AsyncResource, createHook, executionAsyncResource } from 'node:async_hooks'
import type { Millis, TaskId } from '../../core/ids.js'

const windowMs = 50
/** A window timer this late means that the loop was blocked, not merely used. */
export const lateMs = 50

/** A handler under way, as the meter sees it. */
export interface MeteredRun {
  /** Does the handler's work: it, and all that follows from it, is counted as the task's. */
  inside<T>(work: () => T): T
  /**
   * Does the node's work that a handler asked for. What follows from it is the node's again: a
   * timer that the node arms while a handler saves must not be counted as the handler's for ever.
   */
  outside<T>(work: () => T): T
  /** The handler came to its end. */
  end(): void
}

export interface LoopMeter {
  open(task: TaskId): MeteredRun
  close(): void
}

interface Owner {
  readonly task: TaskId
  busyMs: Millis
}

type Owned = Record<symbol, Owner | undefined>

export const createLoopMeter = (onBlocked: (task: TaskId, ms: Millis) => void): LoopMeter => {
  const OWNER = Symbol('shoal.owner')
  const touched = new Set<Owner>()
  let section: { readonly asyncId: number; readonly owner: Owner; readonly from: Millis } | null = null
  let windowAt: Millis | null = null
  let users = 0

  const closeWindow = (): void => {
    const openedAt = windowAt
    windowAt = null
    if (openedAt === null) return
    const late = performance.now() - openedAt - windowMs
    for (const owner of touched) {
      if (late >= lateMs && owner.busyMs * 2 >= late) onBlocked(owner.task, Math.round(owner.busyMs))
      owner.busyMs = 0
    }
    touched.clear()
  }

  // Made once, outside of every handler, and re-armed with `refresh`: a timer made in a hook
  // would itself be counted as the handler's.
  const window = setTimeout(closeWindow, windowMs).unref()

  const hook = createHook({
    init(_asyncId, _type, _trigger, resource) {
      const owner = (executionAsyncResource() as Owned)[OWNER]
      if (owner !== undefined) (resource as Owned)[OWNER] = owner
    },
    before(asyncId) {
      if (section !== null) return
      const owner = (executionAsyncResource() as Owned)[OWNER]
      if (owner === undefined) return
      section = { asyncId, owner, from: performance.now() }
      if (windowAt === null) {
        windowAt = section.from
        window.refresh()
      }
    },
    after(asyncId) {
      if (section === null || section.asyncId !== asyncId) return
      section.owner.busyMs += performance.now() - section.from
      touched.add(section.owner)
      section = null
    },
  })

  const node = new AsyncResource('ShoalNode')

  return {
    open(task) {
      users += 1
      if (users === 1) hook.enable()
      const resource = new AsyncResource('ShoalHandler')
      ;(resource as unknown as Owned)[OWNER] = { task, busyMs: 0 }
      return {
        inside: work => resource.runInAsyncScope(work),
        outside: work => node.runInAsyncScope(work),
        end() {
          users -= 1
          if (users > 0) return
          hook.disable()
          section = null
        },
      }
    },
    close() {
      hook.disable()
      clearTimeout(window)
    },
  }
}
