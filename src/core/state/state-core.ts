// Shared state: every space and document that this node holds, from the
// application's write to the disk, to the mesh, and back.
//
// The order of an own write never varies: it is readable at once, it is persisted,
// and when it is durable it is broadcast and acknowledged. Broadcasts are hints;
// the truth is the exchange of digests (exchange.ts). What others wrote is
// persisted at leisure, in the same ordered log.

import { DeadlineQueue } from '../deadline-queue.js'
import { invariant, ShoalError } from '../errors.js'
import { createHybridClock, type HybridClock, type Stamp, stampMs } from '../hybrid-clock.js'
import { compareText, type Millis, type NodeId, spaceName } from '../ids.js'
import type { Json } from '../json.js'
import { Lag } from '../lag.js'
import type { MembersView } from '../member.js'
import type { Message } from '../message.js'
import type { Rng } from '../rng.js'
import type { CoreEvent, Effect, StateChange, Stepper, StoreEntry } from '../step.js'
import { checkUpdate, clientsOf } from './check.js'
import type { StateConfig } from './config.js'
import type { Vector } from './digest.js'
import { Exchange, isDocument } from './exchange.js'
import { Gaps } from './gaps.js'
import { Interest } from './interest.js'
import { checkDocumentUpdate, checkWrite, isReserved, ownParts, refuseUnheld } from './limits.js'
import { loadReplica } from './load.js'
import { recover, STATE_PREFIX } from './log.js'
import type { StateMessage } from './message.js'
import { type Offence, Offences } from './offences.js'
import { joinUpdates, topicOf } from './outbox.js'
import { type Applied, Replica } from './replica.js'
import { hasRoomFor } from './room.js'
import type { StateAccess } from './view.js'
import { clientOf, newLineage } from './writer.js'

export interface StateDeps {
  readonly self: NodeId
  readonly members: MembersView
  readonly config: StateConfig
  readonly rng: Rng
  /** Tokens of `persist`, unique in the whole core. */
  readonly nextToken: () => number
  /** Whether there are members to be heard of first: from an earlier life, or because it is to join them. */
  readonly awaits?: boolean
  /** What the store holds under `STATE_PREFIX`. */
  readonly entries: Iterable<StoreEntry>
}

export interface SpaceSummary {
  readonly space: string
  readonly keys: number
  readonly bytes: number
}

export interface SpaceChanges {
  readonly space: string
  readonly keys: readonly string[]
}

export interface StateCore extends Stepper, StateAccess {
  /** To be called when members or their records changed. */
  membersChanged(now: Millis): readonly Effect[]
  /** Compares with this node, or with some neighbor if there is no link to it: gossip may have missed something. */
  compareWith(now: Millis, node: NodeId): readonly Effect[]
  /** What changed since this was last asked: to be asked after every step. */
  takeChanges(): SpaceChanges[]
  /** Offences of peers since this was last asked; whoever keeps connections may hang up or ban. */
  takeOffences(): Offence[]
  spaces(): SpaceSummary[]
  /** Why no raw document of this name can be opened here, or null. */
  refuseDocument(name: string): ShoalError | null
  /** Connections wanted for spaces that not everybody holds. */
  wantedNeighbors(): readonly NodeId[]
  /** Whether this node has compared itself with a neighbor since it booted, or awaits none. */
  readonly hasExchanged: boolean
  /** Bytes of all spaces and documents. */
  readonly totalBytes: number
}

export { STATE_PREFIX }

export const createStateCore = (deps: StateDeps): StateCore => new State(deps)

/** What is to be done when a token is durable. */
interface Waiter {
  readonly replica: Replica | null
  readonly request: number | null
  /** How long the others may do without it. */
  readonly lazyMs: Millis
}

const NOBODY = { request: null, lazyMs: 0 }

class State implements StateCore {
  readonly #self: NodeId
  readonly #config: StateConfig
  readonly #rng: Rng
  readonly #nextToken: () => number
  readonly #interest: Interest
  readonly #exchange: Exchange
  readonly #gaps: Gaps
  readonly #offences: Offences
  readonly #clock: HybridClock
  readonly #lag: Lag
  readonly #deadlines = new DeadlineQueue<string>()
  readonly #replicas = new Map<string, Replica>()
  readonly #waiters = new Map<number, Waiter>()
  readonly #dirty = new Set<Replica>()
  readonly #changes = new Map<string, Set<string>>()
  #effects: Effect[] = []
  #wallOffset = 0
  /** Something came that the neighbors may lack, since they were last told. */
  #hasNews = false
  /** How long news is gathered now; 0 while all is calm. */
  #tellMs: Millis = 0
  #hasExchanged: boolean
  /** As `#hasExchanged`, or it has waited for long enough. */
  #maySpeak: boolean
  #now: Millis = 0
  /** The newest stamp of what is being applied. */
  #newest: Stamp = 0
  #sorted: readonly Replica[] | null = null
  /** Keys of the store that nobody needs any more. */
  #garbage: string[] = []

  constructor({ self, members, config, rng, nextToken, awaits = false, entries }: StateDeps) {
    this.#self = self
    this.#config = config
    this.#rng = rng
    this.#nextToken = nextToken
    this.#hasExchanged = !awaits
    this.#maySpeak = !awaits
    this.#interest = new Interest(members)
    this.#offences = new Offences(config.offencesMax, config.throttleMs)
    this.#clock = createHybridClock(config.stampAheadMsMax)
    this.#lag = new Lag(config.lagMemoryMs)
    const replicaOf = (document: string) => this.#replicas.get(document)
    this.#exchange = new Exchange({
      self,
      config,
      rng,
      deadlines: this.#deadlines,
      emit: effect => this.#emit(effect),
      replicas: () => this.#byName(),
      find: replicaOf,
      ensure: document => this.#ensure(document),
      holds: document => this.#interest.holds(nameOf(document)),
      isHeldBy: (peer, document) => this.#interest.isHeldBy(peer, nameOf(document)),
      receive: (now, from, replica, update) => this.#receive(now, from, replica, update, null),
      tellSoon: now => this.#tellSoon(now),
      sawVector: (now, replica, vector) => this.#sawVector(now, replica, vector),
      offence: (now, from, what) => this.#offence(now, from, what),
      awaitsFirst: () => !this.#maySpeak,
      firstDone: now => this.#firstDone(now),
    })
    this.#gaps = new Gaps({
      config,
      rng,
      deadlines: this.#deadlines,
      links: () => this.#exchange.links,
      ask: (document, preferred) => this.#exchange.ask(document, preferred),
      unhurried: (now, usualMs) => this.#unhurried(now, usualMs),
    })
    this.#load(entries)
  }

  get nextDeadlineAt(): Millis | null {
    return this.#deadlines.nextAt
  }

  step(now: Millis, event: CoreEvent): readonly Effect[] {
    this.#now = now
    const lateMs = now - (this.nextDeadlineAt ?? now)
    if (lateMs > this.#config.lagNotedMs) this.#lag.note(now, lateMs)
    this.#handle(now, event)
    for (let due = this.#deadlines.takeDue(now); due !== undefined; due = this.#deadlines.takeDue(now))
      this.#onDeadline(now, due)
    return this.#finish(now)
  }

  // ── reads ──

  get(space: string, key: string): Json | undefined {
    this.#mustHold(space)
    return this.#replicas.get(`space/${space}`)?.entries.get(key)
  }

  *entries(space: string): Iterable<readonly [string, Json]> {
    this.#mustHold(space)
    const entries = this.#replicas.get(`space/${space}`)?.entries
    if (entries === undefined) return
    for (const key of entries.keys()) yield [key, entries.get(key) as Json]
  }

  spaces(): SpaceSummary[] {
    return this.#byName()
      .filter(({ kind, entries }) => kind === 'space' && entries.size > 0)
      .map(({ name, entries }) => ({ space: name, keys: entries.size, bytes: entries.bytes }))
  }

  get hasExchanged(): boolean {
    return this.#hasExchanged
  }

  get totalBytes(): number {
    let bytes = 0
    for (const replica of this.#replicas.values()) bytes += replica.bytes
    return bytes
  }

  wantedNeighbors(): readonly NodeId[] {
    return this.#interest.wanted(
      this.#byName().map(({ name }) => name),
      this.#config.wantedNeighborsMax,
    )
  }

  takeChanges(): SpaceChanges[] {
    const out = [...this.#changes].map(([space, keys]) => ({ space, keys: [...keys] }))
    this.#changes.clear()
    return out
  }

  takeOffences(): Offence[] {
    return this.#offences.take()
  }

  // ── writes ──

  /** For Shoal's own parts: any space, any number of changes; one beyond a limit is a defect of theirs, thrown. */
  write(
    now: Millis,
    space: string,
    changes: readonly StateChange[],
    token: number | null,
    lazyMs = 0,
  ): readonly Effect[] {
    this.#now = now
    const parts = ownParts(changes, this.#config)
    const replica = this.#ensure(`space/${space}`)
    if (replica === undefined) throw new ShoalError('STATE_LIMIT', `the space ${space} is one too many`)
    // The log is ordered: what stands in the last part is durable when all are.
    parts.forEach((part, i) => {
      this.#writeTo(now, replica, part, { request: null, lazyMs }, i === parts.length - 1 ? token : null)
    })
    return this.#finish(now)
  }

  #writeTo(
    now: Millis,
    replica: Replica,
    changes: readonly StateChange[],
    waiter: { request: number | null; lazyMs: Millis },
    token: number | null,
  ): void {
    // One transaction writes a key once: the last word counts. The copy is ours alone.
    const last = new Map<string, Json | undefined>()
    for (const { key, value } of changes) last.set(key, value === undefined ? undefined : copyOf(value))
    const stamp = this.#clock.next(this.#wall(now))
    const applied = replica.write(
      [...last].map(([key, value]) => ({ key, value })),
      stamp,
    )
    this.#commit(replica, applied, waiter, token)
  }

  /** Persists an own change, and remembers who waits for it. */
  #commit(
    replica: Replica,
    applied: Applied | null,
    { request, lazyMs }: { request: number | null; lazyMs: Millis },
    given: number | null,
  ): void {
    const token = given ?? this.#nextToken()
    this.#dirty.add(replica)
    this.#waiters.set(token, { replica: applied === null ? null : replica, request, lazyMs })
    const writes = applied === null ? [] : replica.log(applied.update, true)
    if (applied !== null) {
      const fits = applied.update.length <= this.#config.broadcastBytesMax
      replica.await(token, applied.deletes, fits ? applied.update : null)
    }
    this.#emit({ kind: 'persist', writes, flush: true, token })
  }

  #onStateWrite(now: Millis, event: CoreEvent & { kind: 'stateWrite' }): void {
    const { space, changes, request } = event
    const document = `space/${space}`
    let fault = refuseUnheld(space, this.#interest)
    fault ??= checkWrite(space, changes, this.#replicas.get(document), this.totalBytes, this.#config)
    if (fault === null && isReserved(space)) {
      fault = new ShoalError(
        'SPACE_RESERVED',
        `the space is ${space}; spaces that begin with shoal. are read-only here`,
      )
    }
    const replica = fault === null ? this.#ensure(document) : undefined
    if (fault === null && replica === undefined) {
      fault = new ShoalError(
        'STATE_LIMIT',
        `the space ${space} would be one more than documentsMax (${this.#config.documentsMax}) spaces and documents`,
      )
    }
    if (fault !== null) this.#emit({ kind: 'refuse', request, code: fault.code, message: fault.message })
    else this.#writeTo(now, replica as Replica, changes, { request, lazyMs: 0 }, null)
  }

  // ── raw documents ──

  refuseDocument(name: string): ShoalError | null {
    const fault = refuseUnheld(name, this.#interest)
    if (fault !== null || this.#replicas.has(`doc/${name}`)) return fault
    const { documentsMax } = this.#config
    if (!this.#isFull()) return null
    return new ShoalError(
      'STATE_LIMIT',
      `the document ${name} would be one more than documentsMax (${documentsMax}) spaces and documents`,
    )
  }

  #onDocumentOpened(name: string): void {
    const fault = this.refuseDocument(name)
    const replica = fault === null ? this.#ensure(`doc/${name}`) : undefined
    if (replica === undefined) {
      const text = fault?.message ?? `the document ${name} cannot be opened`
      this.#emit({ kind: 'log', level: 'error', text })
      return
    }
    replica.opened = true
    this.#emit({ kind: 'documentChanged', name, update: replica.encode(), clientId: replica.client })
  }

  #onDocumentUpdated(event: CoreEvent & { kind: 'documentUpdated' }): void {
    const { name, update, request } = event
    const replica = this.#replicas.get(`doc/${name}`)
    const fault = checkDocumentUpdate(name, update, replica, this.totalBytes, this.#config)
    if (fault !== null) {
      if (request !== null) this.#emit({ kind: 'refuse', request, code: fault.code, message: fault.message })
      else this.#emit({ kind: 'log', level: 'error', text: fault.message })
      return
    }
    invariant(replica !== undefined, 'a checked update has its document')
    const applied = replica.applyLocal(update)
    this.#commit(replica, applied, { request, lazyMs: 0 }, null)
    // What the application brought in from elsewhere is not this node's to broadcast.
    if (applied !== null && clientsOf(update).some(client => client !== replica.client)) replica.keepQuiet()
  }

  // ── events ──

  #handle(now: Millis, event: CoreEvent): void {
    switch (event.kind) {
      case 'started':
        for (const { document } of this.#byName()) this.#emit({ kind: 'subscribe', topic: topicOf(document) })
        if (this.#garbage.length > 0) {
          const writes = this.#garbage.map(key => ({ key, value: null }))
          this.#emit({ kind: 'persist', writes, flush: false, token: null })
          this.#garbage = []
        }
        this.#compareLater(now)
        if (!this.#maySpeak) this.#deadlines.set('first', now + this.#config.firstExchangeMs)
        for (const replica of this.#byName()) this.#tidyLater(now, replica)
        return
      case 'wall':
        this.#wallOffset = event.offsetMs
        return
      case 'durable':
        this.#onDurable(now, event.token)
        return
      case 'linkUp':
        this.#exchange.linkUp(event.node)
        return
      case 'linkDown':
        this.#exchange.linkDown(event.node)
        return
      case 'message':
        if (!isStateMessage(event.message) || this.#offences.isIgnored(event.from, now)) return
        this.#exchange.handle(now, event.from, event.message)
        return
      case 'gossip':
        if (!isStateMessage(event.message) || event.from === this.#self) return
        this.#onGossip(now, event.from, event.topic, event.message)
        return
      case 'stateWrite':
        this.#onStateWrite(now, event)
        return
      case 'documentOpened':
        this.#onDocumentOpened(event.name)
        return
      case 'documentUpdated':
        this.#onDocumentUpdated(event)
        return
      default:
    }
  }

  membersChanged(now: Millis): readonly Effect[] {
    this.#now = now
    for (const replica of this.#replicas.values()) this.#tidyLater(now, replica)
    return this.#finish(now)
  }

  compareWith(now: Millis, node: NodeId): readonly Effect[] {
    this.#now = now
    this.#exchange.helloTo(node)
    return this.#finish(now)
  }

  #onDurable(now: Millis, token: number): void {
    const waiter = this.#waiters.get(token)
    if (waiter === undefined) return
    this.#waiters.delete(token)
    const { replica, request, lazyMs } = waiter
    if (replica?.settle(token)) {
      const key = `publish ${replica.document}`
      const dueAt = Math.max(replica.publishedAt + this.#intervalMs(now, replica), now + lazyMs)
      if (now >= dueAt) this.#publish(now, replica)
      else this.#deadlines.set(key, Math.min(dueAt, this.#deadlines.get(key) ?? dueAt))
    }
    if (request !== null) this.#emit({ kind: 'reply', request, value: null })
  }

  /** How long it gathers what it writes before it broadcasts again. */
  #intervalMs(now: Millis, replica: Replica): Millis {
    if (isReserved(replica.name)) return this.#config.ownBroadcastIntervalMs
    return this.#unhurried(now, replica.pace.intervalMs(now))
  }

  /** How long what can wait is left: longer than usual by a node that is behind. */
  #unhurried(now: Millis, usualMs: Millis): Millis {
    const { lagFactor, patienceMsMax } = this.#config
    return Math.max(usualMs, Math.min(patienceMsMax, lagFactor * this.#lag.at(now)))
  }

  /** A neighbor has shown all that it had: what was written since boot may be told. */
  #firstDone(now: Millis): void {
    this.#hasExchanged = true
    this.#speak(now)
  }

  #speak(now: Millis): void {
    if (this.#maySpeak) return
    this.#maySpeak = true
    this.#deadlines.delete('first')
    for (const replica of this.#byName()) if (replica.outbox.length > 0) this.#publish(now, replica)
    this.#tellSoon(now)
  }

  #publish(now: Millis, replica: Replica): void {
    if (!this.#maySpeak) return
    const { document, lineage } = replica
    this.#deadlines.delete(`publish ${document}`)
    const { messages, quiet } = joinUpdates(replica.outbox, this.#config.broadcastBytesMax)
    replica.outbox = []
    replica.publishedAt = now
    if (this.#exchange.links.length > 0) replica.exposed = true
    for (const update of messages) {
      const message: StateMessage = { kind: 'stateUpdate', document, lineage, update }
      this.#emit({ kind: 'publish', topic: topicOf(document), message })
    }
    // Too large for a broadcast, or nobody listens yet: whoever compares will find it.
    if (quiet || replica.isNews) this.#tellSoon(now)
    replica.isNews = false
  }

  #onGossip(now: Millis, from: NodeId, topic: string, message: StateMessage): void {
    if (this.#offences.isIgnored(from, now)) return
    if (
      message.kind !== 'stateUpdate' ||
      !isDocument(message.document) ||
      topicOf(message.document) !== topic
    ) {
      this.#offence(now, from, 'gossip')
      return
    }
    if (!this.#interest.holds(nameOf(message.document))) return
    const replica = this.#ensure(message.document)
    if (replica === undefined) return
    replica.pace.heard(now, from)
    this.#receive(now, from, replica, message.update, clientOf(from, message.lineage))
  }

  // ── what others wrote ──

  /** `author`: the only client that the update may write as, or null for any. */
  #receive(now: Millis, from: NodeId, replica: Replica, update: Uint8Array, author: number | null): boolean {
    if (update.length > this.#config.updateBytesMax) {
      this.#offence(now, from, 'too-large')
      return false
    }
    const checked = checkUpdate(
      update,
      replica.kind,
      author,
      this.#config,
      isReserved(replica.name) ? this.#config.reservedValueBytesMax : this.#config.valueBytesMax,
    )
    if (!checked.ok) {
      this.#offence(now, from, checked.reason)
      return false
    }
    if (!hasRoomFor(replica, checked, update.length, this.totalBytes, this.#config)) {
      this.#offence(now, from, 'limit')
      return false
    }
    const [writer] = checked.writers
    if (author !== null && replica.kind === 'space' && writer !== undefined) {
      const [client, clock] = writer
      if (clock > replica.clockOf(client)) {
        if (!this.#gaps.hold(replica, { from, update, client, clock }))
          this.#count('shoal_state_dropped_total', { reason: 'early' })
        this.#gaps.look(now, replica, from)
        return false
      }
    }
    const isNew = this.#apply(now, from, replica, update)
    for (
      let early = this.#gaps.takeReady(replica);
      early !== undefined;
      early = this.#gaps.takeReady(replica)
    )
      this.#apply(now, early.from, replica, early.update)
    this.#gaps.look(now, replica, from)
    return isNew
  }

  /** A checked update that builds on nothing that is missing, as far as its writer goes. */
  #apply(now: Millis, from: NodeId, replica: Replica, update: Uint8Array): boolean {
    this.#newest = 0
    const applied = replica.applyRemote(update)
    if (this.#newest > 0) {
      this.#count('state_arrivals', {})
      this.#count('state_lag_ms', {}, Math.max(0, this.#wall(now) - stampMs(this.#newest)))
    }
    if (applied === 'unappliable') {
      this.#offence(now, from, 'unappliable')
      return false
    }
    if (applied !== null) {
      this.#dirty.add(replica)
      this.#emit({ kind: 'persist', writes: replica.log(applied.update, false), flush: false, token: null })
      if (replica.opened)
        this.#emit({ kind: 'documentChanged', name: replica.name, update: applied.update, clientId: null })
    }
    if (replica.clockOf(replica.client) !== replica.ownClock)
      this.#retire(now, replica, replica.ownClock > replica.bootClock)
    return applied !== null
  }

  /** Another node knows more of this node's own writing than it does itself, or than was loaded. */
  #sawVector(now: Millis, replica: Replica, vector: Vector): void {
    const theirs = vector.get(replica.client) ?? 0
    const own = replica.clockOf(replica.client)
    const wroteSince = own > replica.bootClock
    if (wroteSince && (theirs > own || (!replica.exposed && theirs > replica.bootClock)))
      this.#retire(now, replica, true)
  }

  /**
   * This clientID is in use elsewhere (a restored backup, a cloned card). It is given up;
   * with `conflict` the same clocks mean different things here and there, so what was
   * written here since boot is taken out and written again under the new one.
   */
  #retire(now: Millis, replica: Replica, conflict: boolean): void {
    const { document, kind } = replica
    this.#count('shoal_state_lineages_retired_total', {})
    this.#emit({
      kind: 'log',
      level: 'warn',
      text: 'own entries are known elsewhere that are not here: writing under a new lineage',
      fields: { document, lineage: replica.lineage },
    })
    const lost = conflict && kind === 'space' ? replica.forgetThisBoot() : []
    replica.renew(newLineage(this.#rng))
    this.#dirty.add(replica)
    if (conflict && kind === 'space') {
      this.#emit({ kind: 'persist', writes: replica.foldAll(), flush: false, token: null })
      for (const [key, , value] of lost) {
        const applied = replica.write([{ key, value }], this.#clock.next(this.#wall(now)))
        this.#commit(replica, applied, NOBODY, null)
      }
    }
    if (replica.opened)
      this.#emit({
        kind: 'documentChanged',
        name: replica.name,
        update: EMPTY_UPDATE,
        clientId: replica.client,
      })
    this.#tellSoon(now)
  }

  #offence(now: Millis, from: NodeId, offence: string): void {
    this.#count('shoal_state_dropped_total', { reason: offence })
    if (!this.#offences.add(from, offence, now)) return
    this.#emit({
      kind: 'log',
      level: 'warn',
      text: 'a peer broke the rules of shared state too often and is ignored for a while',
      fields: { node: from, offence, forMs: this.#config.throttleMs },
    })
  }

  // ── what is due ──

  #onDeadline(now: Millis, due: string): void {
    const [what, subject = ''] = due.split(' ')
    const replica = this.#replicas.get(subject)
    switch (what) {
      case 'compare':
        this.#exchange.helloSomebody()
        this.#compareLater(now)
        return
      case 'tell':
        this.#tell(now)
        return
      case 'again':
        this.#exchange.hello(subject as NodeId)
        return
      case 'stalled':
        this.#exchange.stalled(subject as NodeId)
        return
      case 'disk':
        this.#exchange.pump(now, subject as NodeId)
        return
      case 'first':
        this.#speak(now)
        return
      case 'publish':
        if (replica !== undefined) this.#publish(now, replica)
        return
      case 'gap':
        if (replica !== undefined) this.#gaps.onDeadline(now, replica)
        return
      case 'tidy':
        if (replica !== undefined) this.#tidy(now, replica)
        return
      case 'fold':
        if (replica?.wantsFold) {
          this.#emit({ kind: 'persist', writes: replica.foldStep(), flush: false, token: null })
          if (replica.wantsFold) this.#deadlines.set(due, now + 1)
        }
    }
  }

  /** Removes entries that lost: where this node wrote the winner, or stands in for a writer that is gone. */
  #tidy(now: Millis, replica: Replica): void {
    const losers = []
    const isFirst = this.#interest.isFirstHolder(replica.name)
    let more = false
    for (const key of replica.entries.contested) {
      const [winner, ...rest] = replica.entries.of(key)
      if (winner === undefined) continue
      const writer = replica.writerOf(winner.client)
      const isOurs = writer === this.#self || (isFirst && (writer === null || !this.#interest.isLive(writer)))
      if (!isOurs) continue
      losers.push(...rest)
      more = losers.length >= this.#config.tidyEntriesMax
      if (more) break
    }
    if (losers.length > 0) this.#commit(replica, replica.strike(losers), NOBODY, null)
    if (more) this.#tidyLater(now, replica)
  }

  #tidyLater(now: Millis, replica: Replica): void {
    const key = `tidy ${replica.document}`
    if (replica.entries.contested.size === 0 || this.#deadlines.get(key) !== null) return
    this.#deadlines.set(key, now + this.#rng.jitter(this.#config.tidyDelayMs, 0.5))
  }

  #compareLater(now: Millis): void {
    this.#deadlines.set('compare', now + this.#rng.jitter(this.#config.compareIntervalMs, 0.5))
  }

  #tellSoon(now: Millis): void {
    this.#hasNews = true
    if (this.#deadlines.get('tell') !== null) return
    this.#deadlines.set('tell', now + this.#unhurried(now, this.#config.tellDelayMs))
  }

  /** The first news goes to all neighbors at once, what follows to some and ever later; when nothing followed, all are asked once more. */
  #tell(now: Millis): void {
    const { tellDelayMs, tellDelayMaxMs, tellSome } = this.#config
    const isFirst = this.#tellMs === 0
    if (!this.#hasNews) {
      if (this.#tellMs > 2 * tellDelayMs) this.#exchange.helloAll()
      this.#tellMs = 0
      return
    }
    this.#hasNews = false
    if (isFirst) this.#exchange.helloAll()
    else this.#exchange.helloSome(tellSome)
    this.#tellMs = Math.min(2 * Math.max(this.#tellMs, tellDelayMs), tellDelayMaxMs)
    this.#deadlines.set('tell', now + this.#unhurried(now, this.#tellMs))
  }

  // ── the small parts ──

  #finish(now: Millis): readonly Effect[] {
    for (const replica of this.#dirty) {
      if (replica.kind === 'space') {
        const keys = replica.entries.takeChanged()
        if (keys.length > 0) {
          const known = this.#changes.get(replica.name) ?? new Set()
          for (const key of keys) known.add(key)
          this.#changes.set(replica.name, known)
          const space = spaceName(replica.name)
          this.#emit({ kind: 'notify', event: { kind: 'state.changed', at: this.#wall(now), space, keys } })
        }
        this.#tidyLater(now, replica)
      }
      const fold = `fold ${replica.document}`
      if (replica.wantsFold && this.#deadlines.get(fold) === null) this.#deadlines.set(fold, now + 1)
    }
    this.#dirty.clear()
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  #ensure(document: string): Replica | undefined {
    const found = this.#replicas.get(document)
    if (found !== undefined || !this.#interest.holds(nameOf(document))) return found
    // Shoal's own spaces are few, and nothing works without them.
    if (!document.startsWith('space/shoal.') && this.#isFull()) return undefined
    const replica = this.#newReplica(document, newLineage(this.#rng))
    replica.isNews = true
    this.#emit({ kind: 'subscribe', topic: topicOf(document) })
    return replica
  }

  /** A space that is empty again is kept, so that nothing old comes back into it, but takes nobody's place. */
  #isFull(): boolean {
    const { documentsMax } = this.#config
    if (this.#replicas.size < documentsMax) return false
    if (this.#replicas.size >= 4 * documentsMax) return true
    let inUse = 0
    for (const { kind, entries } of this.#replicas.values()) if (kind === 'doc' || entries.size > 0) inUse++
    return inUse >= documentsMax
  }

  #newReplica(document: string, lineage: string): Replica {
    const replica = new Replica(document, this.#self, lineage, this.#config, stamp => {
      this.#clock.observe(stamp, this.#wall(this.#now))
      this.#newest = Math.max(this.#newest, stamp)
    })
    this.#replicas.set(document, replica)
    this.#sorted = null
    return replica
  }

  #load(entries: Iterable<StoreEntry>): void {
    for (const [document, recovered] of recover(entries)) {
      let useless = document === '' ? recovered.strange.length : 0
      if (document === '') this.#garbage.push(...recovered.strange)
      else if (!this.#interest.holds(nameOf(document))) {
        // Kept on disk: whoever narrowed the patterns by mistake loses nothing.
        this.#emit({
          kind: 'log',
          level: 'warn',
          text: 'stored but not held by this node',
          fields: { document },
        })
      } else {
        const lineage = recovered.head?.lineage ?? newLineage(this.#rng)
        const replica = this.#newReplica(document, lineage)
        const loaded = loadReplica(replica, recovered)
        useless += loaded.useless
        this.#garbage.push(...loaded.garbage)
        // An own entry may be among what was lost: its clock must not be given out again.
        if (loaded.useless > 0) replica.renew(newLineage(this.#rng))
      }
      if (useless === 0) continue
      this.#count('shoal_state_entries_lost_total', {}, useless)
      const fields = { document, entries: useless }
      this.#emit({ kind: 'log', level: 'error', text: 'stored state could not be read', fields })
    }
  }

  #mustHold(space: string): void {
    const fault = refuseUnheld(space, this.#interest)
    if (fault !== null) throw fault
  }

  #byName(): readonly Replica[] {
    this.#sorted ??= [...this.#replicas.values()].sort((a, b) => compareText(a.document, b.document))
    return this.#sorted
  }

  #wall(now: Millis): Millis {
    return now + this.#wallOffset
  }

  #emit(effect: Effect): void {
    this.#effects.push(effect)
  }

  #count(metric: string, labels: Readonly<Record<string, string>>, by = 1): void {
    this.#emit({ kind: 'count', metric, by, labels })
  }
}

const EMPTY_UPDATE = new Uint8Array([0, 0])

const nameOf = (document: string): string => document.slice(document.indexOf('/') + 1)

/** A copy that later changes of the caller's value do not reach. */
const copyOf = (value: Json): Json => JSON.parse(JSON.stringify(value)) as Json

const isStateMessage = (message: Message): message is StateMessage => message.kind.startsWith('state')
