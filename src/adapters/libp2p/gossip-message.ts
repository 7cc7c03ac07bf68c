// A gossip message as it stands on the wire: RPC { 2: Message }, as gossipsub writes it, with
// the fields `from`, `data`, `seqno`, `topic`, `signature` and `key` (1 to 6) once each and in
// this order. What is signed is then a stretch of the bytes that came, and what is passed on
// is those bytes: neither has to be written anew, for each neighbor once more, with a
// function call and an object for each field, tag and length.
//
// Only this form is read here, with no byte to spare and each length as short as it can be,
// so that nothing can mean one thing to this reader and another to gossipsub's. Everything
// else (subscriptions, control, other orders, unknown fields) is left to gossipsub.

import { join, toLatin1 } from './bytes.js'
import { lengthBytes, writeLength } from './frames.js'

const MESSAGE = 0x12
const [FROM, DATA, SEQNO, TOPIC, SIGNATURE, KEY] = [0x0a, 0x12, 0x1a, 0x22, 0x2a, 0x32] as const
const SEQNO_BYTES = 8
const LENGTH_BYTES_MAX = 4
const NOT_ASCII = /[\x80-\xff]/
const SIGNED_PREFIX = new TextEncoder().encode('libp2p-pubsub:')

type Bytes = Uint8Array

/** Has the fields of gossipsub's own message, and goes where that goes. */
export class GossipMessage {
  readonly from: Bytes
  readonly data: Bytes
  readonly seqno: Bytes
  readonly topic: string
  readonly signature: Bytes
  readonly key: Bytes
  /** The message without its signature and key. */
  readonly #signed: Bytes
  #frame: Bytes | null = null

  constructor(fields: readonly [Bytes, Bytes, Bytes, Bytes, Bytes], topic: string, signed: Bytes) {
    ;[this.from, this.data, this.seqno, this.signature, this.key] = fields
    this.topic = topic
    this.#signed = signed
  }

  /** What the signature is over. */
  signed(): Bytes {
    return join(SIGNED_PREFIX, this.#signed)
  }

  /** An RPC with this message alone, after its length: what a neighbor is sent. */
  frame(): Bytes {
    this.#frame ??= this.#toFrame()
    return this.#frame
  }

  #toFrame(): Bytes {
    const { signature, key } = this
    const signed = this.#signed
    const messageBytes = signed.length + fieldBytes(signature.length) + fieldBytes(key.length)
    const rpcBytes = fieldBytes(messageBytes)
    const frame = new Uint8Array(lengthBytes(rpcBytes) + rpcBytes)
    let at = writeLength(frame, 0, rpcBytes)
    frame[at++] = MESSAGE
    at = writeLength(frame, at, messageBytes)
    frame.set(signed, at)
    at = writeField(frame, at + signed.length, SIGNATURE, signature)
    writeField(frame, at, KEY, key)
    return frame
  }
}

/** What goes before the signature: the first four fields. */
export const toSigned = (from: Bytes, data: Bytes, seqno: Bytes, topic: string): Bytes => {
  const name = Buffer.from(topic)
  const bytes = new Uint8Array(
    fieldBytes(from.length) + fieldBytes(data.length) + fieldBytes(seqno.length) + fieldBytes(name.length),
  )
  let at = writeField(bytes, 0, FROM, from)
  at = writeField(bytes, at, DATA, data)
  at = writeField(bytes, at, SEQNO, seqno)
  writeField(bytes, at, TOPIC, name)
  return bytes
}

/** The messages of an RPC that holds nothing else and at most so many; null for any other. */
export const readMessages = (rpc: Bytes, max: number): GossipMessage[] | null => {
  const messages: GossipMessage[] = []
  const cursor = new Cursor(rpc)
  while (cursor.at < rpc.length) {
    const message = messages.length < max ? readMessage(cursor) : null
    if (message === null) return null
    messages.push(message)
  }
  return messages
}

const readMessage = (cursor: Cursor): GossipMessage | null => {
  const end = cursor.enter(MESSAGE)
  if (end < 0) return null
  const start = cursor.at
  const from = cursor.field(FROM)
  const data = cursor.field(DATA)
  const seqno = cursor.field(SEQNO)
  const name = cursor.field(TOPIC)
  const signed = cursor.since(start)
  const signature = cursor.field(SIGNATURE)
  const key = cursor.field(KEY)
  if (cursor.failed || cursor.at !== end || seqno.length !== SEQNO_BYTES || name.length === 0) return null
  const topic = toLatin1(name)
  if (NOT_ASCII.test(topic)) return null
  return new GossipMessage([from, data, seqno, signature, key], topic, signed)
}

const NOTHING = new Uint8Array(0)

class Cursor {
  readonly #bytes: Bytes
  at = 0
  failed = false

  constructor(bytes: Bytes) {
    this.#bytes = bytes
  }

  /** Steps into the field of this tag and says where it ends, or a negative number. */
  enter(tag: number): number {
    const bytes = this.#bytes
    if (bytes[this.at] !== tag) return this.#fail()
    let length = 0
    let shift = 0
    let byte: number | undefined
    do {
      byte = bytes[++this.at]
      if (byte === undefined || shift === LENGTH_BYTES_MAX * 7) return this.#fail()
      length |= (byte & 0x7f) << shift
      shift += 7
    } while (byte > 0x7f)
    // A length that could have been shorter.
    if (byte === 0 && shift > 7) return this.#fail()
    const end = ++this.at + length
    return end <= bytes.length ? end : this.#fail()
  }

  field(tag: number): Bytes {
    const end = this.enter(tag)
    if (end < 0) return NOTHING
    const field = this.#bytes.subarray(this.at, end)
    this.at = end
    return field
  }

  since(start: number): Bytes {
    return this.#bytes.subarray(start, this.at)
  }

  #fail(): -1 {
    this.failed = true
    return -1
  }
}

const fieldBytes = (length: number): number => 1 + lengthBytes(length) + length

const writeField = (to: Bytes, at: number, tag: number, bytes: Bytes): number => {
  to[at] = tag
  const start = writeLength(to, at + 1, bytes.length)
  to.set(bytes, start)
  return start + bytes.length
}
