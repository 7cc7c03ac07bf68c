// Who is here, in one piece: takes events in, keeps the tables, and lets each part
// do its own work (watch, jury, connect, spread). What is decided here is only what
// needs all of them: what a record or an accusation changes, and how this node
// answers for itself.

import { DeadlineQueue } from '../deadline-queue.js'
import type { Millis, NodeId } from '../ids.js'
import type { JsonObject } from '../json.js'
import {
  type Accusation,
  compareGenerations,
  type Health,
  type Member,
  type MemberRecord,
  type MembersView,
  type Sealed,
  type Strike,
} from '../member.js'
import type { MemberEvent } from '../mesh-event.js'
import type { Rng } from '../rng.js'
import type { CoreEvent, Effect, StoreEntry } from '../step.js'
import { Awareness } from './awareness.js'
import type { MembershipConfig } from './config.js'
import { Connect } from './connect.js'
import { HealthGauge } from './health-gauge.js'
import { Jury } from './jury.js'
import { Links } from './links.js'
import { Memory } from './memory.js'
import { MeshClock } from './mesh-clock.js'
import type { MemberSummary, MembershipMessage } from './message.js'
import { type Change, type Entry, isPresent, Roster } from './roster.js'
import { SelfRecord } from './self.js'
import { Settling } from './settling.js'
import { type Chore, count, MEMBERS_TOPIC, observersOf, ping, type Shared, send, soon } from './shared.js'
import { Spread } from './spread.js'
import { Watches } from './watch.js'

export interface MembershipDeps {
  readonly config: MembershipConfig
  readonly rng: Rng
  readonly sealer: {
    record(body: MemberRecord): Sealed<MemberRecord>
    accusation(body: Accusation): Sealed<Accusation>
    strike(body: Strike): Sealed<Strike>
  }
  /** What this node says of itself at first; the generation is drawn here. */
  readonly profile: Omit<
    MemberRecord,
    'generation' | 'refutation' | 'left' | 'settled' | 'health' | 'reasons' | 'draining' | 'startedAt'
  >
  readonly instance: string
  readonly now: Millis
  readonly nextToken: () => number
  /** The recovered store, keys under `m/`. */
  readonly entries: Iterable<StoreEntry>
}

export class Membership implements MembersView {
  readonly #shared: Shared
  readonly #watches: Watches
  readonly #connect: Connect
  readonly #spread: Spread
  readonly #memory: Memory
  readonly #settling: Settling
  readonly #gauge = new HealthGauge()
  readonly #suspicions = new DeadlineQueue<NodeId>()
  readonly #deps: MembershipDeps
  readonly #offences = new Map<NodeId, number>()
  #bootToken: number | null = null
  #announced = false
  #isIsolated = false
  #newcomerUntil: Millis = 0
  #leaving = false
  #standingDown = false
  lastHeardAt: Millis | null = null

  constructor(deps: MembershipDeps) {
    this.#deps = deps
    const { config, rng, profile, now } = deps
    this.#memory = new Memory(deps.entries, config, now)
    this.#settling = new Settling(config, this.#memory)
    const roster = new Roster(profile.id, config.observersPerMember, config.digestBuckets)
    const self = new SelfRecord(
      {
        ...profile,
        generation: { number: this.#memory.generationNumber + 1, instance: deps.instance },
        refutation: 0,
        left: false,
        settled: this.#settling.isFirstStart,
        draining: false,
        health: 'ok',
        reasons: [],
        startedAt: Math.round(now),
      },
      deps.sealer,
    )
    this.#shared = {
      now,
      out: [],
      id: profile.id,
      config,
      rng,
      roster,
      jury: new Jury(roster, config),
      links: new Links(profile.id, config, rng.fork(1)),
      self,
      clock: new MeshClock(),
      awareness: new Awareness(config),
      sealer: deps.sealer,
      chores: new DeadlineQueue<Chore>(),
    }
    this.#watches = new Watches(
      this.#shared,
      (entry, evidence) => this.#accuse(entry, evidence),
      () => this.#connect.checkNeighbors(),
    )
    this.#connect = new Connect(this.#shared, this.#watches)
    this.#spread = new Spread(this.#shared, () => this.#memory.strikes())
    roster.put(self.sealed, { verdict: 'alive', cause: null, since: now })
    for (const sealed of this.#memory.remembered) {
      if (sealed.body.id !== profile.id)
        roster.put(sealed, { verdict: 'alive', cause: null, since: now, provisional: true })
    }
  }

  // What others may read.

  get self(): NodeId {
    return this.#shared.id
  }

  get revision(): number {
    return this.#shared.roster.revision
  }

  get selfRecord(): MemberRecord {
    return this.#shared.self.record
  }

  get(id: NodeId): Member | undefined {
    return this.#shared.roster.get(id)
  }

  all(): readonly Member[] {
    return this.#shared.roster.all()
  }

  neighbors(): readonly NodeId[] {
    return [...this.#shared.links.all()].map(link => link.node).sort()
  }

  isLinked(id: NodeId): boolean {
    return this.#shared.links.get(id) !== undefined
  }

  observersOf(id: NodeId): readonly NodeId[] {
    return observersOf(this.#shared, id, this.#shared.config.observersPerMember)
  }

  rttMs(id: NodeId): Millis | null {
    return this.#shared.links.get(id)?.pulse.rttMs ?? null
  }

  /** Whether the boot is behind it: its generation is durable and it speaks. */
  get isAnnounced(): boolean {
    return this.#announced
  }

  /** Whether members of an earlier boot have not been heard of yet. */
  get hasProvisional(): boolean {
    return this.#shared.roster.all().some(entry => entry.provisional && entry.id !== this.self)
  }

  meshTime(now: Millis): Millis {
    return this.#shared.clock.now(now)
  }

  /** Whose records or verdicts changed since this was last asked. */
  takeChanged(): ReadonlySet<NodeId> {
    return this.#shared.roster.takeChanged()
  }

  /** How many rows all tables hold, for the checks against growth. */
  get tableSize(): number {
    const { roster, jury, links } = this.#shared
    return (
      roster.size + jury.size + links.tableSize + this.#watches.size + this.#spread.size + this.#offences.size
    )
  }

  get nextDeadlineAt(): Millis | null {
    const { chores, links } = this.#shared
    let next: Millis | null = null
    for (const at of [
      chores.nextAt,
      links.redials.nextAt,
      this.#watches.due.nextAt,
      this.#suspicions.nextAt,
    ]) {
      if (at !== null && (next === null || at < next)) next = at
    }
    return next
  }

  wantNeighbors(now: Millis, ids: readonly NodeId[]): readonly Effect[] {
    return this.#within(now, () => this.#connect.wantExtra(ids))
  }

  step(now: Millis, event: CoreEvent): readonly Effect[] {
    return this.#within(now, () => {
      this.#noticeGap()
      this.#take(event)
      this.#runDue()
      this.#connect.viewChanged()
    })
  }

  #within(now: Millis, work: () => void): readonly Effect[] {
    this.#shared.now = now
    this.#shared.out = []
    work()
    return this.#shared.out
  }

  /**
   * A process that was frozen, or is too busy, must not blame others for it: on
   * waking, timers run before sockets are read. What it missed did not pass.
   */
  #noticeGap(): void {
    const { now, config, links, jury, awareness } = this.#shared
    const dueAt = this.nextDeadlineAt
    if (dueAt === null) return
    const gapMs = now - dueAt
    if (gapMs > LAG_NOTED_MS) awareness.late(now, gapMs)
    if (gapMs < config.lagMs) return
    links.postpone(gapMs)
    this.#watches.postpone(gapMs)
    this.#suspicions.postpone(gapMs)
    jury.postpone(gapMs)
    count(this.#shared, 'lags')
    if (gapMs >= config.silentFloorMs) awareness.quiet(now + config.quietMs / 2)
    if (gapMs >= config.silentCeilingMs && this.#settling.flapped(now)) {
      this.#reissue({ settled: false })
      this.#shared.chores.set('settle', now + config.settleLookMs)
    }
  }

  #take(event: CoreEvent): void {
    switch (event.kind) {
      case 'started':
        return this.#start()
      case 'durable':
        if (event.token === this.#bootToken) this.#announce()
        return
      case 'wall':
        return this.#shared.clock.setWallOffset(event.offsetMs)
      case 'linkUp':
        return this.#linkUp(event.node, event.address, event.outbound)
      case 'linkDown':
        return this.#linkDown(event.node, event.reset)
      case 'verified':
        return this.#verified(event.node, event.address)
      case 'dialFailed':
        return this.#dialFailed(event)
      case 'message':
        return this.#message(event.from, event.message as MembershipMessage)
      case 'gossip':
        if (event.topic === MEMBERS_TOPIC && event.message.kind === 'rumor') {
          this.#rumor(event.message, event.from, true)
        }
        return
      case 'discovered':
        return this.#connect.discovered(event.addresses)
      case 'addresses':
        if (
          sameList(this.selfRecord.addresses, event.addresses) &&
          this.selfRecord.dialable === event.dialable
        )
          return
        return this.#reissue({ addresses: event.addresses, dialable: event.dialable })
      case 'misbehaved':
        return this.#offended(event.node, event.offence)
      case 'join':
        return this.#connect.join(event.addresses)
      case 'drain':
        this.#reissue({ draining: event.on })
        return void this.#shared.out.push({ kind: 'reply', request: event.request, value: null })
      case 'forget':
        return this.#forget(event.member, event.request)
      case 'reconfigure':
        return this.#reissue({
          ...(event.labels === undefined ? {} : { labels: event.labels }),
          ...(event.capacity === undefined ? {} : { capacity: event.capacity }),
        })
      case 'abilities':
        if (!sameList(this.selfRecord.runs, event.runs)) this.#reissue({ runs: event.runs })
        return
      case 'health':
        return this.#health(event.source, event.level, event.reason)
      default:
        return
    }
  }

  #runDue(): void {
    const { now, chores, links } = this.#shared
    for (let chore = chores.takeDue(now); chore !== undefined; chore = chores.takeDue(now))
      this.#runChore(chore)
    for (let id = links.redials.takeDue(now); id !== undefined; id = links.redials.takeDue(now))
      this.#connect.redial(id)
    for (let id = this.#watches.due.takeDue(now); id !== undefined; id = this.#watches.due.takeDue(now)) {
      this.#watches.review(id)
    }
    for (let id = this.#suspicions.takeDue(now); id !== undefined; id = this.#suspicions.takeDue(now))
      this.#judge(id)
  }

  #runChore(chore: Chore): void {
    switch (chore) {
      case 'heartbeat':
        return this.#beat()
      case 'exchange':
        return this.#exchange()
      case 'rumors':
        return this.#spread.flush()
      case 'relay':
        return this.#spread.flushRelays()
      case 'view':
        return this.#connect.settleView()
      case 'alone':
        return this.#connect.alone()
      case 'join':
        return this.#connect.tryJoin()
      case 'dead':
        return this.#connect.tryDead()
      case 'sweep':
        return this.#connect.advanceSweep()
      case 'idle':
        return this.#connect.trimIdle()
      case 'verify':
        return this.#connect.verifyNext()
      case 'introduce':
        if (this.#shared.now < this.#newcomerUntil) this.#shared.chores.set('introduce', this.#newcomerUntil)
        return this.#publishSelf()
      case 'neighbors':
        return this.#connect.countNeighbors()
      case 'settle':
        return this.#settle()
      case 'health':
        return this.#publishHealth()
      case 'expire':
        return this.#expire()
    }
  }

  // This node itself.

  #start(): void {
    const { out } = this.#shared
    this.#bootToken = this.#deps.nextToken()
    out.push({
      kind: 'persist',
      writes: this.#memory.bootWrites(this.selfRecord.generation.number, this.#shared.now),
      flush: true,
      token: this.#bootToken,
    })
  }

  /** The generation is durable: from here on this node speaks. */
  #announce(): void {
    const { now, config, rng, chores, out, self } = this.#shared
    if (this.#announced) {
      this.#publishSelf()
      return
    }
    this.#announced = true
    this.#shared.awareness.quiet(now + config.quietMs)
    out.push({ kind: 'subscribe', topic: MEMBERS_TOPIC })
    chores.set('heartbeat', now + rng.below(config.heartbeatMs))
    chores.set('exchange', now + rng.jitter(config.exchangeMs, 0.5))
    chores.set('expire', now + rng.jitter(60_000, 0.3))
    chores.set('idle', now + config.lingerMs)
    chores.set('view', now)
    if (!self.record.settled) chores.set('settle', now + config.settleLookMs * (this.hasProvisional ? 3 : 1))
    this.#connect.alone()
    this.#notify('member.alive', this.#entryOfSelf())
  }

  #reissue(patch: Partial<MemberRecord>, above = 0): void {
    const { self, roster, now } = this.#shared
    const sealed = self.reissue(patch, above)
    roster.put(sealed, {
      verdict: sealed.body.left ? 'left' : 'alive',
      cause: sealed.body.left ? 'left' : null,
      since: now,
    })
    this.#publishSelf()
  }

  #publishSelf(): void {
    if (this.#announced) this.#spread.publishNow([this.#shared.self.sealed])
  }

  #entryOfSelf(): Entry {
    return this.#shared.roster.get(this.#shared.id) as Entry
  }

  /** Says goodbye: everybody hears it directly or by gossip; the runtime then closes. */
  leave(now: Millis): readonly Effect[] {
    return this.#within(now, () => {
      if (this.#leaving) return
      this.#leaving = true
      this.#reissue({ left: true })
      const rumor = {
        kind: 'rumor',
        records: [this.#shared.self.sealed],
        accusations: [],
        strikes: [],
      } as const
      for (const link of this.#shared.links.all()) send(this.#shared, link.node, rumor)
      this.#shared.chores.clear()
      this.#watches.due.clear()
      this.#suspicions.clear()
      this.#shared.links.redials.clear()
    })
  }

  #settle(): void {
    const { now, config, chores, roster } = this.#shared
    if (this.selfRecord.settled) return
    // Where nobody is settled, nobody has to wait: after a power cut all came back at once.
    const someoneIs = roster
      .all()
      .some(entry => entry.record.settled && isPresent(entry.verdict) && !entry.provisional)
    const dueAt = this.#settling.dueAt(now)
    if (someoneIs && now < dueAt) chores.set('settle', Math.min(dueAt, now + config.settleLookMs))
    else this.#reissue({ settled: true })
  }

  #health(source: string, level: Health, reason: string): void {
    const { now, config, chores } = this.#shared
    this.#gauge.report(now, source, level, reason)
    const dueAt = this.#gauge.dueAt(config)
    if (dueAt === null) chores.delete('health')
    else chores.set('health', dueAt)
  }

  #publishHealth(): void {
    const { now, config } = this.#shared
    const state = this.#gauge.settle(now, config)
    if (state === null) return
    this.#reissue({ health: state.level, reasons: state.reasons })
    this.#notify('member.health', this.#entryOfSelf())
  }

  #beat(): void {
    const { now, config, rng, chores, clock, links } = this.#shared
    const meshTime = clock.wall(now)
    for (const id of observersOf(this.#shared, this.#shared.id, config.primaryObservers)) {
      if (links.get(id) !== undefined) send(this.#shared, id, { kind: 'heartbeat', meshTime })
    }
    chores.set('heartbeat', now + rng.jitter(config.heartbeatMs, config.jitter))
  }

  #exchange(): void {
    const { now, config, rng, chores } = this.#shared
    const neighbors = this.neighbors()
    if (neighbors.length > 0) this.#spread.offerDigest(rng.pick(neighbors))
    chores.set('exchange', now + rng.jitter(config.exchangeMs, 0.3))
  }

  // Links.

  #linkUp(id: NodeId, address: string, outbound: boolean): void {
    const { now, links, self } = this.#shared
    if (this.#leaving || this.#standingDown) return
    if (links.size === 0) this.#introduce()
    const startedAt = outbound ? links.dialStartedAt(id) : null
    if (startedAt !== null) this.#shared.awareness.dialTook(now - startedAt)
    const link = links.opened(now, id)
    this.lastHeardAt = now
    if (outbound) link.provenAddress = address
    send(this.#shared, id, { kind: 'hello', record: self.sealed })
    this.#connect.tellWanted(id)
    if (outbound) this.#spread.offerDigest(id)
    ping(this.#shared, link)
    this.#watches.linkUp(id)
    this.#connect.linkUp(id, address)
  }

  /** The first link after being alone: this node has to be heard of, by gossip that is only just forming. */
  #introduce(): void {
    const { now, config, chores } = this.#shared
    this.#newcomerUntil = now + config.newcomerMs
    chores.set('introduce', now + config.introduceMs)
  }

  #linkDown(id: NodeId, reset: boolean): void {
    const { now, links, clock } = this.#shared
    const link = links.closed(now, id)
    if (link === undefined) return
    clock.forget(id)
    if (this.#leaving) return
    if (this.#watches.linkDown(link) && reset) this.#connect.dial(id)
    // Links that nobody wanted are let go in crowds; that is no loss.
    if (reset && links.isWanted(id)) this.#connect.linkLost()
    else if (links.size === 0) this.#connect.alone()
  }

  #verified(id: NodeId, address: string): void {
    const link = this.#shared.links.get(id)
    if (link !== undefined) link.verifying = false
    if (link?.instance != null) this.#shared.links.prove(id, address, link.instance)
  }

  #dialFailed(event: CoreEvent & { kind: 'dialFailed' }): void {
    const { links, now } = this.#shared
    if (event.node === null) return
    const link = links.get(event.node)
    if (link?.verifying) {
      link.verifying = false
      soon(this.#shared, 'verify', now + this.#shared.config.redialMaxMs)
    }
    const wasLast = links.failed(now, event.node)
    this.#watches.dialFailed(event.node, event.address, event.reason)
    if (wasLast) this.#connect.dialFailed(event.node)
  }

  #message(from: NodeId, message: MembershipMessage): void {
    const { now, links, clock, roster } = this.#shared
    const link = links.get(from)
    if (link === undefined) {
      if (message.kind === 'hearsay') this.#hearsay(message.lines)
      return
    }
    this.lastHeardAt = now
    if (message.kind === 'heartbeat') link.pulse.beat(now)
    else link.pulse.frame(now)
    switch (message.kind) {
      case 'heartbeat':
        return clock.observe(now, from, message.meshTime)
      case 'hello':
        return this.#hello(from, message.record)
      case 'ping':
        clock.observe(now, from, message.meshTime)
        return send(this.#shared, from, { kind: 'pong', nonce: message.nonce, meshTime: clock.wall(now) })
      case 'pong':
        clock.observe(now, from, message.meshTime)
        if (message.nonce === link.pingNonce && link.pingSentAt !== null) {
          link.pulse.roundTrip(now - link.pingSentAt)
          link.pingSentAt = null
        }
        return
      case 'want':
        link.wantedByPeer = message.on
        return
      case 'rumor':
        return this.#rumor(message, from, false)
      case 'memberDigest':
        return this.#spread.onDigest(from, message.buckets)
      case 'memberSummaries':
        return void this.#spread.onSummaries(from, message.buckets, message.lines)
      case 'memberWants':
        return this.#spread.give(
          from,
          message.ids.filter(id => roster.get(id) !== undefined),
        )
      case 'hearsay':
        return this.#hearsay(message.lines)
      default:
        return
    }
  }

  #hello(from: NodeId, record: Sealed<MemberRecord>): void {
    const { links, roster, jury } = this.#shared
    const link = links.get(from)
    if (link === undefined || record.body.id !== from) return this.#offended(from, 'hello of another')
    const { instance } = record.body.generation
    link.instance = instance
    if (link.provenAddress !== null) links.prove(from, link.provenAddress, instance)
    links.steady(from)
    if (this.#admit(record, false)) this.#relay(record)
    this.#watches.hello(from, instance)
    soon(this.#shared, 'verify', this.#shared.now + this.#shared.config.verifyAfterMs)
    const entry = roster.get(from)
    // It must hear what is held against it, to be able to answer.
    if (entry !== undefined && (entry.verdict === 'dead' || jury.isAccused(from)))
      this.#spread.give(from, [from])
  }

  // News.

  #rumor(message: MembershipMessage & { kind: 'rumor' }, from: NodeId, byGossip: boolean): void {
    const { links, now } = this.#shared
    if (!byGossip) links.get(from)?.pulse.frame(now)
    for (const strike of message.strikes) this.#strike(strike, byGossip)
    for (const record of message.records) {
      if (byGossip) this.#spread.heardByGossip(record)
      const isNews = this.#admit(record, byGossip)
      if (isNews && !byGossip) this.#relay(record)
    }
    for (const accusation of message.accusations) this.#admitAccusation(accusation)
  }

  /** What is news to a newcomer is old to everybody else. */
  #relay(record: Sealed<MemberRecord>): void {
    if (this.#shared.now >= this.#newcomerUntil) this.#spread.relay(record)
  }

  /** Takes a record in; true when it was news. */
  #admit(sealed: Sealed<MemberRecord>, byGossip: boolean): boolean {
    const { roster, jury, config, links } = this.#shared
    const { id } = sealed.body
    if (id === this.#shared.id) {
      this.#meetSelf(sealed.body)
      return false
    }
    if (this.#memory.isStruck(id, sealed.body.generation.number)) {
      count(this.#shared, 'records_struck')
      return false
    }
    const before = roster.get(id)
    if (before === undefined && roster.size >= config.membersMax) {
      count(this.#shared, 'members_over_limit')
      return false
    }
    const difference =
      before === undefined
        ? -1
        : compareGenerations(before.generation, sealed.body.generation) ||
          before.refutation - sealed.body.refutation
    if (difference > 0) return false
    if (difference === 0) {
      if (before?.provisional && (byGossip || links.get(id)?.instance === sealed.body.generation.instance))
        this.#confirm(before)
      return false
    }
    const isSameLife = before?.generation.instance === sealed.body.generation.instance
    if (jury.isAccused(id)) {
      if (isSameLife && !sealed.body.left) jury.dismiss(id)
      else jury.close(id)
    }
    this.#suspicions.delete(id)
    const { left } = sealed.body
    const change = roster.put(sealed, {
      verdict: left ? 'left' : 'alive',
      cause: left
        ? 'left'
        : before !== undefined && !isPresent(before.verdict) && isSameLife
          ? 'refuted'
          : before?.verdict === 'suspect'
            ? 'refuted'
            : null,
      since: left || before === undefined || before.verdict !== 'alive' ? this.#shared.now : before.since,
    })
    this.#memory.remember(this.#shared, sealed, before?.record)
    this.#changed(change)
    return true
  }

  #confirm(entry: Entry): void {
    this.#shared.roster.put(entry.sealed, { verdict: entry.verdict, cause: entry.cause, since: entry.since })
    this.#notify('member.alive', entry)
    this.#seeCompany()
  }

  /** A record under this node's own name: what it said before, a backup's past, or a clone. */
  #meetSelf(met: MemberRecord): void {
    const { now, self, config, out, roster } = this.#shared
    const encounter = self.meet(now, met, config)
    if (encounter === 'own' || encounter === 'older') return
    if (encounter === 'clone') {
      const stays = this.selfRecord.generation.instance < met.generation.instance
      out.push({
        kind: 'notify',
        event: {
          kind: 'node.cloned',
          at: now,
          message: `another process runs with the identity ${this.#shared.id} (instance ${met.generation.instance}); ${stays ? 'this one goes on' : 'this one stands down'}`,
        },
      })
      if (!stays) {
        this.#standingDown = true
        out.push({
          kind: 'standDown',
          reason: `another process runs with this node's identity ${this.#shared.id}: a copied data directory or a cloned card. Give each its own: delete identity.key in one of them`,
        })
        return
      }
    }
    const sealed = self.rise(met.generation.number)
    roster.put(sealed, { verdict: 'alive', cause: null, since: now })
    this.#bootToken = this.#deps.nextToken()
    out.push({
      kind: 'persist',
      writes: this.#memory.generationWrites(sealed.body.generation.number),
      flush: true,
      token: this.#bootToken,
    })
  }

  #admitAccusation(accusation: Sealed<Accusation>): void {
    const { now, roster, jury, self } = this.#shared
    const { subject, accuser, generation, refutation } = accusation.body
    if (subject === this.#shared.id) {
      if (accuser === subject || this.#leaving) return
      const isCurrent =
        generation.instance === this.selfRecord.generation.instance && refutation >= self.record.refutation
      if (isCurrent && roster.get(accuser) !== undefined) {
        count(this.#shared, 'refutations')
        this.#reissue({}, refutation)
      }
      return
    }
    if (!jury.admit(now, accusation)) return
    this.#judge(subject)
    if (jury.isAccused(subject)) {
      this.#watches.alert(subject)
      this.#connect.considerSweep(jury.accused().length)
    }
  }

  /** Verdicts on a neighbor's word: believed of strangers and of old deaths, otherwise a reason to look. */
  #hearsay(lines: readonly MemberSummary[]): void {
    const { now, roster, config, links } = this.#shared
    for (const line of lines) {
      const entry = roster.get(line.id)
      if (line.id === this.#shared.id) {
        if (
          line.generationInstance === this.selfRecord.generation.instance &&
          line.refutation >= this.selfRecord.refutation
        ) {
          this.#reissue({}, line.refutation)
        }
        continue
      }
      if (entry === undefined || line.verdict !== 'dead' || !isPresent(entry.verdict)) continue
      if (entry.generation.instance !== line.generationInstance || entry.refutation !== line.refutation)
        continue
      const isStranger = entry.provisional || entry.since === now || line.ageMs > config.proofKeepMs
      if (isStranger && links.get(line.id) === undefined) {
        this.#changed(
          roster.put(entry.sealed, { verdict: 'dead', cause: 'unreachable', since: now - line.ageMs }),
        )
      } else {
        // Whoever is held dead by somebody must hear of it, to be able to answer.
        send(this.#shared, line.id, { kind: 'hearsay', lines: [line] }, 'direct')
        this.#watches.sweep(line.id)
        this.#connect.dial(line.id)
      }
    }
  }

  // Verdicts.

  #accuse(entry: Entry, evidence: 'refused' | 'silent'): void {
    const { now, id, jury, sealer } = this.#shared
    if (this.#leaving || !this.#announced) return
    const accusation = sealer.accusation({
      accuser: id,
      subject: entry.id,
      generation: entry.generation,
      refutation: entry.refutation,
      evidence,
      at: Math.round(now),
    })
    if (!jury.admit(now, accusation)) return
    count(this.#shared, 'accusations', { evidence })
    this.#spread.accuse(accusation)
    this.#judge(entry.id)
    // What this node found out itself also changes whom it can still ask about others.
    for (const subject of jury.accused()) if (subject !== entry.id) this.#judge(subject)
    this.#connect.considerSweep(jury.accused().length)
  }

  #judge(subject: NodeId): void {
    const { now, roster, jury, links, out } = this.#shared
    const entry = roster.get(subject)
    if (entry === undefined || !isPresent(entry.verdict)) return jury.close(subject)
    const finding = jury.find(now, subject)
    if (finding.kind === 'none') {
      if (entry.verdict === 'suspect') {
        this.#suspicions.delete(subject)
        this.#changed(roster.put(entry.sealed, { verdict: 'alive', cause: 'refuted', since: now }))
      }
      return
    }
    if (finding.kind === 'suspect') {
      this.#suspicions.set(subject, finding.untilAt)
      if (entry.verdict === 'alive')
        this.#changed(roster.put(entry.sealed, { verdict: 'suspect', cause: null, since: now }))
      return
    }
    jury.close(subject)
    this.#suspicions.delete(subject)
    this.#watches.drop(subject)
    const change = roster.put(entry.sealed, {
      verdict: 'dead',
      cause: finding.cause,
      since: now,
      proof: finding.proof,
    })
    if (links.get(subject) !== undefined) out.push({ kind: 'hangUp', node: subject, why: 'held dead' })
    this.#changed(change)
  }

  /** What follows from a changed entry, whatever changed it. */
  #changed(change: Change): void {
    const { config, now, rng } = this.#shared
    const { before, after } = change
    if (after === undefined) return
    if (before?.verdict !== after.verdict) {
      if (after.verdict === 'alive') this.#notify('member.alive', after)
      else if (after.verdict === 'suspect') this.#notify('member.suspect', after)
      else if (after.verdict === 'dead') this.#notify('member.dead', after)
      else this.#notify('member.left', after)
      if (after.verdict === 'dead') soon(this.#shared, 'dead', now + rng.jitter(config.deadRedialMs, 0.4))
      this.#reviewAccusedBy(after)
    }
    if (before !== undefined && before.record.health !== after.record.health && after.verdict === 'alive') {
      this.#notify('member.health', after)
    }
    this.#seeCompany()
  }

  /** An accuser that died no longer counts. */
  #reviewAccusedBy(entry: Entry): void {
    const { jury } = this.#shared
    if (isPresent(entry.verdict)) return
    for (const subject of jury.accused()) if (jury.hasAccused(entry.id, subject)) this.#judge(subject)
  }

  #seeCompany(): void {
    const { now, out, roster } = this.#shared
    const others = roster.size - 1
    const isAlone = others > 0 && roster.aliveCount <= 1
    if (isAlone === this.#isIsolated) return
    this.#isIsolated = isAlone
    out.push({ kind: 'notify', event: { kind: isAlone ? 'node.isolated' : 'node.rejoined', at: now } })
  }

  #notify(kind: MemberEvent['kind'], entry: Entry): void {
    if (entry.provisional) return
    const event: MemberEvent = {
      kind,
      at: this.#shared.now,
      member: entry.id,
      name: entry.record.name,
      verdict: entry.verdict,
      cause: entry.cause,
    }
    this.#shared.out.push({ kind: 'notify', event })
  }

  // Striking, expiry, offences.

  #forget(member: NodeId, request: number): void {
    const { now, roster, out, id } = this.#shared
    const entry = roster.get(member)
    if (entry === undefined || (member !== id && !isPresent(entry.verdict)) || entry.provisional) {
      const strike = this.#deps.sealer.strike({
        issuer: id,
        subject: member,
        generationNumber: entry?.generation.number ?? 0,
        at: Math.round(this.#shared.clock.now(now)),
      })
      if (entry === undefined) {
        out.push({ kind: 'refuse', request, code: 'NOT_FOUND', message: `no member ${member} is known here` })
        return
      }
      this.#strike(strike, false)
      out.push({ kind: 'reply', request, value: null })
      return
    }
    out.push({
      kind: 'refuse',
      request,
      code: 'MEMBER_ALIVE',
      message: `${entry.record.name} (${member}) is ${entry.verdict}; only a member that is dead or left can be forgotten`,
    })
  }

  #strike(strike: Sealed<Strike>, byGossip: boolean): void {
    const { now, roster, jury, links, self, out } = this.#shared
    const { subject, generationNumber } = strike.body
    if (!this.#memory.strike(this.#shared, strike)) return
    if (!byGossip) this.#spread.publishNow([], [], [strike])
    if (subject === this.#shared.id) {
      // Struck while away, but here: a new life is welcome.
      if (self.record.generation.number > generationNumber) return
      const sealed = self.rise(generationNumber)
      roster.put(sealed, { verdict: 'alive', cause: null, since: now })
      this.#bootToken = this.#deps.nextToken()
      const writes = this.#memory.generationWrites(sealed.body.generation.number)
      out.push({ kind: 'persist', writes, flush: true, token: this.#bootToken })
      return
    }
    const entry = roster.get(subject)
    if (entry === undefined || entry.generation.number > generationNumber) return
    this.#drop(subject)
    if (links.get(subject) !== undefined) out.push({ kind: 'hangUp', node: subject, why: 'struck' })
    jury.drop(subject)
    this.#notify('member.forgotten', entry)
  }

  #drop(id: NodeId): void {
    const { roster, jury, links } = this.#shared
    roster.delete(id)
    jury.drop(id)
    links.forget(id)
    this.#watches.drop(id)
    this.#suspicions.delete(id)
    this.#memory.drop(this.#shared, id)
  }

  #expire(): void {
    const { now, config, roster, chores, rng, jury } = this.#shared
    for (const entry of roster.all()) {
      const ageMs = now - entry.since
      const isOver =
        (entry.verdict === 'left' && ageMs > config.forgetLeftMs) ||
        (entry.verdict === 'dead' && ageMs > config.forgetDeadMs)
      if (isOver) {
        this.#memory.retire(this.#shared, entry.id, entry.generation.number)
        this.#drop(entry.id)
        this.#notify('member.forgotten', entry)
      } else if (entry.proof.length > 0 && ageMs > config.proofKeepMs) {
        roster.put(entry.sealed, { verdict: entry.verdict, cause: entry.cause, since: entry.since })
      }
    }
    this.#memory.expire(this.#shared)
    this.#offences.clear()
    jury.forgive()
    chores.set('expire', now + rng.jitter(60_000, 0.3))
  }

  /** Rules broken by a neighbor: first counted, then cut off for a while and named. */
  #offended(node: NodeId, offence: string): void {
    const { now, out } = this.#shared
    const offences = (this.#offences.get(node) ?? 0) + 1
    this.#offences.set(node, offences)
    count(this.#shared, 'offences', { offence })
    if (offences !== OFFENCES_MAX) return
    this.#offences.delete(node)
    out.push({
      kind: 'log',
      level: 'warn',
      text: `cut off a member that breaks the rules: ${offence}`,
      fields: { member: node } as JsonObject,
    })
    out.push({ kind: 'ban', node, untilAt: now + BAN_MS })
  }
}

/** Timers come a little late on every machine. */
const LAG_NOTED_MS = 40
const OFFENCES_MAX = 20
const BAN_MS = 30_000

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i])
