// What a document holds, in few bytes: a state vector, and a hash of the deletes
// in each range of clocks. A state vector alone is no digest, since after a delete
// it is what it was before; and the whole delete set would be 136 KB at 95,000 keys.
// Runs of equal hashes (all alive, all dead) take one entry.

import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { combine } from '../hash.js'
import { DeleteHashes, rangesOf, widthOf } from './delete-hashes.js'
import type { Range, Store } from './structs.js'

/** More clients than any document has; a message that claims more is a lie. */
const CLIENTS_MAX = 100_000

export type Vector = ReadonlyMap<number, number>

export interface Digest {
  readonly vector: Uint8Array
  readonly deletes: Uint8Array
  /** 8 bytes over both. */
  readonly hash: Uint8Array
}

/** `clocks`: the clients to speak of and up to where, by client. */
export const digestOf = (known: DeleteHashes, clocks: Vector): Digest => {
  const vector = encodeVector(clocks)
  const encoder = encoding.createEncoder()
  for (const [client, clock] of sorted(clocks)) {
    const hashes = known.upTo(client, clock)
    if (hashes === null) continue
    encoding.writeVarUint(encoder, client)
    writeHashes(encoder, hashes)
  }
  const deletes = encoding.toUint8Array(encoder)
  return { vector, deletes, hash: joinHash(hashBytes(vector), hashBytes(deletes)) }
}

/** The ranges in which the two differ in deletes, as far as both have the clocks. */
export const differingRanges = (known: DeleteHashes, theirs: Vector, deletes: Uint8Array): Range[] => {
  const out: Range[] = []
  const decoder = decoding.createDecoder(deletes)
  const told = new Map<number, Uint32Array>()
  while (decoding.hasContent(decoder)) {
    const client = decoding.readVarUint(decoder)
    const clock = theirs.get(client)
    if (clock === undefined) throw new Error('hashes of an unnamed client')
    told.set(client, readHashes(decoder, rangesOf(clock)))
  }
  for (const [client, clock] of theirs) {
    const mine = known.upTo(client, clock)
    const other = told.get(client)
    if (mine === null && other === undefined) continue
    const width = widthOf(clock)
    const end = Math.min(clock, known.endOf(client))
    for (let i = 0; i * width < end; i++) {
      if (
        (mine?.[2 * i] ?? 0) === (other?.[2 * i] ?? 0) &&
        (mine?.[2 * i + 1] ?? 0) === (other?.[2 * i + 1] ?? 0)
      )
        continue
      out.push({ client, from: i * width, to: Math.min((i + 1) * width, end) })
    }
  }
  return out
}

export const encodeVector = (clocks: Vector): Uint8Array => {
  const encoder = encoding.createEncoder()
  for (const [client, clock] of sorted(clocks)) {
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, clock)
  }
  return encoding.toUint8Array(encoder)
}

/** Throws on what is no vector. */
export const decodeVector = (bytes: Uint8Array): Map<number, number> => {
  const decoder = decoding.createDecoder(bytes)
  const out = new Map<number, number>()
  while (decoding.hasContent(decoder)) {
    const client = decoding.readVarUint(decoder)
    const clock = decoding.readVarUint(decoder)
    // lib0 reads integers past 2⁵³.
    if (!Number.isSafeInteger(client) || !Number.isSafeInteger(clock)) throw new Error('not a clock')
    out.set(client, clock)
    if (out.size > CLIENTS_MAX) throw new Error('too many clients')
  }
  return out
}

export const encodeRanges = (ranges: readonly Range[]): Uint8Array => {
  const encoder = encoding.createEncoder()
  for (const { client, from, to } of ranges) {
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, from)
    encoding.writeVarUint(encoder, to - from)
  }
  return encoding.toUint8Array(encoder)
}

/** Throws on what are no ranges. */
export const decodeRanges = (bytes: Uint8Array): Range[] => {
  const decoder = decoding.createDecoder(bytes)
  const out: Range[] = []
  while (decoding.hasContent(decoder)) {
    const client = decoding.readVarUint(decoder)
    const from = decoding.readVarUint(decoder)
    const to = from + decoding.readVarUint(decoder)
    if (!Number.isSafeInteger(client) || !Number.isSafeInteger(to) || out.length >= CLIENTS_MAX)
      throw new Error('not a range')
    out.push({ client, from, to })
  }
  return out
}

/** 8 bytes over all named hashes; the names must come in order. */
export const rootOf = (documents: Iterable<readonly [string, Uint8Array]>): Uint8Array => {
  const both = new Uint8Array(16)
  const root = both.subarray(0, 8)
  for (const [name, hash] of documents) {
    both.set(hash, 8)
    hashInto(root, both)
    for (let i = 0; i < name.length; i++) root[i & 7] = (root[i & 7] as number) ^ name.charCodeAt(i)
    hashInto(root, root)
  }
  return root.slice()
}

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i])

const sorted = (clocks: Vector): (readonly [number, number])[] =>
  [...clocks].filter(([, clock]) => clock > 0).sort((a, b) => a[0] - b[0])

const writeHashes = (encoder: encoding.Encoder, hashes: Uint32Array): void => {
  for (let i = 0; i < hashes.length; ) {
    let run = 1
    while (
      i + 2 * run < hashes.length &&
      hashes[i + 2 * run] === hashes[i] &&
      hashes[i + 2 * run + 1] === hashes[i + 1]
    )
      run++
    encoding.writeVarUint(encoder, run)
    encoding.writeUint32(encoder, hashes[i] as number)
    encoding.writeUint32(encoder, hashes[i + 1] as number)
    i += 2 * run
  }
}

const readHashes = (decoder: decoding.Decoder, ranges: number): Uint32Array => {
  const out = new Uint32Array(2 * ranges)
  for (let i = 0; i < ranges; ) {
    const run = decoding.readVarUint(decoder)
    if (run === 0 || run > ranges - i) throw new Error('a run past the end')
    const a = decoding.readUint32(decoder)
    const b = decoding.readUint32(decoder)
    for (let k = 0; k < run; k++, i++) {
      out[2 * i] = a
      out[2 * i + 1] = b
    }
  }
  return out
}

const hashBytes = (bytes: Uint8Array): Uint8Array => {
  const out = new Uint8Array(8)
  hashInto(out, bytes)
  return out
}

/** Into a place that may be among what is hashed. */
const hashInto = (out: Uint8Array, bytes: Uint8Array): void => {
  let a = combine(0x9e3779b1, bytes.length)
  let b = combine(0x85ebca6b, bytes.length)
  for (let i = 0; i < bytes.length; i++) {
    a = Math.imul(a ^ (bytes[i] as number), 0x01000193)
    b = Math.imul(b, 33) ^ (bytes[i] as number)
  }
  writeWord(out, 0, combine(a, b))
  writeWord(out, 4, combine(b, a))
}

const writeWord = (out: Uint8Array, at: number, word: number): void => {
  for (let i = 0; i < 4; i++) out[at + i] = word >>> (24 - 8 * i)
}

const joinHash = (a: Uint8Array, b: Uint8Array): Uint8Array => {
  const both = new Uint8Array(16)
  both.set(a.subarray(0, 8))
  both.set(b.subarray(0, 8), 8)
  return hashBytes(both)
}

/** Of a document that is not here. */
export const EMPTY_DIGEST = digestOf(new DeleteHashes({ clients: new Map() } as Store), new Map())
