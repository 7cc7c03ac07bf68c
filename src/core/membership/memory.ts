// What membership keeps on disk: this node's own number of lives, the members it
// has met, and whom an operator struck. Written lazily but for the generation,
// which has to be durable before this node speaks, and the first members it meets.

import { ShoalError } from '../errors.js'
import type { Millis, NodeId } from '../ids.js'
import type { MemberRecord, Sealed, Strike } from '../member.js'
import type { StoreEntry, StoreWrite } from '../step.js'
import type { MembershipConfig } from './config.js'
import { type Shared, soon } from './shared.js'

const GENERATION = 'm/generation'
const RETURNS = 'm/returns'
const MEMBER = 'm/member/'
const STRIKE = 'm/strike/'
const RETURNS_MAX = 16
const STRIKES_MAX = 2_000
/** With fewer written down than this, the next ones are not left to a lazy write. */
const ENOUGH_TO_RETURN = 3

export class Memory {
  readonly generationNumber: number
  readonly remembered: readonly Sealed<MemberRecord>[]
  readonly #config: MembershipConfig
  readonly #strikes = new Map<NodeId, Sealed<Strike>>()
  /** Members that were forgotten by age: their old records are not taken back. */
  readonly #retired = new Map<NodeId, { number: number; at: Millis }>()
  /** Members to be written with the next batch; null takes one away. */
  readonly #noted = new Map<NodeId, Sealed<MemberRecord> | null>()
  /** How often a member was written down, in this life or before. */
  #written: number
  #returns: Millis[]

  constructor(entries: Iterable<StoreEntry>, config: MembershipConfig, now: Millis) {
    this.#config = config
    let generation = 0
    let returns: Millis[] = []
    const remembered: Sealed<MemberRecord>[] = []
    for (const { key, value } of entries) {
      if (key === GENERATION) generation = readGeneration(value)
      else if (key === RETURNS) returns = (readJson(value) as Millis[] | null) ?? []
      else if (key.startsWith(MEMBER)) {
        const sealed = unpack<MemberRecord>(value)
        if (sealed !== null) remembered.push(sealed)
      } else if (key.startsWith(STRIKE)) {
        const sealed = unpack<Strike>(value)
        if (sealed !== null) this.#strikes.set(sealed.body.subject, sealed)
      }
    }
    this.generationNumber = generation
    this.remembered = remembered
    this.#written = remembered.length
    this.#returns = returns.filter(at => Number.isFinite(at) && at <= now)
  }

  get size(): number {
    return this.#strikes.size + this.#retired.size + this.#noted.size
  }

  bootWrites(generationNumber: number, now: Millis): StoreWrite[] {
    if (generationNumber > 1) this.noteReturn(now)
    return [...this.generationWrites(generationNumber), { key: RETURNS, value: json(this.#returns) }]
  }

  generationWrites(generationNumber: number): StoreWrite[] {
    return [{ key: GENERATION, value: json(generationNumber) }]
  }

  noteReturn(now: Millis): void {
    this.#returns = [...this.#returns, now].slice(-RETURNS_MAX)
  }

  recentReturns(now: Millis): number {
    return this.#returns.filter(at => now - at < this.#config.flapMemoryMs).length
  }

  /** Keeps a member for the next boot; a record that changes nothing needed there is not written again. */
  remember(shared: Shared, sealed: Sealed<MemberRecord>, before: MemberRecord | undefined): void {
    const { id, generation, addresses, left } = sealed.body
    const isKnown =
      before !== undefined &&
      before.generation.instance === generation.instance &&
      before.left === left &&
      before.addresses.join() === addresses.join()
    if (isKnown) return
    this.#note(shared, id, left ? null : sealed)
  }

  drop(shared: Shared, id: NodeId): void {
    this.#note(shared, id, null)
  }

  /**
   * Writes the members that changed lately, all at once: a mass start would make one
   * write of each. The first ones are flushed: a node that dies soon after it joined
   * would come back knowing nobody, and stay alone.
   */
  flush(shared: Shared): void {
    if (this.#noted.size === 0) return
    const flush = this.#written < ENOUGH_TO_RETURN
    const writes = [...this.#noted].map(([id, sealed]) => ({
      key: MEMBER + id,
      value: sealed === null ? null : pack(sealed),
    }))
    this.#written += writes.length
    this.#noted.clear()
    shared.out.push({ kind: 'persist', writes, flush, token: null })
  }

  retire(shared: Shared, id: NodeId, number: number): void {
    if (this.#retired.size < STRIKES_MAX) this.#retired.set(id, { number, at: shared.now })
  }

  /** The strike that this life of the member falls under, or null. */
  strikeOn(id: NodeId, generationNumber: number): Sealed<Strike> | null {
    const strike = this.#strikes.get(id)
    return strike !== undefined && generationNumber <= strike.body.generationNumber ? strike : null
  }

  /** Whether it was forgotten by age: others may still speak of it, and would bring it back. */
  isRetired(id: NodeId, generationNumber: number): boolean {
    const retired = this.#retired.get(id)
    return retired !== undefined && generationNumber <= retired.number
  }

  strikes(): readonly Sealed<Strike>[] {
    return [...this.#strikes.values()]
  }

  /** True when it strikes more than was struck before. */
  strike(shared: Shared, strike: Sealed<Strike>): boolean {
    const { subject, generationNumber } = strike.body
    const held = this.#strikes.get(subject)
    if (held !== undefined && held.body.generationNumber >= generationNumber) return false
    if (held === undefined && this.#strikes.size >= STRIKES_MAX) return false
    this.#strikes.set(subject, strike)
    this.#write(shared, STRIKE + subject, pack(strike))
    return true
  }

  expire(shared: Shared): void {
    const { now, clock } = shared
    for (const [id, { body }] of this.#strikes) {
      if (clock.now(now) - body.at <= this.#config.strikeKeepMs) continue
      this.#strikes.delete(id)
      this.#write(shared, STRIKE + id, null)
    }
    for (const [id, { at }] of this.#retired)
      if (now - at > this.#config.proofKeepMs) this.#retired.delete(id)
  }

  #note(shared: Shared, id: NodeId, sealed: Sealed<MemberRecord> | null): void {
    this.#noted.set(id, sealed)
    soon(shared, 'remember', shared.now + this.#config.rememberMs)
  }

  #write(shared: Shared, key: string, value: Uint8Array | null): void {
    shared.out.push({ kind: 'persist', writes: [{ key, value }], flush: false, token: null })
  }
}

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

const readJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return null
  }
}

const readGeneration = (bytes: Uint8Array): number => {
  const value = readJson(bytes)
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new ShoalError(
    'STORE_CORRUPT',
    `${GENERATION} is ${JSON.stringify(value)}; it must be a whole number`,
  )
}

/** A sealed word never changes, and a process that holds many nodes (a simulation) keeps it many times. */
const packed = new WeakMap<Sealed<unknown>, Uint8Array>()

const pack = (sealed: Sealed<unknown>): Uint8Array => {
  let bytes = packed.get(sealed)
  if (bytes === undefined) {
    bytes = json({ body: sealed.body, bytes: toHex(sealed.bytes), signature: toHex(sealed.signature) })
    packed.set(sealed, bytes)
  }
  return bytes
}

/** An entry that can't be read is one member less to remember, and no reason to stop. */
const unpack = <Body>(value: Uint8Array): Sealed<Body> | null => {
  const read = readJson(value) as { body?: Body; bytes?: string; signature?: string } | null
  if (read?.body === undefined || typeof read.bytes !== 'string' || typeof read.signature !== 'string')
    return null
  return { body: read.body, bytes: fromHex(read.bytes), signature: fromHex(read.signature) }
}

const toHex = (bytes: Uint8Array): string => {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

const fromHex = (text: string): Uint8Array => {
  const bytes = new Uint8Array(text.length >> 1)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return bytes
}
