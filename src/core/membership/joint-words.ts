// Two refusals are a verdict, and a member's first two observers find them within
// milliseconds of each other. If each told everybody, all would be woken twice to learn
// one thing, and on a small machine that is most of what a death costs. So these two,
// the speakers, who stand next to each other on the first ring and so have a link, tell
// one another first; the first of them then tells everybody both words at once.
//
// It keeps a word back for some tens of milliseconds and never for good:
// - who hears nothing from its fellow speaks alone after `fellowMs`;
// - the second, who has heard the first, leaves it to the first to speak for both, and does
//   so itself where its word has not come round by gossip after `secondWordMs`;
// - where others have been told of the case without this word, it is said at once.
// What each node takes for the first two may differ for a moment after a change: then
// both wait, or both speak, and no word is lost.

import { DeadlineQueue } from '../deadline-queue.js'
import type { Millis, NodeId } from '../ids.js'
import type { Accusation, MemberRecord, Sealed } from '../member.js'
import { compareVersions } from './merge.js'
import { type Shared, send } from './shared.js'

/** What this node has to say of one subject, and has not said to all. */
export interface Word {
  readonly records: readonly Sealed<MemberRecord>[]
  readonly accusations: readonly Sealed<Accusation>[]
}

interface Kept extends Word {
  /** This node's part in it. */
  readonly own: Accusation
  /** The first has told it along the links, and gossip will follow. */
  readonly isComing: boolean
}

export class JointWords {
  readonly #shared: Shared
  readonly #words = new Map<NodeId, Kept>()
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
    const { now, config, links, id } = this.#shared
    const { subject, evidence } = accusation
    const [first, second] = this.#speakers(subject)
    const fellow = first === id ? second : second === id ? first : undefined
    if (evidence !== 'refused' || fellow === undefined || links.get(fellow) === undefined) return false
    if (this.#isWaitedFor(subject, fellow)) return false
    send(this.#shared, fellow, { kind: 'rumor', ...word, strikes: [] })
    this.#words.set(subject, { ...word, own: accusation, isComing: false })
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

  /** The word came back over a link: gossip has been given some time more, once. */
  comesRound(subject: NodeId): void {
    const { now, config } = this.#shared
    const word = this.#words.get(subject)
    if (word === undefined || word.isComing) return
    this.#words.set(subject, { ...word, isComing: true })
    this.due.set(subject, now + config.afterBranchesMs + config.secondWordMs)
  }

  has(subject: NodeId): boolean {
    return this.#words.has(subject)
  }

  /** Whether the kept word is among these; an older one of this node's, repeated by whomever, is not it. */
  isAmong(subject: NodeId, accusations: readonly Sealed<Accusation>[]): boolean {
    const own = this.#words.get(subject)?.own
    return accusations.some(
      ({ body }) =>
        own !== undefined &&
        body.subject === subject &&
        body.accuser === own.accuser &&
        body.evidence === own.evidence &&
        compareVersions(body, own) === 0,
    )
  }

  take(subject: NodeId): Word | null {
    const word = this.#words.get(subject) ?? null
    this.drop(subject)
    return word
  }

  takeAll(): Word[] {
    const words = [...this.#words.values()]
    this.#words.clear()
    this.due.clear()
    return words
  }

  /** It has answered: there is nothing left to say. */
  drop(subject: NodeId): void {
    this.#words.delete(subject)
    this.due.delete(subject)
  }

  /** This node was frozen for so long: on waking it listens again before it speaks, for the subject may be back. */
  postpone(byMs: Millis): void {
    this.due.postpone(byMs + this.#shared.config.fellowMs)
  }

  #speakers(subject: NodeId): readonly NodeId[] {
    return this.#shared.roster.observersOf(subject, 2)
  }

  /** Others hold the case open for this word: a third observer was heard, or the fellow long enough ago to have spoken alone. */
  #isWaitedFor(subject: NodeId, fellow: NodeId): boolean {
    const { now, config, jury, id } = this.#shared
    const openedAt = jury.openedAt(subject) ?? now
    if (now - openedAt >= config.fellowMs) return true
    return jury.accusationsAgainst(subject).some(({ body }) => body.accuser !== id && body.accuser !== fellow)
  }
}
