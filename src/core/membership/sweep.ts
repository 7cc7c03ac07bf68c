// Reaching for everybody after a heavy loss. When few are left ranks alone stall: a split
// of 49 and 1 never settled in the model. It says when a loss is heavy (most links silent
// or lost, many members accused by several), and asks at the addresses of all members
// whether anybody accepts there. Where nobody does, that is evidence.
//
// It opens no links to see who is there: 50 nodes on two cores that were cut in halves did
// 25 handshakes each with those that nobody missed, and took 32 s to agree. Only who is
// accused has to say who it is, and a few of the others where this node hears nobody.

import type { Millis, NodeId } from '../ids.js'
import type { Connect } from './connect.js'
import { isPresent } from './roster.js'
import { ask, count, isSplit, type Shared } from './shared.js'
import type { Watches } from './watch.js'

export class Sweep {
  readonly #shared: Shared
  readonly #watches: Watches
  readonly #connect: Connect
  #queue: NodeId[] = []
  /** Who has not answered yet, and until when an answer counts. */
  readonly #waiting = new Map<NodeId, Millis>()
  readonly #knockedAt = new Map<NodeId, Millis>()
  /** Where somebody accepts whom nobody accuses, and until when a word of theirs is waited for. */
  readonly #open = new Map<NodeId, Millis>()
  /** Who has said something to all since it began. */
  readonly #spoken = new Set<NodeId>()
  #begunAt: Millis | null = null
  /** Whom it lost a link with since then. */
  #lost: { readonly since: Millis; readonly nodes: Set<NodeId> } = { since: 0, nodes: new Set() }
  #checkedAt: Millis = 0

  constructor(shared: Shared, watches: Watches, connect: Connect) {
    this.#shared = shared
    this.#watches = watches
    this.#connect = connect
  }

  get size(): number {
    return (
      this.#queue.length + this.#waiting.size + this.#knockedAt.size + this.#open.size + this.#spoken.size
    )
  }

  /**
   * It has started, and had the time of a dial: where most neighbors are remembered and could not be reached,
   * who is there? A newcomer whose dials are slow is not where nobody is, but where all are busy.
   */
  lookAround(): void {
    const { links, roster } = this.#shared
    const missed = [...links.wanted].filter(id => roster.get(id)?.provisional && links.hasFailed(id))
    if (links.size > 0 && missed.length * 2 > links.wanted.size) this.#begin()
  }

  /** A link was lost: with enough of them at once, reach for everybody. One that breaks again and again is one. */
  linkLost(id: NodeId): void {
    const { now, config, links } = this.#shared
    if (now - this.#lost.since > config.suspicionMaxMs) this.#lost = { since: now, nodes: new Set() }
    this.#lost.nodes.add(id)
    if (this.#lost.nodes.size > links.size) this.#beginInDoubt()
  }

  /** A subject is late: ask every neighbor for a sign of life, to see whether it is this node that is cut off. */
  checkNeighbors(): void {
    const { now, config, links, chores } = this.#shared
    if (chores.get('neighbors') !== null || now < this.#checkedAt + config.silentFloorMs) return
    this.#checkedAt = now
    for (const link of links.all()) {
      if (now - link.pulse.lastFrameAt > config.probeTimeoutMs / 2) ask(this.#shared, link)
    }
    chores.set('neighbors', now + config.probeTimeoutMs)
  }

  /** The answers are in: with more than half of the neighbors silent, reach for everybody. */
  countNeighbors(): void {
    const { config, links } = this.#shared
    const heard = this.#heardSince(this.#checkedAt - config.probeTimeoutMs / 2)
    if (heard * 2 < links.size) this.#beginInDoubt()
  }

  /**
   * Many members are under accusation at once: that is a split, not an illness; but one who accuses
   * them all is ill. Of 50 of which 5 are left, these accuse the others by the dozen each.
   */
  consider(): void {
    const { config, jury, links } = this.#shared
    const { splitMembers } = config
    const { accused, accusers, own } = jury.extent()
    const isMany = isSplit(this.#shared, accused)
    // Who has few links, as after a restart, cannot hear many.
    const isSeenByMany = accusers >= splitMembers || accusers * 2 >= Math.min(accused, links.size)
    if (isMany && (own >= splitMembers || isSeenByMany)) this.#begin()
  }

  /** Most of its own links are silent or lost. */
  #beginInDoubt(): void {
    this.#watches.doubt()
    // Where a machine has too little of itself it would blame whoever is slow.
    const { now, awareness } = this.#shared
    if (now >= awareness.starvedUntil) this.#begin()
  }

  #begin(): void {
    const { now, config, roster, rng, id, awareness } = this.#shared
    if (this.#begunAt !== null && now - this.#begunAt < config.sweepPauseMs) return
    const others = roster.all().filter(entry => entry.id !== id && isPresent(entry.verdict))
    if (others.length < 2) return
    this.#begunAt = now
    awareness.upheaval(now)
    this.#open.clear()
    this.#spoken.clear()
    this.#knockedAt.clear()
    this.#queue = rng.shuffle(others.map(entry => entry.id)).slice(0, config.sweepMembersMax)
    count(this.#shared, 'sweeps')
    this.#advance()
  }

  /** Whether anybody accepts at the addresses of this member. */
  knocked(id: NodeId, isOpen: boolean): void {
    const { now, config, jury, awareness } = this.#shared
    const knockedAt = this.#knockedAt.get(id)
    if (isOpen && knockedAt !== undefined) awareness.knockTook(now - knockedAt)
    this.#knockedAt.delete(id)
    if (!isOpen) {
      this.#watches.unanswered(id)
      this.#settle(id)
    } else if (jury.isAccused(id) || this.#needsCompany()) {
      this.#ask(id)
    } else {
      this.#watches.accepted(id)
      this.#open.set(id, (this.#begunAt ?? now) + config.sweepSpeakMs)
      this.#settle(id)
      this.#plan()
    }
  }

  /** A word to all came from this member: there is more behind its door than a kernel. */
  spoke(id: NodeId): void {
    const { roster } = this.#shared
    if (this.#isFresh() && roster.get(id) !== undefined) this.#spoken.add(id)
  }

  /** Somebody speaks against it: that its machine accepts is not enough. */
  accused(id: NodeId): void {
    if (this.#open.delete(id) && this.#isFresh()) this.#ask(id)
  }

  /** A link opened to it, or all dials failed. */
  ended(id: NodeId): void {
    this.#settle(id)
  }

  /** Who has had the time of an answer gives place to the next. */
  advance(): void {
    const { now } = this.#shared
    for (const [id, untilAt] of this.#waiting) if (now >= untilAt) this.#waiting.delete(id)
    for (const [id, untilAt] of this.#open) {
      if (now < untilAt) continue
      this.#open.set(id, Number.POSITIVE_INFINITY)
      if (this.#isMuteSubject(id)) this.accused(id)
    }
    this.#advance()
  }

  /** All who watch it may be gone, or as frozen as it is itself: who comes next in rank has it speak. */
  #isMuteSubject(id: NodeId): boolean {
    const { config, roster, links, id: self } = this.#shared
    const heardAt = links.get(id)?.pulse.lastFrameAt ?? Number.NEGATIVE_INFINITY
    if (this.#spoken.has(id) || heardAt >= (this.#begunAt ?? 0)) return false
    return roster.observersOf(id, 2 * config.observersPerMember).includes(self)
  }

  #isFresh(): boolean {
    const { now, config } = this.#shared
    return this.#begunAt !== null && now - this.#begunAt < config.suspicionMaxMs
  }

  /** Who it is has to be shown on a link. */
  #ask(id: NodeId): void {
    const { now, links, awareness } = this.#shared
    const patienceMs = awareness.dialEvidenceMs(now)
    this.#watches.sweep(id, patienceMs)
    if (links.get(id) !== undefined) return this.#settle(id)
    this.#waiting.set(id, now + patienceMs)
    this.#connect.dial(id)
  }

  /** It seems to be on the smaller side of a split, where every word is needed. */
  get hearsFew(): boolean {
    const heard = this.#heardLately()
    return heard < 2 || heard * 3 < this.#shared.links.size
  }

  /** It may have lost all its neighbors: whoever is there becomes one. */
  #needsCompany(): boolean {
    const { now, links } = this.#shared
    return this.#heardLately() < 2 && ![...this.#waiting.keys()].some(id => links.isDialing(now, id))
  }

  #heardLately(): number {
    const { now, config } = this.#shared
    return this.#heardSince(now - config.lateFloorMs)
  }

  #heardSince(at: Millis): number {
    let heard = 0
    for (const { pulse } of this.#shared.links.all()) if (pulse.lastFrameAt >= at) heard++
    return heard
  }

  #settle(id: NodeId): void {
    if (this.#waiting.delete(id)) this.#advance()
  }

  #advance(): void {
    const { now, config, roster, awareness, out } = this.#shared
    const patienceMs = awareness.knockEvidenceMs(now)
    while (this.#queue.length > 0 && this.#waiting.size < config.sweepParallel) {
      const id = this.#queue.pop() as NodeId
      const entry = roster.get(id)
      if (entry === undefined || !isPresent(entry.verdict)) continue
      const { dialable, addresses } = entry.record
      if (!dialable || addresses.length === 0) {
        this.#watches.sweep(id, patienceMs)
        continue
      }
      this.#watches.reach(id, patienceMs)
      this.#waiting.set(id, now + patienceMs)
      this.#knockedAt.set(id, now)
      out.push({ kind: 'knock', node: id, addresses })
    }
    this.#plan()
  }

  #plan(): void {
    const { chores } = this.#shared
    const nextAt = Math.min(...this.#waiting.values(), ...this.#open.values())
    if (nextAt < Number.POSITIVE_INFINITY) chores.set('sweep', nextAt)
    else chores.delete('sweep')
  }
}
