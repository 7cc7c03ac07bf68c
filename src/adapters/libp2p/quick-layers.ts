// The layers below yamux, each with its short way: the socket writes what it is given, the
// mesh key's cipher and noise turn bytes into bytes. See `quick-streams.ts` for when that is
// taken. What goes over the wire is the same, and so are the ciphers.

import type { MessageStream } from '@libp2p/interface'
import { join } from './bytes.js'
import { quicken } from './quick-streams.js'

/** What libp2p's layers have beside their interface. */
interface Socket {
  readonly socket: { write(data: Uint8Array): boolean }
}
interface Box {
  readonly maConn: MessageStream
  readonly outboundXor: { update(data: Uint8Array): Uint8Array }
}
interface Noise {
  readonly stream: MessageStream
  readonly handshake: {
    encrypt(plain: Uint8Array): Uint8Array
    decrypt(sealed: Uint8Array, into: Uint8Array): Uint8Array
  }
  decoder: { readonly buffer?: { readonly length: number }; decode(data: Data): Iterable<Data> }
  decrypt(sealed: Data): Data
}
type Data = Parameters<MessageStream['send']>[0]

const LENGTH_BYTES = 2
const TAG_BYTES = 16
const NOISE_BYTES_MAX = 0xffff

export const quickenSocket = (socket: MessageStream): void => {
  const { socket: handle } = socket as unknown as Socket
  quicken(socket, { write: data => handle.write(data), most: () => Number.POSITIVE_INFINITY })
}

export const quickenBox = (box: MessageStream): void => {
  const { maConn, outboundXor } = box as unknown as Box
  quicken(box, {
    write: data => maConn.send(outboundXor.update(data)),
    most: () => Number.POSITIVE_INFINITY,
  })
}

export const quickenNoise = (connection: MessageStream): void => {
  const noise = connection as unknown as Noise
  const { stream, handshake, decoder } = noise
  quicken(connection, {
    write: data => {
      const sealed = handshake.encrypt(data)
      const { length } = sealed
      return stream.send(join(Uint8Array.of(length >>> 8, length), sealed))
    },
    most: () => NOISE_BYTES_MAX - TAG_BYTES,
  })
  const decrypt = noise.decrypt.bind(connection)
  noise.decrypt = sealed =>
    sealed instanceof Uint8Array
      ? // Into its own place: a byte is not looked at again.
        handshake.decrypt(sealed, sealed.subarray(0, sealed.length - TAG_BYTES))
      : decrypt(sealed)
  noise.decoder = {
    decode: data => {
      const isWhole = data instanceof Uint8Array && decoder.buffer?.length === 0
      return (isWhole ? wholeFrames(data) : null) ?? decoder.decode(data)
    },
  }
}

/** Null unless the bytes are frames of noise from the first to the last. */
const wholeFrames = (data: Uint8Array): Uint8Array[] | null => {
  const frames: Uint8Array[] = []
  for (let at = 0; at < data.length; ) {
    const length = ((data[at] as number) << 8) | (data[at + 1] ?? 0)
    const start = at + LENGTH_BYTES
    at = start + length
    if (length < TAG_BYTES || at > data.length) return null
    frames.push(data.subarray(start, at))
  }
  return frames
}
