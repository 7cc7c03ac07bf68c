// Runs `{exec: [...]}`: any program, as a process group of its own (its own session,
// so a Ctrl-C in the node's terminal is not for it). It is spawned from the main
// thread, because a child dies with the worker thread that spawned it.
//
// A copy ends with the process that was started: what is left of its group is killed
// at once, as when the first process of a container ends. What left the group (`setsid`)
// is no longer the node's. The environment is clean: what is not listed here is not passed.
//
// A program begins when the reaper has the word of its group (gate.ts), not a moment before,
// so that there is no moment at which it would outlive its node.

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { invariant } from '../../core/errors.js'
import type { Millis } from '../../core/ids.js'
import type { TaskRun } from '../../core/tasks/spec.js'
import type { Log } from '../../ports.js'
import { GATE_SHELL, GATE_WORD, gateCommand, isGateFailure } from './gate.js'
import { createLineReader, type LineReader } from './lines.js'
import { cwdProblem, type Found, findProgram } from './lookup.js'
import { createReaper } from './reaper.js'
import { errorText, type Run, type RunKind, type RunOrder } from './run.js'
import { createTurns } from './turns.js'

/** How long output may still come after the process ended, from what had left its group. */
const drainMs = 200
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'TZ']

type ExecRun = Extract<TaskRun, { exec: readonly string[] }>

export interface ProgramOptions {
  readonly log: Log
  readonly now: () => Millis
  /** Where this node's API answers, `http://127.0.0.1:4780`, or null without one. */
  readonly api: () => string | null
}

export const environmentOf = (order: RunOrder, api: string | null): Record<string, string> => {
  const environment: Record<string, string> = {}
  for (const name of PASSED_ON) {
    const value = process.env[name]
    if (value !== undefined) environment[name] = value
  }
  const run = order.spec.run as ExecRun
  Object.assign(environment, run.env, {
    SHOAL_TASK: order.copy.task,
    SHOAL_EPOCH: order.copy.epoch,
    SHOAL_INPUT: JSON.stringify(order.spec.input),
    SHOAL_CHECKPOINT: JSON.stringify(order.checkpoint),
    SHOAL_TOKEN: order.token,
    ...(api === null ? {} : { SHOAL_API: api }),
  })
  return environment
}

/** Says in words why the kernel would not start the gate. */
const spawnErrorText = (run: ExecRun, error: unknown): string => {
  const code = (error as NodeJS.ErrnoException).code
  const program = JSON.stringify(run.exec[0])
  switch (code) {
    case 'E2BIG':
      return 'exec: arguments and environment (run.env, input, checkpoint) are more than the kernel takes (E2BIG)'
    case 'EAGAIN':
    case 'ENOMEM':
    case 'EMFILE':
    case 'ENFILE':
      return `exec: this node has no process, memory or file handle left for ${program} (${code})`
    case 'ENOENT':
      return `exec: ${program}: this node has no ${GATE_SHELL}, through which programs are started (ENOENT)`
    default:
      return `exec: ${program}: ${errorText(error)}`
  }
}

const lookUp = (run: ExecRun, program: string, path: string | undefined): Found => {
  try {
    const problem = run.cwd === undefined ? null : cwdProblem(run.cwd)
    return problem === null ? findProgram(program, run.cwd ?? '.', path) : { problem }
  } catch (error) {
    // The folder in which the node was started is gone, and the program is relative to it.
    return { problem: `exec: ${JSON.stringify(program)} could not be looked for: ${errorText(error)}` }
  }
}

export const createPrograms = ({ log, now, api }: ProgramOptions): RunKind => {
  const reaper = createReaper(log)
  const inTurn = createTurns()

  const start = (order: RunOrder): Run => {
    const run = order.spec.run as ExecRun
    const { listener } = order
    let child: ChildProcessByStdio<null, Readable, Readable> | null = null
    let isOpened = false
    let asked = false
    let forced: string | null = null
    let over = false
    let lastComplaint = ''

    const finish = (error: string | null): void => {
      if (over) return
      over = true
      listener.exited({ error, result: null })
    }

    const signalGroup = (signal: 'SIGTERM' | 'SIGKILL'): void => {
      if (child?.pid === undefined) return
      try {
        process.kill(-child.pid, signal)
      } catch (error) {
        // ESRCH: the whole group is gone, which is what was wanted. EPERM: it changed its user.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') {
          log.warn('a program could not be signalled', {
            task: order.copy.task,
            signal,
            error: errorText(error),
          })
        }
      }
    }

    const read = (stream: Readable, reader: LineReader): void => {
      stream.on('data', (chunk: Buffer) => {
        const waitMs = reader.push(chunk)
        if (waitMs === 0 || child === null || child.exitCode !== null || child.signalCode !== null) return
        stream.pause()
        setTimeout(() => stream.resume(), waitMs).unref()
      })
      // A pipe that breaks has ended; `exit` tells the rest.
      stream.on('error', () => {})
    }

    const launch = (): void => {
      const [program, ...args] = run.exec
      const fail = (error: unknown): void => finish(spawnErrorText(run, error))
      if (program === undefined) {
        fail(new Error('it is empty; it must name a program'))
        return
      }
      const environment = environmentOf(order, api())
      const found = lookUp(run, program, environment.PATH)
      if ('problem' in found) {
        finish(found.problem)
        return
      }
      try {
        reaper.ready()
      } catch (error) {
        finish(errorText(error))
        return
      }
      try {
        const command = gateCommand([program, ...args], found.path, environment)
        child = spawn(GATE_SHELL, command.args, {
          ...(run.cwd === undefined ? {} : { cwd: run.cwd }),
          env: command.env,
          detached: true,
          stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
        }) as ChildProcessByStdio<null, Readable, Readable>
      } catch (error) {
        fail(error)
        return
      }
      const spawned = child
      if (spawned.pid === undefined) {
        spawned.once('error', fail)
        return
      }
      const group = spawned.pid
      const gate = spawned.stdio[3] as unknown as Writable
      // A gate that was ended has a broken pipe; `exit` tells the rest.
      gate.on('error', () => {})
      reaper.hold(group, () => {
        // Stopped in the meantime, or the gate could not live: it never becomes the program.
        if (asked || forced !== null || spawned.exitCode !== null || spawned.signalCode !== null) {
          gate.destroy()
          return
        }
        isOpened = true
        gate.end(GATE_WORD, () => gate.destroy())
        listener.started()
      })
      // A signal that could not be sent is reported where it was sent.
      spawned.on('error', () => {})
      const out = createLineReader(now, line => listener.logged('out', line))
      const err = createLineReader(now, line => {
        lastComplaint = line
        listener.logged('err', line)
      })
      read(spawned.stdout, out)
      read(spawned.stderr, err)
      spawned.once('exit', (code, signal) => {
        signalGroup('SIGKILL')
        reaper.free(group)
        gate.destroy()
        spawned.stdout.resume()
        spawned.stderr.resume()
        const drained = (): void => {
          if (over) return
          clearTimeout(timer)
          spawned.stdout.destroy()
          spawned.stderr.destroy()
          out.end()
          err.end()
          const ofGate = gateOutcome(code)
          const ofProgram = (): string | null => outcomeText(code, signal, asked, lastComplaint)
          finish(forced ?? (ofGate === undefined ? ofProgram() : ofGate))
        }
        // A loop that was kept from turning finds this timer due before it looks at the pipes again.
        const timer = setTimeout(() => setImmediate(drained), drainMs)
        spawned.once('close', drained)
      })
    }

    /** What the end means, when it was the gate that ended: undefined when it was the program. */
    const gateOutcome = (code: number | null): string | null | undefined => {
      if (!isOpened && asked) return null
      if (isOpened && !isGateFailure(code, lastComplaint)) return undefined
      const program = run.exec[0] ?? ''
      // It was there a moment ago.
      const found = lookUp(run, program, environmentOf(order, null).PATH)
      if ('problem' in found) return found.problem
      const why = lastComplaint === '' ? `its gate ended too early (${code})` : lastComplaint
      return errorText(`exec: ${JSON.stringify(program)} could not be executed: ${why}`)
    }

    inTurn(() => {
      if (asked || forced !== null) finish(forced)
      else launch()
    })

    return {
      ask() {
        asked = true
        signalGroup('SIGTERM')
      },
      force(why) {
        forced ??= why
        signalGroup('SIGKILL')
      },
    }
  }

  return { start, close: async () => reaper.close() }
}

/** What a process's end means: nothing wrong, or a sentence. */
const outcomeText = (
  code: number | null,
  signal: NodeJS.Signals | null,
  asked: boolean,
  lastComplaint: string,
): string | null => {
  if (code === 0) return null
  // Shells report a child's signal as 128 and its number.
  if (asked && (signal === 'SIGTERM' || code === 128 + constants.signals.SIGTERM)) return null
  invariant(code !== null || signal !== null, 'a process ends with a code or by a signal')
  const what = signal === null ? `exit code ${code}` : `ended by ${signal}`
  return lastComplaint === '' ? what : errorText(`${what}: ${lastComplaint}`)
}
