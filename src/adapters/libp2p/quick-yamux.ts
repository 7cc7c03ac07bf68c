// Yamux's frames, written and read as bytes. As it comes, each is described in words for a log
// that is off, in an object for the wire, and in a list for what it carries; frames come out
// of a generator; and each one that is read makes a frame that gives its bytes back.
//
// A window update waits until it is worth a packet. That is invisible to the other end:
// credit that comes later is only later.
//
// Frame: version, type, flags (2 bytes), stream (4), length (4).

import type { Stream, StreamMuxer } from '@libp2p/interface'
import { quicken } from './quick-streams.js'

const HEADER_BYTES = 12
const [DATA, WINDOW_UPDATE] = [0, 1] as const
/** A quarter of the smallest window that yamux allows: the sender never runs dry. */
const WORTH_SENDING_BYTES = 64 * 1024
/** A frame that is larger exceeds every window that is granted here. */
const WINDOW_BYTES = 256 * 1024
/** `StreamState`: whose next frame has to begin or to answer the stream, and who wants no more for now. */
const [INIT, SYN_RECEIVED, PAUSED] = [0, 2, 5] as const

interface Header {
  readonly type: number
  readonly flag: number
  readonly streamID: number
  readonly length: number
}
interface Frame {
  readonly header: Header
  readonly data?: Uint8Array
}
type Bytes = Uint8Array | { readonly byteLength: number }

/** What yamux has beside its interface. */
interface Insides {
  readonly decoder: { readonly buffer: { readonly length: number } }
  onData(bytes: Bytes): void
  handleStreamMessage(frame: Frame): void
  sendFrame(header: Header, data?: Bytes): boolean
  send(frame: Uint8Array): boolean
  _newStream(id: number, state: number, direction: string): Stream
}
interface StreamInsides {
  readonly streamId: number
  readonly state: number
  readonly maxMessageSize: number
  readonly recvWindow: number
  readonly recvWindowCapacity: number
  sendWindowCapacity: number
  getSendFlags(): number
  sendWindowUpdate(): void
}

export const quickenMuxer = <Muxer extends StreamMuxer>(muxer: Muxer): Muxer => {
  const insides = muxer as unknown as Insides
  const sendFrame = insides.sendFrame.bind(muxer)
  const onData = insides.onData.bind(muxer)
  const newStream = insides._newStream.bind(muxer)
  insides.sendFrame = (header, data) => {
    const isQuick = header.type === DATA ? data instanceof Uint8Array : data === undefined
    return isQuick ? insides.send(toFrame(header, data as Uint8Array | undefined)) : sendFrame(header, data)
  }
  insides.onData = bytes => {
    const isWhole = bytes instanceof Uint8Array && insides.decoder.buffer.length === 0
    const rest = isWhole ? readFrames(insides, bytes) : bytes
    if (rest.byteLength > 0) onData(rest)
    // Yamux looks at a frame's length when all of it has come, up to 4 GB, and keeps it until then.
    if (insides.decoder.buffer.length > HEADER_BYTES + WINDOW_BYTES)
      throw new Error('a frame beyond any window')
  }
  insides._newStream = (id, state, direction) => quickenStream(newStream(id, state, direction), insides)
  return muxer
}

const quickenStream = (stream: Stream, muxer: Insides): Stream => {
  const insides = stream as unknown as StreamInsides
  const sendWindowUpdate = insides.sendWindowUpdate.bind(stream)
  insides.sendWindowUpdate = () => {
    const { state, recvWindow, recvWindowCapacity } = insides
    const mayWait = state !== INIT && state !== SYN_RECEIVED && state !== PAUSED
    if (!mayWait || recvWindow - recvWindowCapacity >= WORTH_SENDING_BYTES) sendWindowUpdate()
  }
  return quicken(stream, {
    write: data => {
      const { length } = data
      const header = { type: DATA, flag: insides.getSendFlags(), streamID: insides.streamId, length }
      const hasRoom = muxer.sendFrame(header, data)
      insides.sendWindowCapacity -= length
      return hasRoom
    },
    most: () => Math.min(insides.sendWindowCapacity, insides.maxMessageSize),
  })
}

/** Reads frames of streams up to what is none, or is not whole: that is left. */
const readFrames = (muxer: Insides, bytes: Uint8Array): Uint8Array => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  while (bytes.length - at >= HEADER_BYTES) {
    const streamID = view.getUint32(at + 4)
    if (bytes[at] !== 0 || streamID === 0) break
    const header = {
      type: bytes[at + 1] as number,
      flag: view.getUint16(at + 2),
      streamID,
      length: view.getUint32(at + 8),
    }
    const start = at + HEADER_BYTES
    if (header.type === WINDOW_UPDATE) {
      at = start
      muxer.handleStreamMessage({ header })
    } else {
      const end = start + header.length
      if (header.type !== DATA || end > bytes.length) break
      at = end
      muxer.handleStreamMessage({ header, data: bytes.subarray(start, end) })
    }
  }
  return bytes.subarray(at)
}

const toFrame = ({ type, flag, streamID, length }: Header, data?: Uint8Array): Uint8Array => {
  const frame = new Uint8Array(HEADER_BYTES + (data?.length ?? 0))
  const view = new DataView(frame.buffer)
  frame[1] = type
  view.setUint16(2, flag)
  view.setUint32(4, streamID)
  view.setUint32(8, length)
  if (data !== undefined) frame.set(data, HEADER_BYTES)
  return frame
}
