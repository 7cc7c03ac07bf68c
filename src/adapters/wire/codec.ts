// The `Codec` of production: messages as protobuf. Decoding checks every length,
// range and seal, and throws a `WireError` on what it cannot accept; it throws
// nothing else, whatever the bytes are.

import type { Message } from '../../core/message.js'
import type { Codec } from '../../ports.js'
import { WireError, wireLimits } from './checks.js'
import type { Converter } from './converter.js'
import { membership } from './membership.js'
import { Frame } from './message.generated.js'
import { Opener } from './seals.js'
import { state } from './state.js'
import { tasks } from './tasks.js'

type Kind = Message['kind']
type Converters = { readonly [K in Kind]: Converter<Extract<Message, { readonly kind: K }>, object> }

const all = { ...membership, ...state, ...tasks }
// A kind of message without a converter is an error of the compiler here.
const converters = all satisfies Converters as unknown as Readonly<
  Record<string, Converter<Message, unknown>>
>
const KINDS = new Set(Object.keys(all))

export const createCodec = (): Codec => {
  const opener = new Opener()
  return {
    encode: message => {
      const part = (converters[message.kind] as Converter<Message, unknown>).write(message)
      return Frame.encode({ [message.kind]: part } as Frame)
    },
    decode: bytes => {
      if (bytes.byteLength > wireLimits.messageBytesMax)
        throw new WireError('malformed', 'a message is too large')
      const frame = decodeFrame(bytes)
      const [kind, second] = Object.keys(frame).filter(key => KINDS.has(key))
      if (kind === undefined)
        throw new WireError('unknown', 'a message is of a kind that this version does not know')
      if (second !== undefined) throw new WireError('malformed', 'a message is of two kinds')
      return readPart(kind, frame[kind as keyof Frame], opener)
    },
  }
}

const decodeFrame = (bytes: Uint8Array): Frame => {
  try {
    return Frame.decode(bytes)
  } catch (error) {
    throw new WireError('malformed', `no protobuf: ${(error as Error).message}`, { cause: error })
  }
}

const readPart = (kind: string, part: unknown, opener: Opener): Message => {
  try {
    return (converters[kind] as Converter<Message, unknown>).read(part, opener)
  } catch (error) {
    if (error instanceof WireError) throw error
    // What is sealed is protobuf within protobuf, and may be as broken.
    throw new WireError('malformed', `${kind}: ${(error as Error).message}`, { cause: error })
  }
}
