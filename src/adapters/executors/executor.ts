// The Executor of a real node: picks the kind by `spec.run`, refuses what the node was
// not allowed to run, and does for every kind alike what surrounds a run: the token, the
// grace period, the fence and the log. Once a copy has ended, in whatever way, its token
// is revoked and what is left of it can neither save nor write.

import { invariant, ShoalError } from '../../core/errors.js'
import type { Millis, NodeId, TaskId } from '../../core/ids.js'
import type { Json } from '../../core/json.js'
import type { CopyId } from '../../core/step.js'
import type { CopyListener, CopyOrder, Executor, Log } from '../../ports.js'
import { createHandlerKind, createHandlers, type Handlers } from './handlers.js'
import { createLogBuffer, type LogLine } from './log-buffer.js'
import { createModules } from './modules.js'
import { createPrograms } from './programs.js'
import { errorText, type Run, type RunKind, type TaskSpace, toJson } from './run.js'
import type { TokenDesk } from './tokens.js'

export type RunName = 'handler' | 'module' | 'exec'

export interface ExecutorOptions {
  readonly node: NodeId
  readonly handlers?: Handlers
  readonly modulesDir: string | null
  readonly allow: readonly RunName[]
  readonly log: Log
  readonly tokens: TokenDesk
  readonly api: () => string | null
  /** Shared state, as tasks see it. Throws for a space that this node does not hold. */
  readonly space: (name: string) => TaskSpace
  /** The time that log lines carry. */
  readonly now: () => Millis
  /** A handler kept the event loop from everything else for so long. */
  readonly onBlocked?: (task: TaskId, ms: Millis) => void
  /** What this node can run has changed. */
  readonly onAbilities?: (runs: readonly string[]) => void
}

export interface TaskExecutor extends Executor {
  /** For the member's record: `exec`, `module`, `handler:<name>`. */
  abilities(): readonly string[]
  /** What this node kept of a task's output, oldest first. */
  logs(task: TaskId, lines?: number): readonly LogLine[]
  forgetLogs(task: TaskId): void
  /** Copies under way. */
  running(): number
  /** Functions that did not end when told to, and cannot be made to. */
  stuck(): number
}

/** Longest wait for what was ended by force. */
const closeMsMax = 2_000
/** Timers that are longer fire at once. */
const timerMsMax = 2_147_483_647

interface Entry {
  readonly run: Run
  grace: NodeJS.Timeout | null
}

const kindOf = (order: CopyOrder): RunName =>
  'handler' in order.spec.run ? 'handler' : 'module' in order.spec.run ? 'module' : 'exec'

const keyOf = (copy: CopyId): string => `${copy.task} ${copy.slot} ${copy.epoch}`

export const createExecutor = (options: ExecutorOptions): TaskExecutor => {
  const { node, allow, log, tokens, now } = options
  const handlers = options.handlers ?? createHandlers()
  const buffer = createLogBuffer()
  const handlerKind = createHandlerKind(handlers, options.onBlocked ?? (() => {}))
  const kinds: Readonly<Record<RunName, RunKind>> = {
    handler: handlerKind,
    module: createModules({ folder: options.modulesDir, now }),
    exec: createPrograms({ log, now, api: options.api }),
  }
  const copies = new Map<string, Entry>()
  let emptied: (() => void) | null = null
  let closed = false

  const abilities = (): readonly string[] => {
    const runs: string[] = []
    if (allow.includes('exec')) runs.push('exec')
    if (allow.includes('handler')) runs.push(...handlers.names().map(name => `handler:${name}`))
    if (allow.includes('module') && options.modulesDir !== null) runs.push('module')
    return runs
  }
  const unobserve = handlers.observe(() => options.onAbilities?.(abilities()))

  const refusalOf = (kind: RunName): string | null =>
    closed
      ? 'this node is closing'
      : allow.includes(kind)
        ? null
        : `this node does not run ${kind} tasks; it was started with --allow ${allow.join(',') || '(nothing)'}`

  const start = (order: CopyOrder, listener: CopyListener): void => {
    const key = keyOf(order.copy)
    invariant(!copies.has(key), `copy ${key} is started once at a time`)
    const kind = kindOf(order)
    const refusal = refusalOf(kind)
    if (refusal !== null) {
      queueMicrotask(() => listener.exited({ error: refusal, result: null }))
      return
    }
    const token = tokens.issue(order.copy)
    let over = false
    const cancels = new Set<() => void>()

    const fenced = (): ShoalError =>
      new ShoalError('FENCED', `task ${order.copy.task} no longer runs here under epoch ${order.copy.epoch}`)

    const guarded = (name: string): TaskSpace => {
      const space = options.space(name)
      return {
        get: key => space.get(key),
        has: key => space.has(key),
        entries: () => space.entries(),
        set: async (key, value) => {
          if (over) throw fenced()
          if (name.startsWith('shoal.')) throw reserved(name)
          return space.set(key, value)
        },
        delete: async key => {
          if (over) throw fenced()
          if (name.startsWith('shoal.')) throw reserved(name)
          return space.delete(key)
        },
        observe(callback) {
          if (over) throw fenced()
          const stop = space.observe(callback)
          const cancel = (): void => {
            if (cancels.delete(cancel)) stop()
          }
          cancels.add(cancel)
          return cancel
        },
      }
    }

    const inner: CopyListener = {
      started: () => {
        if (!over) listener.started()
      },
      exited(outcome) {
        if (over) return
        over = true
        const entry = copies.get(key)
        if (entry?.grace) clearTimeout(entry.grace)
        copies.delete(key)
        tokens.revoke(token)
        for (const cancel of [...cancels]) cancel()
        listener.exited(outcome)
        if (copies.size === 0) emptied?.()
      },
      saved: async (checkpoint: Json) => {
        if (over) throw fenced()
        return listener.saved(toJson('checkpoint', checkpoint))
      },
      logged(stream, text) {
        // A function's `log` may hold several lines; what was read from a pipe is one already.
        for (const line of text.split('\n', linesPerCallMax)) {
          buffer.append(order.copy.task, { at: now(), node, epoch: order.copy.epoch, stream, line })
          if (!over) listener.logged(stream, line)
        }
      },
    }
    const run = kinds[kind].start({ ...order, token, listener: inner, space: guarded })
    copies.set(key, { run, grace: null })
  }

  const stop = (copy: CopyId, graceMs: Millis): void => {
    const entry = copies.get(keyOf(copy))
    // It ended on its own a moment ago, and its `exited` is on its way or was delivered.
    if (entry === undefined) return
    entry.run.ask()
    if (entry.grace !== null) clearTimeout(entry.grace)
    entry.grace = setTimeout(
      () => entry.run.force(`it did not stop within ${graceMs} ms`),
      Math.min(graceMs, timerMsMax),
    )
  }

  const close = async (): Promise<void> => {
    closed = true
    unobserve()
    const allEnded = new Promise<void>(resolve => {
      emptied = resolve
    })
    for (const entry of [...copies.values()]) {
      entry.run.ask()
      entry.run.force('its node was closed')
    }
    if (copies.size > 0) {
      // What the kernel cannot end (a process in the middle of its own I/O) is left to the reaper.
      let timer: NodeJS.Timeout | undefined
      const enough = new Promise<void>(resolve => {
        timer = setTimeout(resolve, closeMsMax)
      })
      await Promise.race([allEnded, enough])
      clearTimeout(timer)
      if (copies.size > 0) log.warn('tasks did not end in time', { copies: [...copies.keys()] })
    }
    await Promise.all(
      Object.values(kinds).map(kind =>
        kind.close().catch(error => log.error('an executor did not close', { error: errorText(error) })),
      ),
    )
  }

  return {
    start,
    stop,
    close,
    abilities,
    logs: (task, lines) => buffer.read(task, lines),
    forgetLogs: task => buffer.forget(task),
    running: () => copies.size,
    stuck: () => handlerKind.stuck(),
  }
}

/** One call of `log` may give so many lines; the rest of it is dropped. */
const linesPerCallMax = 1_000

const reserved = (name: string): ShoalError =>
  new ShoalError('SPACE_RESERVED', `space ${name} is Shoal's own; a task may read it, not write it`)
