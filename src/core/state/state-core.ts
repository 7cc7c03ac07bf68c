// Shared state: every space and document that this node holds, from the
// application's write to the disk, to the mesh, and back. Decides which part hears of
// an event or a deadline, and what is told of it at the end of a step.
//
// The order of an own write never varies: it is readable at once, it is persisted,
// and when it is durable it is broadcast and acknowledged (own-writes.ts, voice.ts).
// Broadcasts are hints; the truth is the exchange of digests (exchange.ts). What others
// wrote is persisted at leisure, in the same ordered log (arrivals.ts).
//
// It never does I/O and never throws for what a peer sent.

import type { ShoalError } from '../errors.js'
import { createHybridClock, type HybridClock } from '../hybrid-clock.js'
import { type Millis, type NodeId, spaceName } from '../ids.js'
import type { Json } from '../json.js'
import type { MembersView } from '../member.js'
import type { Message } from '../message.js'
import type { CoreEvent, Effect, StateChange, Stepper, StoreEntry } from '../step.js'
import { Arrivals } from './arrivals.js'
import { Changes, type SpaceChanges } from './changes.js'
import { Documents } from './documents.js'
import { Exchange } from './exchange.js'
import { Footing } from './footing.js'
import { Frame, type FrameParts } from './frame.js'
import { Gaps } from './gaps.js'
import { Gate } from './gate.js'
import { Holdings, type SpaceSummary } from './holdings.js'
import { Interest } from './interest.js'
import { STATE_PREFIX } from './log.js'
import { Losers } from './losers.js'
import type { StateMessage } from './message.js'
import { nameOf } from './names.js'
import type { Offence } from './offences.js'
import { OwnWrites } from './own-writes.js'
import type { Replica } from './replica.js'
import type { StateAccess } from './view.js'
import { Voice } from './voice.js'

export interface StateDeps extends FrameParts {
  readonly members: MembersView
  /** Whether there are members to be heard of first: from an earlier life, or because it is to join them. */
  readonly awaits?: boolean
  /** What the store holds under `STATE_PREFIX`. */
  readonly entries: Iterable<StoreEntry>
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
  /** Whether that space or document is among what this node keeps. */
  isHeld(document: string): boolean
  /** Why no raw document of this name can be opened here, or null. */
  refuseDocument(name: string): ShoalError | null
  /** Connections wanted for spaces that not everybody holds. */
  wantedNeighbors(): readonly NodeId[]
  /** Whether this node has compared itself with a neighbor since it booted, or awaits none. */
  readonly hasExchanged: boolean
  /** How many spaces and documents it holds; grows when another one begins. */
  readonly held: number
  /** Bytes of all spaces and documents. */
  readonly totalBytes: number
}

export { type SpaceSummary, STATE_PREFIX }

export const createStateCore = (deps: StateDeps): StateCore => new State(deps)

class State implements StateCore {
  readonly #frame: Frame
  readonly #interest: Interest
  readonly #holdings: Holdings
  readonly #own: OwnWrites
  readonly #documents: Documents
  readonly #voice: Voice
  readonly #exchange: Exchange
  readonly #gate: Gate
  readonly #gaps: Gaps
  readonly #arrivals: Arrivals
  readonly #losers: Losers
  readonly #clock: HybridClock
  /** What changed in this step. */
  readonly #dirty = new Set<Replica>()
  readonly #changes = new Changes()

  constructor(deps: StateDeps) {
    const frame = new Frame(deps)
    const interest = new Interest(deps.members)
    const clock = createHybridClock(deps.config.stampAheadMsMax)
    const holdings = new Holdings(frame, interest, stamp => this.#arrivals.sawStamp(stamp))
    const isHeldBy = (peer: NodeId, document: string): boolean => interest.isHeldBy(peer, nameOf(document))
    const voice = new Voice({
      frame,
      holdings,
      exchange: () => this.#exchange,
      awaits: deps.awaits ?? false,
      footing: new Footing({ members: deps.members, peersMax: deps.config.surePeers, isHeldBy }),
      leaveBehind: (now, replica) => this.#arrivals.leaveBehind(now, replica),
      settle: (now, replica) => this.#arrivals.settle(now, replica),
    })
    const changed = (replica: Replica): void => void this.#dirty.add(replica)
    const tellSoon = (now: Millis): void => voice.tellSoon(now)
    const isSilent = (replica: Replica): boolean => !voice.maySpeakOf(replica)
    const own = new OwnWrites({
      frame,
      holdings,
      interest,
      clock,
      changed,
      mayLeave: (now, replica, lazyMs) => voice.mayLeave(now, replica, lazyMs),
      isSilent,
    })
    this.#gaps = new Gaps({
      config: frame.config,
      rng: frame.rng,
      deadlines: frame.deadlines,
      links: () => this.#exchange.links,
      ask: (now, document, preferred) => this.#exchange.ask(now, document, preferred),
      unhurried: (now, usualMs) => frame.unhurried(now, usualMs),
    })
    this.#arrivals = new Arrivals({
      frame,
      holdings,
      gaps: this.#gaps,
      clock,
      own,
      changed,
      tellSoon,
      isSilent,
    })
    this.#exchange = new Exchange({
      self: frame.self,
      config: frame.config,
      rng: frame.rng,
      deadlines: frame.deadlines,
      emit: effect => frame.emit(effect),
      replicas: () => holdings.byName(),
      find: document => holdings.find(document),
      begin: (now, from, document, update) => this.#arrivals.begin(now, from, document, update, null),
      isWanted: (document, from) => holdings.isWanted(document, from),
      lacks: (document, vector, from) => holdings.lacks(document, vector, from),
      roomFor: document => holdings.roomFor(document),
      holds: document => holdings.holds(document) && !holdings.isOnItsWay(document),
      isHeldBy,
      receive: (now, from, replica, update) => this.#arrivals.receive(now, from, replica, update, null),
      tellSoon,
      sawVector: (now, from, replica, vector) => this.#arrivals.sawVector(now, from, replica, vector),
      weigh: (now, from, replica, update, isLast) => this.#arrivals.weigh(now, from, replica, update, isLast),
      offence: (now, from, what) => this.#arrivals.offence(now, from, what),
      dropped: reason => frame.count('shoal_state_dropped_total', { reason }),
      awaitsFirst: () => voice.awaitsFirst,
      isSilent,
      isSure: () => voice.isSure,
      isListening: () => voice.isListening,
      heard: (now, from, isSure, met) => voice.heard(now, from, isSure, met),
      tellMetSoon: now => voice.tellMetSoon(now),
      firstDone: (now, from, isSure) => voice.firstDone(now, from, isSure),
    })
    this.#gate = new Gate(frame, holdings, this.#exchange, voice)
    this.#losers = new Losers(frame, interest, own)
    this.#frame = frame
    this.#clock = clock
    this.#interest = interest
    this.#holdings = holdings
    this.#own = own
    this.#documents = new Documents(frame, holdings, own)
    this.#voice = voice
    holdings.load(deps.entries)
  }

  get nextDeadlineAt(): Millis | null {
    return this.#frame.nextAt
  }

  step(now: Millis, event: CoreEvent): readonly Effect[] {
    const { chores, deadlines } = this.#frame
    this.#frame.begin(now)
    this.#handle(now, event)
    for (let due = deadlines.takeDue(now); due !== undefined; due = deadlines.takeDue(now))
      this.#onDeadline(now, due)
    // A turn of the loop has one timer, and many other events: each would do some of it.
    const chore = event.kind === 'timer' ? chores.takeDue(now) : undefined
    if (chore !== undefined) this.#onDeadline(now, chore)
    return this.#finish(now)
  }

  // ── what others of the core ask ──

  get(space: string, key: string): Json | undefined {
    this.#holdings.mustHold(space)
    const document = `space/${space}`
    const replica = this.#holdings.find(document)
    if (replica === undefined) this.#holdings.ask(document)
    return replica?.entries.get(key)
  }

  *entries(space: string): Iterable<readonly [string, Json]> {
    this.#holdings.mustHold(space)
    const entries = this.#holdings.find(`space/${space}`)?.entries
    if (entries === undefined) return
    for (const key of entries.keys()) yield [key, entries.get(key) as Json]
  }

  isHeld(document: string): boolean {
    return this.#holdings.holds(document)
  }

  spaces(): SpaceSummary[] {
    return this.#holdings.summaries()
  }

  refuseDocument(name: string): ShoalError | null {
    return this.#holdings.refuseDocument(name)
  }

  get hasExchanged(): boolean {
    return this.#voice.hasExchanged
  }

  get held(): number {
    return this.#holdings.size
  }

  get totalBytes(): number {
    return this.#holdings.totalBytes
  }

  wantedNeighbors(): readonly NodeId[] {
    return this.#interest.wanted(
      this.#holdings.byName().map(({ name }) => name),
      this.#frame.config.wantedNeighborsMax,
    )
  }

  takeChanges(): SpaceChanges[] {
    return this.#changes.take()
  }

  takeOffences(): Offence[] {
    return this.#arrivals.takeOffences()
  }

  write(
    now: Millis,
    space: string,
    changes: readonly StateChange[],
    token: number | null,
    lazyMs = 0,
  ): readonly Effect[] {
    this.#frame.ask(now)
    this.#own.byShoal(now, space, changes, token, lazyMs)
    return this.#finish(now)
  }

  membersChanged(now: Millis): readonly Effect[] {
    this.#frame.ask(now)
    for (const replica of this.#holdings.all()) this.#losers.look(now, replica)
    this.#voice.membersChanged(now)
    return this.#finish(now)
  }

  compareWith(now: Millis, node: NodeId): readonly Effect[] {
    this.#frame.ask(now)
    this.#exchange.helloTo(node)
    return this.#finish(now)
  }

  // ── events ──

  #handle(now: Millis, event: CoreEvent): void {
    switch (event.kind) {
      case 'started':
        this.#arrivals.sawWall()
        this.#holdings.announce()
        this.#gate.begin(now)
        for (const replica of this.#holdings.byName()) this.#losers.look(now, replica)
        return
      case 'wall':
        this.#frame.wallOffsetMs = event.offsetMs
        this.#clock.look(this.#frame.wall(now))
        this.#arrivals.sawWall()
        return
      case 'durable':
        this.#own.onDurable(now, event.token)
        this.#voice.onDurable(now, event.token)
        return
      case 'linkUp':
        this.#gate.linkUp(now, event.node)
        return
      case 'linkDown':
        this.#gate.linkDown(now, event.node)
        return
      case 'message':
        if (!isStateMessage(event.message) || this.#arrivals.isIgnored(event.from, now)) return
        this.#gate.handle(now, event.from, event.message)
        return
      case 'gossip':
        if (!isStateMessage(event.message) || event.from === this.#frame.self) return
        this.#arrivals.onGossip(now, event.from, event.topic, event.message)
        return
      case 'stateWrite':
        this.#own.onStateWrite(now, event)
        return
      case 'documentOpened':
        this.#documents.onOpened(event.name)
        return
      case 'documentFill':
        this.#documents.onFill(event.name)
        return
      case 'documentClosed':
        this.#documents.onClosed(event.name)
        return
      case 'documentUpdated':
        this.#documents.onUpdated(event)
        return
      default:
    }
  }

  // ── what is due ──

  #onDeadline(now: Millis, due: string): void {
    const [what, subject = ''] = due.split(' ')
    switch (what) {
      case 'load':
        this.#gate.load(now)
        this.#documents.onLoaded()
        return
      case 'compare':
      case 'tell':
      case 'first':
      case 'rest':
      case 'met':
        this.#voice.onDeadline(now, what)
        return
      case 'again':
      case 'summary':
      case 'stalled':
      case 'disk':
      case 'source':
      case 'ask':
        this.#exchange.onDeadline(now, what, subject)
        return
      default: {
        const replica = this.#holdings.find(subject)
        if (replica !== undefined) this.#onReplicaDue(now, what ?? '', replica)
      }
    }
  }

  #onReplicaDue(now: Millis, what: string, replica: Replica): void {
    switch (what) {
      case 'publish':
        this.#voice.publish(now, replica)
        return
      case 'gap':
        this.#gaps.onDeadline(now, replica)
        return
      case 'tidy':
        this.#losers.tidy(now, replica)
        return
      case 'fold':
        if (!replica.wantsFold) return
        this.#frame.emit({ kind: 'persist', writes: replica.foldStep(), flush: false, token: null })
        if (replica.wantsFold) this.#frame.chores.set(`fold ${replica.document}`, now + 1)
    }
  }

  // ── the end of a step ──

  #finish(now: Millis): readonly Effect[] {
    const { chores } = this.#frame
    for (const replica of this.#dirty) {
      if (replica.kind === 'space') {
        this.#tellApplication(now, replica)
        this.#losers.look(now, replica)
      }
      const fold = `fold ${replica.document}`
      if (replica.wantsFold && chores.get(fold) === null) chores.set(fold, now + 1)
    }
    this.#dirty.clear()
    return this.#frame.take()
  }

  #tellApplication(now: Millis, { entries, name }: Replica): void {
    const keys = entries.takeChanged()
    if (keys.length === 0) return
    this.#changes.note(name, keys)
    const event = { kind: 'state.changed', at: this.#frame.wall(now), space: spaceName(name), keys } as const
    this.#frame.emit({ kind: 'notify', event })
  }
}

const isStateMessage = (message: Message): message is StateMessage => message.kind.startsWith('state')
