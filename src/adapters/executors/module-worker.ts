// The inside of a module's worker thread: gives the module the same context that a
// registered handler gets. Writes are messages; reads wait for their answer in place
// (the thread is the module's own, so nobody else waits), which lets `get` return a
// value and not a promise, as it does in the embedding program.
//
// What it prints is cut into lines here and bounded here: a flood costs this thread
// its own time, and the node sees at most `linesPerSecondMax` messages a second.

import { formatWithOptions } from 'node:util'
import { isMainThread, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { invariant, ShoalError } from '../../core/errors.js'
import type { Json } from '../../core/json.js'
import { createLineReader } from './lines.js'
import {
  type Answer,
  type FromWorker,
  type ReadRequest,
  type ToWorker,
  type WorkerOrder,
  type WriteRequest,
  writesInFlightMax,
} from './module-wire.js'
import { errorText, type Handler, isAbort, type TaskSpace, toJson } from './run.js'

const main = async (order: WorkerOrder): Promise<void> => {
  const { port, answers, bell } = order
  const abort = new AbortController()
  const writes = new Map<number, { resolve(): void; reject(error: Error): void }>()
  const observers = new Map<number, (keys: readonly string[]) => void>()
  let lastId = 0

  const say = (message: FromWorker): void => port.postMessage(message)

  const write = (request: WriteRequest): Promise<void> =>
    new Promise((resolve, reject) => {
      if (writes.size >= writesInFlightMax) {
        reject(
          new ShoalError(
            'TOO_MANY_WRITES',
            `${writesInFlightMax} writes wait for an answer; await some of them`,
          ),
        )
        return
      }
      lastId += 1
      writes.set(lastId, { resolve, reject })
      say({ kind: 'write', id: lastId, write: request })
    })

  const read = (request: ReadRequest): unknown => {
    const heard = Atomics.load(bell, 0)
    say({ kind: 'read', read: request })
    Atomics.wait(bell, 0, heard)
    const answer = receiveMessageOnPort(answers)?.message as Answer | undefined
    invariant(answer !== undefined, 'the bell rings after the answer was sent')
    if (!answer.ok) throw new ShoalError(answer.code, answer.message)
    return answer.value
  }

  const space = (name: string): TaskSpace => ({
    get: key => read({ op: 'get', space: name, key }) as Json | undefined,
    has: key => read({ op: 'get', space: name, key }) !== undefined,
    entries: () => read({ op: 'entries', space: name }) as readonly (readonly [string, Json])[],
    set: async (key, value) => write({ op: 'set', space: name, key, value: toJson('value', value) }),
    delete: key => write({ op: 'delete', space: name, key }),
    observe(listener) {
      lastId += 1
      const id = lastId
      observers.set(id, listener)
      say({ kind: 'observe', id, space: name })
      return () => {
        if (observers.delete(id)) say({ kind: 'unobserve', id })
      }
    },
  })

  port.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'stop':
        abort.abort(new ShoalError('STOPPED', `task ${order.task} has to stop`))
        return
      case 'wrote':
        writes.get(message.id)?.resolve()
        writes.delete(message.id)
        return
      case 'refused':
        writes.get(message.id)?.reject(new ShoalError(message.code, message.message))
        writes.delete(message.id)
        return
      case 'changed':
        observers.get(message.id)?.(message.keys)
        return
    }
  })

  const lines = (stream: 'out' | 'err' | 'log') =>
    createLineReader(Date.now, line => say({ kind: 'logged', stream, line }))
  const capture = (stream: 'out' | 'err') => {
    const reader = lines(stream)
    const put = (chunk: Uint8Array | string, ...rest: unknown[]): boolean => {
      const encoding = typeof rest[0] === 'string' ? (rest[0] as BufferEncoding) : 'utf8'
      reader.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk)
      const done = rest.find(argument => typeof argument === 'function') as (() => void) | undefined
      if (done !== undefined) queueMicrotask(done)
      return true
    }
    process[stream === 'out' ? 'stdout' : 'stderr'].write = put
    return reader
  }
  const readers = [capture('out'), capture('err'), lines('log')] as const
  const log = (...parts: readonly unknown[]): void => {
    readers[2].push(Buffer.from(`${formatWithOptions({ breakLength: 120 }, ...parts)}\n`))
  }

  let end: FromWorker
  try {
    const { default: handler } = (await import(order.url)) as { readonly default?: unknown }
    if (typeof handler !== 'function') {
      throw new ShoalError('MODULE_INVALID', `the default export is ${typeof handler}; it must be a function`)
    }
    say({ kind: 'called' })
    const result: unknown = await (handler as Handler)({
      task: order.task,
      input: order.input,
      epoch: order.epoch,
      checkpoint: order.checkpoint,
      save: async checkpoint => write({ op: 'save', value: toJson('checkpoint', checkpoint) }),
      signal: abort.signal,
      log,
      space,
    })
    end = { kind: 'returned', result: order.once && result !== undefined ? toJson('result', result) : null }
  } catch (error) {
    end = isAbort(error, abort.signal)
      ? { kind: 'returned', result: null }
      : { kind: 'threw', error: errorText(error) }
  }
  for (const reader of readers) reader.end()
  say(end)
}

invariant(!isMainThread, 'this file is the entry of a worker thread')
await main(workerData as WorkerOrder)
