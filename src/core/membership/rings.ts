// Who observes whom. Every ring orders the members by a hash of its own, and a member's
// observers are its successors on the rings: first its next two on the first ring, then
// its next one on each of the others, then one more on each ring, and so on; each is
// counted once. So K observers stand on K - 1 rings. Everybody can compute everybody's
// observers, each node watches about as many as watch it, and the graph is an expander
// (Rapid, ATC 2018, section 4.1). A change costs one insertion a ring; nothing is scanned.
//
// The first two come from one ring because they then follow each other on it: the second
// observes the first, so the two have a link, over which `joint-words.ts` lets them agree.
// (A subject that can't be dialled leaves out some observers; there they may lack one.)
//
// It decides nothing about verdicts: it is told who stands on the rings.

import { hashText } from '../hash.js'
import { compareText, type NodeId } from '../ids.js'

interface Place {
  readonly id: NodeId
  readonly points: readonly number[]
}

export class Rings {
  readonly #count: number
  readonly #rings: Place[][]
  readonly #places = new Map<NodeId, Place>()

  /** For so many observers of each member; the first ring gives two. */
  constructor(observersPerMember: number) {
    this.#count = Math.max(1, observersPerMember - 1)
    this.#rings = Array.from({ length: this.#count }, () => [])
  }

  get size(): number {
    return this.#places.size
  }

  has(id: NodeId): boolean {
    return this.#places.has(id)
  }

  add(id: NodeId): void {
    if (this.#places.has(id)) return
    const place = placeOf(id, this.#count)
    this.#places.set(id, place)
    for (let ring = 0; ring < this.#count; ring++) {
      const places = this.#rings[ring] as Place[]
      places.splice(positionOf(places, place, ring), 0, place)
    }
  }

  delete(id: NodeId): void {
    const place = this.#places.get(id)
    if (place === undefined) return
    this.#places.delete(id)
    for (let ring = 0; ring < this.#count; ring++) {
      const places = this.#rings[ring] as Place[]
      places.splice(positionOf(places, place, ring), 1)
    }
  }

  /**
   * The first `limit` observers of a member in rank order, itself left out. The
   * member need not stand on the rings: the dead have observers too, who try
   * whether they are back.
   */
  successors(id: NodeId, limit: number, accept?: (id: NodeId) => boolean): NodeId[] {
    const own = this.#places.get(id) ?? placeOf(id, this.#count)
    const size = this.#places.size
    const found: NodeId[] = []
    const at: number[] = []
    for (let ring = 0; ring < this.#count; ring++) {
      const places = this.#rings[ring] as Place[]
      const position = positionOf(places, own, ring)
      at.push(places[position] === own ? position : position - 1)
    }
    const rings = [...at.keys()]
    for (let round = 0; round < size && found.length < limit; round++) {
      for (const ring of round === 0 ? [0, ...rings] : rings) {
        if (found.length >= limit) break
        const places = this.#rings[ring] as Place[]
        const next = ((at[ring] as number) + 1 + places.length) % places.length
        at[ring] = next
        const candidate = (places[next] as Place).id
        if (candidate === id || found.includes(candidate)) continue
        if (accept === undefined || accept(candidate)) found.push(candidate)
      }
    }
    return found
  }

  /** Every member for which `id` is among the first `limit` observers. */
  subjects(id: NodeId, limit: number): NodeId[] {
    // At depth d of one ring there are d different members before this one, so an
    // observer among the first `limit` stands at depth `limit` or less on some ring.
    const own = this.#places.get(id) ?? placeOf(id, this.#count)
    const candidates = new Set<NodeId>()
    for (let ring = 0; ring < this.#count; ring++) {
      const places = this.#rings[ring] as Place[]
      let at = positionOf(places, own, ring)
      for (let depth = 0; depth < Math.min(limit, places.length); depth++) {
        at = (at + places.length - 1) % places.length
        const candidate = (places[at] as Place).id
        if (candidate !== id) candidates.add(candidate)
      }
    }
    return [...candidates].filter(subject => this.successors(subject, limit).includes(id)).sort(compareText)
  }
}

const placeOf = (id: NodeId, count: number): Place => ({
  id,
  points: Array.from({ length: count }, (_, ring) => hashText(id, Math.imul(ring + 1, 0x9e3779b1))),
})

/** Where the place stands on its ring, or would stand. */
const positionOf = (places: readonly Place[], place: Place, ring: number): number => {
  let low = 0
  let high = places.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (isBefore(places[middle] as Place, place, ring)) low = middle + 1
    else high = middle
  }
  return low
}

const isBefore = (a: Place, b: Place, ring: number): boolean => {
  const x = a.points[ring] as number
  const y = b.points[ring] as number
  return x < y || (x === y && a.id < b.id)
}
