// Yamux that is quiet on the wire. As it comes, it answers every frame with a
// window update and writes each frame by itself, so that an 8-byte heartbeat cost
// 6 packets. Here what is written in one turn becomes one encrypted message, and
// window updates wait until they are worth a packet. Both are invisible to the
// other end: frames keep their order, and credit that comes later is only later.
//
// Frame: version, type, flags (2 bytes), stream (4), length (4). A window update
// has type 1; SYN, ACK, FIN and RST are flags and are never held back.

import { yamux } from '@chainsafe/libp2p-yamux'
import type { MessageStream, StreamMuxerFactory } from '@libp2p/interface'
import { limits } from './limits.js'

type Frame = Parameters<MessageStream['send']>[0]

const HEADER_BYTES = 12
const WINDOW_UPDATE = 1
const FIN_OR_RST = 0x04 | 0x08
/** A quarter of the smallest window that yamux allows: the sender never runs dry. */
const WORTH_SENDING_BYTES = 64 * 1024
/** What is collected in one turn before it goes out in any case. */
const TURN_BYTES_MAX = 60 * 1024
const HELD_STREAMS_MAX = 256

export const quietYamux = (): (() => StreamMuxerFactory) => {
  const factory = yamux({
    enableKeepAlive: false,
    maxInboundStreams: limits.streamsPerConnection,
    maxOutboundStreams: limits.streamsPerConnection,
  })()
  return () => ({
    protocol: factory.protocol,
    createStreamMuxer: stream => factory.createStreamMuxer(quieten(stream)),
  })
}

/** Replaces the stream's `send`; the muxer above and the cipher below are unchanged. */
export const quieten = <Stream extends MessageStream>(stream: Stream): Stream => {
  const send = stream.send.bind(stream)
  const credit = new Map<number, number>()
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
    const bytes = Buffer.concat(turn, turnBytes)
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

  const append = (frame: Frame): void => {
    if (frame instanceof Uint8Array) turn.push(frame)
    else turn.push(...frame)
    turnBytes += frame.byteLength
    if (turnBytes >= TURN_BYTES_MAX) flush()
    else if (!scheduled) {
      scheduled = true
      // A microtask, not a tick: closing writes its farewell and closes the socket within one tick.
      queueMicrotask(flush)
    }
  }

  stream.send = data => {
    // Yamux says farewell also on a connection that is gone, and does not expect to fail.
    if (stream.status !== 'open') return true
    const held = hold(data, credit)
    if (held !== null) append(held)
    if (credit.size > HELD_STREAMS_MAX) {
      for (const [id, bytes] of credit) append(windowUpdate(id, bytes))
      credit.clear()
    }
    return !full
  }
  return stream
}

/** The frame to send now, or null if it only adds to the credit that is held. */
const hold = (frame: Frame, credit: Map<number, number>): Frame | null => {
  const header = frame instanceof Uint8Array ? frame : frame.subarray(0, HEADER_BYTES)
  const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES)
  const flags = view.getUint16(2)
  const id = view.getUint32(4)
  if (view.getUint8(1) !== WINDOW_UPDATE || flags !== 0) {
    if ((flags & FIN_OR_RST) !== 0) credit.delete(id)
    return frame
  }
  const bytes = (credit.get(id) ?? 0) + view.getUint32(8)
  if (bytes < WORTH_SENDING_BYTES) {
    credit.set(id, bytes)
    return null
  }
  credit.delete(id)
  return windowUpdate(id, bytes)
}

const windowUpdate = (id: number, bytes: number): Uint8Array => {
  const frame = new Uint8Array(HEADER_BYTES)
  const view = new DataView(frame.buffer)
  view.setUint8(1, WINDOW_UPDATE)
  view.setUint32(4, id)
  view.setUint32(8, bytes)
  return frame
}
