// Yamux that is quiet on the wire. As it comes, it writes each frame by itself, and answers
// every frame with a window update (which wait in `quick-yamux.ts`), so that an 8-byte
// heartbeat cost 6 packets. Here what is written in one turn becomes one encrypted message.
// That is invisible to the other end: frames keep their order.

import { yamux } from '@chainsafe/libp2p-yamux'
import type { MessageStream, StreamMuxerFactory } from '@libp2p/interface'
import { limits } from './limits.js'
import { quickenMuxer } from './quick-yamux.js'

/** What is collected in one turn before it goes out in any case. */
const TURN_BYTES_MAX = 60 * 1024

const now = Promise.resolve()

export const quietYamux = (): (() => StreamMuxerFactory) => {
  const factory = yamux({
    enableKeepAlive: false,
    maxInboundStreams: limits.streamsPerConnection,
    maxOutboundStreams: limits.streamsPerConnection,
  })()
  return () => ({
    protocol: factory.protocol,
    createStreamMuxer: stream => quickenMuxer(factory.createStreamMuxer(quieten(stream))),
  })
}

/** Replaces the stream's `send`. */
const quieten = <Stream extends MessageStream>(stream: Stream): Stream => {
  const send = stream.send.bind(stream)
  let turn: Uint8Array[] = []
  let turnBytes = 0
  let scheduled = false
  let full = false

  stream.addEventListener('drain', () => {
    full = false
  })

  const flush = (): void => {
    scheduled = false
    if (turnBytes === 0) return
    const [first] = turn
    const bytes = turn.length === 1 && first !== undefined ? first : Buffer.concat(turn, turnBytes)
    turn = []
    turnBytes = 0
    // The connection may have closed since: then nobody waits for these bytes.
    if (stream.status !== 'open') return
    try {
      full = !send(bytes)
    } catch {
      // The socket is closing below; the stream has aborted itself and says so by its own event.
    }
  }

  stream.send = frame => {
    // Yamux says farewell also on a connection that is gone, and does not expect to fail.
    if (stream.status !== 'open') return true
    if (frame instanceof Uint8Array) turn.push(frame)
    else turn.push(...frame)
    turnBytes += frame.byteLength
    if (turnBytes >= TURN_BYTES_MAX) flush()
    else if (!scheduled) {
      scheduled = true
      // A microtask, not a tick: closing writes its farewell and closes the socket within one tick.
      // Of a promise, which asks nothing of Node.
      void now.then(flush)
    }
    return !full
  }
  return stream
}
