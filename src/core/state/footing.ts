// Whether this node has heard of its own writing from somebody who can be relied on. Its disk may
// be an old copy; a neighbor shows what is known beyond it, unless that one's disk is as old.
//
// Nodes that are put back to backups and meet each other first each find the others to know nothing
// more, and would then give out clocks that mean something else to the rest of the mesh. So one that
// has booted as well and met nobody to rely on counts for itself, and for those of whom it has heard:
// all members have to be heard of. Who has been up, or has met such a one, is enough. When there are none, what it
// says is under new lineages (voice.ts). All that goes document by document: who does not hold one has nothing to
// show of it, nor to hand on.
//
// It never decides what is said, only on what footing.

import type { NodeId } from '../ids.js'
import type { MembersView } from '../member.js'
import { MET_MAX, metHash } from './hello.js'

export interface FootingParts {
  readonly members: MembersView
  /** So many that have just booted are enough where not all that hold a document can be heard of through others. */
  readonly peersMax: number
  isHeldBy(peer: NodeId, document: string): boolean
}

export class Footing {
  readonly #parts: FootingParts
  /** Whether each has met somebody to rely on. */
  readonly #compared = new Map<NodeId, boolean>()
  /** Of whom each has heard, as it last said. */
  readonly #said = new Map<NodeId, readonly number[]>()
  /** All who were said to have been heard of, members or not. */
  readonly #heardOf = new Set<number>()
  /** The members who were heard of: found once, since what they know is here. */
  readonly #met = new Set<number>()
  /** Whether somebody has said more since that was last looked through, and by which members it was. */
  #isMore = false
  #revision = -1
  /** Found once; who joins later takes nothing back. */
  readonly #sure = new Set<string>()
  #isNeeded = false

  constructor(parts: FootingParts) {
    this.#parts = parts
  }

  /** All that this peer has of what is here has come; `isSure`: it has met somebody to rely on. */
  compared(peer: NodeId, isSure: boolean): void {
    this.#compared.set(peer, isSure || this.#compared.get(peer) === true)
    this.#isMore = true
  }

  /** Whether all that this peer has of what is here has come. */
  hasCompared(peer: NodeId): boolean {
    return this.#compared.has(peer)
  }

  /** It told all that it knows of own clocks, and has heard of these. */
  heard(peer: NodeId, isSure: boolean, met: readonly number[]): void {
    this.compared(peer, isSure)
    this.#said.set(peer, met)
  }

  /** The members who were heard of so far, and this node. */
  get met(): readonly number[] {
    return [metHash(this.#parts.members.self), ...this.#heard()]
  }

  /** Grows with each member that is heard of. */
  get size(): number {
    return this.#heard().size
  }

  /** Who says more than there are members neither counts for more nor keeps out what others say, nor is it handed on. */
  #heard(): ReadonlySet<number> {
    const { members } = this.#parts
    if (!this.#isMore && this.#revision === members.revision) return this.#met
    if (this.#isMore) {
      this.#heardOf.clear()
      for (const met of this.#said.values()) for (const hash of met) this.#heardOf.add(hash)
      for (const peer of this.#compared.keys()) this.#heardOf.add(metHash(peer))
    }
    for (const { id } of members.all()) {
      const hash = metHash(id)
      if (id !== members.self && this.#heardOf.has(hash)) this.#met.add(hash)
    }
    this.#isMore = false
    this.#revision = members.revision
    return this.#met
  }

  /** What is here may be old, or there is more of it than was compared. */
  begin(): void {
    this.#isNeeded = true
    this.#compared.clear()
    this.#said.clear()
    this.#heardOf.clear()
    this.#met.clear()
    this.#sure.clear()
  }

  /** Whether enough of what is known of own writing to this document has been heard of. */
  isSureOf(document: string): boolean {
    if (!this.#isNeeded || this.#sure.has(document)) return true
    const isEnough = this.#isEnough(document)
    if (isEnough) this.#sure.add(document)
    return isEnough
  }

  #isEnough(document: string): boolean {
    const { members, peersMax, isHeldBy } = this.#parts
    const heard = this.#heard()
    let others = 0
    let holders = 0
    let unheard = 0
    for (const { id, verdict } of members.all()) {
      if (id === members.self || (verdict !== 'alive' && verdict !== 'suspect')) continue
      others++
      if (!isHeldBy(id, document)) continue
      holders++
      if (!heard.has(metHash(id))) unheard++
    }
    let compared = 0
    for (const [peer, isSure] of this.#compared) {
      if (holders > 0 && !isHeldBy(peer, document)) continue
      if (isSure) return true
      compared++
    }
    // Who knows of nobody yet hears of them from whomever it meets first.
    if (compared === 0) return false
    // Where somebody does not hold it, what was heard through others may have come over that one, without it.
    return holders === others && others <= MET_MAX ? unheard === 0 : compared >= Math.min(holders, peersMax)
  }
}
