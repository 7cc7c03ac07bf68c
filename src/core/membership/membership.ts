// Who is here, in one piece: takes events in, hands each to the part that decides,
// and does what is due. What a record changes stands in `admission`, what an
// accusation changes in `verdicts`, what is taken back of it in `solitude`, how this node answers for itself in
// `self-keeping`, how a member is forgotten in `forgetting`, what it watches in
// `watch`, whom it dials in `connect`, what it passes on in `spread`.
//
// Here it is decided only what a link's coming, going and frames mean, and that a
// node which overslept must not blame others for it.

import { DeadlineQueue } from '../deadline-queue.js'
import type { Millis, NodeId } from '../ids.js'
import type { Accusation, Member, MemberRecord, MembersView, Sealed, Strike } from '../member.js'
import type { Rng } from '../rng.js'
import type { Channel, CoreEvent, Effect, StoreEntry } from '../step.js'
import { Admission } from './admission.js'
import { Awareness } from './awareness.js'
import type { MembershipConfig } from './config.js'
import { Connect } from './connect.js'
import { Forgetting } from './forgetting.js'
import { Hosts } from './hosts.js'
import { Jury } from './jury.js'
import { Links } from './links.js'
import { Memory } from './memory.js'
import { MeshClock } from './mesh-clock.js'
import type { MembershipMessage } from './message.js'
import { Offences } from './offences.js'
import { Roster } from './roster.js'
import { SelfRecord } from './self.js'
import { SelfKeeping } from './self-keeping.js'
import { Settling } from './settling.js'
import { type Chore, count, MEMBERS_TOPIC, ping, type Shared, send, soon } from './shared.js'
import { Solitude } from './solitude.js'
import { Spread } from './spread.js'
import { Verdicts } from './verdicts.js'
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

/** Timers come a little late on every machine. */
const LAG_NOTED_MS = 40

export class Membership implements MembersView {
  readonly #shared: Shared
  readonly #watches: Watches
  readonly #hosts: Hosts
  readonly #connect: Connect
  readonly #spread: Spread
  readonly #memory: Memory
  readonly #offences: Offences
  readonly #verdicts: Verdicts
  readonly #selfKeeping: SelfKeeping
  readonly #solitude: Solitude
  readonly #forgetting: Forgetting
  readonly #admission: Admission
  #primariesAt = -1
  #primaryObservers: readonly NodeId[] = []
  lastHeardAt: Millis | null = null

  constructor(deps: MembershipDeps) {
    const { config, profile, now } = deps
    const memory = new Memory(deps.entries, config, now)
    const settling = new Settling(config, memory)
    const shared = createShared(deps, memory.generationNumber + 1, settling.isFirstStart)
    this.#shared = shared
    this.#memory = memory
    this.#watches = new Watches(
      shared,
      (entry, evidence) => this.#verdicts.accuse(entry, evidence),
      () => this.#connect.checkNeighbors(),
    )
    this.#hosts = new Hosts(shared, entry => this.#verdicts.report(entry))
    this.#connect = new Connect(shared, this.#watches)
    this.#spread = new Spread(
      shared,
      () => memory.strikes(),
      entry => this.#solitude.isLone(entry),
    )
    this.#offences = new Offences(shared)
    this.#verdicts = new Verdicts(shared, this.#watches, this.#connect, this.#spread)
    this.#selfKeeping = new SelfKeeping(shared, {
      memory,
      settling,
      spread: this.#spread,
      connect: this.#connect,
      verdicts: this.#verdicts,
      nextToken: deps.nextToken,
    })
    this.#solitude = new Solitude(shared, this.#verdicts, this.#connect, this.#watches)
    const parts = {
      memory,
      connect: this.#connect,
      hosts: this.#hosts,
      offences: this.#offences,
      selfKeeping: this.#selfKeeping,
      solitude: this.#solitude,
      spread: this.#spread,
      verdicts: this.#verdicts,
      watches: this.#watches,
    }
    this.#forgetting = new Forgetting(shared, { ...parts, seal: body => deps.sealer.strike(body) })
    this.#admission = new Admission(shared, { ...parts, forgetting: this.#forgetting })
    shared.roster.put(shared.self.sealed, { verdict: 'alive', cause: null, since: now })
    for (const sealed of memory.remembered) {
      if (sealed.body.id !== profile.id)
        shared.roster.put(sealed, { verdict: 'alive', cause: null, since: now, provisional: true })
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
    return this.#shared.roster.observersOf(id, this.#shared.config.observersPerMember)
  }

  rttMs(id: NodeId): Millis | null {
    return this.#shared.links.get(id)?.pulse.rttMs ?? null
  }

  /** Whether the boot is behind it: its generation is durable and it speaks. */
  get isAnnounced(): boolean {
    return this.#shared.stage !== 'booting'
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
    const parts = [this.#watches, this.#hosts, this.#spread, this.#memory, this.#offences, this.#connect]
    return roster.size + jury.size + links.tableSize + parts.reduce((sum, part) => sum + part.size, 0)
  }

  get nextDeadlineAt(): Millis | null {
    const { chores, links } = this.#shared
    let next: Millis | null = null
    for (const at of [
      chores.nextAt,
      links.redials.nextAt,
      this.#watches.due.nextAt,
      this.#hosts.due.nextAt,
      this.#verdicts.suspicions.nextAt,
    ]) {
      if (at !== null && (next === null || at < next)) next = at
    }
    return next
  }

  /** Neighbors with which a rumor was missed, here or there, since this was last asked. */
  takeMissed(): readonly NodeId[] {
    const nodes = [...this.#spread.missed]
    this.#spread.missed.clear()
    return nodes
  }

  // What happens.

  wantNeighbors(now: Millis, ids: readonly NodeId[]): readonly Effect[] {
    return this.#within(now, () => this.#connect.wantExtra(ids))
  }

  /** Says goodbye: everybody hears it directly or by gossip; the runtime then closes. */
  leave(now: Millis): readonly Effect[] {
    return this.#within(now, () => {
      if (this.#shared.stage === 'leaving') return
      this.#selfKeeping.leave()
      this.#memory.flush(this.#shared)
      this.#shared.chores.clear()
      this.#watches.due.clear()
      this.#hosts.due.clear()
      this.#verdicts.suspicions.clear()
      this.#shared.links.redials.clear()
    })
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
    this.#hosts.postpone(gapMs)
    this.#verdicts.suspicions.postpone(gapMs)
    jury.postpone(gapMs)
    count(this.#shared, 'lags')
    if (gapMs >= config.silentFloorMs) awareness.quiet(now + config.quietMs / 2)
    if (gapMs < config.silentCeilingMs) return
    awareness.back(now)
    this.#selfKeeping.unsettle()
  }

  #take(event: CoreEvent): void {
    switch (event.kind) {
      case 'started':
        return this.#selfKeeping.start()
      case 'durable':
        return this.#selfKeeping.durable(event.token)
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
        return this.#message(event.from, event.message as MembershipMessage, event.channel)
      case 'gossip':
        if (event.topic === MEMBERS_TOPIC && event.message.kind === 'rumor') {
          this.#hearAuthor(event.from, event.message.records)
          this.#admission.rumor(event.message, event.from, true)
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
        return this.#selfKeeping.reissue({ addresses: event.addresses, dialable: event.dialable })
      case 'misbehaved':
        return this.#offences.add(event.node, event.offence)
      case 'join':
        return this.#connect.join(event.addresses)
      case 'drain':
        this.#selfKeeping.reissue({ draining: event.on })
        return void this.#shared.out.push({ kind: 'reply', request: event.request, value: null })
      case 'forget':
        return this.#forgetting.forget(event.member, event.request)
      case 'reconfigure':
        return this.#selfKeeping.reissue({
          ...(event.labels === undefined ? {} : { labels: event.labels }),
          ...(event.capacity === undefined ? {} : { capacity: event.capacity }),
        })
      case 'abilities':
        if (!sameList(this.selfRecord.runs, event.runs)) this.#selfKeeping.reissue({ runs: event.runs })
        return
      case 'health':
        return this.#selfKeeping.health(event.source, event.level, event.reason)
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
    for (let id = this.#hosts.due.takeDue(now); id !== undefined; id = this.#hosts.due.takeDue(now))
      this.#hosts.review(id)
    for (
      let id = this.#verdicts.suspicions.takeDue(now);
      id !== undefined;
      id = this.#verdicts.suspicions.takeDue(now)
    )
      this.#verdicts.lookAgain(id)
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
        return this.#selfKeeping.introduceAgain()
      case 'answer':
        return this.#selfKeeping.answerNow()
      case 'neighbors':
        return this.#connect.countNeighbors()
      case 'settle':
        return this.#selfKeeping.settle()
      case 'health':
        return this.#selfKeeping.publishHealth()
      case 'remember':
        return this.#memory.flush(this.#shared)
      case 'expire':
        return this.#forgetting.expire()
    }
  }

  #beat(): void {
    const { now, config, rng, chores, clock, links, roster } = this.#shared
    const beat = { kind: 'heartbeat', meshTime: clock.wall(now), view: roster.view } as const
    for (const id of this.#primaries()) if (links.get(id) !== undefined) send(this.#shared, id, beat)
    chores.set('heartbeat', now + rng.jitter(config.heartbeatMs, config.jitter))
  }

  /** Who gets this node's heartbeats; the rings move far less often than it beats. */
  #primaries(): readonly NodeId[] {
    const { roster, config, id } = this.#shared
    if (this.#primariesAt !== roster.ringRevision) {
      this.#primariesAt = roster.ringRevision
      this.#primaryObservers = roster.observersOf(id, config.primaryObservers)
    }
    return this.#primaryObservers
  }

  #exchange(): void {
    const { now, config, rng, chores } = this.#shared
    const neighbors = this.neighbors()
    if (neighbors.length > 0) this.#spread.offerDigest(rng.pick(neighbors))
    chores.set('exchange', now + rng.jitter(config.exchangeMs, 0.3))
  }

  // Links.

  #linkUp(id: NodeId, address: string, outbound: boolean): void {
    const { now, links, roster, self, stage } = this.#shared
    if (stage !== 'booting' && stage !== 'here') return
    if (links.size === 0) {
      this.#solitude.meet()
      this.#selfKeeping.introduce()
    }
    const startedAt = outbound ? links.dialStartedAt(id) : null
    if (startedAt !== null) this.#shared.awareness.dialTook(now - startedAt)
    const link = links.opened(now, id)
    this.lastHeardAt = now
    if (outbound) {
      link.provenAddress = address
      this.#connect.joined(address)
    }
    // Before its generation is durable this node says nothing of itself.
    if (stage === 'here') send(this.#shared, id, { kind: 'hello', record: self.sealed })
    this.#connect.tellWanted(id)
    // What a lonely node holds of others is of no worth, and perhaps taken back when it has heard who this is.
    if (outbound && roster.isAlone) link.owesDigest = true
    else if (outbound) this.#spread.offerDigest(id)
    ping(this.#shared, link)
    this.#watches.linkUp(id)
    this.#connect.linkUp(id)
  }

  #linkDown(id: NodeId, reset: boolean): void {
    const { now, links, clock } = this.#shared
    const link = links.closed(now, id)
    if (link === undefined) return
    clock.forget(id)
    this.#spread.linkDown(id)
    if (this.#shared.stage === 'leaving') return
    const dialAt = this.#watches.linkDown(link) ?? this.#hosts.linkDown(link)
    if (dialAt !== null && reset) this.#connect.dialAt(id, dialAt)
    // Links that nobody wanted are let go in crowds; that is no loss.
    if (reset && links.isWanted(id)) this.#connect.linkLost()
    else if (links.size === 0) this.#connect.alone()
  }

  /** Gossip may bring a member's own word before its hello. */
  #hearAuthor(from: NodeId, records: readonly Sealed<MemberRecord>[]): void {
    const own = records.find(record => record.body.id === from)
    if (own !== undefined) this.#solitude.heardWord(own.body)
  }

  #verified(id: NodeId, address: string): void {
    const { links, awareness, now } = this.#shared
    const link = links.get(id)
    if (link === undefined) return
    // In a small mesh, who was always dialled by the others learns only here how long a dial takes.
    if (link.verifyingSince !== null) awareness.dialTook(now - link.verifyingSince)
    link.verifyingSince = null
    if (link.instance !== null) this.#admission.met(id, address, link.instance)
  }

  #dialFailed(event: CoreEvent & { kind: 'dialFailed' }): void {
    const { links, now } = this.#shared
    if (event.node === null) {
      if (event.reason === 'self') this.#connect.metSelf(event.address)
      return
    }
    const link = links.get(event.node)
    if (link !== undefined && link.verifyingSince !== null) {
      link.verifyingSince = null
      soon(this.#shared, 'verify', now + this.#shared.config.redialMaxMs)
    }
    const wasLast = links.failed(now, event.node)
    this.#watches.dialFailed(event.node, event.address, event.reason)
    if (wasLast) this.#connect.dialFailed(event.node)
  }

  #message(from: NodeId, message: MembershipMessage, channel: Channel): void {
    const { now, links, clock, roster } = this.#shared
    const link = links.get(from)
    if (link === undefined) {
      if (message.kind === 'hearsay') this.#admission.hearsay(message.lines)
      return
    }
    this.lastHeardAt = now
    if (message.kind === 'heartbeat') link.pulse.beat(now, this.#shared.config)
    else link.pulse.frame(now)
    this.#watches.heard(link)
    if (message.kind === 'hello') this.#solitude.heardWord(message.record.body)
    else this.#solitude.heard(from, link.instance)
    switch (message.kind) {
      case 'heartbeat':
        clock.observe(now, from, message.meshTime)
        return this.#spread.heardView(from, message.view)
      case 'hello':
        this.#admission.hello(from, message.record)
        if (!link.owesDigest) return
        link.owesDigest = false
        return this.#spread.offerDigest(from)
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
        return this.#admission.rumor(message, from, false, channel === 'bulk')
      case 'memberDigest':
        if (link.instance === null && roster.isAlone) {
          link.owesDigest = true
          return
        }
        return this.#spread.onDigest(from, message.buckets)
      case 'memberSummaries':
        return void this.#spread.onSummaries(from, message.buckets, message.lines)
      case 'memberWants':
        return this.#spread.give(
          from,
          message.ids.filter(id => roster.get(id) !== undefined),
        )
      case 'hearsay':
        return this.#admission.hearsay(message.lines)
      default:
        return
    }
  }
}

const createShared = (deps: MembershipDeps, generationNumber: number, settled: boolean): Shared => {
  const { config, rng, profile, now, sealer } = deps
  const { id } = profile
  const roster = new Roster(id, config.observersPerMember, config.digestBuckets)
  const generation = { number: generationNumber, instance: deps.instance }
  const record: MemberRecord = {
    ...profile,
    generation,
    refutation: 0,
    left: false,
    settled,
    draining: false,
    health: 'ok',
    reasons: [],
    startedAt: Math.round(now),
  }
  return {
    now,
    stage: 'booting',
    out: [],
    id,
    config,
    rng,
    roster,
    jury: new Jury(roster, config),
    links: new Links(id, config, rng.fork(1)),
    self: new SelfRecord(record, sealer),
    clock: new MeshClock(),
    awareness: new Awareness(config),
    sealer,
    chores: new DeadlineQueue<Chore>(),
  }
}

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i])
