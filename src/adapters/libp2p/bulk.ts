// The bulk stream of a link: chunks with back-pressure. What the application hands
// over waits in a bounded queue and is pulled by the stream as its window allows;
// on the other end a peer that comes too fast is simply not read for a while.

import type { Stream } from '@libp2p/interface'
import { messageStreamToDuplex } from '@libp2p/utils'
import * as lp from 'it-length-prefixed'
import { pipe } from 'it-pipe'
import type { Millis } from '../../core/ids.js'
import { limits } from './limits.js'

export class BulkWriter {
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  #ended = false
  #wake: (() => void) | null = null

  /** Says whether there was room. */
  push(chunk: Uint8Array): boolean {
    if (this.#ended || this.#queuedBytes + chunk.byteLength > limits.bulkBacklogBytesMax) return false
    this.#queue.push(chunk)
    this.#queuedBytes += chunk.byteLength
    this.#wake?.()
    return true
  }

  end(): void {
    this.#ended = true
    this.#wake?.()
  }

  /** Writes until `end`, or rejects when the stream breaks. */
  async run(stream: Stream): Promise<void> {
    const duplex = messageStreamToDuplex(stream)
    void discard(duplex.source)
    stream.addEventListener('close', () => this.end(), { once: true })
    try {
      await pipe(
        this.#chunks(),
        source => lp.encode(source, { maxDataLength: limits.bulkFrameBytesMax }),
        duplex.sink,
      )
    } finally {
      this.#ended = true
      this.#queue = []
    }
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    while (true) {
      const chunk = this.#queue.shift()
      if (chunk !== undefined) {
        this.#queuedBytes -= chunk.byteLength
        yield chunk
      } else if (this.#ended) return
      else
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
    }
  }
}

/** The other end has nothing to say on this stream; what it says is thrown away. */
const discard = async (source: AsyncIterable<unknown>): Promise<void> => {
  try {
    for await (const _ of source);
  } catch {
    // The writing half reports why the stream broke.
  }
}

/** Reads chunks until the stream ends; rejects on what cannot be read. */
export const readBulk = async (stream: Stream, onChunk: (chunk: Uint8Array) => Millis): Promise<void> => {
  await pipe(
    messageStreamToDuplex(stream).source,
    source => lp.decode(source, { maxDataLength: limits.bulkFrameBytesMax, maxLengthLength: 4 }),
    async source => {
      for await (const chunk of source) {
        const waitMs = onChunk(chunk.subarray())
        if (waitMs === 0) continue
        stream.pause()
        await new Promise(resolve => setTimeout(resolve, waitMs).unref())
        if (stream.readStatus === 'paused') stream.resume()
      }
    },
  )
}
