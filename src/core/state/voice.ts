// When this node speaks: broadcasts of what it wrote, the tidings that there is something
// new, and the slow comparison with a random neighbor.
//
// Broadcasts are hints, and too many of them make healthy nodes fall silent: so a node
// takes its share of them (pace.ts), gathers what comes meanwhile, and the tidings that
// follow the first ones go to some neighbors only, ever later.
//
// A node that has just booted and remembers members, or has written before, says nothing of
// its own before it has compared itself with somebody: its disk may be an old copy (README.md),
// and what was told cannot be taken back. It waits for that no longer than `firstExchangeMs`
// from its first link on; alone it has nobody to tell, and nobody who could show it what it lost. If nobody
// to rely on was met by then (footing.ts), it gives up the lineages that it had before, so that
// no clock of theirs is told twice. A document that this befell often is waited for longer each time, or until those
// who are missing are held dead: what a lineage costs, it costs for ever.
//
// One to rely on may itself have been cut off, and know less than the others to which there is a link. So those are
// heard as well, for `restExchangeMs` at most: it is they who may have the last that a lost disk told.

import type { Millis, NodeId } from '../ids.js'
import type { StoreWrite } from '../step.js'
import type { Exchange } from './exchange.js'
import type { Footing } from './footing.js'
import type { Frame } from './frame.js'
import type { Holdings } from './holdings.js'
import { isReserved } from './limits.js'
import type { StateMessage } from './message.js'
import { joinUpdates, NEWS_TOPIC, topicOf } from './outbox.js'
import type { Replica } from './replica.js'

export interface VoiceParts {
  readonly frame: Frame
  readonly holdings: Holdings
  readonly exchange: () => Exchange
  /** Whether there are members to be heard of first. */
  readonly awaits: boolean
  readonly footing: Footing
  /** It is going to be told, and nobody to rely on has shown what is known of its former lineage. */
  leaveBehind(now: Millis, replica: Replica): void
  /** Whether own clocks mean something else elsewhere is decided now. */
  settle(now: Millis, replica: Replica): void
}

export class Voice {
  readonly #frame: Frame
  readonly #holdings: Holdings
  readonly #exchange: () => Exchange
  readonly #footing: Footing
  readonly #leaveBehind: VoiceParts['leaveBehind']
  readonly #settle: VoiceParts['settle']
  #hasExchanged: boolean
  /** It has compared itself with somebody, has waited for long enough, or has nothing that could be old. */
  #maySpeak = false
  /** But not of what no holder was met of. */
  #isHalfMute = false
  #muteCount = 0
  /** Since its first link. */
  #waitsSince: Millis = 0
  /** Of how many it had heard when it last looked whether to wait on. */
  #heardOf = 0
  /** How many members were heard of when it was last looked whether to tell of them. */
  #metCount = 0
  #wasSure = false
  /** It has been compared with somebody since what is here was here. */
  #isComparedOnce = false
  /** Until when the neighbors that have not shown what they have are waited for; null: not begun. */
  #restUntil: Millis | null = null
  /** The same for spaces, while large documents are still being read. */
  #areSpacesCompared = false
  /** All that is read so far is compared. */
  #isCompared = false
  /** Something came that the neighbors may lack, since they were last told. */
  #hasNews = false
  /** What may be told once this token is durable. */
  readonly #met = new Map<number, readonly Replica[]>()
  /** How long news is gathered now; 0 while all is calm. */
  #tellMs: Millis = 0

  constructor({ frame, holdings, exchange, awaits, footing, leaveBehind, settle }: VoiceParts) {
    this.#frame = frame
    this.#holdings = holdings
    this.#exchange = exchange
    this.#footing = footing
    this.#leaveBehind = leaveBehind
    this.#settle = settle
    this.#hasExchanged = !awaits
  }

  onDeadline(now: Millis, what: 'compare' | 'tell' | 'first' | 'rest' | 'met'): void {
    if (what === 'compare') this.#compare(now)
    else if (what === 'tell') this.#tell(now)
    else if (what === 'first') this.#speakUnsure(now)
    else if (what === 'rest') this.#look(now)
    else this.#exchange().tellMet(now, this.#footing.met)
  }

  /** Whether it has compared itself with a neighbor since it booted, or awaits none. */
  get hasExchanged(): boolean {
    return this.#hasExchanged
  }

  get maySpeak(): boolean {
    return this.#maySpeak
  }

  /** Whether what is here has still to be compared with somebody. */
  get awaitsFirst(): boolean {
    return !this.#maySpeak && !this.#isCompared
  }

  /** Whether what each neighbor shows still decides when it speaks. */
  get isListening(): boolean {
    return !this.#maySpeak || !this.isSure
  }

  /** Whether others may take it for one that knows what the mesh knows. */
  get isSure(): boolean {
    return this.#isSureOfShared && !this.#holdings.isLoading && this.#isSureOfAll
  }

  /** Of what everybody holds. */
  get #isSureOfShared(): boolean {
    return this.#footing.isSureOf(SHARED)
  }

  get #isSureOfAll(): boolean {
    return this.#holdings.byName().every(({ document }) => this.#footing.isSureOf(document))
  }

  begin(now: Millis): void {
    this.#compareLater(now)
    this.#maySpeak =
      this.#hasExchanged &&
      !this.#holdings.isLoading &&
      this.#holdings.byName().every(({ own }) => !own.mayBeOld)
    if (!this.#maySpeak) this.#footing.begin()
  }

  /** All is here; the neighbors are asked for the rest. */
  loaded(now: Millis): void {
    this.#isCompared = false
    this.#isComparedOnce = false
    this.#metCount = 0
    this.#restUntil = null
    this.#frame.deadlines.delete('rest')
    this.#footing.begin()
    if (this.#exchange().links.length > 0) this.linkUp(now)
  }

  linkUp(now: Millis): void {
    const { config, deadlines } = this.#frame
    if ((this.#maySpeak && !this.#isHalfMute) || this.#holdings.isLoading || deadlines.get('first') !== null)
      return
    this.#waitsSince = now
    this.#heardOf = 0
    deadlines.set('first', now + config.firstExchangeMs)
  }

  linkDown(now: Millis): void {
    if (this.#exchange().links.length === 0) this.#frame.deadlines.delete('first')
    // It may have been the last that was waited for.
    if (this.#restUntil !== null && !this.#maySpeak) this.#look(now)
  }

  /** A neighbor has shown all that it had: what was written since boot may be told, if it, or enough of them, can be relied on. */
  firstDone(now: Millis, from: NodeId, isSure: boolean): void {
    this.#hasExchanged = true
    this.#isComparedOnce = true
    this.#footing.compared(from, isSure)
    this.#look(now)
  }

  /** A neighbor told all that it knows of own clocks, and of whom it has heard so. */
  heard(now: Millis, from: NodeId, isSure: boolean, met: readonly number[]): void {
    this.#footing.heard(from, isSure, met)
    this.#look(now)
  }

  /** Members came, went, or are held dead: who is missing may be so no more. */
  membersChanged(now: Millis): void {
    this.#lookWhoIsMet(now)
    if (!this.#maySpeak || (this.#isHalfMute && this.#mute.length < this.#muteCount)) this.#look(now)
  }

  /** Those who have booted are told of each member more that was heard of, known as such before or after that. */
  #lookWhoIsMet(now: Millis): void {
    const { size } = this.#footing
    if (size > this.#metCount) this.tellMetSoon(now)
    this.#metCount = size
  }

  #look(now: Millis): void {
    this.#lookWhoIsMet(now)
    if (this.isSure !== this.#wasSure) this.tellMetSoon(now)
    this.#wasSure = this.isSure
    if (!this.#isComparedOnce || !this.#isSureOfShared || this.#awaitsRest(now)) return
    if (!this.#holdings.isLoading) this.speak(now)
    else if (!this.#areSpacesCompared) {
      // Of the spaces nothing is missing: who waits for word of the tasks need not wait for large documents.
      this.#areSpacesCompared = true
      this.#isCompared = true
      this.#publishAll(now)
    }
  }

  /** Whether a neighbor has still to show what it has, and is waited for. */
  #awaitsRest(now: Millis): boolean {
    const { config, deadlines } = this.#frame
    if (this.#maySpeak || this.#exchange().links.every(node => this.#footing.hasCompared(node))) {
      deadlines.delete('rest')
      return false
    }
    if (this.#restUntil === null) {
      this.#restUntil = now + config.restExchangeMs
      deadlines.set('rest', this.#restUntil)
    }
    return now < this.#restUntil
  }

  /** It was waited for long enough, but for what has been given up often. */
  #speakUnsure(now: Millis): void {
    const { config, deadlines } = this.#frame
    const waitedMs = now - this.#waitsSince
    const hasHeardMore = this.#footing.size > this.#heardOf
    this.#heardOf = this.#footing.size
    // A large mesh that comes back as a whole is on its way to know it.
    if (
      !this.#maySpeak &&
      this.#heardOf > 1 &&
      hasHeardMore &&
      waitedMs < HEARING_FACTOR * config.firstExchangeMs
    ) {
      deadlines.set('first', now + config.firstExchangeMs / HEARING_FACTOR)
      return
    }
    this.#maySpeak = true
    for (const replica of this.#holdings.byName())
      if (!this.maySpeakOf(replica) && waitedMs >= this.#patienceMs(replica)) this.#leaveBehind(now, replica)
    this.#isHalfMute = true
    this.speak(now)
    const next = this.#mute.map(replica => this.#waitsSince + this.#patienceMs(replica))
    if (this.#isHalfMute) deadlines.set('first', Math.max(now + 1, Math.min(...next)))
  }

  #patienceMs({ own }: Replica): Millis {
    const { firstExchangeMs, leftLineages } = this.#frame.config
    return firstExchangeMs * 2 ** Math.min(Math.max(0, own.left - leftLineages + 1), DOUBLINGS_MAX)
  }

  /** What may not be told yet, of what was written here or is to be. */
  get #mute(): readonly Replica[] {
    return this.#holdings.byName().filter(replica => !this.maySpeakOf(replica))
  }

  speak(now: Millis): void {
    if (this.#maySpeak && !this.#isHalfMute) return
    this.#maySpeak = true
    this.#muteCount = this.#mute.length
    this.#isHalfMute = this.#muteCount > 0
    if (!this.#isHalfMute) this.#frame.deadlines.delete('first')
    this.#publishAll(now)
  }

  maySpeakOf({ document, kind, own }: Replica): boolean {
    if (!this.#maySpeak && !(this.#areSpacesCompared && kind === 'space')) return false
    return !own.mayBeOld || this.#footing.isSureOf(document)
  }

  /** Who has booted as well, and has met nobody to rely on, is told of whom this node has heard. */
  tellMetSoon(now: Millis): void {
    const { config, deadlines } = this.#frame
    if (this.#isComparedOnce && deadlines.get('met') === null) deadlines.set('met', now + config.tellDelayMs)
  }

  /** What is written down as known to nobody has first to be written down as known. */
  #publishAll(now: Millis): void {
    const silent: Replica[] = []
    const writes: StoreWrite[] = []
    for (const replica of this.#holdings.byName()) {
      if (this.maySpeakOf(replica)) this.#settle(now, replica)
      if (replica.own.isAlone && this.maySpeakOf(replica)) {
        silent.push(replica)
        for (const write of replica.own.endAlone()) writes.push(write)
      } else if (replica.outbox.length > 0) this.publish(now, replica)
    }
    this.tellSoon(now)
    if (silent.length === 0) return
    const token = this.#frame.nextToken()
    this.#met.set(token, silent)
    this.#frame.emit({ kind: 'persist', writes, flush: true, token })
  }

  onDurable(now: Millis, token: number): void {
    const silent = this.#met.get(token)
    if (silent === undefined) return
    this.#met.delete(token)
    for (const replica of silent) {
      replica.own.met()
      if (replica.outbox.length > 0) this.publish(now, replica)
    }
    this.tellSoon(now)
  }

  /** What is durable leaves now, or when this node's turn comes. */
  mayLeave(now: Millis, replica: Replica, lazyMs: Millis): void {
    const { deadlines } = this.#frame
    if (!this.#maySpeak && this.#exchange().links.length === 0) {
      // Whoever compares will find it, and it need not be gathered until then.
      replica.outbox = []
      return
    }
    // It may be kept for long: whoever compares will find it then.
    if (replica.outbox.length > OUTBOX_MAX && !this.maySpeakOf(replica)) replica.outbox = [null]
    const key = `publish ${replica.document}`
    const dueAt = Math.max(replica.publishedAt + this.#intervalMs(now, replica), now + lazyMs)
    if (now >= dueAt) this.publish(now, replica)
    else deadlines.set(key, Math.min(dueAt, deadlines.get(key) ?? dueAt))
  }

  publish(now: Millis, replica: Replica): void {
    if (replica.own.isAlone || !this.maySpeakOf(replica)) return
    const { config, deadlines } = this.#frame
    const { document, lineage } = replica
    deadlines.delete(`publish ${document}`)
    const { messages, quiet } = joinUpdates(replica.outbox, config.broadcastBytesMax)
    replica.outbox = []
    replica.publishedAt = now
    if (this.#exchange().links.length > 0) replica.own.expose()
    const { news } = replica
    for (const update of messages) {
      const message: StateMessage = { kind: 'stateUpdate', document, lineage, update }
      const isNews = now < news.until && update.length <= news.bytesLeft
      if (isNews) news.bytesLeft -= update.length
      this.#frame.emit({ kind: 'publish', topic: isNews ? NEWS_TOPIC : topicOf(document), message })
    }
    // Too large for a broadcast, or perhaps nobody listens yet: whoever compares will find it.
    if (quiet || now < news.until) this.tellSoon(now)
  }

  tellSoon(now: Millis): void {
    const { config, deadlines } = this.#frame
    this.#hasNews = true
    if (deadlines.get('tell') !== null) return
    deadlines.set('tell', now + this.#frame.unhurried(now, config.tellDelayMs))
  }

  /** The first news goes to all neighbors at once, what follows to some and ever later; when nothing followed, all are asked once more. */
  #tell(now: Millis): void {
    const { tellDelayMs, tellDelayMaxMs, tellSome } = this.#frame.config
    const exchange = this.#exchange()
    const isFirst = this.#tellMs === 0
    if (!this.#hasNews) {
      if (this.#tellMs > 2 * tellDelayMs) exchange.helloSome()
      this.#tellMs = 0
      return
    }
    this.#hasNews = false
    if (isFirst) exchange.helloSome()
    else exchange.helloSome(tellSome)
    this.#tellMs = Math.min(2 * Math.max(this.#tellMs, tellDelayMs), tellDelayMaxMs)
    this.#frame.deadlines.set('tell', now + this.#frame.unhurried(now, this.#tellMs))
  }

  #compare(now: Millis): void {
    this.#exchange().helloSome(1)
    this.#compareLater(now)
  }

  #compareLater(now: Millis): void {
    const { config, deadlines, rng } = this.#frame
    deadlines.set('compare', now + rng.jitter(config.compareIntervalMs, 0.5))
  }

  /** How long it gathers what it writes before it broadcasts again. */
  #intervalMs(now: Millis, replica: Replica): Millis {
    if (isReserved(replica.name)) return this.#frame.config.ownBroadcastIntervalMs
    return this.#frame.unhurried(now, replica.pace.intervalMs(now))
  }
}

/** As long as more members are heard of, it waits up to so many times as long, and looks so often. */
const HEARING_FACTOR = 4
/** Longer than any node lives. */
const DOUBLINGS_MAX = 30
/** Updates that wait until they may be broadcast. */
const OUTBOX_MAX = 64
/** Stands for what everybody holds. */
const SHARED = 'space/shoal.'
