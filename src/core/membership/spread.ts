// How news travels: accusations and answers at once by gossip, other records in
// small batches, and everything that gossip lost by comparing digests, when a link
// opens and now and then with a random neighbor. Nothing is refreshed by flood:
// one 350-byte message a second in the whole mesh costs every node 4.1 KB/s.

import type { Millis, NodeId } from '../ids.js'
import type { Accusation, MemberRecord, Sealed, Strike } from '../member.js'
import { Branches } from './branches.js'
import { JointWords, type Word } from './joint-words.js'
import type { MemberSummary } from './message.js'
import { compareToSummary, type Entry, isPresent, summaryOf } from './roster.js'
import { MEMBERS_TOPIC, type Shared, send, soon } from './shared.js'

interface Apart {
  readonly view: number
  readonly own: number
  readonly beats: number
  dueAt: Millis
  waitMs: Millis
}

export class Spread {
  readonly #shared: Shared
  readonly #strikes: () => readonly Sealed<Strike>[]
  /** Records to publish with the next batch. */
  readonly #queued = new Map<NodeId, Sealed<MemberRecord>>()
  readonly #accusations: Sealed<Accusation>[] = []
  #accusedAt: Millis = 0
  /** News that came by exchange: passed on unless gossip brings it first. */
  readonly #relays = new Map<NodeId, { readonly record: Sealed<MemberRecord>; readonly at: Millis }>()
  /** Neighbors whose view was another at their last heartbeat. */
  readonly #apart = new Map<NodeId, Apart>()
  #greetedAt: Millis = Number.NEGATIVE_INFINITY
  /** Neighbors that, or whom, gossip has passed by: other parts of the core may look too. */
  readonly missed = new Set<NodeId>()
  readonly joint: JointWords
  readonly branches: Branches
  /** Whether what is being taken in is told to all, or was long ago: no proof runs on from here then. */
  #isPublic = false

  /** Whether this node concluded it alone: then it is nobody else's business. */
  readonly #isLone: (entry: Entry) => boolean

  constructor(shared: Shared, strikes: () => readonly Sealed<Strike>[], isLone: (entry: Entry) => boolean) {
    this.#shared = shared
    this.#isLone = isLone
    this.#strikes = strikes
    this.joint = new JointWords(shared)
    this.branches = new Branches(shared.roster, shared.config.observersPerMember)
  }

  get size(): number {
    return (
      this.#queued.size + this.#relays.size + this.#accusations.length + this.#apart.size + this.joint.size
    )
  }

  /**
   * Tells everybody of an accusation, or first the one whose word makes it a verdict. What the
   * subject said last goes with it if it was not passed on yet: an accusation of one that they
   * do not know is dropped.
   */
  accuse(accusation: Sealed<Accusation>): void {
    const { subject } = accusation.body
    const unknown = this.#relays.get(subject)?.record
    this.#relays.delete(subject)
    const word = { records: unknown === undefined ? [] : [unknown], accusations: [accusation] }
    const isSmall = this.#areAll(this.#fellows(subject), subject)
    if (isSmall || !this.joint.keep(word, accusation.body)) this.#tell(subject, word)
  }

  /** Takes in words that all are told, or were told long ago. */
  inPublic(take: () => void): void {
    this.#isPublic = true
    take()
    this.#isPublic = false
  }

  /** Over a link: a kept word among these is on its way to all. */
  heardOverLink({ accusations }: Word): void {
    for (const subject of new Set(accusations.map(({ body }) => body.subject)))
      if (this.joint.isAmong(subject, accusations)) this.joint.comesRound(subject)
  }

  /**
   * All that a verdict needs is here: where it falls to this node, it speaks for both. Two refusals
   * run along the links first, and gossip brings them to whom these left out.
   */
  proven(subject: NodeId, proof: readonly Sealed<Accusation>[]): void {
    const { config, links, now, roster } = this.#shared
    const word = this.joint.proven(subject, proof)
    const [root] = roster.observersOf(subject, 1)
    const isRefused = proof.length > 1 && proof.every(({ body }) => body.evidence === 'refused')
    if (this.#isPublic || !isRefused || root === undefined || this.branches.isTooLarge) {
      if (word !== null) this.#tell(subject, word, [])
      return
    }
    const rumor = { kind: 'rumor', records: word?.records ?? [], accusations: proof, strikes: [] } as const
    for (const to of this.branches.from(root, subject))
      if (links.get(to) !== undefined) send(this.#shared, to, rumor)
    if (word === null) return
    this.#accusedAt = now
    this.#gather(word, config.afterBranchesMs)
  }

  /** What was kept back is said now. */
  speak(subject: NodeId): void {
    const word = this.joint.take(subject)
    if (word !== null) this.#tell(subject, word)
  }

  /** Before a goodbye: what is still to be said of others is said now, kept back or waiting for its batch. */
  speakOfAll(): void {
    for (const word of this.joint.takeAll()) this.#gather(word, 0)
    if (this.#accusations.length > 0) this.flush()
  }

  /** Gossip speaks of cases: a kept word has gone round with it, or is what is missing. */
  heardCases({ records, accusations }: Word): void {
    for (const subject of new Set(accusations.map(({ body }) => body.subject))) {
      if (!this.joint.has(subject)) continue
      if (!this.joint.isAmong(subject, accusations)) this.speak(subject)
      else if (records.some(({ body }) => body.id === subject)) this.joint.drop(subject)
      else for (const record of this.joint.take(subject)?.records ?? []) this.queue(record)
    }
  }

  /**
   * The first word is published at once, those that follow on its heels together. The subject's
   * other observers, whose word is asked for too, hear it on their link as well: gossip reaches
   * nobody for a moment after a link has opened.
   */
  #tell(subject: NodeId, word: Word, fellows = this.#fellows(subject)): void {
    const { now, config, awareness } = this.#shared
    const { records, accusations } = word
    const isUrgent = accusations.some(({ body }) => body.evidence === 'refused')
    // The busier it is, the more go together: each word to all costs every node some milliseconds.
    const isWaiting = !isUrgent && now < awareness.upheavalUntil
    const waitsUntil = isWaiting ? now + config.sweepWordsMs * awareness.stretch(now) ** 2 : now
    const areTogether = now < waitsUntil && !this.#areAll(fellows, subject)
    for (const fellow of areTogether ? [] : fellows) {
      if (accusations.some(({ body }) => body.accuser === fellow)) continue
      send(this.#shared, fellow, { kind: 'rumor', records, accusations, strikes: [] })
    }
    const isFirst =
      !areTogether && now - this.#accusedAt > 2 * config.rumorBatchMs && this.#accusations.length === 0
    this.#accusedAt = now
    // In a small mesh all have been told: a second copy for each would only keep them from judging.
    if (isFirst && !this.#areAll(fellows, subject)) return this.publishNow(records, accusations)
    this.#gather(word, (areTogether ? waitsUntil - now : 0) + config.rumorBatchMs)
  }

  /** It goes with the next batch. */
  #gather({ records, accusations }: Word, withinMs: Millis): void {
    const { now } = this.#shared
    this.#accusations.push(...accusations)
    for (const record of records) this.#queued.set(record.body.id, record)
    soon(this.#shared, 'rumors', now + withinMs)
  }

  /** Whether these are all that there are beside the subject and this node. */
  #areAll(fellows: readonly NodeId[], subject: NodeId): boolean {
    const { roster } = this.#shared
    const accused = roster.get(subject)
    const isCounted = accused !== undefined && isPresent(accused.verdict)
    return fellows.length >= roster.aliveCount - (isCounted ? 2 : 1)
  }

  /** The neighbors that may testify against it. */
  #fellows(subject: NodeId): NodeId[] {
    const { config, roster, links } = this.#shared
    return roster
      .observersOf(subject, 2 * config.observersPerMember)
      .filter(fellow => links.get(fellow) !== undefined)
  }

  /** Publishes a record with the next batch. */
  queue(record: Sealed<MemberRecord>): void {
    const { now, config } = this.#shared
    this.#queued.set(record.body.id, record)
    soon(this.#shared, 'rumors', now + config.rumorBatchMs)
  }

  publishNow(
    records: readonly Sealed<MemberRecord>[],
    accusations: readonly Sealed<Accusation>[] = [],
    strikes: readonly Sealed<Strike>[] = [],
  ): void {
    for (const { body } of records) this.#queued.delete(body.id)
    this.#shared.out.push({
      kind: 'publish',
      topic: MEMBERS_TOPIC,
      message: { kind: 'rumor', records, accusations, strikes },
    })
  }

  flush(): void {
    const { now, config, chores } = this.#shared
    const batch = [...this.#queued.values()].slice(0, config.rumorRecordsMax)
    const accusations = this.#accusations.splice(0, config.rumorRecordsMax)
    if (batch.length > 0 || accusations.length > 0) this.publishNow(batch, accusations)
    if (this.#queued.size > 0 || this.#accusations.length > 0) chores.set('rumors', now + config.rumorBatchMs)
  }

  /** A record that was news and did not come by gossip; perhaps its subject asks this node to pass it on. */
  relay(record: Sealed<MemberRecord>, isAsked: boolean): void {
    const { now, config, rng, awareness } = this.#shared
    const usualMs = config.rumorBatchMs + rng.below(config.relayDelayMs)
    const crowdMs = isAsked ? config.crowdGatherMs : config.crowdRelayMs
    const held = this.#relays.get(record.body.id)?.at ?? Number.POSITIVE_INFINITY
    const areAllBusy = awareness.isCrowded(now) || awareness.isBusy(now)
    const at = Math.min(held, now + (areAllBusy ? crowdMs : usualMs))
    this.#relays.set(record.body.id, { record, at })
    soon(this.#shared, 'relay', at)
  }

  /** Gossip brought this one: no need to pass it on. */
  heardByGossip(record: Sealed<MemberRecord>): void {
    const held = this.#relays.get(record.body.id)
    if (held === undefined) return
    const { generation, refutation } = held.record.body
    if (
      record.body.generation.number > generation.number ||
      (record.body.generation.number === generation.number && record.body.refutation >= refutation)
    ) {
      this.#relays.delete(record.body.id)
    }
  }

  flushRelays(): void {
    const { now } = this.#shared
    for (const [id, { record, at }] of this.#relays) {
      if (at > now) soon(this.#shared, 'relay', at)
      else if (this.#relays.delete(id)) this.queue(record)
    }
  }

  /**
   * A neighbor's heartbeat says in one number what it holds. Where that differs twice in a row,
   * and one side has not moved meanwhile, gossip has missed it: that is not left to chance.
   */
  heardView(from: NodeId, view: number | null): void {
    const { now, config, roster, awareness } = this.#shared
    const own = roster.view
    if (view === own || view === null) {
      this.#apart.delete(from)
      return
    }
    const before = this.#apart.get(from)
    if (before === undefined) {
      this.#apart.set(from, { view, own, beats: 1, dueAt: now, waitMs: config.apartWaitMs })
      return
    }
    // In a split all views change, and what is missing here is mostly on its way.
    before.dueAt = Math.max(before.dueAt, awareness.upheavalUntil + config.apartWaitMs)
    if (awareness.isCrowded(now) || awareness.isBusy(now))
      before.dueAt = Math.max(before.dueAt, now + config.apartWaitMs)
    const isStill = view === before.view || own === before.own
    Object.assign(before, { view, own, beats: before.beats + 1 })
    if (now < before.dueAt || (!isStill && before.beats < config.apartBeats)) return
    // What differs for good, as the age at which the dead are forgotten, is not asked about again and again.
    before.dueAt = now + before.waitMs
    before.waitMs = Math.min(2 * before.waitMs, config.exchangeMs)
    this.#shared.out.push({ kind: 'count', metric: 'views_apart', by: 1 })
    this.offerDigest(from)
    this.missed.add(from)
  }

  linkDown(id: NodeId): void {
    this.#apart.delete(id)
  }

  /** A new link: views are compared, unless both took part in a split and heartbeats will tell whether they still differ. */
  greet(to: NodeId): void {
    const { now, config, roster, awareness } = this.#shared
    const entry = roster.get(to)
    const isKnown = entry !== undefined && isPresent(entry.verdict) && !entry.provisional
    if (isKnown && now < awareness.upheavalUntil + config.apartWaitMs) return
    // Where half of a mesh comes back, gossip brings most of what is to be said: one comparison a second is enough.
    if (awareness.isCrowded(now) && now - this.#greetedAt < config.crowdGreetMs) return
    this.#greetedAt = now
    this.offerDigest(to)
  }

  /** Opens a comparison with a neighbor. */
  offerDigest(to: NodeId): void {
    send(this.#shared, to, { kind: 'memberDigest', buckets: this.#shared.roster.digest() }, 'bulk')
  }

  /** What it was told of, or has concluded while it was alone, its other neighbors may not know. */
  compareWithAll(): void {
    for (const link of this.#shared.links.all()) this.offerDigest(link.node)
  }

  /** A neighbor's digest: answer with the lines of the buckets that differ, or not at all. */
  onDigest(from: NodeId, theirs: readonly number[]): void {
    const { roster, config, now } = this.#shared
    const own = roster.digest()
    const differing = own.flatMap((value, bucket) => (value === theirs[bucket] ? [] : [bucket]))
    if (differing.length === 0 || theirs.length !== own.length) return
    const lines = roster.summaries(new Set(differing), now)
    for (const { buckets, part } of byBucket(
      differing,
      lines,
      line => roster.bucketOf(line.id),
      config.summaryLinesMax,
    )) {
      send(this.#shared, from, { kind: 'memberSummaries', buckets, lines: part, answer: false }, 'bulk')
    }
  }

  /** A neighbor's lines: give what is newer here, ask for what is newer there; returns the verdicts that go beyond ours. */
  onSummaries(from: NodeId, buckets: readonly number[], lines: readonly MemberSummary[]): MemberSummary[] {
    const { roster, config } = this.#shared
    const theirs = new Map(lines.map(line => [line.id, line]))
    const given: NodeId[] = []
    const wanted: NodeId[] = []
    const verdicts: MemberSummary[] = []
    const among = new Set(buckets)
    for (const entry of roster.all()) {
      if (!among.has(roster.bucketOf(entry.id))) continue
      const line = theirs.get(entry.id)
      if (line === undefined || compareToSummary(entry, line) > 0) given.push(entry.id)
    }
    for (const line of lines) {
      const entry = roster.get(line.id)
      const difference = entry === undefined ? -1 : compareToSummary(entry, line)
      if (difference >= 0) continue
      if (
        entry === undefined ||
        entry.refutation !== line.refutation ||
        entry.generation.number !== line.generationNumber
      ) {
        wanted.push(line.id)
      } else {
        verdicts.push(line)
      }
    }
    this.give(from, given)
    for (let i = 0; i < wanted.length; i += config.summaryLinesMax) {
      send(
        this.#shared,
        from,
        { kind: 'memberWants', ids: wanted.slice(i, i + config.summaryLinesMax) },
        'bulk',
      )
    }
    if (verdicts.length > 0) {
      // The proof of these verdicts stands at the neighbor.
      send(this.#shared, from, { kind: 'memberWants', ids: verdicts.map(line => line.id) }, 'bulk')
    }
    return verdicts
  }

  /** Sends what this node holds of these members: records, the proofs of deaths, and the bare verdicts. */
  give(to: NodeId, ids: readonly NodeId[]): void {
    const { roster, config, now, jury } = this.#shared
    for (let i = 0; i < ids.length; i += config.rumorRecordsMax) {
      const entries = ids.slice(i, i + config.rumorRecordsMax).flatMap(id => roster.get(id) ?? [])
      if (entries.length === 0) continue
      const records = entries.map(entry => entry.sealed)
      const accusations = entries.flatMap(entry => [
        ...(this.#isLone(entry) ? [] : entry.proof),
        ...jury.accusationsAgainst(entry.id),
      ])
      send(
        this.#shared,
        to,
        { kind: 'rumor', records, accusations, strikes: i === 0 ? this.#strikes() : [] },
        'bulk',
      )
      const absent = entries.filter(entry => !isPresent(entry.verdict) && !this.#isLone(entry))
      if (absent.length > 0) {
        send(this.#shared, to, { kind: 'hearsay', lines: absent.map(entry => summaryOf(entry, now)) }, 'bulk')
      }
    }
  }
}

/** Splits the lines into messages that each speak of whole buckets. */
const byBucket = (
  buckets: readonly number[],
  lines: readonly MemberSummary[],
  bucketOf: (line: MemberSummary) => number,
  linesMax: number,
): { buckets: number[]; part: MemberSummary[] }[] => {
  const parts: { buckets: number[]; part: MemberSummary[] }[] = []
  for (const bucket of buckets) {
    const own = lines.filter(line => bucketOf(line) === bucket)
    const last = parts[parts.length - 1]
    if (last !== undefined && last.part.length + own.length <= linesMax) {
      last.buckets.push(bucket)
      last.part.push(...own)
    } else {
      parts.push({ buckets: [bucket], part: own })
    }
  }
  return parts
}
