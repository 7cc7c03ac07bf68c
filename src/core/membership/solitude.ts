// What a node concludes while it hears nobody is evidence about itself. One that was
// cut off holds all the others dead, on its own word alone; as soon as one of them
// speaks again in the life that was held dead, all of that is taken back, at once
// and here, instead of being carried into the mesh, where each would have to answer.
//
// Only that is taken back which nobody else can have come to or been told: silence,
// accused since somebody undoubted was last heard, before the moment in which this node
// had no link left. A refusal stands, since it proves something about the other; so does
// what another observer said too; who comes back in a new life was gone indeed, and who
// comes with a new word may have been just as lonely. What rests on this node's word
// alone is handed on to nobody while it may still be taken back. After half the time for
// which the others remember who has left, it stands: they could not tell any more who is gone.

import type { Millis, NodeId } from '../ids.js'
import type { Accusation, MemberRecord, Sealed } from '../member.js'
import type { Connect } from './connect.js'
import { type Entry, isPresent } from './roster.js'
import { count, type Shared, soon } from './shared.js'
import type { Verdicts } from './verdicts.js'
import type { Watches } from './watch.js'

export class Solitude {
  readonly #shared: Shared
  readonly #verdicts: Verdicts
  readonly #connect: Connect
  readonly #watches: Watches
  /** When a member was last heard that this node neither accuses nor holds dead. */
  #companyAt: Millis = Number.NEGATIVE_INFINITY
  /** When it last had no link and got one; null once it is in company again. */
  #metAt: Millis | null = null
  /** Whom it held dead until it took that back, by the word of theirs that it held; and when that was. */
  readonly #missed = new Map<NodeId, Sealed<MemberRecord>>()
  #missedAt: Millis = Number.NEGATIVE_INFINITY

  constructor(shared: Shared, verdicts: Verdicts, connect: Connect, watches: Watches) {
    this.#shared = shared
    this.#verdicts = verdicts
    this.#connect = connect
    this.#watches = watches
  }

  /** The first link after none: all that was said before has reached nobody, or is long there. */
  meet(): void {
    this.#metAt = this.#shared.now
  }

  /**
   * A member spoke of itself. One that was as lonely comes with a new word, to answer what
   * others hold against it: that answers for itself, and proves nothing about anybody else.
   */
  heardWord({ id, generation, refutation }: MemberRecord): void {
    const held = this.#shared.roster.get(id)
    if (held?.generation.instance === generation.instance && held.refutation < refutation) return
    this.heard(id, generation.instance)
  }

  /** A frame came from this member, which is in this life, if it has said so yet. */
  heard(from: NodeId, instance: string | null): void {
    const { now, config, roster } = this.#shared
    const entry = roster.get(from)
    if (entry !== undefined && this.#isDoubted(entry)) {
      if (entry.generation.instance !== instance) return
      if (this.#metAt !== null) this.#withdraw(this.#metAt)
      // It had a link all the time, on which it may have been heard: who is accused answers for itself.
      else this.#companyAt = now
      return
    }
    // The first to be met may have been as lonely; the next is met in a moment.
    if (this.#metAt !== null && now < this.#metAt + config.newcomerMs) return
    this.#companyAt = now
    if (this.#metAt === null) return
    this.#metAt = null
    // What it concluded alone stands, and it may be the only one who knows.
    soon(this.#shared, 'compare', now)
  }

  /** Whether this death is held on this node's word alone, given while it heard nobody. */
  isLone({ verdict, since, proof }: Pick<Entry, 'verdict' | 'since' | 'proof'>): boolean {
    const { now, config } = this.#shared
    return (
      verdict === 'dead' &&
      proof.length > 0 &&
      now - since < config.forgetLeftMs / 2 &&
      proof.every(({ body }) => this.isLoneWord(body))
    )
  }

  /** Whether this is this node's own word of silence, given while it heard nobody. */
  isLoneWord({ accuser, evidence, at }: Accusation): boolean {
    const { id, now } = this.#shared
    return accuser === id && evidence === 'silent' && at > this.#companyAt && at <= (this.#metAt ?? now)
  }

  /**
   * Whether this node held this very life dead until a moment ago: where a neighbor says that it died
   * meanwhile, two came to the same. The proof may be of no use any more, if who gave it has died too.
   */
  isMissed({ id, sealed }: Entry, diedAt: Millis): boolean {
    const { now, config } = this.#shared
    if (now > this.#missedAt + config.quietMs) this.#missed.clear()
    return diedAt <= this.#missedAt && this.#missed.get(id) === sealed
  }

  #withdraw(metAt: Millis): void {
    const { now, config, roster, jury, links, awareness } = this.#shared
    const lone = roster.all().filter(entry => this.isLone(entry))
    if (lone.length === 0) return
    const reopened = jury.withdraw(this.#companyAt, metAt)
    this.#companyAt = now
    this.#metAt = null
    this.#missed.clear()
    for (const { id, sealed } of lone) this.#missed.set(id, sealed)
    this.#missedAt = now
    count(this.#shared, 'withdrawals')
    // The others are only just being reached again: whom it does not hear yet it does not accuse anew.
    awareness.isNew(now + config.quietMs)
    for (const { id, sealed } of lone) {
      links.steady(id)
      jury.returned(now, id)
      this.#verdicts.changed(roster.put(sealed, { verdict: 'alive', cause: 'refuted', since: now }))
    }
    for (const subject of reopened) this.#verdicts.judge(subject)
    // Who died meanwhile is told by the others; where they do not know either, by its observers.
    this.#connect.settleView()
    for (const { id } of lone) this.#watches.miss(id)
  }

  #isDoubted({ id, verdict }: Entry): boolean {
    return !isPresent(verdict) || this.#shared.jury.hasAccused(this.#shared.id, id)
  }
}
