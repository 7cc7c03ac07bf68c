// Who is responsible for a newcomer. A new life introduces itself to whom it happens
// to know; its observers hear of it by gossip and meet it a moment later. If it is
// gone again before that, nobody can tell but whoever it spoke to first: its hosts.
//
// A host's word counts for nothing in the verdict, because a member that nobody wants
// as a neighbor loses links without being ill; it makes the observers look. So an
// observer is never a host, nobody is one for long, and in doubt a host says nothing.

import { DeadlineQueue } from '../deadline-queue.js'
import type { Millis, NodeId } from '../ids.js'
import type { Link } from './links.js'
import { type Entry, isPresent } from './roster.js'
import { ping, type Shared } from './shared.js'

interface Guest {
  readonly instance: string
  readonly untilAt: Millis
  askedAt: Millis | null
}

export class Hosts {
  readonly #shared: Shared
  readonly #report: (entry: Entry) => void
  readonly #guests = new Map<NodeId, Guest>()
  readonly due = new DeadlineQueue<NodeId>()

  constructor(shared: Shared, report: (entry: Entry) => void) {
    this.#shared = shared
    this.#report = report
  }

  get size(): number {
    return this.#guests.size
  }

  /** A life that nobody has spoken of before introduced itself here. */
  welcome(id: NodeId, instance: string): void {
    const { now, config, roster } = this.#shared
    if (roster.observersOf(id, 2 * config.observersPerMember).includes(this.#shared.id)) return
    this.#guests.set(id, { instance, untilAt: now + config.hostMs, askedAt: null })
    this.due.set(id, now + config.hostMs / 2)
  }

  /** Returns when the loss has to be looked into by a dial. */
  linkDown({ node, instance }: Link): Millis | null {
    const { now, config, rng, awareness } = this.#shared
    const guest = this.#guests.get(node)
    if (guest === undefined || guest.instance !== instance || now >= guest.untilAt) return null
    // Many may have been hosts: the first to speak is enough.
    this.due.set(node, now + awareness.dialEvidenceMs(now) + rng.below(config.hostTurnMs))
    return now
  }

  /** Looks at one guest whose time has come. */
  review(id: NodeId): void {
    const { now, config, roster, links, jury, awareness } = this.#shared
    const guest = this.#guests.get(id)
    const entry = roster.get(id)
    const link = links.get(id)
    const isHere = entry !== undefined && isPresent(entry.verdict)
    if (guest === undefined || !isHere || entry.generation.instance !== guest.instance) return this.#drop(id)
    if (link !== undefined && guest.askedAt === null) {
      guest.askedAt = now
      ping(this.#shared, link)
      this.due.set(id, now + config.askTimeoutMs * awareness.stretch(now))
      return
    }
    this.#drop(id)
    if (link !== undefined && (link.pulse.lastFrameAt >= (guest.askedAt ?? now) || awareness.isBusy(now)))
      return
    const { quietUntil, newUntil, starvedUntil, deafUntil } = awareness
    const isInDoubt = now < Math.max(quietUntil, newUntil, starvedUntil, deafUntil)
    if (!isInDoubt && !jury.isAccused(id)) this.#report(entry)
  }

  postpone(byMs: Millis): void {
    this.due.postpone(byMs)
  }

  #drop(id: NodeId): void {
    this.#guests.delete(id)
    this.due.delete(id)
  }
}
