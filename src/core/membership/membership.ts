// Who is here, in one piece: takes events in, hands each to the part that decides,
// and does what is due. What a link's coming, going and frames mean stands in `contact`,
// what a record changes in `admission`, what an accusation changes in `verdicts`, what is
// taken back of it in `solitude`, how this node answers for itself in `self-keeping`, how
// a member is forgotten in `forgetting`, what it watches in `watch` and `hosts`, whom it
// dials in `connect`, what it passes on in `spread`.
//
// Here it is decided only that a node which overslept must not blame others for it.

import type { Millis, NodeId } from '../ids.js'
import type { Member, MemberRecord, MembersView } from '../member.js'
import type { CoreEvent, Effect } from '../step.js'
import { Contact } from './contact.js'
import type { MembershipMessage } from './message.js'
import { createParts, type MembershipDeps, type Parts } from './parts.js'
import { type Chore, count, MEMBERS_TOPIC, type Shared } from './shared.js'

export type { MembershipDeps } from './parts.js'

/** Timers come a little late on every machine. */
const LAG_NOTED_MS = 40

export class Membership implements MembersView {
  readonly #shared: Shared
  readonly #parts: Parts
  readonly #contact: Contact
  /** All that can fall due: looked through before and after every step, so made once. */
  readonly #queues: readonly { readonly nextAt: Millis | null }[]

  constructor(deps: MembershipDeps) {
    this.#parts = createParts(deps)
    this.#shared = this.#parts.shared
    this.#contact = new Contact(this.#parts)
    const { watches, hosts, verdicts, spread } = this.#parts
    const { chores, links } = this.#shared
    const { suspicions } = verdicts
    this.#queues = [chores, links.redials, watches.due, hosts.due, suspicions, spread.joint.due]
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

  get lastHeardAt(): Millis | null {
    return this.#contact.lastHeardAt
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
    const { watches, hosts, spread, memory, offences, connect, sweep, warnings, admission } = this.#parts
    const tables = [watches, hosts, spread, memory, offences, connect, sweep, warnings, admission.early]
    return (
      roster.size +
      jury.size +
      links.tableSize +
      this.#shared.awareness.size +
      tables.reduce((sum, part) => sum + part.size, 0)
    )
  }

  get nextDeadlineAt(): Millis | null {
    let next: Millis | null = null
    for (const { nextAt } of this.#queues)
      if (nextAt !== null && (next === null || nextAt < next)) next = nextAt
    return next
  }

  /** Neighbors with which a rumor was missed, here or there, since this was last asked. */
  takeMissed(): readonly NodeId[] {
    const nodes = [...this.#parts.spread.missed]
    this.#parts.spread.missed.clear()
    return nodes
  }

  // What happens.

  wantNeighbors(now: Millis, ids: readonly NodeId[]): readonly Effect[] {
    return this.#within(now, () => this.#parts.connect.wantExtra(ids))
  }

  /** Says goodbye: everybody hears it directly or by gossip; the runtime then closes. */
  leave(now: Millis): readonly Effect[] {
    return this.#within(now, () => {
      if (this.#shared.stage === 'leaving') return
      this.#parts.spread.speakOfAll()
      this.#parts.selfKeeping.leave()
      this.#parts.memory.flush(this.#shared)
      this.#shared.chores.clear()
      this.#parts.watches.due.clear()
      this.#parts.hosts.due.clear()
      this.#parts.verdicts.suspicions.clear()
      this.#shared.links.redials.clear()
    })
  }

  step(now: Millis, event: CoreEvent): readonly Effect[] {
    return this.#within(now, () => {
      this.#noticeGap()
      this.#take(event)
      this.#runDue()
      this.#parts.connect.viewChanged()
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
    const wasFrozen = gapMs >= config.silentFloorMs
    // How long it was frozen says nothing of how fast its machine is now: what follows does.
    if (gapMs > LAG_NOTED_MS && !wasFrozen) awareness.late(now, gapMs)
    if (gapMs < config.lagMs) return
    links.postpone(now, gapMs)
    this.#parts.watches.postpone(gapMs)
    this.#parts.hosts.postpone(gapMs)
    this.#parts.verdicts.suspicions.postpone(gapMs)
    this.#parts.spread.joint.postpone(gapMs)
    jury.postpone(gapMs)
    count(this.#shared, 'lags')
    awareness.stalled(now, gapMs)
    // Who held it dead has hung up: they get the time of a redial.
    if (wasFrozen) awareness.quiet(now + config.reachAgainMs)
    if (gapMs < config.silentCeilingMs) return
    awareness.back(now)
    this.#parts.selfKeeping.unsettle()
  }

  #take(event: CoreEvent): void {
    switch (event.kind) {
      case 'started':
        return this.#parts.selfKeeping.start()
      case 'durable':
        return this.#parts.selfKeeping.durable(event.token)
      case 'wall':
        return this.#shared.clock.setWallOffset(event.offsetMs)
      case 'linkUp':
        return this.#contact.up(event.node, event.address, event.outbound)
      case 'linkDown':
        return this.#contact.down(event.node, event.reset)
      case 'verified':
        return this.#contact.verified(event.node, event.address)
      case 'dialAccepted':
        return this.#shared.links.accepted(this.#shared.now, event.node, event.address)
      case 'dialFailed':
        return this.#contact.dialFailed(event)
      case 'message':
        return this.#contact.frame(event.from, event.message as MembershipMessage, event.channel)
      case 'gossip':
        if (event.topic === MEMBERS_TOPIC && event.message.kind === 'rumor') {
          this.#contact.gossip(event.from, event.message.records)
          this.#parts.admission.rumor(event.message, event.from, true)
        } else if (event.topic === MEMBERS_TOPIC && event.message.kind === 'hearsay') {
          this.#parts.admission.warned(event.message.lines)
        }
        return
      case 'discovered':
        return this.#parts.search.found(event.addresses)
      case 'addresses':
        if (
          sameList(this.selfRecord.addresses, event.addresses) &&
          this.selfRecord.dialable === event.dialable
        )
          return
        return this.#parts.selfKeeping.reissue({ addresses: event.addresses, dialable: event.dialable })
      case 'misbehaved':
        return this.#parts.offences.add(event.node, event.offence)
      case 'join':
        return this.#parts.connect.join(event.addresses)
      case 'drain':
        this.#parts.selfKeeping.reissue({ draining: event.on })
        return void this.#shared.out.push({ kind: 'reply', request: event.request, value: null })
      case 'forget':
        return this.#parts.forgetting.forget(event.member, event.request)
      case 'reconfigure':
        return this.#parts.selfKeeping.reissue({
          ...(event.labels === undefined ? {} : { labels: event.labels }),
          ...(event.capacity === undefined ? {} : { capacity: event.capacity }),
        })
      case 'abilities':
        if (!sameList(this.selfRecord.runs, event.runs)) this.#parts.selfKeeping.reissue({ runs: event.runs })
        return
      case 'health':
        return this.#parts.selfKeeping.health(event.source, event.level, event.reason)
      default:
        return
    }
  }

  #runDue(): void {
    const { now, chores } = this.#shared
    const { connect, watches, hosts, verdicts, spread } = this.#parts
    const { redials } = this.#shared.links
    for (let chore = chores.takeDue(now); chore !== undefined; chore = chores.takeDue(now))
      this.#runChore(chore)
    for (let id = redials.takeDue(now); id !== undefined; id = redials.takeDue(now)) connect.redial(id)
    for (let id = watches.due.takeDue(now); id !== undefined; id = watches.due.takeDue(now))
      watches.review(id)
    for (let id = hosts.due.takeDue(now); id !== undefined; id = hosts.due.takeDue(now)) hosts.review(id)
    const { due } = spread.joint
    for (let id = due.takeDue(now); id !== undefined; id = due.takeDue(now)) spread.speak(id)
    const { suspicions } = verdicts
    for (let id = suspicions.takeDue(now); id !== undefined; id = suspicions.takeDue(now))
      verdicts.lookAgain(id)
  }

  #runChore(chore: Chore): void {
    switch (chore) {
      case 'heartbeat':
        return this.#contact.beat()
      case 'exchange':
        return this.#contact.exchange()
      case 'rumors':
        return this.#parts.spread.flush()
      case 'relay':
        return this.#parts.spread.flushRelays()
      case 'view':
        this.#parts.connect.settleLater()
        return this.#parts.verdicts.judgeAgain()
      case 'seek':
        return this.#parts.connect.settleLater()
      case 'branches':
        return this.#parts.spread.branches.prepare()
      case 'alone':
        return this.#parts.connect.alone()
      case 'around':
        return this.#parts.sweep.lookAround()
      case 'search':
        return this.#parts.search.turn()
      case 'compare':
        return this.#parts.spread.compareWithAll()
      case 'join':
        return this.#parts.connect.tryJoin()
      case 'dead':
        return this.#parts.connect.tryDead()
      case 'sweep':
        return this.#parts.sweep.advance()
      case 'idle':
        return this.#parts.connect.trimIdle()
      case 'verify':
        return this.#parts.connect.verifyNext()
      case 'introduce':
        return this.#parts.selfKeeping.introduceAgain()
      case 'answer':
        return this.#parts.selfKeeping.answerNow()
      case 'warn':
        return this.#parts.warnings.flush()
      case 'neighbors':
        return this.#parts.sweep.countNeighbors()
      case 'settle':
        return this.#parts.selfKeeping.settle()
      case 'health':
        return this.#parts.selfKeeping.publishHealth()
      case 'remember':
        return this.#parts.memory.flush(this.#shared)
      case 'expire':
        this.#parts.admission.early.expire(this.#shared.now)
        return this.#parts.forgetting.expire()
    }
  }
}

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i])
