// What this node believes of what it hears: records of members, accusations, and
// verdicts on a neighbor's word. A newer record replaces an older one and answers
// what was held against it; a bare verdict is believed only of strangers, and of old
// deaths by who was away since, and is otherwise a reason to look.
//
// It takes nothing from a struck member, nothing older than what it holds, and
// never lets a third party's word about this very node stand unanswered.

import type { NodeId } from '../ids.js'
import type { Accusation, MemberRecord, Sealed } from '../member.js'
import { EarlyWords } from './early-words.js'
import type { Way } from './jury.js'
import type { Link } from './links.js'
import { compareVersions } from './merge.js'
import type { MemberSummary, MembershipMessage } from './message.js'
import type { Parts } from './parts.js'
import { type Entry, isPresent } from './roster.js'
import { count, isSplit, type Shared, send, soon } from './shared.js'

/** All other parts: what is admitted changes each of them. */
export type AdmissionDeps = Omit<Parts, 'shared' | 'admission'>

/** How a record came here: by the mesh's gossip, from its subject itself, or from a third party. */
type Source = 'gossip' | 'subject' | 'neighbor'

export class Admission {
  readonly #shared: Shared
  readonly #deps: AdmissionDeps
  readonly early: EarlyWords

  constructor(shared: Shared, deps: AdmissionDeps) {
    this.#shared = shared
    this.early = new EarlyWords(shared.config)
    this.#deps = deps
  }

  /** This node dialled the member and found it there: a refusal at that address will be believed. */
  met(id: NodeId, address: string, instance: string): void {
    const { links, roster } = this.#shared
    const record = roster.get(id)?.record
    const isMet = () => record !== undefined && links.hasProof(record)
    const wasMet = isMet()
    links.prove(id, address, instance)
    if (!wasMet && isMet()) count(this.#shared, 'members_met')
  }

  /** The first word on a link: who speaks, in which life. */
  hello(from: NodeId, record: Sealed<MemberRecord>): void {
    const { now, config, links, roster, jury } = this.#shared
    const link = links.get(from)
    if (link === undefined || record.body.id !== from)
      return this.#deps.offences.add(from, 'hello of another')
    const { instance } = record.body.generation
    links.hello(link, instance)
    if (this.#admit(record, 'subject')) {
      this.#relay(record, false)
      this.#deps.hosts.welcome(from, instance)
    }
    if (link.provenAddress !== null) this.met(from, link.provenAddress, instance)
    this.#remindOfStrikes(from, [record])
    this.#deps.watches.hello(from, instance)
    soon(this.#shared, 'verify', now + config.verifyAfterMs)
    const entry = roster.get(from)
    // It must hear what is held against it, to be able to answer.
    if (entry !== undefined && (entry.verdict === 'dead' || jury.isAccused(from)))
      this.#deps.spread.give(from, [from])
    link.owesCases = true
  }

  /** Who is met while a case is open that asks for its word has not heard of it: the only path may have led over the accused. */
  tellOpenCases(to: NodeId): void {
    const { id, config, roster, jury } = this.#shared
    // Where so few are left, whoever comes has to know of all.
    const areFew = roster.aliveCount - jury.accused().length <= config.observersPerMember
    const open = jury.accused().filter(subject => {
      const own = jury.accusationsAgainst(subject).find(({ body }) => body.accuser === id)
      if (own === undefined || this.#deps.solitude.isLoneWord(own.body)) return false
      return areFew || roster.observersOf(subject, config.observersPerMember).includes(to)
    })
    this.#deps.spread.give(to, open)
  }

  /** What comes in bulk was held by the neighbor for some time; all else is told as it happens. */
  rumor(
    message: MembershipMessage & { kind: 'rumor' },
    from: NodeId,
    byGossip: boolean,
    inBulk = false,
  ): void {
    const { roster } = this.#shared
    const strangers = new Set<NodeId>()
    for (const strike of message.strikes) this.#deps.forgetting.strike(strike, byGossip)
    for (const record of message.records) {
      if (byGossip) this.#deps.spread.heardByGossip(record)
      if (roster.get(record.body.id) === undefined) strangers.add(record.body.id)
      const isNews = this.#admit(record, byGossip ? 'gossip' : 'neighbor')
      if (isNews && !byGossip) this.#relay(record, record.body.id === from)
    }
    if (!byGossip) this.#remindOfStrikes(from, message.records)
    if (byGossip) this.#deps.spread.heardCases(message)
    // Of whom this node knew nothing it believes what it is told first; all others may have answered since.
    const hear = (): void =>
      this.#hearAccusations(message.accusations, ({ body }) =>
        byGossip ? 'gossip' : inBulk && !strangers.has(body.subject) ? 'belated' : 'link',
      )
    if (byGossip || inBulk) return this.#deps.spread.inPublic(hear)
    this.#tellVerdicts(from, message.accusations)
    this.#deps.spread.heardOverLink(message)
    hear()
  }

  /** Who still looks for others against a member that is held dead was passed by when that was told. */
  #tellVerdicts(to: NodeId, accusations: readonly Sealed<Accusation>[]): void {
    const { roster } = this.#shared
    const decided = accusations.filter(({ body }) => {
      const entry = roster.get(body.subject)
      if (body.accuser !== to || entry === undefined || entry.verdict !== 'dead') return false
      return compareVersions(body, entry) === 0 && entry.proof.every(proof => proof.body.accuser !== to)
    })
    this.#deps.spread.give(
      to,
      decided.map(({ body }) => body.subject),
    )
  }

  /** Who still holds a struck member was away when it was struck. */
  #remindOfStrikes(from: NodeId, records: readonly Sealed<MemberRecord>[]): void {
    const strikes = records.flatMap(
      ({ body }) => this.#deps.memory.strikeOn(body.id, body.generation.number) ?? [],
    )
    if (strikes.length === 0) return
    send(this.#shared, from, { kind: 'rumor', records: [], accusations: [], strikes }, 'bulk')
  }

  /** Verdicts on a neighbor's word. */
  hearsay(lines: readonly MemberSummary[], among = lines.length): void {
    const { now, roster, self } = this.#shared
    const doubted: MemberSummary[] = []
    for (const line of lines) {
      if (line.id === self.record.id) {
        if (line.verdict === 'dead')
          this.#deps.selfKeeping.answer(line.generationInstance, line.refutation, among)
        continue
      }
      const entry = roster.get(line.id)
      if (entry === undefined || entry.generation.instance !== line.generationInstance) continue
      if (entry.refutation !== line.refutation) continue
      if (line.verdict === entry.verdict && !isPresent(entry.verdict)) {
        // The older age counts, or one that was told late would remind everybody again.
        const since = now - line.ageMs
        const { verdict, cause, proof } = entry
        if (since < entry.since - AGE_DIFFERENCE_MS)
          roster.put(entry.sealed, { verdict, cause, since, proof })
      } else if (line.verdict === 'dead' && isPresent(entry.verdict)) {
        if (!this.#believes(entry, line)) doubted.push(line)
      }
    }
    // Whoever is held dead by somebody must hear of it, to be able to answer.
    const unheard = isSplit(this.#shared, doubted.length) ? this.#deps.warnings.warn(doubted) : doubted
    for (const line of unheard) {
      send(this.#shared, line.id, { kind: 'hearsay', lines: [line] }, 'direct')
      this.#deps.watches.sweep(line.id)
      this.#deps.connect.dial(line.id)
    }
  }

  /** Somebody tells all of those who are held dead elsewhere: only they have to do something. */
  warned(lines: readonly MemberSummary[]): void {
    const { roster } = this.#shared
    const isOfNow = ({ id, generationInstance, refutation }: MemberSummary): boolean => {
      const entry = roster.get(id)
      return entry?.generation.instance === generationInstance && entry.refutation === refutation
    }
    this.#deps.warnings.heard(lines.filter(isOfNow))
    this.hearsay(
      lines.filter(({ id }) => id === this.#shared.id),
      lines.length,
    )
  }

  /** A bare verdict is taken over where this node knows no better. */
  #believes(entry: Entry, line: MemberSummary): boolean {
    const { now, roster, config, links, awareness } = this.#shared
    const isNew = entry.since === now && entry.verdict === 'alive'
    // Who was here all the time would have heard of it: then it is a word from the other side of a cut.
    const isOld = line.ageMs > config.proofKeepMs && awareness.wasAwaySince(now - line.ageMs)
    const isMissed = this.#deps.solitude.isMissed(entry, now - line.ageMs)
    if ((entry.provisional || isNew || isOld || isMissed) && links.get(line.id) === undefined) {
      const since = now - line.ageMs
      this.#deps.verdicts.changed(roster.put(entry.sealed, { verdict: 'dead', cause: 'unreachable', since }))
      soon(this.#shared, 'compare', now + config.rumorBatchMs)
      return true
    }
    return false
  }

  /** Takes a record in; true when it was news. */
  #admit(sealed: Sealed<MemberRecord>, source: Source): boolean {
    const { now, roster, config, links, awareness, jury } = this.#shared
    const { memory, verdicts, selfKeeping } = this.#deps
    const { id, generation, left } = sealed.body
    if (id === this.#shared.id) {
      selfKeeping.meet(sealed.body)
      return false
    }
    if (
      memory.strikeOn(id, generation.number) !== null ||
      (source !== 'subject' && memory.isRetired(id, generation.number))
    ) {
      count(this.#shared, 'records_struck')
      return false
    }
    const before = roster.get(id)
    if (before === undefined && roster.size >= config.membersMax) {
      count(this.#shared, 'members_over_limit')
      return false
    }
    if (before !== undefined) {
      const difference = compareVersions(before, sealed.body)
      if (difference > 0) return false
      if (difference === 0) {
        const isProof = source === 'gossip' || links.get(id)?.instance === generation.instance
        if (before.provisional && isProof) this.#confirm(before)
        return false
      }
    }
    this.#answered(sealed, before)
    const isBack = before !== undefined && before.verdict !== 'alive'
    const change = roster.put(sealed, {
      verdict: left ? 'left' : 'alive',
      cause: left ? 'left' : isBack && isRefuted(before, sealed.body) ? 'refuted' : null,
      since: left || before === undefined || isBack ? now : before.since,
    })
    if (before?.verdict === 'dead' && !left) {
      awareness.returned(now)
      links.returned(now, id)
      if (change.after?.cause === 'refuted') jury.returned(now, id)
    }
    memory.remember(this.#shared, sealed, before?.record)
    verdicts.changed(change)
    this.#hearAccusations(this.early.take(now, id), () => 'link')
    return true
  }

  /** A newer word of the subject closes its case; whether its accusers were wrong depends on which life speaks. */
  #answered({ body }: Sealed<MemberRecord>, before: Entry | undefined): void {
    const { jury } = this.#shared
    this.#deps.verdicts.suspicions.delete(body.id)
    this.#deps.watches.answered(body.id)
    this.#deps.spread.joint.drop(body.id)
    if (!jury.isAccused(body.id)) return
    const isSameLife = before?.generation.instance === body.generation.instance
    if (isSameLife && !body.left) jury.dismiss(body.id)
    else jury.close(body.id)
  }

  #confirm({ sealed, verdict, cause, since }: Entry): void {
    this.#deps.verdicts.changed(this.#shared.roster.put(sealed, { verdict, cause, since }))
  }

  /** Each case is judged once all that came together is in: two refusals are a verdict, and one asks for a look. */
  #hearAccusations(
    accusations: readonly Sealed<Accusation>[],
    wayOf: (accusation: Sealed<Accusation>) => Way,
  ): void {
    const subjects = new Set<NodeId>()
    this.#tellAnswers(accusations)
    for (const accusation of accusations)
      if (this.#admitAccusation(accusation, wayOf(accusation))) subjects.add(accusation.body.subject)
    for (const subject of subjects) {
      this.#deps.verdicts.judge(subject)
      if (!this.#shared.jury.isAccused(subject)) continue
      if (this.#deps.watches.alert(subject)) this.#deps.connect.dial(subject)
      this.#deps.sweep.consider()
    }
  }

  /**
   * Whoever accuses a member of what it has answered has missed the answer, and may have few links yet. A
   * liar is given as little as it is answered.
   */
  #tellAnswers(accusations: readonly Sealed<Accusation>[]): void {
    const { now, config, roster, links } = this.#shared
    const missed = new Map<Link, NodeId[]>()
    for (const { body } of accusations) {
      const entry = roster.get(body.subject)
      const link = links.get(body.accuser)
      if (entry === undefined || link === undefined || now - link.givenAt < config.answerPauseMs) continue
      if (!isPresent(entry.verdict) || compareVersions(body, entry) >= 0) continue
      missed.set(link, [...(missed.get(link) ?? []), body.subject])
    }
    for (const [link, subjects] of missed) {
      link.givenAt = now
      this.#deps.spread.give(link.node, subjects)
    }
  }

  /** True when it is one more word in a case that is open. */
  #admitAccusation(accusation: Sealed<Accusation>, way: Way): boolean {
    const { now, id, roster, jury } = this.#shared
    const { subject, accuser, generation, refutation } = accusation.body
    if (subject === id) {
      if (accuser !== id && roster.get(accuser) !== undefined)
        this.#deps.selfKeeping.answer(generation.instance, refutation, way === 'belated' ? 1 : 0)
      return false
    }
    const entry = roster.get(subject)
    if (entry === undefined || compareVersions(accusation.body, entry) > 0) {
      // What is handed on in bulk brings the word along, or is of a member that this node does not take in.
      if (way !== 'belated') this.early.keep(now, accusation)
      return false
    }
    return jury.admit(now, accusation, way)
  }

  /** What is news to a newcomer is old to everybody else. */
  #relay(record: Sealed<MemberRecord>, isAsked: boolean): void {
    if (!this.#deps.selfKeeping.isNewcomer) this.#deps.spread.relay(record, isAsked)
  }
}

/** Ages differ by what a message takes; only more is worth a change. */
const AGE_DIFFERENCE_MS = 10_000

/** A suspect that speaks answers; one held dead or gone answers only in the same life. */
const isRefuted = (before: Entry, record: MemberRecord): boolean =>
  before.verdict === 'suspect' || before.generation.instance === record.generation.instance
