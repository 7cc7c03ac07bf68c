// Whether this node has heard of its own writing from somebody who can be relied on. Its disk may
// be an old copy; a neighbor shows what is known beyond it, unless that one's disk is as old.
//
// Two nodes that are put back to backups and meet each other first each find the other to know nothing
// more, and would then give out clocks that mean something else to the rest of the mesh. So a neighbor that
// has booted as well and met nobody to rely on is one of several that are needed; who has been up, or has
// met such a one, is enough. When there are none, what it says is under new lineages (voice.ts).
//
// It never decides what is said, only on what footing.

import type { NodeId } from '../ids.js'
import type { MembersView } from '../member.js'

export class Footing {
  readonly #members: MembersView
  readonly #peersMax: number
  readonly #compared = new Set<NodeId>()
  #isSure: boolean

  constructor(members: MembersView, peersMax: number, isSure: boolean) {
    this.#members = members
    this.#peersMax = peersMax
    this.#isSure = isSure
  }

  get isSure(): boolean {
    return this.#isSure
  }

  /** All that this peer has of what is here has come; `isSure`: it has met somebody to rely on. */
  compared(peer: NodeId, isSure: boolean): void {
    this.#compared.add(peer)
    if (isSure || this.#compared.size >= this.#needed()) this.#isSure = true
  }

  /** There is more here now than was compared. */
  begin(): void {
    this.#compared.clear()
    this.#isSure = false
  }

  /** Everybody; in a mesh in which not all are neighbors, some, of which not all will be as old. */
  #needed(): number {
    let others = 0
    for (const { id, verdict } of this.#members.all())
      if (id !== this.#members.self && (verdict === 'alive' || verdict === 'suspect')) others++
    return Math.max(1, Math.min(this.#peersMax, others))
  }
}
