// Frames with their length before them, out of what a stream brings. As a rule that is whole
// frames and nothing else, because each is written at once; these are cut out of it as they
// are. What comes in pieces goes through libp2p's decoder, which keeps and joins them.

import { InvalidMessageLengthError, LengthPrefixedDecoder } from '@libp2p/utils'

interface Bytes {
  readonly byteLength: number
  subarray(): Uint8Array
}
type Data = Parameters<LengthPrefixedDecoder['decode']>[0]

/** What the decoder has beside its interface: the pieces that wait for the rest. */
interface Insides {
  readonly buffer: { readonly length: number; get(at: number): number }
}

/** Of a frame that is read as it is. */
const LENGTH_BYTES_MAX = 3
/** Of any length: what is more says a number that cannot be counted with. */
const DECODED_LENGTH_BYTES_MAX = 8

export class FrameReader {
  readonly #decoder: LengthPrefixedDecoder
  readonly #insides: Insides
  readonly #maxDataLength: number

  constructor(maxDataLength: number, maxBufferSize: number) {
    this.#decoder = new LengthPrefixedDecoder({ maxDataLength, maxBufferSize })
    this.#insides = this.#decoder as unknown as Insides
    this.#maxDataLength = maxDataLength
  }

  /** Whether the last frame has not come to its end. */
  get isInMidst(): boolean {
    return this.#insides.buffer.length > 0
  }

  /** Begins only when it is read, to its end, before more is. Throws on what is no frame. */
  *read(data: Data): Generator<Bytes> {
    const whole = this.isInMidst ? null : wholeFrames(data.subarray(), this.#maxDataLength)
    if (whole !== null) return yield* whole
    yield* this.#decoder.decode(data)
    if (this.#hasEndlessLength()) throw new InvalidMessageLengthError('Message length length too long')
  }

  /** The decoder would keep it and wait for its end, up to the size of its buffer. */
  #hasEndlessLength(): boolean {
    const { buffer } = this.#insides
    if (buffer.length < DECODED_LENGTH_BYTES_MAX) return false
    for (let at = 0; at < DECODED_LENGTH_BYTES_MAX; at++) if (buffer.get(at) <= 0x7f) return false
    return true
  }
}

const wholeFrames = (data: Uint8Array, max: number): Uint8Array[] | null => {
  const frames: Uint8Array[] = []
  for (let at = 0; at < data.length; ) {
    let length = 0
    let shift = 0
    let byte: number | undefined
    do {
      byte = data[at++]
      if (byte === undefined || shift === LENGTH_BYTES_MAX * 7) return null
      length |= (byte & 0x7f) << shift
      shift += 7
    } while (byte > 0x7f)
    const end = at + length
    // An empty frame is not handed on, and a length that is longer than it need be is the decoder's to judge.
    if (byte === 0 || length > max || end > data.length) return null
    frames.push(data.subarray(at, end))
    at = end
  }
  return frames
}

/** A frame: its length, then what it carries. */
export const toFrame = (bytes: Uint8Array): Uint8Array => {
  const frame = new Uint8Array(lengthBytes(bytes.length) + bytes.length)
  frame.set(bytes, writeLength(frame, 0, bytes.length))
  return frame
}

/** How many bytes a length takes: a varint. */
export const lengthBytes = (length: number): number => {
  let bytes = 1
  for (let rest = length; rest > 0x7f; rest >>>= 7) bytes++
  return bytes
}

/** Says where the length ends. */
export const writeLength = (to: Uint8Array, at: number, length: number): number => {
  let next = at
  let rest = length
  for (; rest > 0x7f; rest >>>= 7) to[next++] = (rest & 0x7f) | 0x80
  to[next++] = rest
  return next
}
