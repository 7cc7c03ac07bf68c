// An observer's eyes: what it holds against each of its subjects, and when that is
// enough for an accusation. Three kinds of evidence: a refusal at an address where
// this very life of the subject had been met; silence for longer than the link's
// own habit allows; and a link that is lost and can't be had again.
//
// Before it accuses, it looks at itself: an observer to whom most subjects seem
// silent at once may be the sick one, and waits, but not for ever. It never judges:
// what it holds becomes an accusation, and the jury of every node decides.

import { DeadlineQueue } from '../deadline-queue.js'
import type { Millis, NodeId } from '../ids.js'
import type { DialFailure } from '../step.js'
import {
  isFirstToSpeak,
  isLongUnheard,
  newWatch,
  noteSign,
  postponeWatch,
  sameLife,
  type Watch,
} from './evidence.js'
import type { Link } from './links.js'
import { type Entry, isPresent } from './roster.js'
import { SelfDoubt } from './self-doubt.js'
import { ask, type Shared } from './shared.js'

/** This observer's word, and since when it was due. */
type Accuse = (entry: Entry, evidence: 'refused' | 'silent', dueAt: Millis) => void

export class Watches {
  readonly #shared: Shared
  readonly #watches = new Map<NodeId, Watch>()
  readonly due = new DeadlineQueue<NodeId>()
  readonly #accuse: Accuse
  readonly #onLate: () => void
  readonly #doubt: SelfDoubt

  constructor(shared: Shared, accuse: Accuse, onLate: () => void) {
    this.#shared = shared
    this.#onLate = onLate
    this.#accuse = accuse
    this.#doubt = new SelfDoubt(shared.config, shared.awareness)
  }

  get size(): number {
    return this.#watches.size
  }

  isSubject(id: NodeId): boolean {
    return (this.#watches.get(id)?.rank ?? null) !== null
  }

  /** The view changed: these are the subjects now. */
  setSubjects(subjects: readonly NodeId[]): void {
    const { now, config, links, roster } = this.#shared
    const wanted = new Set(subjects)
    for (const [id, watch] of this.#watches) if (!wanted.has(id)) watch.rank = null
    for (const id of subjects) {
      const rank = roster.observersOf(id, config.observersPerMember).indexOf(this.#shared.id)
      if (rank < 0) continue
      const watch = this.#of(id)
      // What was asked before, in a sweep, was no time in which this node tried to have a link.
      if (watch.rank === null) watch.since = Math.max(now, links.redials.get(id) ?? now)
      watch.rank = rank
      if (links.get(id) !== undefined) watch.linkedInstance ??= links.get(id)?.instance ?? null
      this.due.set(id, now)
    }
    for (const [id, watch] of this.#watches) {
      if (watch.rank === null && !this.#isOpen(id, watch)) this.drop(id)
    }
  }

  linkUp(id: NodeId): void {
    const { now, jury, id: self } = this.#shared
    this.#doubt.linkUp(now, id, jury.hasAccused(self, id))
    const watch = this.#watches.get(id)
    if (watch === undefined) return
    watch.lostAt = null
    watch.refusedAt = null
    watch.sweepUntil = null
    watch.probeUntil = null
    watch.pingedFor = null
    noteSign(watch)
    this.due.set(id, now)
  }

  /** The peer said which life it is in. */
  hello(id: NodeId, instance: string): void {
    const watch = this.#watches.get(id)
    if (watch !== undefined) watch.linkedInstance = instance
  }

  /** Returns when the loss has to be looked into by a dial. */
  linkDown(link: Link): Millis | null {
    const { now, config, roster } = this.#shared
    if (link.pulse.wasSilent(now, config)) this.#doubt.linkDown(now, link.node)
    const entry = roster.get(link.node)
    // The process that broke the link may be an earlier life of a member that is back already.
    if (entry === undefined || link.instance !== entry.generation.instance) return null
    const watch = this.#asObserver(entry)
    if (watch === null) return null
    watch.lostAt = now
    this.due.set(link.node, now)
    return isFirstToSpeak(watch) ? now : now + config.secondDialMs
  }

  dialFailed(id: NodeId, address: string, reason: DialFailure, wasTaken: boolean): void {
    const { roster, links, now, awareness } = this.#shared
    const watch = this.#watches.get(id)
    const entry = roster.get(id)
    if (watch === undefined || entry === undefined || links.get(id) !== undefined) return
    if (reason === 'refused' && watch.lostAt !== null && links.isProven(entry.record, address)) {
      watch.refusedAt ??= now
    }
    if (watch.sweepUntil !== null && !links.isDialing(now, id)) {
      // A host is there, and a handshake that two busy processes did not finish says nothing of either.
      watch.sweepUntil = wasTaken && reason === 'timeout' && awareness.isBusy(now) ? null : now
    }
    this.due.set(id, now)
  }

  /** Somebody accused a subject of this node: look at once. True where that takes a dial. */
  alert(id: NodeId): boolean {
    const { now, config, links, roster } = this.#shared
    const watch = this.#watches.get(id)
    if (watch === undefined || watch.rank === null) return false
    const link = links.get(id)
    if (
      link !== undefined &&
      watch.probeUntil === null &&
      now - link.pulse.lastFrameAt > config.probeTimeoutMs / 2
    ) {
      this.#probe(link, watch)
    }
    const entry = roster.get(id)
    if (link === undefined && entry !== undefined) watch.lostAt ??= now
    this.due.set(id, now)
    return link === undefined
  }

  /** A sweep reaches for this member: what does not come back in time is evidence. */
  sweep(id: NodeId): void {
    const { now, config, links, awareness } = this.#shared
    const watch = this.#of(id)
    const link = links.get(id)
    const dialledAt = links.isDialing(now, id) ? links.dialStartedAt(id) : null
    if (link === undefined) watch.sweepUntil = (dialledAt ?? now) + awareness.dialEvidenceMs(now)
    else if (watch.probeUntil === null && now - link.pulse.lastFrameAt > config.probeTimeoutMs / 2)
      this.#probe(link, watch)
    this.due.set(id, watch.sweepUntil ?? now)
  }

  /**
   * A frame came: when its sender would be late moves on with it. Waking at the time that the frame
   * before it had set, to find that all is well, was a third of what an idle node woke for.
   */
  heard(link: Link): void {
    const { now, config, awareness } = this.#shared
    const watch = this.#watches.get(link.node)
    const heldAt = this.due.get(link.node)
    if (watch === undefined || heldAt === null || !this.#isWaitedFor(watch)) return
    const lateAt = link.pulse.lateAt(config, awareness.stretch(now))
    if (heldAt < lateAt) this.due.set(link.node, lateAt)
  }

  /** It was held dead in error: it is looked for as if its link had just been lost. */
  miss(id: NodeId): void {
    const { now, links, roster } = this.#shared
    const watch = this.#watches.get(id)
    const entry = roster.get(id)
    if (watch === undefined || watch.rank === null || entry === undefined || links.get(id) !== undefined)
      return
    watch.linkedInstance = entry.generation.instance
    watch.lostAt = now
    this.due.set(id, now)
  }

  /** Most are silent, or lost: it may be this node that is cut off. */
  doubt(): void {
    this.#doubt.begin(this.#shared.now)
  }

  /** It said a new word: what a sweep found before is answered, and must not wait for the end of a quiet time. */
  answered(id: NodeId): void {
    const watch = this.#watches.get(id)
    if (watch === undefined) return
    watch.sweepUntil = null
    noteSign(watch)
  }

  drop(id: NodeId): void {
    this.#watches.delete(id)
    this.due.delete(id)
  }

  postpone(byMs: Millis): void {
    this.due.postpone(byMs)
    for (const watch of this.#watches.values()) postponeWatch(watch, byMs)
  }

  /** Looks at one subject whose time has come. */
  review(id: NodeId): void {
    const { now, roster, links } = this.#shared
    const watch = this.#watches.get(id)
    const entry = roster.get(id)
    if (watch === undefined) return
    if (entry === undefined || !isPresent(entry.verdict)) return this.drop(id)
    const link = links.get(id)
    const next = link === undefined ? this.#reviewLost(entry, watch) : this.#reviewLinked(link, watch, entry)
    if (!this.#watches.has(id)) return
    if (watch.rank === null && !this.#isOpen(id, watch)) this.drop(id)
    else if (next !== null) this.due.set(id, Math.max(next, now + 1))
  }

  #reviewLinked(link: Link, watch: Watch, entry: Entry): Millis | null {
    const { now, config, awareness } = this.#shared
    const stretch = awareness.stretch(now)
    watch.lostAt = null
    watch.sweepUntil = null
    if (watch.probeUntil !== null && watch.probeSentAt !== null) {
      if (link.pulse.lastFrameAt >= watch.probeSentAt) {
        watch.probeUntil = null
        noteSign(watch)
        watch.repeatMs = config.repeatMinMs
      } else {
        // It may have become busy since it asked: then the answer takes longer too.
        watch.probeUntil = Math.max(watch.probeUntil, watch.probeSentAt + this.#answerMs(link))
        if (now >= watch.probeUntil) return this.#silent(entry, watch)
      }
    }
    if (this.#isPrimary(watch)) {
      const lateAt = link.pulse.lateAt(config, stretch)
      if (now < lateAt) {
        noteSign(watch)
        return Math.min(lateAt, watch.probeUntil ?? lateAt)
      }
      // One ping for each silence: the answer counts as a sign of life.
      if (watch.pingedFor !== link.pulse.lastFrameAt) {
        watch.pingedFor = link.pulse.lastFrameAt
        ask(this.#shared, link)
        this.#onLate()
      }
      // A link that carried no heartbeats so far is judged by the answer to the ping alone.
      const silentAt = Math.max(
        link.pulse.silentAt(config, stretch),
        (link.pingSentAt ?? 0) + config.probeTimeoutMs * stretch,
        this.#greetedUntil(link),
      )
      if (now < silentAt) return Math.min(silentAt, watch.probeUntil ?? silentAt)
      return this.#silent(entry, watch)
    }
    return watch.probeUntil
  }

  #reviewLost(entry: Entry, watch: Watch): Millis | null {
    const { now, config, awareness, jury } = this.#shared
    if (watch.refusedAt !== null) {
      // Two refusals are enough, so the first two speak at once and the others only if need be.
      const turn = isFirstToSpeak(watch) ? 0 : (watch.rank ?? 0) - 1
      const at = watch.refusedAt + turn * config.refusalStaggerMs
      if (now < at) return at
      return this.#raise(entry, watch, 'refused')
    }
    if (watch.sweepUntil !== null) {
      const untilAt = Math.max(watch.sweepUntil, this.#dialUntil(entry.id))
      if (now < untilAt) return untilAt
      return this.#raise(entry, watch, 'silent')
    }
    if (watch.rank === null) return null
    const known = sameLife(watch, entry)
    const since = watch.lostAt ?? watch.since
    const isInQuestion = jury.isAccused(entry.id) || (known && watch.lostAt !== null)
    // A subject that this observer never met in this life is given time to be met by others; but not one
    // that has been here for longer: its observers may all have died with it.
    const isKnown = known || now - entry.since > config.neverMetMs
    const patienceMs = isInQuestion ? 0 : isKnown ? config.reachAgainMs : config.neverMetMs
    const at = Math.max(
      since + Math.max(awareness.dialEvidenceMs(now), patienceMs),
      this.#dialUntil(entry.id),
    )
    if (now < at) return at
    if (!entry.record.dialable && !known) return null
    return this.#silent(entry, watch)
  }

  #silent(entry: Entry, watch: Watch): Millis | null {
    const { now } = this.#shared
    if (this.#seemsSickItself()) {
      const untilAt = this.#doubt.wait(now)
      watch.doubtedAt ??= now
      if (now < untilAt) return untilAt
    } else this.#doubt.end()
    return this.#raise(entry, watch, 'silent')
  }

  #raise(entry: Entry, watch: Watch, evidence: 'refused' | 'silent'): Millis | null {
    const { now, config, jury, awareness, id: self } = this.#shared
    if (evidence === 'silent') {
      const { quietUntil, newUntil, starvedUntil, deafUntil } = awareness
      if (!isLongUnheard(watch, now, config)) {
        if (now < starvedUntil) return this.#putOff(watch, starvedUntil)
        if (now < deafUntil) return this.#putOff(watch, deafUntil)
        if (now < quietUntil) return quietUntil
      }
      if (now < newUntil && !jury.isAccusedByOthers(entry.id)) return newUntil
    }
    // Whom others watch is asked after in a sweep; a busy node hears the answers late, and all of them.
    const isOnlyAsked = watch.rank === null && watch.probeUntil !== null
    if (isOnlyAsked && awareness.isBusy(now) && !isLongUnheard(watch, now, config))
      return now + config.probeTimeoutMs
    if (jury.hasAccused(self, entry.id) && evidence === 'silent') return now + config.suspicionMaxMs
    // It may always join in: where another finds the same, the fault is not between the two.
    if (now < watch.mayAccuseAt && !jury.isAccusedByOthers(entry.id)) return watch.mayAccuseAt
    if (watch.accusedInstance === entry.generation.instance && watch.accusedRefutation !== null) {
      // It answered this observer before: the fault may be between the two.
      watch.mayAccuseAt = now + watch.repeatMs
      watch.repeatMs = Math.min(config.repeatMaxMs, watch.repeatMs * 2)
    }
    watch.accusedInstance = entry.generation.instance
    watch.accusedRefutation = entry.refutation
    watch.probeUntil = null
    // What a sweep found is said once: the subject may be nobody whom this node would ever hear otherwise.
    watch.sweepUntil = null
    watch.unheard = null
    const dueAt = Math.max(watch.doubtedAt ?? now, now - config.selfDoubtMs)
    watch.doubtedAt = null
    this.#accuse(entry, evidence, dueAt)
    return now + config.suspicionMaxMs
  }

  /** This node has too little of its machine to say it now. */
  #putOff(watch: Watch, untilAt: Millis): Millis | null {
    const { now, config } = this.#shared
    // What a sweep found is of one moment: said minutes later it is no evidence.
    watch.sweepUntil = null
    if (watch.rank === null) {
      watch.probeUntil = null
      return null
    }
    // A deadline moves on when this node stands still, and the long silence does not.
    return Math.min(untilAt, now + config.heartbeatMs)
  }

  /** Most of those that this node should hear from are silent at once, and there are some. */
  #seemsSickItself(): boolean {
    const { now, config, links, awareness } = this.#shared
    const stretch = awareness.stretch(now)
    let subjects = 0
    let silent = 0
    for (const [id, watch] of this.#watches) {
      if (watch.rank === null || watch.rank >= config.primaryObservers) continue
      const link = links.get(id)
      subjects++
      if (link === undefined ? watch.lostAt !== null : now >= link.pulse.lateAt(config, stretch)) silent++
    }
    return subjects >= 2 && silent * 2 > subjects
  }

  #probe(link: Link, watch: Watch): void {
    watch.probeSentAt = ask(this.#shared, link)
    watch.probeUntil = watch.probeSentAt + this.#answerMs(link)
  }

  /** How long the answer to a question may take as things are now. */
  #answerMs({ pulse }: Link): Millis {
    const { now, config, awareness } = this.#shared
    return Math.max(config.askTimeoutMs, 4 * (pulse.rttMs ?? 0)) * awareness.stretch(now)
  }

  /** A link on which nothing was answered yet is a handshake that waits for the other's processor, where all are busy. */
  #greetedUntil({ since, pulse }: Link): Millis {
    const { now, awareness } = this.#shared
    return pulse.rttMs === null && awareness.isBusy(now) ? since + awareness.handshakeMs(now) : since
  }

  /** From when on a dial under way is a sign of silence, as things are now. */
  #dialUntil(id: NodeId): Millis {
    const { now, links, awareness } = this.#shared
    const startedAt = links.isDialing(now, id) ? links.dialStartedAt(id) : null
    if (startedAt === null) return now
    const acceptedAt = links.dialAcceptedAt(id)
    if (acceptedAt !== null) return acceptedAt + awareness.handshakeMs(now)
    return startedAt + awareness.dialEvidenceMs(now)
  }

  /** Its heartbeats are for this node, and nothing else is asked of it at the moment. */
  #isWaitedFor(watch: Watch): boolean {
    return this.#isPrimary(watch) && watch.probeUntil === null
  }

  #isPrimary({ rank }: Watch): boolean {
    return rank !== null && rank < this.#shared.config.primaryObservers
  }

  #isOpen(id: NodeId, watch: Watch): boolean {
    const isLinked = this.#shared.links.get(id) !== undefined
    return isLinked ? watch.probeUntil !== null : watch.sweepUntil !== null
  }

  /** The watch on a subject, also on one that is back so shortly that the view has not settled yet. */
  #asObserver(entry: Entry): Watch | null {
    const { config, roster, id: self } = this.#shared
    const held = this.#watches.get(entry.id)
    if (held !== undefined && held.rank !== null) return held
    if (!isPresent(entry.verdict)) return null
    const rank = roster.observersOf(entry.id, config.observersPerMember).indexOf(self)
    if (rank < 0) return null
    const watch = this.#of(entry.id)
    watch.rank = rank
    return watch
  }

  #of(id: NodeId): Watch {
    let watch = this.#watches.get(id)
    if (watch === undefined) {
      const { now, config, links } = this.#shared
      watch = newWatch(now, links.lifeMet(id), config.repeatMinMs)
      this.#watches.set(id, watch)
    }
    return watch
  }
}
