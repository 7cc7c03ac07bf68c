// One running node: the core, the loop that drives it, and everything that the
// outside may ask of them. The library, the HTTP interface and the daemon stand on
// this one object; none of them reaches the core in any other way.
//
// What may be asked about tasks is node-tasks.ts, how a node ends lifecycle.ts.

import type * as Y from 'yjs'
import { ShoalError } from '../core/errors.js'
import { hashText53 } from '../core/hash.js'
import type { Millis, NodeId, TaskId } from '../core/ids.js'
import type { Health, MembersView } from '../core/member.js'
import { MEMBERS_TOPIC } from '../core/membership/shared.js'
import type { MeshEvent } from '../core/mesh-event.js'
import { type CoreConfig, coreDefaults, NodeCore } from '../core/node-core.js'
import { createRng } from '../core/rng.js'
import type { CoreEvent, StoreEntry } from '../core/step.js'
import type {
  Clock,
  Codec,
  Entropy,
  Executor,
  Log,
  Sealer,
  Store,
  Transport,
  TransportListener,
} from '../ports.js'
import { type Counter, Counters } from './counters.js'
import { Documents } from './documents.js'
import { HealthReports } from './health-reports.js'
import { createJournal, type Journal } from './journal.js'
import { Lifecycle, type NodeStatus } from './lifecycle.js'
import { Loop, type LoopStats } from './loop.js'
import { type MemberInfo, memberInfo, type NodeInfo, nodeInfo, resolveMember } from './member-info.js'
import { NodeTasks } from './node-tasks.js'
import { optionChecks } from './options.js'
import { createPerformer, type Performer } from './perform.js'
import { Requests } from './requests.js'
import { Signs } from './signs.js'
import { type Space, Spaces } from './spaces.js'
import { TaskLogs } from './task-logs.js'
import { createTimeZones } from './time-zone.js'

export interface NodeProfile {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly capacity: number | null
  readonly spaces: readonly string[]
  readonly version: string
  readonly meshId: string | null
  /** Whether it may look for others on the local network while it is alone. */
  readonly mdns: boolean
  /** How long a node that remembers nobody waits to hear of the mesh before it acts alone. */
  readonly awaitMs: number
}

export interface NodePorts {
  readonly clock: Clock
  readonly entropy: Entropy
  readonly sealer: Sealer
  readonly codec: Codec
  readonly transport: Transport
  readonly store: Store
  /** Made when the node is there, because tasks use its spaces. */
  readonly executor: (node: RunningNode) => NodeExecutor
  readonly log: Log
  /** Hears of what a listener of the application threw, beside the log. */
  readonly onListenerError?: (error: unknown) => void
}

/** The executor, and what the node tells others of it. */
export interface NodeExecutor extends Executor {
  abilities(): readonly string[]
  logs(task: TaskId, lines?: number): readonly unknown[]
  running(): number
}

export class RunningNode {
  readonly id: NodeId
  readonly startedAt: Millis
  readonly journal: Journal
  readonly log: Log
  readonly clock: Clock
  readonly tasks: NodeTasks
  readonly #ports: NodePorts
  readonly #profile: NodeProfile
  readonly #core: NodeCore
  readonly #loop: Loop
  readonly #performer: Performer
  readonly #executor: NodeExecutor
  readonly #requests: Requests
  readonly #spaces: Spaces
  readonly #documents: Documents
  readonly #zones = createTimeZones()
  readonly #counters = new Counters()
  readonly #health: HealthReports
  readonly #logs: TaskLogs
  readonly #signs: Signs
  readonly #lifecycle: Lifecycle

  constructor(
    ports: NodePorts,
    profile: NodeProfile,
    entries: ReadonlyMap<string, readonly StoreEntry[]>,
    config: CoreConfig = coreDefaults,
  ) {
    this.#ports = ports
    this.#profile = profile
    this.id = ports.transport.self
    this.log = ports.log
    this.clock = ports.clock
    this.#lifecycle = new Lifecycle({
      log: ports.log,
      goodbye: () => this.#requests.make(request => ({ kind: 'leave', request })),
      stop: each => this.#stop(each),
    })
    this.startedAt = Math.round(ports.clock.now())
    const onError = (error: unknown): void => {
      this.#counters.add('listener_errors', 1)
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      this.log.error('a listener of the application threw', { error: text })
      ports.onListenerError?.(error)
    }
    this.journal = createJournal(onError)
    const instance = Buffer.from(ports.entropy.bytes(8)).toString('hex')
    this.#core = new NodeCore({
      config,
      rng: createRng(hashText53(instance)),
      sealer: ports.sealer,
      instance,
      now: this.startedAt,
      zoneOffset: this.#zones.offsetMinutes,
      awaitMs: profile.awaitMs,
      entries: prefix => entries.get(prefix) ?? [],
      profile: {
        id: this.id,
        name: profile.name,
        addresses: [],
        dialable: false,
        labels: profile.labels,
        capacity: profile.capacity,
        runs: [],
        spaces: profile.spaces,
        version: profile.version,
      },
    })
    this.#loop = new Loop({
      core: this.#core,
      clock: ports.clock,
      store: ports.store,
      log: ports.log,
      count: (metric, by, labels) => this.#counters.add(metric, by, labels),
      onStandDown: reason => this.#lifecycle.standDown(reason),
    })
    const ask = (event: CoreEvent): boolean => this.#loop.ask(event)
    this.#requests = new Requests(ask)
    this.#health = new HealthReports(ports.clock, ask)
    this.#signs = new Signs(() => ports.clock.now())
    this.#documents = new Documents({
      ask,
      now: () => ports.clock.now(),
      nextTurn: callback => void setImmediate(callback),
      make: event => this.#requests.make(event),
      refuse: name =>
        this.status === 'closed'
          ? new ShoalError('NODE_STOPPED', 'the node has stopped')
          : this.#core.state.refuseDocument(name),
      onHurried: document =>
        this.log.warn(
          'a document was filled in at once, because it was written to before it was loaded too often: await its whenLoaded',
          { document },
        ),
      onRefused: (document, error) =>
        this.log.error('a change of a document was refused, and the document is closed', {
          document,
          error: error.message,
        }),
    })
    this.#spaces = new Spaces({
      state: this.#core.state,
      write: (space, changes) =>
        this.#requests
          .make(request => ({ kind: 'stateWrite', space, changes, request }))
          .then(() => undefined),
      onError,
    })
    this.#logs = new TaskLogs({
      self: this.id,
      members: this.#core.members,
      transport: ports.transport,
      log: ports.log,
      here: (task, lines) => this.#executor.logs(task, lines),
    })
    this.tasks = new NodeTasks({
      tasks: this.#core.tasks,
      requests: this.#requests,
      logs: this.#logs,
      now: () => ports.clock.now(),
      knowsZone: this.#zones.knowsZone,
      resolve: text => this.resolve(text),
    })
    this.#executor = ports.executor(this)
    this.#performer = createPerformer(
      { ...ports, executor: this.#executor },
      {
        onEvent: event => this.#tell(event),
        onReply: (request, value) => this.#requests.reply(request, value),
        onRefuse: (request, code, message) => this.#requests.refuse(request, code, message),
        onDocumentChanged: effect => {
          try {
            if (effect.kind === 'documentEnded') this.#documents.ended(effect.name)
            else this.#documents.changed(effect)
          } catch (error) {
            onError(error)
          }
        },
        onCount: (metric, by, labels) => this.#counters.add(metric, by, labels),
        onCopyLog: () => {},
        onRequest: (_from, bytes) => this.#logs.answer(bytes),
        addressesOf: id => this.#core.members.get(id)?.record.addresses ?? [],
        isHeld: document => this.#core.state.isHeld(document),
      },
      this.#loop,
    )
  }

  /** Resolves when the node is ready: generation durable, mesh listening, addresses final. It waits for no peer. */
  async start(join: readonly string[]): Promise<void> {
    const { transport, store } = this.#ports
    this.#loop.run(effect => {
      if (effect.kind === 'publish' && effect.topic === MEMBERS_TOPIC)
        this.#counters.add('rumors', 1, { direction: 'sent' })
      if (effect.kind !== 'discovery' || this.#profile.mdns) this.#performer.perform(effect)
    })
    this.#loop.ask({ kind: 'abilities', runs: this.#executor.abilities() })
    // What `started` asked to be written is the generation: nobody hears of this life before it is durable.
    await store.write([], true)
    await transport.start(this.#observed(this.#performer.listener))
    // The addresses are queued behind what else came meanwhile; the node is ready when it knows them.
    await new Promise(resolve => setImmediate(() => setImmediate(resolve)))
    if (join.length > 0) this.#loop.ask({ kind: 'join', addresses: join })
    this.#lifecycle.ready()
  }

  // What is.

  get status(): NodeStatus {
    return this.#lifecycle.status
  }

  get view(): MembersView {
    return this.#core.members
  }

  info(): NodeInfo {
    return nodeInfo(this.#core.members.selfRecord, this.#profile.meshId, this.startedAt)
  }

  members(): MemberInfo[] {
    const { members } = this.#core
    return members.all().map(member => memberInfo(members, member))
  }

  member(id: NodeId): MemberInfo | undefined {
    const member = this.#core.members.get(id)
    return member === undefined ? undefined : memberInfo(this.#core.members, member)
  }

  /** How long ago any neighbor was last heard; null when none ever was. */
  viewAgeMs(): number | null {
    const at = this.#core.members.lastHeardAt
    return at === null ? null : Math.max(0, Math.round(this.clock.now() - at))
  }

  /** An id, a unique prefix of one of at least 8 characters, or a unique name; otherwise what is wrong. */
  resolve(text: string): NodeId {
    return resolveMember(this.#core.members, text)
  }

  /** When a member that is or was a neighbor last gave a sign of life: a message, or the end of its connection. */
  lastSignOf(member: NodeId): Millis | null {
    return this.#signs.lastOf(member)
  }

  counters(): Iterable<Counter> {
    return this.#counters.all()
  }

  loopStats(): LoopStats {
    return this.#loop.stats()
  }

  traffic() {
    return this.#ports.transport.traffic()
  }

  storeStats() {
    return this.#ports.store.stats()
  }

  // State.

  space(name: string): Space {
    return this.#spaces.open(name)
  }

  document(name: string): Y.Doc {
    return this.#documents.open(name)
  }

  spaces() {
    return this.#core.state.spaces()
  }

  // What is asked of the node.

  join(addresses: readonly string[]): void {
    optionChecks.join('addresses', addresses)
    if (!this.#loop.ask({ kind: 'join', addresses }))
      throw new ShoalError('NODE_STOPPED', 'the node has stopped')
  }

  async drain(on: boolean): Promise<void> {
    if (typeof on !== 'boolean')
      throw new ShoalError('OPTION_INVALID', `drain is ${JSON.stringify(on)}; it must be true or false`)
    await this.#requests.make(request => ({ kind: 'drain', on, request }))
  }

  async forget(member: NodeId): Promise<void> {
    await this.#requests.make(request => ({ kind: 'forget', member, request }))
  }

  reconfigure(change: {
    readonly labels?: Readonly<Record<string, string>>
    readonly capacity?: number | null
  }): void {
    this.#loop.ask({ kind: 'reconfigure', ...change })
  }

  report(source: string, level: Health, reason: string): void {
    this.#health.report(source, level, reason)
  }

  /** A handler kept the event loop to itself: the node says so, with the task's name, until it is over. */
  handlerBlocked(task: TaskId, ms: Millis): void {
    this.#counters.add('handler_blocked_ms', Math.round(ms), { task })
    this.#health.handlerBlocked(task, ms)
  }

  abilitiesChanged(): void {
    if (this.status !== 'closed') this.#loop.ask({ kind: 'abilities', runs: this.#executor.abilities() })
  }

  /** Gives the tasks away, says goodbye, and stops. Who asks again waits for the same goodbye. */
  leave(): Promise<void> {
    return this.#lifecycle.leave()
  }

  /** Just stops: the others find out by themselves. */
  close(): Promise<void> {
    return this.#lifecycle.close()
  }

  /** Calls back once, when the node has stopped; with the reason if it stood down by itself. */
  onStopped(listener: (reason: string | null) => void): void {
    this.#lifecycle.onStopped(listener)
  }

  async #stop(each: (part: Promise<void>) => Promise<void>): Promise<void> {
    this.#health.close()
    await each(this.#executor.close())
    // The core hears nothing of the connections that close now: it would only dial again.
    await each(this.#loop.stop())
    await each(this.#ports.transport.stop())
    this.#performer.close()
    this.#requests.rejectAll()
  }

  /** Takes note of signs of life and of rumors on their way in. */
  #observed(listener: TransportListener): TransportListener {
    return this.#signs.observing({
      ...listener,
      onGossip: (from, topic, bytes) => {
        if (topic === MEMBERS_TOPIC) this.#counters.add('rumors', 1, { direction: 'received' })
        return listener.onGossip(from, topic, bytes)
      },
    })
  }

  #tell(event: MeshEvent): void {
    if (event.kind === 'member.forgotten') this.#signs.forget(event.member)
    const numbered = { ...event, at: Math.round(event.at) }
    if (event.kind === 'state.changed') this.#spaces.changed(event.space, event.keys)
    this.journal.add(numbered as MeshEvent)
  }
}
