// How the application's copy of a raw document gets what this node holds of it, piece by
// piece. Yjs takes 2 to 4 µs for each struct, so a document of 4 MB at once would keep the
// event loop for a second. Decides what is in the next piece, and when that was all.
//
// What others change meanwhile waits for its turn: a change that came before what it builds on
// would be held back by Yjs, and encoded anew with every further piece. What the application
// itself writes meanwhile comes back to its copy once, which Yjs passes over.
//
// It never changes the document.

import { encodePiece } from './encode.js'
import type { Replica } from './replica.js'
import { type Cursor, cursorsOf, type Range } from './structs.js'
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

  /** What came since. */
  #goOn(): void {
    for (const cursor of cursorsOf(this.#replica.doc.store)) {
      const from = this.#upTo.get(cursor.client) ?? 0
      if (cursor.to <= from) continue
      this.#cursors.push({ ...cursor, from })
      this.#upTo.set(cursor.client, cursor.to)
    }
  }
}
