// One document as others may see it: what it holds, less what is not yet durable here.
//
// Digests, and the pieces of a catch-up, are made of this and of nothing else, so what
// waits for its commit is cut out in one place (own-commits.ts says why it must be).
//
// It never changes the document.

import type * as Y from 'yjs'
import type { StateConfig } from './config.js'
import type { DeleteHashes } from './delete-hashes.js'
import { type Digest, digestOf } from './digest.js'
import { encodePiece, type PieceLimits } from './encode.js'
import type { OwnCommits } from './own-commits.js'
import { type Cursor, deletedWithin, endOf, type Range, type Store, type Struct, without } from './structs.js'

/** The document itself, which may be replaced by another, and whose own clientID may change. */
export interface Source {
  readonly doc: Y.Doc
  readonly kind: 'space' | 'doc'
  readonly client: number
  readonly deleteHashes: DeleteHashes
  clockOf(client: number): number
}

export class Visible {
  readonly #source: Source
  readonly #commits: OwnCommits
  readonly #config: StateConfig
  #digest: Digest | null = null

  constructor(source: Source, commits: OwnCommits, config: StateConfig) {
    this.#source = source
    this.#commits = commits
    this.#config = config
  }

  /** To be told of every change, of the document or of what is durable. */
  changed(): void {
    this.#digest = null
  }

  /** The state vector without what is not yet durable. */
  vector(): Map<number, number> {
    const out = new Map<number, number>()
    for (const [client, structs] of this.#source.doc.store.clients)
      out.set(client, this.#upTo(client, endOf(structs as Struct[])))
    return out
  }

  /** Of a client's clocks before this one, those that others may see. */
  #upTo(client: number, clock: number): number {
    if (client !== this.#source.client) return Math.min(clock, this.#commits.limitAlone(client))
    return Math.min(clock, this.#commits.visible(client, this.#source.clockOf(client)))
  }

  digest(): Digest {
    this.#digest ??= digestOf(this.#source.deleteHashes, this.vector())
    return this.#digest
  }

  /** What a node with this vector lacks. */
  cursorsBeyond(theirs: ReadonlyMap<number, number>): Cursor[] {
    const out: Cursor[] = []
    for (const [client, clock] of this.vector()) {
      const from = theirs.get(client) ?? 0
      if (clock > from) out.push({ client, from, to: clock })
    }
    return out.sort((a, b) => a.client - b.client)
  }

  /** Whether there are deletes within ranges that are durable. */
  hasDeletes(ranges: readonly Range[]): boolean {
    const held = this.#commits.deletes()
    return ranges.some(range => this.#deletesOf(range, held, 1).length > 0)
  }

  /** As many of the deletes in a range as are wanted, or a few more. */
  #deletesOf(range: Range, held: ReadonlyMap<number, readonly Range[]>, most: number): Range[] {
    const { client, from } = range
    const to = this.#upTo(client, range.to)
    const holes = held.get(client) ?? []
    const out: Range[] = []
    for (const run of deletedWithin(this.#source.doc.store, { client, from, to })) {
      if (out.length >= most) break
      for (const each of without(run, holes)) out.push(each)
    }
    return out
  }

  /** The first deletes within ranges, which are taken away from them. */
  #takeDeletes(ranges: Range[], most: number): Range[] {
    const held = this.#commits.deletes()
    const out: Range[] = []
    let looked = 0
    // One more than are wanted, so that no ranges are left over in which there are none.
    while (looked < ranges.length && out.length <= most) {
      const range = ranges[looked++] as Range
      for (const each of this.#deletesOf(range, held, most + 1 - out.length)) out.push(each)
    }
    const next = out[most]
    if (next === undefined) ranges.length = 0
    else {
      // There may be very many: what is left of this one is not told one by one, and the rest stays where it is.
      ranges.splice(0, looked, { ...next, to: (ranges[looked - 1] as Range).to })
      out.length = most
    }
    return out
  }

  /** The bytes of a whole series, as far as they are at most so many; infinite where there are more. */
  sizeUpTo(bytesMax: number, cursors: readonly Cursor[], ranges: readonly Range[]): number {
    const rest = { cursors: cursors.map(cursor => ({ ...cursor })), ranges: [...ranges] }
    const limits = this.#limits(bytesMax)
    const take = (most: number): Range[] => this.#takeDeletes(rest.ranges, most)
    const { length } = encodePiece(this.#source.doc.store, rest.cursors, limits, take)
    return rest.cursors.length + rest.ranges.length === 0 ? length : Number.POSITIVE_INFINITY
  }

  /** Whether what is not yet durable would be cut out of the midst of these. */
  cutsInto(cursors: readonly Cursor[]): boolean {
    return cursors.some(cursor => this.#limitOf(cursor) < cursor.to)
  }

  /** How far a cursor may go now: not to own structs, nor to any whose delete, before they are durable. */
  #limitOf(cursor: Cursor): number {
    return this.#commits.limitOf(cursor, this.#upTo(cursor.client, cursor.to))
  }

  /**
   * Lengthens a series by what came since it began. A delete of that, told without the write that it made room for,
   * would leave a key absent there; so would a struct that comes deleted.
   */
  goOn(cursors: Cursor[], all: Map<number, Cursor>, theirs: ReadonlyMap<number, number>): void {
    for (const [client, to] of this.vector()) {
      const known = all.get(client)
      const from = known?.from ?? theirs.get(client) ?? 0
      if (to <= (known?.to ?? from)) continue
      const cursor = known ?? { client, from, to }
      cursor.to = to
      all.set(client, cursor)
      if (!cursors.includes(cursor)) cursors.push(cursor)
    }
  }

  /**
   * The next piece of a series for others; moves the cursors. What is not durable now is
   * cut off even if it was when the series began, and with it all deletes; says so, for it has to be asked for again.
   */
  piece(
    cursors: Cursor[],
    ranges: Range[],
    bytesMax = this.#config.pieceBytes,
  ): { update: Uint8Array; cut: boolean } {
    let cut = false
    for (const cursor of cursors) {
      const limit = this.#limitOf(cursor)
      if (limit >= cursor.to) continue
      cursor.to = limit
      cut = true
    }
    // One of them may have been made with what is cut off.
    if (cut) ranges.length = 0
    const { store } = this.#source.doc
    const update = encodePiece(store, cursors, this.#limits(bytesMax), most =>
      this.#takeDeletes(ranges, most),
    )
    return { update, cut }
  }

  #limits(bytes: number): PieceLimits {
    const { pieceStructsMax: structs } = this.#config
    if (this.#source.kind === 'space') return { bytes, structs, deletes: Number.POSITIVE_INFINITY }
    return { bytes, structs, deletes: deletesFor(this.#source.doc.store, structs) }
  }
}

/**
 * How many deletes take as long as so many new structs. To delete within a run of text, Yjs cuts
 * it, and moves all of its client's structs after it: 40 µs a delete where the client has 24,000,
 * which is as long as 8 new structs take.
 */
export const deletesFor = (store: Store, structs: number): number => {
  let longest = 0
  for (const list of store.clients.values()) longest = Math.max(longest, list.length)
  return Math.ceil(structs / (1 + longest / STRUCTS_MOVED))
}

/** So many are moved in the time that a new one takes. */
const STRUCTS_MOVED = 3_300
