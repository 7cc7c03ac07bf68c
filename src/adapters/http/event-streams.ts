// Live events to many readers at once, without delaying the node and without growing.
// Readers are pulled along, not pushed to: each has a cursor into the journal and gets
// the next chunk only when its socket took the last one, so a slow reader costs one
// chunk of memory. An event is serialised once for all. Batches go out apart from the
// node's step, a few readers a turn. Who falls too far behind, or whose socket takes
// nothing for too long, is dropped: it can resume with Last-Event-ID.

import type { ServerResponse } from 'node:http'
import { HttpError } from './failure.js'
import type { StreamLimits } from './limits.js'
import type { NodeApi } from './node-api.js'

export interface EventStreams {
  /** Answers with everything after this number, and goes on. */
  open(response: ServerResponse, after: number, headers: Readonly<Record<string, string>>): void
  /** The number after which to go on for a `Last-Event-ID`; 0 for one of another life of this process. */
  resumeAfter(lastEventId: string): number
  close(): void
  readonly count: number
  readonly dropped: number
}

interface Reader {
  readonly response: ServerResponse
  /** The last event that was handed to its socket. */
  sent: number
  /** Since when its socket has not taken what it was given; null: it has. */
  stalledAt: number | null
}

export const createEventStreams = (node: NodeApi, limits: StreamLimits, readersMax: number): EventStreams => {
  const readers = new Set<Reader>()
  const { journal, startedAt } = node
  /** Frames of the newest events, serialised when the first reader wants them; kept while there are readers. */
  const frames = new Map<number, string>()
  /** Chunks of this batch by the event that they begin after: most readers are at the same place. */
  let chunks = new Map<number, { readonly last: number; readonly bytes: Buffer }>()
  let unsubscribe: (() => void) | null = null
  let heartbeat: NodeJS.Timeout | null = null
  let planned: NodeJS.Timeout | NodeJS.Immediate | null = null
  let batchedAt = 0
  let dropped = 0

  const drop = (reader: Reader): void => {
    if (!readers.has(reader)) return
    dropped++
    reader.response.destroy()
    forget(reader)
  }
  const forget = (reader: Reader): void => {
    if (!readers.delete(reader) || readers.size > 0) return
    unsubscribe?.()
    unsubscribe = null
    if (heartbeat !== null) clearInterval(heartbeat)
    heartbeat = null
    frames.clear()
    chunks.clear()
  }

  const chunkAfter = (seq: number): { readonly last: number; readonly bytes: Buffer } => {
    const known = chunks.get(seq)
    if (known !== undefined) return known
    const parts: string[] = []
    let length = 0
    let last = seq
    for (const event of journal.since(seq)) {
      let frame = frames.get(event.seq)
      if (frame === undefined) {
        frame = `id: ${startedAt}-${event.seq}\ndata: ${JSON.stringify(event)}\n\n`
        frames.set(event.seq, frame)
      }
      if (length > 0 && length + frame.length > limits.chunkBytes) break
      parts.push(frame)
      length += frame.length
      last = event.seq
    }
    const chunk = { last, bytes: Buffer.from(parts.join('')) }
    chunks.set(seq, chunk)
    return chunk
  }

  /** Gives a reader what its socket takes; stops by itself when that is full. */
  const feed = (reader: Reader): void => {
    while (reader.stalledAt === null && reader.sent < journal.lastSeq && readers.has(reader)) {
      const { last, bytes } = chunkAfter(reader.sent)
      if (last === reader.sent) return
      reader.sent = last
      if (!reader.response.write(bytes)) reader.stalledAt = performance.now()
    }
  }

  const plan = (): void => {
    if (planned !== null) return
    const waitMs = batchedAt + limits.batchMs - performance.now()
    planned = waitMs <= 0 ? setImmediate(batch) : setTimeout(batch, waitMs)
  }
  const batch = (): void => {
    batchedAt = performance.now()
    chunks = new Map()
    forgetFrames()
    const queue = [...readers]
    const turn = (from: number): void => {
      const to = Math.min(from + limits.clientsPerTurn, queue.length)
      for (const reader of queue.slice(from, to)) {
        if (!readers.has(reader)) continue
        if (isLost(reader)) drop(reader)
        else feed(reader)
      }
      if (to < queue.length) {
        planned = setImmediate(() => turn(to))
        return
      }
      planned = null
      if (queue.some(reader => readers.has(reader) && isWaiting(reader))) plan()
    }
    turn(0)
  }
  const isWaiting = (reader: Reader): boolean => reader.stalledAt === null && reader.sent < journal.lastSeq

  const isLost = (reader: Reader): boolean => journal.lastSeq - reader.sent > limits.behindMax

  /** What even the slowest reader that is kept has behind it. */
  const forgetFrames = (): void => {
    if (frames.size <= limits.behindMax) return
    for (const seq of frames.keys()) if (seq <= journal.lastSeq - limits.behindMax) frames.delete(seq)
  }

  const beat = (): void => {
    const now = performance.now()
    for (const reader of [...readers]) {
      if (reader.stalledAt === null) {
        if (!reader.response.write(':\n\n')) reader.stalledAt = now
      } else if (now - reader.stalledAt > limits.stalledMs) drop(reader)
    }
  }

  return {
    open(response, after, headers) {
      if (readers.size >= readersMax) {
        const message = `${readers.size} event streams are open; at most ${readersMax} are accepted`
        throw new HttpError(503, 'STREAMS_TOO_MANY', message, { 'Retry-After': '5' })
      }
      response.writeHead(200, {
        ...headers,
        'Content-Type': 'text/event-stream; charset=utf-8',
        'X-Accel-Buffering': 'no',
      })
      response.socket?.setNoDelay(true)
      response.socket?.setTimeout(0)
      const sent = Math.max(after, journal.lastSeq - limits.behindMax)
      const reader: Reader = { response, sent, stalledAt: null }
      readers.add(reader)
      response.on('drain', () => {
        reader.stalledAt = null
        if (!isLost(reader)) feed(reader)
        else drop(reader)
      })
      response.on('error', () => forget(reader))
      response.on('close', () => forget(reader))
      // The headers, and something to show that it is live.
      response.write(`retry: 1000\n: events of ${node.id}\n\n`)
      unsubscribe ??= journal.subscribe(journal.lastSeq, plan)
      heartbeat ??= setInterval(beat, limits.heartbeatMs).unref()
      if (reader.sent < journal.lastSeq) plan()
    },
    resumeAfter(lastEventId) {
      const found = /^(\d{1,16})-(\d{1,16})$/.exec(lastEventId.trim())
      if (found === null) {
        throw new HttpError(
          400,
          'EVENT_ID_INVALID',
          `Last-Event-ID is ${JSON.stringify(lastEventId.slice(0, 80))}; an id of an event of this stream is accepted`,
        )
      }
      const seq = Number(found[2])
      return Number(found[1]) === startedAt && seq <= journal.lastSeq ? seq : 0
    },
    close() {
      if (planned !== null) {
        clearTimeout(planned as NodeJS.Timeout)
        clearImmediate(planned as NodeJS.Immediate)
      }
      for (const reader of [...readers]) {
        reader.response.end()
        forget(reader)
      }
    },
    get count() {
      return readers.size
    },
    get dropped() {
      return dropped
    },
  }
}
