// How the application's copy of a raw document gets what this node holds of it, piece by
// piece. Yjs takes 2 to 4 µs for each struct, so a document of 4 MB at once would keep the
// event loop for a second. Decides what is in the next piece, and when that was all.
//
// What others change meanwhile waits for its turn: a change that came before what it builds on
// would be held back by Yjs, and encoded anew with every further piece. What the application
// itself writes meanwhile comes back to its copy once, which Yjs passes over. So it does with what
// the application brings in from elsewhere before its turn (a store of its own, another provider):
// what of that is deleted here is told as deleted at the end.
//
// It never changes the document.

import * as Y from 'yjs'
import { encodePiece } from './encode.js'
import type { Replica } from './replica.js'
import { type Cursor, cursorsOf, deletedWithin, type Range } from './structs.js'
import { deletesFor } from './visible.js'

/** An update that changes nothing. */
export const EMPTY_UPDATE = new Uint8Array([0, 0])

export class Filling {
  readonly #replica: Replica
  readonly #structs: number
  readonly #bytes: number
  readonly #cursors: Cursor[]
  /** Deleted by others after it was sent. */
  #ranges: Range[] = []
  /** Known here, and brought into the copy by the application. */
  #brought: Range[] = []
  /** How far the copy has each client's structs, once the cursors are at their ends. */
  readonly #upTo: Map<number, number>

  constructor(replica: Replica, structs: number, bytes: number) {
    this.#replica = replica
    this.#structs = structs
    this.#bytes = bytes
    this.#cursors = cursorsOf(replica.doc.store)
    this.#upTo = new Map(this.#cursors.map(({ client, to }) => [client, to]))
  }

  /** Others deleted these. What the copy does not have yet will come deleted. */
  deleted(ranges: readonly Range[]): void {
    for (const range of ranges) {
      const cursor = this.#cursors.find(({ client }) => client === range.client)
      if (range.from < (cursor?.from ?? this.#upTo.get(range.client) ?? 0)) this.#ranges.push(range)
    }
  }

  /** The application changed its copy so; to be told before that is applied here. */
  changed(update: Uint8Array): void {
    const { from, to } = Y.parseUpdateMeta(update)
    for (const [client, clock] of from) {
      const known = Math.min(to.get(client) ?? 0, Y.getState(this.#replica.doc.store, client))
      if (clock < known) this.#brought.push({ client, from: clock, to: known })
    }
  }

  next(): { readonly update: Uint8Array; readonly isLast: boolean } {
    const { store } = this.#replica.doc
    const limits = {
      bytes: this.#bytes,
      structs: this.#structs,
      deletes: deletesFor(store, this.#structs),
    }
    const update = encodePiece(store, this.#cursors, limits, most => this.#ranges.splice(0, most))
    if (this.#cursors.length === 0) this.#goOn()
    return { update, isLast: this.#cursors.length === 0 && this.#ranges.length === 0 }
  }

  /** What came since; and when nothing did, the deletes that come with no struct. */
  #goOn(): void {
    const { store } = this.#replica.doc
    for (const cursor of cursorsOf(store)) {
      const from = this.#upTo.get(cursor.client) ?? 0
      if (cursor.to <= from) continue
      this.#cursors.push({ ...cursor, from })
      this.#upTo.set(cursor.client, cursor.to)
    }
    if (this.#cursors.length > 0) return
    for (const range of this.#brought.splice(0))
      for (const deleted of deletedWithin(store, range)) this.#ranges.push(deleted)
  }
}
