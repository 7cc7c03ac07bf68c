// What a message weighs on the wire. The estimate stands in for the codec, which
// the simulator does not run: small fields as protobuf writes them, sealed
// statements as their signed bytes. A caller that has a codec passes its own.

import type { Message } from '../core/message.js'

export type SizeOf = (message: Message) => number

/** Ethernet (with preamble and gap left out), IPv4 and TCP with timestamps: one packet's headers. */
export const PACKET_OVERHEAD_BYTES = 14 + 20 + 32
/** Noise tag and length, yamux header, length prefix: one message on a stream. */
export const FRAME_OVERHEAD_BYTES = 18 + 12 + 2
/** What gossipsub adds to a signed message: the RPC around it, topic, author, sequence number, signature and key. */
export const GOSSIP_OVERHEAD_BYTES = 168
export const SEGMENT_BYTES = 1448

export const packetsOf = (frameBytes: number): number => Math.ceil(frameBytes / SEGMENT_BYTES)

/** An estimator that weighs each object once. */
export const createSizeEstimate = (): SizeOf => {
  const known = new WeakMap<object, number>()
  return message => {
    if (message.kind === 'heartbeat') return 12
    if (message.kind === 'ping' || message.kind === 'pong') return 18
    let size = known.get(message)
    if (size === undefined) {
      size = weigh(message)
      known.set(message, size)
    }
    return size
  }
}

const weigh = (value: unknown): number => {
  switch (typeof value) {
    case 'string':
      return value.length + 2
    case 'number':
      return Number.isInteger(value) && value >= 0 ? varint(value) + 1 : 9
    case 'boolean':
      return 2
    case 'object':
      break
    default:
      return 0
  }
  if (value === null) return 0
  if (value instanceof Uint8Array) return value.length + 3
  if (Array.isArray(value)) {
    let sum = 0
    for (const item of value) sum += weigh(item)
    return sum
  }
  const fields = value as Record<string, unknown>
  if (fields.bytes instanceof Uint8Array && fields.signature instanceof Uint8Array) {
    return fields.bytes.length + fields.signature.length + 8
  }
  let sum = 2
  for (const key in fields) if (key !== 'kind') sum += weigh(fields[key])
  return sum
}

const varint = (value: number): number =>
  value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : value < 268_435_456 ? 4 : 6
