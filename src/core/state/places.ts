// For which spaces and documents there is a place here. What this node's own application uses has places of
// its own, so nothing that others push keeps it out. The rest is held for others: the fewer places are left
// of those, the fewer one author may take, so that one who invents names without end leaves
// a fifth of them to all others. What is there is never dropped to make room: nobody
// could tell invented data from data whose author is gone.
//
// It never holds anything itself.

import type { NodeId } from '../ids.js'

/** A space or document that is here. */
export interface Held {
  readonly document: string
  /** Nothing alive is in it. */
  readonly isEmpty: boolean
}

interface Place {
  /** The application writes to it, has opened it, or asked for it before it was here. */
  isUsed: boolean
  /** Who began it, as far as that is known. */
  readonly author: NodeId | null
}

export class Places {
  readonly #max: number
  readonly #isMember: (node: NodeId) => boolean
  readonly #places = new Map<string, Place>()
  /** What the application has asked for, which is not here yet; the longest unasked first. */
  readonly #asked = new Set<string>()

  constructor(max: number, isMember: (node: NodeId) => boolean) {
    this.#max = max
    this.#isMember = isMember
  }

  take(document: string, author: NodeId | null, isUsed: boolean): void {
    this.#places.set(document, { isUsed: isUsed || this.#asked.delete(document), author })
  }

  use(document: string): void {
    const place = this.#places.get(document)
    if (place !== undefined) place.isUsed = true
  }

  isUsed(document: string): boolean {
    return this.#places.get(document)?.isUsed === true
  }

  /** The application looked for it. */
  ask(document: string): void {
    this.#asked.delete(document)
    this.#asked.add(document)
    for (const first of this.#asked) {
      if (this.#asked.size <= this.#max) break
      this.#asked.delete(first)
    }
  }

  isAsked(document: string): boolean {
    return this.#asked.has(document)
  }

  /** Whether the application may begin one more. */
  hasOwn(held: readonly Held[]): boolean {
    const used = held.filter(({ document, isEmpty }) => !isEmpty && this.isUsed(document))
    return used.length < this.#max && held.length < EMPTY_FACTOR * this.#max
  }

  /** Whether this one may begin because others have it. */
  hasFor(document: string, author: NodeId | null, held: readonly Held[]): boolean {
    if (this.#asked.has(document) && this.hasOwn(held)) return true
    const rest = held.filter(({ document: each }) => !this.isUsed(each))
    const isBelow = (list: readonly Held[], taken: number, max: number): boolean => {
      const mine = list.filter(({ document: each }) => this.#isBy(each, author)).length
      return mine < SHARE * (max - taken)
    }
    const alive = rest.filter(({ isEmpty }) => !isEmpty)
    // The places of those that are empty again are shared with the application, which has the last of them.
    const most = (EMPTY_FACTOR - 1) * this.#max
    return isBelow(alive, alive.length, this.#max) && isBelow(rest, held.length, most)
  }

  /** Those who are no members count as one: names of authors can be invented as well. */
  #isBy(document: string, author: NodeId | null): boolean {
    return this.#known(this.#places.get(document)?.author ?? null) === this.#known(author)
  }

  #known(author: NodeId | null): NodeId | null {
    return author !== null && this.#isMember(author) ? author : null
  }
}

/** With those that are empty again, so many times as many. */
const EMPTY_FACTOR = 4
/** One author may have so many times as many as places are left: alone four fifths, of two each four ninths. */
const SHARE = 4
