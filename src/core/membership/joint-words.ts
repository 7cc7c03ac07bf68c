// Two refusals are a verdict, and two observers find them within milliseconds of each
// other. If each told everybody, all would be woken twice over to learn one thing, and on
// a small machine that is most of what a death costs. So the two, who stand next to each
// other on a ring and have a link, tell one another first; the first of them then tells
// everybody both words at once.
//
// It only puts off what this node has to say, by some tens of milliseconds: who hears
// nothing from its fellow speaks alone, and the second speaks for both where the word of
// the first does not come round.

import { DeadlineQueue } from '../deadline-queue.js'
import type { NodeId } from '../ids.js'
import type { Accusation, MemberRecord, Sealed } from '../member.js'
import { type Shared, send } from './shared.js'

/** What this node has to say of one subject, and has not said to all. */
export interface Word {
  readonly records: readonly Sealed<MemberRecord>[]
  readonly accusations: readonly Sealed<Accusation>[]
}

export class JointWords {
  readonly #shared: Shared
  readonly #words = new Map<NodeId, Word>()
  /** When each of them is told without waiting any longer. */
  readonly due = new DeadlineQueue<NodeId>()

  constructor(shared: Shared) {
    this.#shared = shared
  }

  get size(): number {
    return this.#words.size
  }

  /** Keeps an own refusal until its fellow has spoken; false where there is none to wait for. */
  keep(word: Word, accusation: Accusation): boolean {
    const { now, config, links } = this.#shared
    const { subject, evidence } = accusation
    const [first, second] = this.#speakers(subject)
    const fellow = first === this.#shared.id ? second : second === this.#shared.id ? first : undefined
    if (evidence !== 'refused' || fellow === undefined || links.get(fellow) === undefined) return false
    send(this.#shared, fellow, { kind: 'rumor', ...word, strikes: [] })
    this.#words.set(subject, word)
    this.due.set(subject, now + config.fellowMs)
    return true
  }

  /** All that a verdict needs is here: returns what this node tells everybody now. */
  proven(subject: NodeId, proof: readonly Sealed<Accusation>[]): Word | null {
    const { now, config, id } = this.#shared
    const word = this.#words.get(subject)
    if (word === undefined) return null
    this.#words.set(subject, { ...word, accusations: proof })
    if (this.#speakers(subject)[0] === id) return this.take(subject)
    this.due.set(subject, now + config.secondWordMs)
    return null
  }

  /** Gossip brought this node's own word: it has gone round. */
  heardByGossip({ accuser, subject }: Accusation): void {
    if (accuser === this.#shared.id) this.drop(subject)
  }

  take(subject: NodeId): Word | null {
    const word = this.#words.get(subject) ?? null
    this.drop(subject)
    return word
  }

  /** It has answered: there is nothing left to say. */
  drop(subject: NodeId): void {
    this.#words.delete(subject)
    this.due.delete(subject)
  }

  #speakers(subject: NodeId): NodeId[] {
    return this.#shared.roster.observersOf(subject, 2)
  }
}
