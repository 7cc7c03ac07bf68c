// Turns accusations into verdicts, at every node for itself. An accusation counts
// when it speaks of the very record that is held, when its accuser is not dead,
// and when the accuser is among the first 2K observers as this node sees them; one
// accuser counts once, so one liar kills nobody.
//
// What it must never do: count a second word of the same accuser, or count against
// a record that has answered since.

import type { Millis, NodeId } from '../ids.js'
import type { Accusation, Sealed } from '../member.js'
import type { MembershipConfig } from './config.js'
import { compareVersions } from './merge.js'
import { type Entry, isPresent, type Roster } from './roster.js'
import { suspicionTimeoutMs } from './suspicion.js'

/** How an accusation came: to all; from the accuser or a fellow observer; or handed on some time after it was made. */
export type Way = 'gossip' | 'link' | 'belated'

/** What is held against one member. */
interface Case {
  readonly accusations: Map<NodeId, Sealed<Accusation>>
  /** Whose accusation was not heard when it was made, but handed on some time later. */
  readonly belated: Set<NodeId>
  readonly openedAt: Millis
  /** Since when this node's own word was due: it may have waited while it doubted itself, and asked meanwhile. */
  ownDueAt: Millis
  /** Whether gossip spoke of it: then its subject has heard of it as well. */
  isPublic: boolean
}

export type Finding =
  | { readonly kind: 'none' }
  | { readonly kind: 'suspect'; readonly untilAt: Millis }
  | {
      readonly kind: 'dead'
      readonly cause: 'crashed' | 'unreachable'
      readonly proof: readonly Sealed<Accusation>[]
    }

export class Jury {
  readonly #roster: Roster
  readonly #config: MembershipConfig
  readonly #cases = new Map<NodeId, Case>()
  /** Accusations by accuser that were refuted, less those that proved right. */
  readonly #falseAlarms = new Map<NodeId, number>()
  /** Who was held dead and answered, and when: further words, and suspicions, change nothing of that. */
  readonly #returnedAt = new Map<NodeId, Millis>()
  /** What this node itself said of silence in this time it has taken back. */
  #withdrawn: { readonly after: Millis; readonly until: Millis } | null = null

  constructor(roster: Roster, config: MembershipConfig) {
    this.#roster = roster
    this.#config = config
  }

  /** Those against whom this node holds an open case. */
  accused(): NodeId[] {
    return [...this.#cases.keys()]
  }

  /** Against how many somebody speaks who is believed, how many these are, and how many this node accuses. */
  extent(): { accused: number; accusers: number; own: number } {
    const accusers = new Set<NodeId>()
    let accused = 0
    let own = 0
    for (const { accusations } of this.#cases.values()) {
      const believed = [...accusations.keys()].filter(id => !this.#criesWolf(id))
      if (believed.length > 0) accused++
      if (accusations.has(this.#roster.self)) own++
      for (const accuser of believed) accusers.add(accuser)
    }
    return { accused, accusers: accusers.size, own }
  }

  /** All who speak against anybody. */
  accusers(): ReadonlySet<NodeId> {
    return new Set([...this.#cases.values()].flatMap(({ accusations }) => [...accusations.keys()]))
  }

  isAccused(id: NodeId): boolean {
    return this.#cases.has(id)
  }

  /** Whether anybody else than this node accuses it who is believed. */
  isAccusedByOthers(subject: NodeId): boolean {
    const accusers = [...(this.#cases.get(subject)?.accusations.keys() ?? [])]
    return accusers.some(id => id !== this.#roster.self && !this.#criesWolf(id))
  }

  /** Whether the member may be accused without having heard of it. */
  isUntold(subject: NodeId): boolean {
    return this.#cases.get(subject)?.isPublic === false
  }

  hasAccused(accuser: NodeId, subject: NodeId): boolean {
    return this.#cases.get(subject)?.accusations.has(accuser) ?? false
  }

  accusationsAgainst(subject: NodeId): readonly Sealed<Accusation>[] {
    return [...(this.#cases.get(subject)?.accusations.values() ?? [])]
  }

  /**
   * Takes an accusation in; false when it was known or says nothing new. A belated one may
   * be of long ago and was perhaps never heard by its subject, which gets the time to answer.
   */
  admit(now: Millis, accusation: Sealed<Accusation>, way: Way = 'link'): boolean {
    const { subject, accuser } = accusation.body
    const entry = this.#roster.get(subject)
    if (entry === undefined || accuser === subject || !isPresent(entry.verdict)) return false
    if (compareVersions(accusation.body, entry) !== 0) return false
    if (!this.#mayTestify(accuser) || this.#isWithdrawn(accusation.body)) return false
    if (way === 'belated' && this.#isFromOutside(now, accuser)) return false
    const open = this.#openCase(now, subject)
    if (way === 'gossip') open.isPublic = true
    const known = open.accusations.get(accuser)
    // A refusal is stronger evidence than silence; the reverse adds nothing.
    if (known !== undefined && (known.body.evidence === 'refused' || accusation.body.evidence === 'silent'))
      return false
    open.accusations.set(accuser, accusation)
    if (way === 'belated') open.belated.add(accuser)
    else open.belated.delete(accuser)
    return true
  }

  /** This node's own word against it was due so long ago, and the subject has not answered since. */
  wasDue(subject: NodeId, at: Millis): void {
    const open = this.#cases.get(subject)
    if (open !== undefined) open.ownDueAt = at
  }

  /**
   * What follows for a member from what is held now. The slack is what this node's own
   * link to it asks for beyond the usual, where one voice decides alone; for so
   * long (the delay) an answer to silence may be on its way.
   */
  find(now: Millis, subject: NodeId, slackMs: Millis = 0, delayMs: Millis = 0): Finding {
    const open = this.#cases.get(subject)
    if (open === undefined) return { kind: 'none' }
    const k = this.#config.observersPerMember
    const self = this.#roster.self
    const bench = this.#roster.observersOf(subject, 2 * k)
    const ownEvidence = open.accusations.has(self)
    const majority = Math.floor(Math.min(k, this.#roster.aliveCount - 1) / 2) + 1
    const quorum = ownEvidence ? this.#quorumOfTheHeard(subject) : this.#quorumOf(subject)
    const counted = [...open.accusations.values()].filter(
      ({ body }) => body.accuser === self || (bench.includes(body.accuser) && this.#mayTestify(body.accuser)),
    )
    const refused = counted.filter(({ body }) => body.evidence === 'refused')
    // Where one voice is a majority, or the voices are of long ago, the subject gets the time of an answer.
    const isBelated = counted.length > 0 && counted.every(({ body }) => open.belated.has(body.accuser))
    const askedAt = isBelated ? open.openedAt : Math.min(open.openedAt, open.ownDueAt)
    const answerUntilAt = askedAt + this.#config.suspicionAloneMs + slackMs
    // Who is mute in a split is no reason to believe a single refusal.
    const refusals = ownEvidence ? quorum : majority
    if (refused.length >= Math.min(2, refusals) && refused.length > 0) {
      return isBelated && now < answerUntilAt
        ? { kind: 'suspect', untilAt: answerUntilAt }
        : { kind: 'dead', cause: 'crashed', proof: refused }
    }
    const believed = counted.filter(({ body }) => !this.#criesWolf(body.accuser))
    // So has it where the words of those are needed whom it has often answered.
    const isHasty = isBelated || counted.length === 1 || believed.length < quorum
    const { suspicionMinMs, suspicionMaxMs } = this.#config
    // Those who are mute may be well, and accused by the same liars: where their words are missing, it has the least time.
    const isThin = !ownEvidence && counted.length < majority
    const leastUntil = open.openedAt + delayMs
    const usualUntil = isHasty ? answerUntilAt : isThin ? open.openedAt + suspicionMinMs : now
    const waitsUntil = Math.max(usualUntil, leastUntil)
    if (counted.length >= quorum && now >= waitsUntil)
      return { kind: 'dead', cause: 'unreachable', proof: counted }
    if (counted.length >= quorum) return { kind: 'suspect', untilAt: waitsUntil }

    if (believed.length === 0) return { kind: 'none' }
    const timeoutMs = suspicionTimeoutMs(believed.length, quorum, suspicionMinMs, suspicionMaxMs)
    const untilAt = Math.max(open.openedAt + timeoutMs, leastUntil)
    if (now < untilAt) return { kind: 'suspect', untilAt }
    return { kind: 'dead', cause: 'unreachable', proof: counted }
  }

  /** The member answered: the case is closed, and its accusers were wrong. */
  dismiss(subject: NodeId): boolean {
    const open = this.#cases.get(subject)
    if (open === undefined) return false
    for (const accuser of open.accusations.keys()) {
      this.#falseAlarms.set(
        accuser,
        Math.min(this.#config.falseAlarmsMax, (this.#falseAlarms.get(accuser) ?? 0) + 1),
      )
    }
    return this.#cases.delete(subject)
  }

  /** A verdict was reached: the case is closed, and its accusers were right. */
  close(subject: NodeId): void {
    const open = this.#cases.get(subject)
    if (open === undefined) return
    for (const accuser of open.accusations.keys()) this.#falseAlarms.delete(accuser)
    this.#cases.delete(subject)
  }

  /** Since when the case is open that is held now. */
  openedAt(subject: NodeId): Millis | null {
    return this.#cases.get(subject)?.openedAt ?? null
  }

  /** When a case that nobody is believed in is let go: it must not lie in wait for the next accuser. */
  lapsesAt(subject: NodeId): Millis | null {
    const open = this.#cases.get(subject)
    return open === undefined ? null : open.openedAt + this.#config.suspicionMaxMs
  }

  /** The case is let go undecided; its accusers were neither right nor wrong. */
  lapse(subject: NodeId): void {
    this.#cases.delete(subject)
  }

  /**
   * Takes back what this node itself said of silence after that time; returns whom it had
   * accused. Where it was heard all the same, it may come back, and counts no more.
   */
  withdraw(after: Millis, until: Millis): NodeId[] {
    this.#withdrawn = { after, until }
    const reopened: NodeId[] = []
    for (const [subject, { accusations, belated }] of this.#cases) {
      const own = accusations.get(this.#roster.self)
      if (own === undefined || !this.#isWithdrawn(own.body)) continue
      accusations.delete(own.body.accuser)
      belated.delete(own.body.accuser)
      if (accusations.size === 0) this.#cases.delete(subject)
      reopened.push(subject)
    }
    return reopened
  }

  drop(id: NodeId): void {
    this.#cases.delete(id)
    this.#falseAlarms.delete(id)
    this.#returnedAt.delete(id)
  }

  /** It was held dead, and has answered. */
  returned(now: Millis, id: NodeId): void {
    this.#returnedAt.set(id, now)
  }

  /** False alarms are forgiven after a while: a cut that healed makes many at once. */
  forgive(now: Millis): void {
    this.#falseAlarms.clear()
    for (const id of this.#returnedAt.keys()) if (!this.#isBack(now, id)) this.#returnedAt.delete(id)
  }

  /** This node was frozen for so long: open cases did not age meanwhile. */
  postpone(byMs: Millis): void {
    for (const [subject, open] of this.#cases) {
      this.#cases.set(subject, { ...open, openedAt: open.openedAt + byMs, ownDueAt: open.ownDueAt + byMs })
    }
  }

  get size(): number {
    return this.#cases.size + this.#falseAlarms.size + this.#returnedAt.size
  }

  /**
   * Who found a member unreachable itself asks the majority of those observers
   * that it can still hear, itself included: on the smaller side of a split the
   * others cannot be asked, and waiting for them would keep ghosts for ever.
   */
  #quorumOfTheHeard(subject: NodeId): number {
    const { observersPerMember } = this.#config
    const { self } = this.#roster
    let heard = 1
    for (const id of this.#roster.observersOf(subject, observersPerMember)) {
      if (id !== self && id !== subject && !this.hasAccused(self, id)) heard++
    }
    return Math.floor(Math.min(heard, observersPerMember) / 2) + 1
  }

  /**
   * All others ask the majority of its observers. In a split many of these are accused themselves, by several, and
   * will not speak: waiting for them would have everybody dial everybody.
   */
  #quorumOf(subject: NodeId): number {
    const { observersPerMember } = this.#config
    const asked = Math.min(observersPerMember, this.#roster.aliveCount - 1)
    const mute = this.isTorn
      ? this.#roster.observersOf(subject, observersPerMember).filter(id => this.isMute(id))
      : []
    return Math.floor(Math.max(0, asked - mute.length) / 2) + 1
  }

  /** So many are accused at once that it is a split. */
  get isTorn(): boolean {
    const { splitMembers, splitShare } = this.#config
    return this.#cases.size >= splitMembers && this.#cases.size * splitShare >= this.#roster.aliveCount
  }

  /** Whether it will probably say nothing of others: this node accuses it, or two do who are believed. */
  isMute(id: NodeId): boolean {
    const accusers = [...(this.#cases.get(id)?.accusations.keys() ?? [])]
    return accusers.includes(this.#roster.self) || accusers.filter(each => !this.#criesWolf(each)).length >= 2
  }

  #openCase(now: Millis, subject: NodeId): Case {
    const held = this.#cases.get(subject)
    // What those say who cry wolf starts no clock: it starts with the first who is believed.
    if (held !== undefined && [...held.accusations.keys()].some(id => !this.#criesWolf(id))) return held
    const open: Case = {
      accusations: held?.accusations ?? new Map(),
      belated: held?.belated ?? new Set(),
      openedAt: now,
      ownDueAt: Number.POSITIVE_INFINITY,
      isPublic: held?.isPublic ?? false,
    }
    this.#cases.set(subject, open)
    return open
  }

  #isWithdrawn({ accuser, evidence, at }: Accusation): boolean {
    if (this.#withdrawn === null || accuser !== this.#roster.self || evidence !== 'silent') return false
    return at > this.#withdrawn.after && at <= this.#withdrawn.until
  }

  #mayTestify(accuser: NodeId): boolean {
    const entry = this.#roster.get(accuser)
    return entry !== undefined && isPresent(entry.verdict)
  }

  /** It was held dead until a moment ago, and others were or are: what it said meanwhile it said on the other side of a cut. */
  #isFromOutside(now: Millis, accuser: NodeId): boolean {
    if (!this.#isBack(now, accuser)) return false
    const isOutside = ({ id, verdict }: Entry): boolean => verdict === 'dead' || this.#isBack(now, id)
    return this.#roster.all().filter(isOutside).length >= this.#config.splitMembers
  }

  #isBack(now: Millis, id: NodeId): boolean {
    const returnedAt = this.#returnedAt.get(id)
    return returnedAt !== undefined && now - returnedAt < this.#config.outsideMs
  }

  #criesWolf(accuser: NodeId): boolean {
    if (accuser === this.#roster.self) return false
    return (this.#falseAlarms.get(accuser) ?? 0) >= this.#config.falseAlarmsMax
  }
}
