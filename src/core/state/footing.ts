// Whether this node has heard of its own writing from somebody who can be relied on. Its disk may
// be an old copy; a neighbor shows what is known beyond it, unless that one's disk is as old.
//
// Two nodes that are put back to backups and meet each other first each find the other to know nothing
// more, and would then give out clocks that mean something else to the rest of the mesh. So a neighbor that
// has booted as well and met nobody to rely on is one of several that are needed; who has been up, or has
// met such a one, is enough. When there are none, what it says is under new lineages (voice.ts). All that goes
// document by document: who does not hold one has nothing to show of it.
//
// It never decides what is said, only on what footing.

import type { NodeId } from '../ids.js'
import type { MembersView } from '../member.js'

export interface FootingParts {
  readonly members: MembersView
  /** So many that have just booted are enough. */
  readonly peersMax: number
  isHeldBy(peer: NodeId, document: string): boolean
}

export class Footing {
  readonly #parts: FootingParts
  /** Whether each has met somebody to rely on. */
  readonly #compared = new Map<NodeId, boolean>()
  /** Found once; who joins later takes nothing back. */
  readonly #sure = new Set<string>()
  #isNeeded = false

  constructor(parts: FootingParts) {
    this.#parts = parts
  }

  /** All that this peer has of what is here has come; `isSure`: it has met somebody to rely on. */
  compared(peer: NodeId, isSure: boolean): void {
    this.#compared.set(peer, isSure || this.#compared.get(peer) === true)
  }

  /** What is here may be old, or there is more of it than was compared. */
  begin(): void {
    this.#isNeeded = true
    this.#compared.clear()
    this.#sure.clear()
  }

  /** Whether enough of what is known of own writing to this document has been heard of. */
  isSureOf(document: string): boolean {
    if (!this.#isNeeded || this.#sure.has(document)) return true
    const { members, peersMax, isHeldBy } = this.#parts
    let holders = 0
    for (const { id, verdict } of members.all()) {
      if (id === members.self || (verdict !== 'alive' && verdict !== 'suspect')) continue
      if (isHeldBy(id, document) && ++holders === peersMax) break
    }
    let compared = 0
    for (const [peer, isSure] of this.#compared)
      if (holders === 0 || isHeldBy(peer, document)) compared += isSure ? peersMax : 1
    // Everybody; in a mesh in which not all are neighbors, some, of which not all will be as old. Who knows
    // of nobody yet hears of them from whomever it meets first.
    if (compared < Math.max(1, holders)) return false
    this.#sure.add(document)
    return true
  }
}
