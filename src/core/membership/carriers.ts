// Where half of a mesh is gone, all who are left have something to say, and on a machine that
// many of them share the words themselves cost more than it has: each word to all costs every
// node some two milliseconds. So a busy node gives its words to a neighbor, the one with the
// lowest id that it hears, which most of its neighbors choose too; that one says together
// what it was given. Of 50 nodes that were cut in halves eight spoke in place of fifty.
//
// What this node does not hear said by gossip after a while it says itself: a carrier may be
// gone too, know nothing of this, or hold words back.

import type { Millis, NodeId } from '../ids.js'
import type { Accusation, Sealed } from '../member.js'
import { compareVersions } from './merge.js'
import { type Shared, send, soon } from './shared.js'

interface Entrusted {
  readonly accusation: Sealed<Accusation>
  readonly until: Millis
}

export class Carriers {
  readonly #shared: Shared
  /** Own words, by subject, that a carrier has and gossip has not brought yet. */
  readonly #entrusted = new Map<NodeId, Entrusted>()

  constructor(shared: Shared) {
    this.#shared = shared
  }

  get size(): number {
    return this.#entrusted.size
  }

  /** Gives these to a carrier; false where this node has to say them itself. */
  entrust(accusations: readonly Sealed<Accusation>[]): boolean {
    const { now, config, awareness, id } = this.#shared
    const isLost = now < awareness.upheavalUntil && awareness.isBusy(now)
    const areSilences = accusations.every(({ body }) => body.accuser === id && body.evidence === 'silent')
    if (accusations.length === 0 || !isLost || !areSilences) return false
    const carrier = this.#carrier()
    if (carrier === null) return false
    send(this.#shared, carrier, { kind: 'rumor', records: [], accusations, strikes: [], carry: true })
    const until = now + config.carriedMs * awareness.stretch(now)
    for (const accusation of accusations) this.#entrusted.set(accusation.body.subject, { accusation, until })
    soon(this.#shared, 'carried', until)
    return true
  }

  /** Gossip says these. */
  heard(accusations: readonly Sealed<Accusation>[]): void {
    const { id } = this.#shared
    for (const { body } of accusations) {
      const held = body.accuser === id ? this.#entrusted.get(body.subject) : undefined
      if (held !== undefined && compareVersions(held.accusation.body, body) === 0)
        this.#entrusted.delete(body.subject)
    }
  }

  /** Whose time is up, and who has not answered: this node says so itself. */
  takeOverdue(): Sealed<Accusation>[] {
    const { now, roster } = this.#shared
    const overdue: Sealed<Accusation>[] = []
    for (const [subject, { accusation, until }] of this.#entrusted) {
      if (until > now) {
        soon(this.#shared, 'carried', until)
        continue
      }
      this.#entrusted.delete(subject)
      const entry = roster.get(subject)
      if (entry !== undefined && compareVersions(entry, accusation.body) === 0) overdue.push(accusation)
    }
    return overdue
  }

  /** The neighbor with the lowest id that speaks, unless this node's own is lower. */
  #carrier(): NodeId | null {
    const { now, links, jury, config, id } = this.#shared
    let lowest = id
    for (const { node, pulse } of links.all()) {
      const isHeard = now - pulse.lastFrameAt < config.carrierHeardMs && !jury.isAccused(node)
      if (isHeard && node < lowest) lowest = node
    }
    return lowest === id ? null : lowest
  }
}
