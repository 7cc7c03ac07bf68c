// How far this node may trust its own ears. A process that gets too little of its
// machine hears late and dials slowly, and would take its own slowness for the
// silence of others; so its patience grows with its lag (Lifeguard's local health,
// arXiv 1707.00788, section IV-A), and with the time that its dials usually take.

import type { Millis, NodeId } from '../ids.js'
import { Lag } from '../lag.js'
import type { MembershipConfig } from './config.js'
import { Delays } from './delays.js'

export class Awareness {
  readonly #config: MembershipConfig
  readonly #lag: Lag
  /** The same of what it reads, where its timers are late too. */
  readonly #deafness: Lag
  readonly #delays = new Delays()
  #dialMeanMs: number
  #dialDeviationMs: number
  #quietUntil: Millis = 0
  #newUntil: Millis = 0
  #backAt: Millis = Number.NEGATIVE_INFINITY
  #hasDialled = false
  #returns = 0
  #returnedAt: Millis = Number.NEGATIVE_INFINITY
  #crowdSince: Millis = Number.NEGATIVE_INFINITY
  #stalls: readonly { readonly began: Millis; readonly ended: Millis }[] = []
  #starvedUntil: Millis = 0
  #deafUntil: Millis = 0
  #upheavalSince: Millis = 0
  #upheavalUntil: Millis = Number.NEGATIVE_INFINITY

  constructor(config: MembershipConfig) {
    this.#config = config
    this.#lag = new Lag(config.lagMemoryMs)
    this.#deafness = new Lag(config.lagMemoryMs)
    // Nothing is known yet: be patient.
    this.#dialMeanMs = config.dialEvidenceMs
    this.#dialDeviationMs = config.dialEvidenceMs / 2
  }

  /** A step came so much later than it was due. */
  late(now: Millis, lagMs: Millis): void {
    this.#lag.note(now, Math.min(lagMs, this.#lagMaxMs))
  }

  /** A neighbor's word came that says when it was sent. */
  heard(now: Millis, from: NodeId, sentAt: number): void {
    this.#delays.heard(now, from, sentAt)
    this.#noteDelay(now)
  }

  /** A neighbor's answer took so long. */
  answered(now: Millis, from: NodeId, tookMs: Millis): void {
    // Half of it each way; what an answer may take at the most is no delay.
    this.#delays.answered(from, (tookMs - this.#config.askTimeoutMs) / 2)
    this.#noteDelay(now)
  }

  linkDown(id: NodeId): void {
    this.#delays.forget(id)
  }

  /** Where its timers are punctual, what comes late was late before it came here. */
  #noteDelay(now: Millis): void {
    const { lagHalfMs, busyStretch, askTimeoutMs, deafMs } = this.#config
    if (this.#lag.at(now) < (busyStretch - 1) * lagHalfMs) return
    const delayMs = this.#delays.at(now)
    if (delayMs > this.#deafness.at(now)) this.#deafness.note(now, Math.min(delayMs, this.#lagMaxMs))
    if (delayMs >= askTimeoutMs) this.#deafUntil = now + deafMs
  }

  /** More would stretch no further, and take longer to be forgotten. */
  get #lagMaxMs(): Millis {
    return this.#config.lagHalfMs * (this.#config.lagStretchMax - 1)
  }

  /**
   * It stood still for so long. Who does so again and again, and for much of the time, has too little of its
   * machine to judge others by their silence: where all are so, each false death makes more work, and none of
   * it ever ends. One whose application blocks it now and then hears well enough in between.
   */
  stalled(now: Millis, forMs: Millis): void {
    const { stallsMany, stallsMs, stallsShare, starvedMs } = this.#config
    const began = now - forMs
    const last = this.#stalls.at(-1)
    // From the end of one to the beginning of the next: the longer they are, the worse.
    const isNext = last !== undefined && began - last.ended <= stallsMs
    this.#stalls = [...(isNext ? this.#stalls : []), { began, ended: now }].slice(-stallsMany)
    if (this.#stalls.length < stallsMany) return
    const stoodMs = this.#stalls.reduce((sum, stall) => sum + stall.ended - stall.began, 0)
    const spanMs = now - (this.#stalls[0]?.began ?? now)
    if (stoodMs >= stallsShare * spanMs) this.#starvedUntil = now + starvedMs
  }

  /**
   * A dial of this node led to a link. One that waited for a cut to heal says nothing about this machine,
   * and of one that took long while the machine was busy only the rest says what a dial usually takes.
   */
  dialTook(now: Millis, tookMs: Millis): void {
    const ms = Math.min(tookMs / this.stretch(now), this.#config.dialEvidenceMs)
    if (!this.#hasDialled) {
      this.#hasDialled = true
      this.#dialMeanMs = ms
      this.#dialDeviationMs = ms / 2
      return
    }
    const error = ms - this.#dialMeanMs
    this.#dialMeanMs += error / 4
    this.#dialDeviationMs += (Math.abs(error) - this.#dialDeviationMs) / 4
  }

  /** It has just started, or come out of solitude: what it does not hear yet proves nothing by itself. */
  isNew(untilAt: Millis): void {
    this.#newUntil = Math.max(this.#newUntil, untilAt)
  }

  /** It has just woken up, or all have much to do: what it does not hear proves nothing. */
  quiet(untilAt: Millis): void {
    this.#quietUntil = Math.max(this.#quietUntil, untilAt)
  }

  /** It is in company again, or awake: until now it may have missed anything. */
  back(now: Millis): void {
    this.#backAt = now
  }

  /** Whether this node was away at that time, or has been since. */
  wasAwaySince(at: Millis): boolean {
    return at <= this.#backAt
  }

  /** A member that was held dead is back. Where many are, a cut has healed: what is slow now is busy. */
  returned(now: Millis): void {
    const { crowdMembers, crowdMs, crowdQuietMs, crowdQuietMaxMs, crowdPauseMs } = this.#config
    this.#returns = now - this.#returnedAt > crowdMs ? 1 : this.#returns + 1
    this.#returnedAt = now
    if (this.#returns < crowdMembers) return
    // Nobody may keep this node from noticing silence by coming and going.
    if (now - this.#crowdSince > crowdPauseMs) this.#crowdSince = now
    this.quiet(Math.min(now + crowdQuietMs, this.#crowdSince + crowdQuietMaxMs))
  }

  /** Several members have come back a moment ago, as when a cut has healed; but nobody can make it last. */
  isCrowded(now: Millis): boolean {
    const { crowdMembers, crowdMs, crowdQuietMaxMs } = this.#config
    if (this.#returns < crowdMembers || now - this.#crowdSince >= crowdQuietMaxMs) return false
    return now - this.#returnedAt < crowdMs
  }

  /** Much of the mesh seems gone at once. */
  upheaval(now: Millis): void {
    this.#upheavalSince = now
    this.#upheavalUntil = now + this.#config.upheavalMs
  }

  /** One more is held dead: others follow. */
  more(now: Millis): void {
    const { upheavalMoreMs, upheavalMaxMs } = this.#config
    if (now >= this.#upheavalUntil) return
    const untilAt = Math.min(now + upheavalMoreMs, this.#upheavalSince + upheavalMaxMs)
    this.#upheavalUntil = Math.max(this.#upheavalUntil, untilAt)
  }

  /** Until when more verdicts are to come: neighbors are sought among those who are left then. */
  get upheavalUntil(): Millis {
    return this.#upheavalUntil
  }

  /** Until when it may not accuse anybody of silence. */
  get quietUntil(): Millis {
    return this.#quietUntil
  }

  /** Until when it has too little of its machine: only a long silence is one. */
  get starvedUntil(): Millis {
    return this.#starvedUntil
  }

  /** Until when it reads so late what others say that their silence is none. */
  get deafUntil(): Millis {
    return this.#deafUntil
  }

  /**
   * How long an answer may be on its way. While much seems gone, words of several go together, and come all at
   * once; a node that is deaf reads it late, and its author read the word as late.
   */
  answerDelayMs(now: Millis): Millis {
    const { answerPauseMs, rumorBatchMs, suspicionMaxMs } = this.#config
    const pauseMs = now < this.#upheavalUntil ? answerPauseMs + rumorBatchMs : 0
    const deafMs = now < this.#deafUntil ? 2 * this.#delays.at(now) : 0
    return Math.min(Math.max(pauseMs, deafMs), suspicionMaxMs)
  }

  get size(): number {
    return this.#delays.size
  }

  /** Until when it may do so only where somebody else has done it before. */
  get newUntil(): Millis {
    return this.#newUntil
  }

  /** By how much every patience is stretched, 1 … lagStretchMax. */
  stretch(now: Millis): number {
    const { lagHalfMs, lagStretchMax } = this.#config
    return Math.min(lagStretchMax, 1 + Math.max(this.#lag.at(now), this.#deafness.at(now)) / lagHalfMs)
  }

  /**
   * The same for a handshake, once the other host has taken the call. Where much seems gone at once it has the time
   * of a dial, unless all may be busy: half of a mesh that froze was known after 4.7 s otherwise.
   */
  handshakeMs(now: Millis): Millis {
    if (now < this.#upheavalUntil && !this.isBusy(now)) return this.dialEvidenceMs(now)
    return this.#config.handshakeMs * this.stretch(now)
  }

  /** It hears so late that it cannot tell who is slow. */
  isBusy(now: Millis): boolean {
    return this.stretch(now) >= this.#config.busyStretch
  }

  /** From when on a dial that does not end is a sign of silence. */
  dialEvidenceMs(now: Millis): Millis {
    const { dialEvidenceMs, dialEvidenceMaxMs } = this.#config
    const usual = this.#dialMeanMs + 4 * this.#dialDeviationMs
    return Math.min(dialEvidenceMaxMs, Math.max(dialEvidenceMs, usual) * this.stretch(now))
  }
}
