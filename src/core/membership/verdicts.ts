// From accusations to verdicts, and what follows from a changed verdict: events, a
// hang-up, the redials of the dead, other cases that lose an accuser, and whether
// this node is alone.
//
// It accuses and judges by the jury's findings alone; it never decides on its own
// who is dead, and it never speaks of a member that nobody has confirmed in this boot
// until that member is dead.

import { DeadlineQueue } from '../deadline-queue.js'
import type { Millis, NodeId } from '../ids.js'
import type { Accusation, Sealed } from '../member.js'
import type { MemberEvent } from '../mesh-event.js'
import type { Connect } from './connect.js'
import { type Change, type Entry, isPresent } from './roster.js'
import { count, type Shared, soon } from './shared.js'
import type { Spread } from './spread.js'
import type { Sweep } from './sweep.js'
import type { Watches } from './watch.js'

export class Verdicts {
  readonly #shared: Shared
  readonly #watches: Watches
  readonly #connect: Connect
  readonly #sweep: Sweep
  readonly #spread: Spread
  /** When each suspicion becomes a verdict. */
  readonly suspicions = new DeadlineQueue<NodeId>()
  #isIsolated = false

  constructor(shared: Shared, watches: Watches, connect: Connect, sweep: Sweep, spread: Spread) {
    this.#shared = shared
    this.#watches = watches
    this.#connect = connect
    this.#sweep = sweep
    this.#spread = spread
  }

  /** This node's own word against a member. */
  accuse(entry: Entry, evidence: 'refused' | 'silent', dueAt: Millis): void {
    const { now, jury, stage } = this.#shared
    if (stage !== 'here') return
    const accusation = this.#seal(entry, evidence)
    if (!jury.admit(now, accusation)) return
    jury.wasDue(entry.id, dueAt)
    count(this.#shared, 'accusations', { evidence })
    this.#spread.accuse(accusation)
    this.judge(entry.id)
    // What this node found out itself also changes whom it can still ask about others.
    for (const subject of jury.accused()) if (subject !== entry.id) this.judge(subject)
    this.#sweep.consider()
  }

  /** What this node is no observer for is only said, so that the observers look. */
  report(entry: Entry): void {
    if (this.#shared.stage === 'here') this.#spread.accuse(this.#seal(entry, 'silent'))
  }

  #seal(entry: Entry, evidence: 'refused' | 'silent'): Sealed<Accusation> {
    const { now, id, sealer } = this.#shared
    const { id: subject, generation, refutation } = entry
    return sealer.accusation({ accuser: id, subject, generation, refutation, evidence, at: Math.round(now) })
  }

  /** Others are observers now: words may count that did not before, where the first observers died too. */
  judgeAgain(): void {
    for (const subject of this.#shared.jury.accused()) this.judge(subject)
  }

  /** Looks at the case of one member as it stands now. */
  judge(subject: NodeId): void {
    const { now, roster, jury, links, out, awareness } = this.#shared
    const entry = roster.get(subject)
    if (entry === undefined || !isPresent(entry.verdict)) return jury.close(subject)
    const finding = jury.find(now, subject, this.#slackOf(subject), awareness.answerDelayMs(now))
    const { sealed, provisional } = entry
    switch (finding.kind) {
      case 'none':
        this.#awaitLapse(subject)
        if (entry.verdict !== 'suspect') return
        return this.changed(
          roster.put(sealed, { verdict: 'alive', cause: 'refuted', since: now, provisional }),
        )
      case 'suspect':
        this.suspicions.set(subject, Math.min(finding.untilAt, now + this.#shared.config.knockMs))
        if (entry.verdict === 'suspect') return
        return this.changed(roster.put(sealed, { verdict: 'suspect', cause: null, since: now, provisional }))
      case 'dead': {
        jury.close(subject)
        this.suspicions.delete(subject)
        this.#watches.drop(subject)
        const { cause, proof } = finding
        this.#spread.proven(subject, proof)
        const change = roster.put(sealed, { verdict: 'dead', cause, since: now, proof })
        if (links.get(subject) !== undefined) out.push({ kind: 'hangUp', node: subject, why: 'held dead' })
        return this.changed(change)
      }
    }
  }

  /**
   * Looks again at a case that is open for a while, and makes sure that its subject can answer. It may
   * never have heard of it: where this node was cut off when it accused, and where the word of another
   * waited in a connection for the end of a cut, and came when that one had long forgotten it.
   */
  lookAgain(subject: NodeId): void {
    const { id, jury, links } = this.#shared
    this.judge(subject)
    if (!jury.hasAccused(id, subject) && !jury.isUntold(subject)) return
    if (links.get(subject) !== undefined) this.#spread.give(subject, [subject])
    else this.#connect.dial(subject)
  }

  /** What follows from a changed entry, whatever changed it. */
  changed(change: Change): void {
    const { config, now, rng, awareness } = this.#shared
    const { before, after } = change
    if (after === undefined) return
    const isConfirmed = before?.provisional === true && !after.provisional
    if (before?.verdict !== after.verdict || isConfirmed) this.notify(EVENT_OF[after.verdict], after)
    if (before?.verdict !== after.verdict) {
      if (after.verdict === 'dead') awareness.more(now)
      if (after.verdict === 'dead') soon(this.#shared, 'dead', now + rng.jitter(config.deadRedialMs, 0.4))
      if (!isPresent(after.verdict)) this.#reviewAccusedBy(after.id)
    }
    if (before !== undefined && before.record.health !== after.record.health && after.verdict === 'alive') {
      this.notify('member.health', after)
    }
    this.#seeCompany()
  }

  notify(kind: MemberEvent['kind'], entry: Entry): void {
    if (entry.provisional) return
    const event: MemberEvent = {
      kind,
      at: this.#shared.now,
      member: entry.id,
      name: entry.record.name,
      verdict: entry.verdict,
      cause: entry.cause,
      ...(kind === 'member.health' && { health: entry.record.health, reasons: entry.record.reasons }),
    }
    this.#shared.out.push({ kind: 'notify', event })
  }

  /** An accusation that is not believed is kept for as long as others may join it, no longer. */
  #awaitLapse(subject: NodeId): void {
    const { now, jury } = this.#shared
    const lapsesAt = jury.lapsesAt(subject)
    if (lapsesAt !== null && lapsesAt > now) return void this.suspicions.set(subject, lapsesAt)
    if (lapsesAt !== null) jury.lapse(subject)
    this.suspicions.delete(subject)
  }

  /** A link that is slow, or loses packets, delays an answer as much as it delayed the heartbeats. */
  #slackOf(subject: NodeId): Millis {
    const { config, links } = this.#shared
    const pulse = links.get(subject)?.pulse
    if (pulse === undefined) return 0
    const patienceMs = pulse.silentAt(config, 1) - pulse.lastFrameAt
    return Math.round(patienceMs - config.silentFloorMs + 2 * (pulse.rttMs ?? 0))
  }

  /** An accuser that is gone no longer counts. */
  #reviewAccusedBy(accuser: NodeId): void {
    const { jury } = this.#shared
    for (const subject of jury.accused()) if (jury.hasAccused(accuser, subject)) this.judge(subject)
  }

  #seeCompany(): void {
    const { now, out, roster } = this.#shared
    const { isAlone } = roster
    if (isAlone === this.#isIsolated) return
    this.#isIsolated = isAlone
    out.push({ kind: 'notify', event: { kind: isAlone ? 'node.isolated' : 'node.rejoined', at: now } })
  }
}

const EVENT_OF = {
  alive: 'member.alive',
  suspect: 'member.suspect',
  dead: 'member.dead',
  left: 'member.left',
} as const
