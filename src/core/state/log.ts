// How a document lies in the store: an ordered log of updates, and a snapshot that
// the log is folded into, piece by piece, while life goes on.
//
//   s/<document>/h            the head: lineage, number of the snapshot, first entry of the log
//   s/<document>/p/<n>/<part> the snapshot
//   s/<document>/l/<entry>    updates since the snapshot was begun
//
// A snapshot counts once the head names it, and is read before the log: a struct that
// comes deleted tells nothing to one who has it alive, the deletes of the log do.

import { avalanche } from '../hash.js'
import { isStamp, type Stamp } from '../hybrid-clock.js'
import type { StoreEntry, StoreWrite } from '../step.js'
import { LINEAGE } from './writer.js'

export const STATE_PREFIX = 's/'

export interface Head {
  readonly lineage: string
  readonly snapshot: number
  readonly parts: number
  readonly firstEntry: number
  /** How many lineages were given up because nobody was there to show what was known of them. */
  readonly left: number
  /** How many because others said that they knew more of them, and have not shown it. */
  readonly claimed: number
  /** How many openings wrote to it under a clientID of their own, before they were filled. */
  readonly early: number
  /** Own clocks from here on were written before anybody was met: nobody can know them. Null when somebody may. */
  readonly aloneFrom: number | null
  /** The own clocks at which each boot began that wrote so, `aloneFrom` first; empty when that is null. */
  readonly aloneBoots: readonly number[]
  /** Under which other clientIDs an application's copy wrote meanwhile, and from which clocks on: it may build on those. */
  readonly aloneOthers: readonly (readonly [client: number, clock: number])[]
  /** The newest stamp that was seen in it: nothing else tells of those of deleted entries. */
  readonly stamp: Stamp
}

/** What was found of one document. */
export interface Recovered {
  head: Head | null
  readonly parts: { readonly snapshot: number; readonly part: number; readonly value: Uint8Array }[]
  readonly entries: { readonly entry: number; readonly value: Uint8Array }[]
  /** Keys that could not be understood. */
  readonly strange: string[]
}

const KEY = /^s\/((?:space|doc)\/[a-z0-9][a-z0-9._-]{0,62})\/(?:(h)|l\/(\d{12})|p\/(\d{1,12})\/(\d{1,9}))$/

export const headKey = (document: string): string => `s/${document}/h`
export const entryKey = (document: string, entry: number): string =>
  `s/${document}/l/${String(entry).padStart(12, '0')}`
export const partKey = (document: string, snapshot: number, part: number): string =>
  `s/${document}/p/${snapshot}/${part}`

export const writeHead = (document: string, head: Head): StoreWrite => ({
  key: headKey(document),
  value: seal(new TextEncoder().encode(JSON.stringify({ version: 1, ...head }))),
})

/**
 * A value with four bytes over it. A flipped bit may well decode, to another value or to
 * another clock, and would then spread or keep replicas apart for ever.
 */
export const seal = (value: Uint8Array): Uint8Array => {
  const out = new Uint8Array(value.length + 4)
  out.set(value)
  new DataView(out.buffer).setUint32(value.length, hashBytes(value))
  return out
}

/** The value, or null when it is not what was stored. */
export const unseal = (sealed: Uint8Array): Uint8Array | null => {
  if (sealed.length < 4) return null
  const value = sealed.subarray(0, sealed.length - 4)
  const stored = new DataView(sealed.buffer, sealed.byteOffset, sealed.length).getUint32(value.length)
  return stored === hashBytes(value) ? value : null
}

const hashBytes = (bytes: Uint8Array): number => {
  let hash = bytes.length | 0
  for (let i = 0; i < bytes.length; i++)
    hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193) ^ (hash >>> 17)
  return avalanche(hash)
}

/** Sorts what the store holds by document; keys that are no document's come under the empty name. */
export const recover = (entries: Iterable<StoreEntry>): Map<string, Recovered> => {
  const out = new Map<string, Recovered>()
  const of = (document: string): Recovered => {
    let found = out.get(document)
    if (found === undefined) {
      found = { head: null, parts: [], entries: [], strange: [] }
      out.set(document, found)
    }
    return found
  }
  for (const { key, value } of entries) {
    const match = KEY.exec(key)
    if (match === null) {
      of('').strange.push(key)
      continue
    }
    const document = of(match[1] as string)
    if (match[2] !== undefined) {
      document.head = readHead(unseal(value))
      if (document.head === null) document.strange.push(key)
    } else if (match[3] !== undefined) document.entries.push({ entry: Number(match[3]), value })
    else document.parts.push({ snapshot: Number(match[4]), part: Number(match[5]), value })
  }
  for (const document of out.values()) {
    document.entries.sort((a, b) => a.entry - b.entry)
    document.parts.sort((a, b) => a.snapshot - b.snapshot || a.part - b.part)
  }
  return out
}

const readHead = (value: Uint8Array | null): Head | null => {
  if (value === null) return null
  try {
    const head = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value)) as Record<
      string,
      unknown
    >
    const {
      lineage,
      snapshot,
      parts,
      firstEntry,
      left,
      claimed,
      early,
      aloneFrom,
      aloneBoots,
      aloneOthers,
      stamp,
    } = head
    if (typeof lineage !== 'string' || !LINEAGE.test(lineage)) return null
    for (const count of [snapshot, parts, firstEntry]) if (!Number.isSafeInteger(count)) return null
    return {
      lineage,
      snapshot: snapshot as number,
      parts: parts as number,
      firstEntry: firstEntry as number,
      left: countOf(left),
      claimed: countOf(claimed),
      early: countOf(early),
      aloneFrom: Number.isSafeInteger(aloneFrom) ? (aloneFrom as number) : null,
      aloneBoots: Array.isArray(aloneBoots) ? aloneBoots.filter(Number.isSafeInteger) : [],
      aloneOthers: Array.isArray(aloneOthers) ? aloneOthers.filter(isClock) : [],
      stamp: isStamp(stamp) ? stamp : 0,
    }
  } catch {
    return null
  }
}

/** Older versions do not write every count. */
const countOf = (value: unknown): number => (Number.isSafeInteger(value) ? Math.max(0, value as number) : 0)

const isClock = (value: unknown): value is readonly [client: number, clock: number] =>
  Array.isArray(value) && value.length === 2 && value.every(Number.isSafeInteger)
