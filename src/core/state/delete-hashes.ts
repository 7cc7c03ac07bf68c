// What of a document is deleted, as hashes of ranges of clocks, kept up to date.
//
// A client's clocks are divided into at most 128 ranges of a power of two, so that
// there are few of them however long the client has been writing. A range is hashed
// anew only when something in it was deleted or added: to walk over all structs of a
// document of 4 MB at every comparison took 40 ms.
//
// It never changes a document, and trusts its owner to tell of every change.

import * as Y from 'yjs'
import { combine } from '../hash.js'
import { endOf, type Range, type Store, type Struct } from './structs.js'

const RANGES_MAX = 128
const RANGE_CLOCKS_MIN = 256
/** Of all clients; each takes a kilobyte at most. */
const OTHERS_MAX = 64

/** Clocks of a range, for a client that has got so far. */
export const widthOf = (clock: number): number => {
  let width = RANGE_CLOCKS_MIN
  while (clock / width > RANGES_MAX) width *= 2
  return width
}

export const rangesOf = (clock: number): number => Math.ceil(clock / widthOf(clock))

/** Of the first `clock` clocks of a client: two words a range. Ranges that are not stale stay right. */
interface Known {
  readonly client: number
  readonly clock: number
  readonly width: number
  readonly hashes: Uint32Array
  readonly stale: Set<number>
}

export class DeleteHashes {
  readonly #store: Store
  readonly #known = new Map<number, Known>()
  /** In ranges of another width, for who is far behind or far ahead, or says so: by client. */
  readonly #others = new Map<number, Known[]>()
  #othersCount = 0

  constructor(store: Store) {
    this.#store = store
  }

  endOf(client: number): number {
    return endOf(this.#structs(client))
  }

  /** To be told of everything that is deleted. What is new stands beyond what is known. */
  deleted(range: Range): void {
    const known = this.#known.get(range.client)
    if (known !== undefined) spoil(known, range)
    for (const other of this.#others.get(range.client) ?? []) spoil(other, range)
  }

  /** Two words a range, over the deleted runs in it below a clock, relative to its start; null when there are none. */
  upTo(client: number, clock: number): Uint32Array | null {
    const structs = this.#structs(client)
    // A peer may name any number of clients that nobody has heard of.
    if (structs.length === 0) return null
    const width = widthOf(clock)
    const hashes = new Uint32Array(2 * rangesOf(clock))
    // What a peer asks about may lie ahead of what is here; nothing can be known of that.
    const limit = Math.min(clock, endOf(structs))
    const usable = this.#usable(client, width)
    for (let i = 0; i * width < limit; i++) {
      const end = (i + 1) * width
      const isKnown =
        usable !== undefined &&
        !usable.stale.has(i) &&
        (end <= Math.min(limit, usable.clock) || usable.clock === limit)
      if (isKnown) {
        hashes[2 * i] = usable.hashes[2 * i] as number
        hashes[2 * i + 1] = usable.hashes[2 * i + 1] as number
      } else hashRange(structs, i * width, Math.min(end, limit), hashes, i)
    }
    this.#keep({ client, clock: limit, width, hashes, stale: new Set() }, clock === endOf(structs))
    return hashes.some(word => word !== 0) ? hashes : null
  }

  #usable(client: number, width: number): Known | undefined {
    const known = this.#known.get(client)
    if (known?.width === width) return known
    return this.#others.get(client)?.find(other => other.width === width)
  }

  #keep(known: Known, isWhole: boolean): void {
    const { client, width } = known
    const before = this.#known.get(client)
    if (isWhole) this.#known.set(client, known)
    if (isWhole || before?.width === width) return
    const others = this.#others.get(client) ?? []
    const at = others.findIndex(other => other.width === width)
    if (at >= 0) {
      if ((others[at] as Known).clock <= known.clock || (others[at] as Known).stale.size > 0)
        others[at] = known
      return
    }
    // Nobody honest needs so many.
    if (++this.#othersCount > OTHERS_MAX) {
      this.#others.clear()
      this.#othersCount = 1
    }
    this.#others.set(client, [...(this.#others.get(client) ?? []), known])
  }

  #structs(client: number): Struct[] {
    return (this.#store.clients.get(client) ?? []) as Struct[]
  }
}

const spoil = ({ clock, stale, width }: Known, { from, to }: Range): void => {
  const end = Math.min(to, clock)
  for (let i = Math.floor(from / width); i * width < end; i++) stale.add(i)
}

const hashRange = (structs: Struct[], start: number, end: number, hashes: Uint32Array, at: number): void => {
  const last = Math.min(end, endOf(structs))
  if (start >= last) return
  const add = (from: number, to: number): void => {
    hashes[2 * at] = combine(hashes[2 * at] as number, combine(from - start + 1, to - start))
    hashes[2 * at + 1] = combine(
      hashes[2 * at + 1] as number,
      combine(to - start + 0x5bd1, from - start + 0x27d4),
    )
  }
  let from = -1
  let to = -1
  for (let i = Y.findIndexSS(structs, start); i < structs.length; i++) {
    const struct = structs[i] as Struct
    const { clock } = struct.id
    if (clock >= last) break
    if (!struct.deleted) continue
    if (clock === to) to = Math.min(clock + struct.length, last)
    else {
      if (to > from) add(from, to)
      from = Math.max(clock, start)
      to = Math.min(clock + struct.length, last)
    }
  }
  if (to > from) add(from, to)
}
