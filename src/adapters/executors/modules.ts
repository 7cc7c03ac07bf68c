// Runs `{module: "file.js"}`: a JavaScript file under the node's modules folder, in a
// worker thread of its own. It may compute for as long as it likes without the node's
// event loop noticing, has a heap of its own with a limit, and can be ended by force.
// It is no sandbox: a module has the rights of its node's process.
//
// The name is a path under the folder, symbolic links resolved, and never a URL.

import { realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MessageChannel, Worker } from 'node:worker_threads'
import { ShoalError } from '../../core/errors.js'
import type { Millis } from '../../core/ids.js'
import type { Json } from '../../core/json.js'
import { createLineReader } from './lines.js'
import type { Answer, FromWorker, ReadRequest, ToWorker, WorkerOrder, WriteRequest } from './module-wire.js'
import { errorText, type Run, type RunKind, type RunOrder } from './run.js'
import { createTurns } from './turns.js'

/** What a module may use; a Pi with a gigabyte runs several. */
export const moduleLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8, stackSizeMb: 4 }
/** Observers of one module that may stand at a time. */
const observersMax = 100

export interface ModuleOptions {
  readonly folder: string | null
  readonly now: () => Millis
  readonly limits?: typeof moduleLimits
}

/** The file that a module's name means; rejects with `MODULE_INVALID`. */
export const resolveModule = async (folder: string | null, name: string): Promise<string> => {
  const refuse = (why: string): ShoalError =>
    new ShoalError('MODULE_INVALID', `run.module is ${JSON.stringify(name)}; ${why}`)
  if (folder === null) throw refuse('this node has no modules folder')
  if (/^[a-z][a-z0-9+.-]*:/i.test(name) || name.startsWith('//')) {
    throw refuse('it must be a file under the modules folder, not a URL')
  }
  if (name === '' || isAbsolute(name) || name.includes('\0')) {
    throw refuse('it must be a path relative to the modules folder')
  }
  let home: string
  let file: string
  try {
    home = await realpath(folder)
    file = await realpath(join(home, name))
  } catch (error) {
    throw refuse(`it is not in the modules folder ${folder} (${(error as NodeJS.ErrnoException).code})`)
  }
  if (!file.startsWith(home.endsWith(sep) ? home : home + sep)) {
    throw refuse('it leads out of the modules folder')
  }
  if (!(await stat(file)).isFile()) throw refuse('it is not a file')
  return file
}

export const createModules = ({ folder, now, limits = moduleLimits }: ModuleOptions): RunKind => {
  const inTurn = createTurns()

  const start = (order: RunOrder): Run => {
    const { copy, spec, listener } = order
    const name = (spec.run as { readonly module: string }).module
    const observers = new Map<number, () => void>()
    let worker: Worker | null = null
    let tell: (message: ToWorker) => void = () => {}
    let asked = false
    let forced: string | null = null
    let over = false
    // The module's own end, once it has said so.
    let end: { readonly error: string | null; readonly result: Json } | null = null

    const finish = (outcome: { readonly error: string | null; readonly result: Json }): void => {
      if (over) return
      over = true
      for (const cancel of observers.values()) cancel()
      observers.clear()
      listener.exited(outcome)
    }

    const write = async (request: WriteRequest): Promise<void> => {
      switch (request.op) {
        case 'save':
          return listener.saved(request.value)
        case 'set':
          return order.space(request.space).set(request.key, request.value)
        case 'delete':
          return order.space(request.space).delete(request.key)
      }
    }

    const answerOf = (request: ReadRequest): Answer => {
      try {
        const space = order.space(request.space)
        return { ok: true, value: request.op === 'get' ? space.get(request.key) : [...space.entries()] }
      } catch (error) {
        return { ok: false, ...refusalOf(error) }
      }
    }

    const observe = (id: number, name: string): void => {
      if (observers.size >= observersMax) {
        listener.logged('err', `observe: a module may have ${observersMax} observers; this one is ignored`)
        return
      }
      try {
        observers.set(
          id,
          order.space(name).observe(keys => tell({ kind: 'changed', id, keys: [...keys] })),
        )
      } catch (error) {
        listener.logged('err', `observe: ${errorText(error)}`)
      }
    }

    const launch = (file: string): void => {
      const talk = new MessageChannel()
      const reads = new MessageChannel()
      const bell = new Int32Array(new SharedArrayBuffer(4))
      const workerOrder: WorkerOrder = {
        url: pathToFileURL(file).href,
        task: copy.task,
        input: spec.input,
        epoch: copy.epoch,
        checkpoint: order.checkpoint,
        once: spec.when === 'once',
        port: talk.port2,
        answers: reads.port2,
        bell,
      }
      const thread = new Worker(new URL('./module-worker.js', import.meta.url), {
        workerData: workerOrder,
        transferList: [talk.port2, reads.port2],
        resourceLimits: limits,
        stdout: true,
        stderr: true,
        argv: [],
        execArgv: [],
        env: Object.fromEntries(
          ['PATH', 'HOME', 'LANG', 'TZ'].flatMap(key => {
            const value = process.env[key]
            return value === undefined ? [] : [[key, value]]
          }),
        ),
        name: copy.task,
      })
      worker = thread
      tell = message => talk.port1.postMessage(message)
      let failure: string | null = null

      talk.port1.on('message', (message: FromWorker) => {
        switch (message.kind) {
          case 'called':
            listener.started()
            return
          case 'returned':
            end ??= { error: null, result: message.result }
            void thread.terminate()
            return
          case 'threw':
            end ??= { error: message.error, result: null }
            void thread.terminate()
            return
          case 'logged':
            listener.logged(message.stream, message.line)
            return
          case 'write':
            write(message.write).then(
              () => tell({ kind: 'wrote', id: message.id }),
              error => tell({ kind: 'refused', id: message.id, ...refusalOf(error) }),
            )
            return
          case 'read':
            reads.port1.postMessage(answerOf(message.read))
            Atomics.add(bell, 0, 1)
            Atomics.notify(bell, 0)
            return
          case 'observe':
            observe(message.id, message.space)
            return
          case 'unobserve':
            observers.get(message.id)?.()
            observers.delete(message.id)
            return
        }
      })
      // What the runtime of the thread itself prints; the module's own output comes as lines.
      for (const [stream, source] of [
        ['out', thread.stdout],
        ['err', thread.stderr],
      ] as const) {
        const reader = createLineReader(now, line => listener.logged(stream, line))
        source.on('data', (chunk: Buffer) => reader.push(chunk))
        source.on('end', () => reader.end())
      }
      thread.on('error', error => {
        failure = errorText(error)
      })
      // Its last messages may arrive after its end does: both have to be over.
      const drained = new Promise<void>(resolve => {
        talk.port1.once('close', resolve)
      })
      thread.once('exit', code => {
        void drained.then(() => {
          tell = () => {}
          reads.port1.close()
          if (forced !== null && end === null) finish({ error: forced, result: null })
          else
            finish(end ?? { error: failure ?? `the module ended its thread with code ${code}`, result: null })
        })
      })
      if (asked) tell({ kind: 'stop' })
    }

    resolveModule(folder, name).then(
      file =>
        inTurn(() => {
          if (asked || forced !== null) {
            finish({ error: forced, result: null })
            return
          }
          try {
            launch(file)
          } catch (error) {
            finish({ error: errorText(error), result: null })
          }
        }),
      error => finish({ error: errorText(error), result: null }),
    )

    return {
      ask() {
        asked = true
        tell({ kind: 'stop' })
      },
      force(why) {
        forced ??= why
        void worker?.terminate()
      },
    }
  }

  return { start, close: () => Promise.resolve() }
}

const refusalOf = (error: unknown): { readonly code: string; readonly message: string } => ({
  code: error instanceof ShoalError ? error.code : 'FAILED',
  message: error instanceof Error ? error.message : String(error),
})
