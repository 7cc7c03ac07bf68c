// Runs `{handler: name}`: functions that the embedding program registered. They run on
// the node's own event loop, which makes them quick to start and impossible to kill: a
// function that ignores its signal is reported as ended with an error after the grace and
// counted as stuck, its saves and writes are fenced off, and it goes on using the loop.
// What must be killable is a module or a program.

import { formatWithOptions } from 'node:util'
import { ShoalError } from '../../core/errors.js'
import type { Millis, TaskId } from '../../core/ids.js'
import { isName } from '../../core/ids.js'
import type { Json } from '../../core/json.js'
import { createLoopMeter, type MeteredRun } from './loop-meter.js'
import {
  errorText,
  type Handler,
  isAbort,
  type Run,
  type RunKind,
  type RunOrder,
  resultOf,
  type TaskContext,
} from './run.js'

/** The functions that tasks may name. One registry per node. */
export interface Handlers {
  /** Makes a function available to tasks; returns its removal, which does not stop what runs. */
  register(name: string, handler: Handler): () => void
  get(name: string): Handler | undefined
  names(): readonly string[]
  /** Calls back when the names changed; returns its cancellation. */
  observe(listener: () => void): () => void
}

export interface HandlerKind extends RunKind {
  /** Functions that were given up and have not returned yet. */
  stuck(): number
}

export const createHandlers = (): Handlers => {
  const handlers = new Map<string, Handler>()
  const listeners = new Set<() => void>()
  const changed = (): void => {
    for (const listener of [...listeners]) listener()
  }
  return {
    register(name, handler) {
      if (!isName(name)) {
        throw new ShoalError(
          'HANDLER_INVALID',
          `handler name is ${JSON.stringify(name)}; it must match [a-z0-9][a-z0-9._-]{0,62}`,
        )
      }
      if (typeof handler !== 'function') {
        throw new ShoalError('HANDLER_INVALID', `handler ${name} is ${typeof handler}; it must be a function`)
      }
      if (handlers.has(name)) {
        throw new ShoalError('HANDLER_TAKEN', `handler ${name} is registered already; remove it first`)
      }
      handlers.set(name, handler)
      changed()
      return () => {
        if (handlers.get(name) !== handler) return
        handlers.delete(name)
        changed()
      }
    },
    get: name => handlers.get(name),
    names: () => [...handlers.keys()].sort(),
    observe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export const createHandlerKind = (
  handlers: Handlers,
  onBlocked: (task: TaskId, ms: Millis) => void,
): HandlerKind => {
  const meter = createLoopMeter(onBlocked)
  let stuck = 0

  const start = (order: RunOrder): Run => {
    const { copy, spec, listener } = order
    const name = (spec.run as { readonly handler: string }).handler
    const abort = new AbortController()
    let over = false
    let called = false
    let givenUp = false

    const finish = (error: string | null, result: Json): void => {
      if (givenUp) stuck -= 1
      if (over) return
      over = true
      listener.exited({ error, result })
    }

    const contextOf = (metered: MeteredRun): TaskContext => ({
      task: copy.task,
      input: structuredClone(spec.input),
      epoch: copy.epoch,
      checkpoint: structuredClone(order.checkpoint),
      save: checkpoint => metered.outside(() => listener.saved(checkpoint)),
      signal: abort.signal,
      log: (...parts) => {
        const text = formatWithOptions({ breakLength: 120 }, ...parts)
        metered.outside(() => listener.logged('log', text))
      },
      space(name) {
        const space = order.space(name)
        return {
          get: key => space.get(key),
          has: key => space.has(key),
          entries: () => space.entries(),
          set: (key, value) => metered.outside(() => space.set(key, value)),
          delete: key => metered.outside(() => space.delete(key)),
          observe: heard => space.observe(keys => metered.inside(() => heard(keys))),
        }
      },
    })

    const call = async (handler: Handler): Promise<void> => {
      const metered = meter.open(copy.task)
      inside = metered.inside
      try {
        finish(null, resultOf(order, await metered.inside(() => handler(contextOf(metered)))))
      } catch (error) {
        finish(isAbort(error, abort.signal) ? null : errorText(error), null)
      } finally {
        metered.end()
      }
    }

    // A handler's listeners for its signal are the handler's work too.
    let inside: <T>(work: () => T) => T = work => work()
    const abortBecause = (why: string): void => inside(() => abort.abort(new ShoalError('STOPPED', why)))

    const handler = handlers.get(name)
    // Not in this turn: whoever starts a copy must have its handle before the listener is called.
    queueMicrotask(() => {
      if (over) return
      if (abort.signal.aborted) return finish(null, null)
      if (handler === undefined) return finish(`no handler ${name} is registered on this node`, null)
      called = true
      listener.started()
      void call(handler)
    })

    return {
      ask: () => abortBecause(`task ${copy.task} has to stop`),
      force(why) {
        if (over) return
        abortBecause(why)
        if (!called) return finish(why, null)
        over = true
        givenUp = true
        stuck += 1
        listener.exited({
          error: `${why}; a function cannot be killed: it may still be running`,
          result: null,
        })
      },
    }
  }

  return {
    start,
    stuck: () => stuck,
    close() {
      meter.close()
      return Promise.resolve()
    },
  }
}
