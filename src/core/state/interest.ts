// Who holds what, and whom a holder of a rare space wants to be connected to.
//
// Holders of a space that not everybody holds need not be neighbors (measured: two
// of 41 were not, and got nothing). So each of them also wants its two successors
// on a ring of the holders, ordered by a hash of space and node: the ring alone
// connects them all, and it changes little when one of them goes.

import { hashText } from '../hash.js'
import { compareText, type NodeId } from '../ids.js'
import { holdsSpace, type Member, type MembersView } from '../member.js'

const SUCCESSORS = 2

export class Interest {
  readonly #members: MembersView
  readonly #self: NodeId
  #revision = -1
  #live: readonly Member[] = []

  constructor(members: MembersView) {
    this.#members = members
    this.#self = members.self
  }

  /** What this node holds; everything as long as it knows no record of its own. */
  holds(name: string): boolean {
    return holdsSpace(this.#members.get(this.#self)?.record.spaces ?? ['*'], name)
  }

  /** What a peer holds, as its record says; everything as long as there is none. */
  isHeldBy(node: NodeId, name: string): boolean {
    return holdsSpace(this.#members.get(node)?.record.spaces ?? ['*'], name)
  }

  isMember(node: NodeId): boolean {
    return this.#members.get(node) !== undefined
  }

  isLive(node: NodeId): boolean {
    if (node === this.#self) return true
    const verdict = this.#members.get(node)?.verdict
    return verdict === 'alive' || verdict === 'suspect'
  }

  /** Whether this node is the first of the live holders, which does what a lost writer cannot. */
  isFirstHolder(name: string): boolean {
    return !this.#liveMembers().some(
      member => compareText(member.id, this.#self) < 0 && holdsSpace(member.record.spaces, name),
    )
  }

  /** The successors on the rings of those names that not everybody holds. */
  wanted(names: Iterable<string>, most: number): NodeId[] {
    const live = this.#liveMembers()
    // Nearly all hold everything, and asking each of them for each name took 38 ms of 200 members and 1,000 names.
    const choosy = live.filter(({ id, record }) => id !== this.#self && !record.spaces.includes('*'))
    const out = new Set<NodeId>()
    if (choosy.length === 0) return []
    for (const name of names) {
      if (out.size >= most) break
      if (choosy.every(({ record }) => holdsSpace(record.spaces, name))) continue
      const holders = live.filter(({ id, record }) => id !== this.#self && holdsSpace(record.spaces, name))
      const place = (id: NodeId): number => hashText(`${name} ${id}`)
      const here = place(this.#self)
      // Distance along the ring; ties by id, so that everybody sees the same order.
      const ahead = (id: NodeId): number => (place(id) - here + 0x1_0000_0000) % 0x1_0000_0000
      const ring = holders.map(({ id }) => id).sort((a, b) => ahead(a) - ahead(b) || compareText(a, b))
      for (const id of ring.slice(0, SUCCESSORS)) out.add(id)
    }
    return [...out].sort(compareText).slice(0, most)
  }

  #liveMembers(): readonly Member[] {
    if (this.#revision !== this.#members.revision) {
      this.#revision = this.#members.revision
      this.#live = this.#members.all().filter(({ verdict }) => verdict === 'alive' || verdict === 'suspect')
    }
    return this.#live
  }
}
