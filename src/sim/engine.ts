// The engine of a simulated world: it takes the next thing that is planned, hands it
// to its node's core, and performs the effects that come back; `runtime/` does the
// same on a real machine.
//
// The order of things at one instant is the order in which they were planned, all
// chance comes from the seed, and nothing here reads a clock: two runs of one seed
// are one run.

import { invariant } from '../core/errors.js'
import { type Millis, type NodeId, nodeId } from '../core/ids.js'
import type { Rng } from '../core/rng.js'
import type { CoreEvent, Effect, Stepper } from '../core/step.js'
import { chanceOf } from './chance.js'
import { Violation } from './check.js'
import { Commits } from './commits.js'
import { type SimConfig, simDefaults } from './config.js'
import { Dialer } from './dialer.js'
import { Discovery } from './discovery.js'
import { EventHeap } from './event-heap.js'
import { SimExecutor } from './executor.js'
import { Gossip } from './gossip.js'
import { harden } from './harden.js'
import { emptyTally, type Kernel, type Tally } from './kernel.js'
import { SimNode } from './node.js'
import type { BootEnv, SimNodeOptions, WorldOptions } from './options.js'
import { Paths } from './paths.js'
import { Pending } from './pending.js'
import { Processors } from './processors.js'
import { createSizeEstimate, type SizeOf } from './size.js'
import { Streams } from './streams.js'
import { Trace } from './trace.js'

export type EffectKind = Effect['kind']
export type EffectOf<Kind extends EffectKind> = Extract<Effect, { kind: Kind }>
export type EffectListener = (node: SimNode, effect: Effect) => void

export class Engine implements Kernel {
  readonly seed: number
  readonly config: SimConfig
  readonly nodes: readonly SimNode[]
  readonly paths: Paths
  readonly processors: Processors
  readonly tally: Tally = emptyTally()
  readonly trace = new Trace()
  readonly sizeOf: SizeOf
  readonly executor: SimExecutor
  /** Sums of the cores' `count` effects by metric. */
  readonly counts = new Map<string, number>()
  /** When a fault last began or ended, in virtual ms. */
  lastFaultAtMs: Millis = 0
  nowUs = 0
  readonly #replay: string
  readonly #bootCore: (env: BootEnv) => Stepper
  readonly #heap = new EventHeap<Pending>()
  protected readonly byId = new Map<string, SimNode>()
  protected readonly byAddress = new Map<string, SimNode>()
  protected readonly streams: Streams
  readonly #dialer: Dialer
  protected readonly gossip: Gossip
  readonly #discovery: Discovery
  readonly #slack: Rng
  readonly #commits: Commits
  protected readonly listeners = new Map<EffectKind, EffectListener[]>()

  constructor(options: WorldOptions) {
    this.seed = options.seed
    this.config = { ...simDefaults, ...options.config }
    this.#replay = options.replay ?? `the test that made this world, with seed ${options.seed}`
    this.#bootCore = options.boot
    this.sizeOf = this.config.sizeOf ?? createSizeEstimate()
    const wanted: readonly SimNodeOptions[] =
      typeof options.nodes === 'number' ? Array.from({ length: options.nodes }, () => ({})) : options.nodes
    const clocks = chanceOf(this.seed, 'clock')
    this.nodes = wanted.map((node, index) => {
      const offsetMs = node.offsetMs ?? (2 * clocks.fraction() - 1) * this.config.clockOffsetMs
      const driftPpm = node.driftPpm ?? (2 * clocks.fraction() - 1) * this.config.clockDriftPpm
      const id = nodeId(node.id ?? `n${String(index).padStart(4, '0')}`)
      const address = node.address ?? `/ip4/10.${index >> 16}.${(index >> 8) & 255}.${index & 255}/tcp/7600`
      return new SimNode(index, id, address, node.dialable ?? true, offsetMs, driftPpm)
    })
    for (const node of this.nodes) {
      invariant(!this.byId.has(node.id), `node ids are unique, and ${node.id} stands twice`)
      this.byId.set(node.id, node)
      this.byAddress.set(node.address, node)
    }
    this.paths = new Paths(this.config, this.seed, this.nodes.length)
    this.processors = new Processors(this, this.config)
    this.streams = new Streams(this)
    this.#dialer = new Dialer(this, this.streams)
    this.gossip = new Gossip(this, this.streams)
    this.#discovery = new Discovery(this)
    this.executor = new SimExecutor(this)
    this.#slack = chanceOf(this.seed, 'timer')
    this.#commits = new Commits(this)
    const starts = chanceOf(this.seed, 'start')
    wanted.forEach((node, index) => {
      const startAtMs = node.startAtMs === undefined ? this.#spread(starts) : node.startAtMs
      if (startAtMs !== null) this.at(startAtMs, () => this.boot(this.nodes[index] as SimNode))
    })
  }
  // ── The run ────────────────────────────────────────────────────────────────

  get nowMs(): Millis {
    return this.nowUs / 1000
  }

  /** Runs until the virtual time, in ms since the world began. */
  run(untilMs: Millis): this {
    const untilUs = Math.round(untilMs * 1000)
    const heap = this.#heap
    while (heap.nextUs <= untilUs) {
      this.nowUs = heap.nextUs
      this.#happen(heap.pop())
    }
    this.nowUs = Math.max(this.nowUs, untilUs)
    return this
  }

  /** Runs until the condition holds, asked after everything that happens; false when it never did. */
  runUntil(isReached: () => boolean, untilMs: Millis): boolean {
    const untilUs = Math.round(untilMs * 1000)
    while (!isReached()) {
      if (this.#heap.nextUs > untilUs) {
        this.nowUs = Math.max(this.nowUs, untilUs)
        return false
      }
      this.nowUs = this.#heap.nextUs
      this.#happen(this.#heap.pop())
    }
    return true
  }

  /** Calls at a virtual time; one that is past is now. */
  at(timeMs: Millis, run: () => void): void {
    this.call(Math.max(this.nowUs, Math.round(timeMs * 1000)), run)
  }

  // ── Kernel: what the parts of the world ask ────────────────────────────────

  nodeOf(id: NodeId): SimNode | undefined {
    return this.byId.get(id)
  }

  nodeAt(address: string): SimNode | undefined {
    return this.byAddress.get(address)
  }

  plan(atUs: number, pending: Pending): void {
    this.#heap.push(atUs, pending)
  }

  call(atUs: number, run: () => void): void {
    this.#heap.push(Math.ceil(atUs), new Pending('call', null, 0, null, null, null, run))
  }

  planEvent(atUs: number, node: SimNode, event: CoreEvent): void {
    this.#heap.push(Math.ceil(atUs), new Pending('event', node, 0, null, event, null, null))
  }

  deliver(node: SimNode, event: CoreEvent, size: number): void {
    const { core } = node
    if (core === null || node.status !== 'up') return
    if (!this.processors.isServing(node)) {
      this.processors.work(node, this.processors.costs.stepUs, () => this.deliver(node, event, size))
      return
    }
    this.trace.add(this.nowUs, node.index, event.kind, size)
    let effects: readonly Effect[]
    try {
      effects = core.step(node.localMs(this.nowUs), event)
    } catch (error) {
      throw this.violation('a core never throws', `${node.id} at '${event.kind}': ${String(error)}`, error)
    }
    const { life } = node
    for (let i = 0; i < effects.length; i++) this.#perform(node, effects[i] as Effect)
    if (node.life !== life || node.status !== 'up') return
    this.arm(node)
    this.stepped(node, event, effects)
    const farewell = node.farewells.shift()
    if (farewell !== undefined) this.deliver(node, farewell, 0)
  }
  // ── What happens ───────────────────────────────────────────────────────────

  #happen(pending: Pending): void {
    if (pending.kind === 'call') {
      pending.call?.()
      return
    }
    const node = pending.node as SimNode
    if (pending.kind === 'timer') {
      if (node.life === pending.life && node.armedUs === this.nowUs && node.status === 'up') {
        node.disarm()
        this.processors.timer(node, () => {
          this.timer(node)
          this.arm(node)
        })
      }
      return
    }
    if (pending.kind === 'frame' && !this.streams.arrives(pending)) return
    if (node.status === 'frozen') {
      if (node.held.length < this.config.frozenEventsMax) node.held.push(pending)
      else this.tally.messagesLost++
    } else if (node.status === 'up') this.hand(node, pending)
    else if (pending.kind === 'frame' || pending.kind === 'direct' || pending.kind === 'gossip')
      this.tally.messagesLost++
  }

  /** Gives to a running node what has reached it, once it has a processor. */
  protected hand(node: SimNode, pending: Pending): void {
    if (this.processors.areFree) this.#take(node, pending)
    else this.processors.work(node, pending, () => this.#take(node, pending))
  }

  #take(node: SimNode, pending: Pending): void {
    const { link, event } = pending
    switch (pending.kind) {
      case 'frame':
        if (link?.states[link.endOf(node)] !== 'open') this.tally.messagesLost++
        else this.#deliverMessage(node, event as CoreEvent, pending.size)
        return
      case 'gossip':
        this.gossip.arrive(pending)
        return
      case 'direct':
        this.#deliverMessage(node, event as CoreEvent, pending.size)
        return
      case 'linkUp':
        if (link?.states[0] !== 'opening') return
        link.states[0] = 'open'
        this.deliver(node, event as CoreEvent, 0)
        return
      case 'linkDown':
        if (link !== null) this.streams.close(link, node)
        return
      default:
        if (pending.life === node.life) this.deliver(node, event as CoreEvent, 0)
    }
  }

  #deliverMessage(node: SimNode, event: CoreEvent, size: number): void {
    this.tally.messagesDelivered++
    this.deliver(node, event, size)
  }

  #perform(node: SimNode, effect: Effect): void {
    switch (effect.kind) {
      case 'send':
        if (this.config.hardenMessages) harden(effect.message)
        this.streams.send(node, effect.to, effect.channel, effect.message)
        break
      case 'publish':
        if (this.config.hardenMessages) harden(effect.message)
        this.gossip.publish(node, effect.topic, effect.message)
        break
      case 'wake':
        if (node.wakeAt === null || effect.at < node.wakeAt) node.wakeAt = effect.at
        break
      case 'persist':
        node.disk.apply(effect.writes, effect.flush, effect.token)
        this.#commits.plan(node)
        break
      case 'dial':
        this.#dialer.dial(node, effect.node, effect.addresses, effect.verify ?? false)
        break
      case 'hangUp': {
        const peer = this.byId.get(effect.node)
        if (peer !== undefined) this.streams.hangUp(node, peer)
        break
      }
      case 'ban': {
        const peer = this.byId.get(effect.node)
        if (peer === undefined) break
        node.bans.set(peer.index, node.globalUs(effect.untilAt))
        this.streams.hangUp(node, peer)
        break
      }
      case 'subscribe':
        this.gossip.subscribe(node, effect.topic)
        break
      case 'unsubscribe':
        this.gossip.unsubscribe(node, effect.topic)
        break
      case 'discovery':
        this.#discovery.set(node, effect.on)
        break
      case 'startCopy':
        this.executor.start(node, effect)
        break
      case 'stopCopy':
        this.executor.stop(node, effect)
        break
      case 'count':
        this.counts.set(effect.metric, (this.counts.get(effect.metric) ?? 0) + effect.by)
        break
      default:
        // The rest is for whoever listens: notify, log, reply, refuse, documentChanged, standDown.
        break
    }
    const listeners = this.listeners.get(effect.kind)
    if (listeners !== undefined) for (const listener of listeners) listener(node, effect)
  }
  // ── Lives ──────────────────────────────────────────────────────────────────

  protected boot(node: SimNode): void {
    if (node.status !== 'down') return
    node.life++
    node.boots++
    node.status = 'up'
    node.adoptWall()
    node.upSinceMs = this.nowMs
    this.tally.boots++
    const env: BootEnv = {
      id: node.id,
      index: node.index,
      address: node.address,
      bootCount: node.boots,
      rng: chanceOf(this.seed, 'core', node.index, node.boots),
      now: node.localMs(this.nowUs),
      entries: prefix => node.disk.entries(prefix),
    }
    try {
      node.core = this.#bootCore(env)
    } catch (error) {
      throw this.violation('a core never throws', `${node.id} at its boot: ${String(error)}`, error)
    }
    this.deliver(node, { kind: 'started' }, 0)
    const { address, dialable } = node
    this.planEvent(this.nowUs, node, { kind: 'addresses', addresses: [address], dialable })
  }

  /** The process is gone with everything that it held in memory. */
  protected endLife(node: SimNode, isHostUp: boolean): void {
    this.tally.crashes++
    node.endedAtMs = this.nowMs
    node.life++
    node.core = null
    node.wakeAt = null
    node.disarm()
    node.held.length = 0
    node.backlog.length = 0
    node.farewells.length = 0
    node.bans.clear()
    this.processors.forget(node)
    node.commitRunning = false
    node.lazyPlanned = false
    node.disk.crash(chanceOf(this.seed, 'crash', node.index, node.life))
    this.streams.dropAll(node, isHostUp)
    this.#dialer.dropAll(node, isHostUp)
    this.gossip.forget(node)
    this.#discovery.forget(node)
    this.executor.forget(node)
  }

  // ── Timers ─────────────────────────────────────────────────────────────────

  protected timer(node: SimNode): void {
    const { dueAt } = node
    if (dueAt === null || node.localMs(this.nowUs) < dueAt) return
    if (node.timersAtUs !== this.nowUs) {
      node.timersAtUs = this.nowUs
      node.timersAtOnce = 0
    }
    if (++node.timersAtOnce > this.config.timersAtOnceMax) {
      const found = `${node.id} asked for a timer at ${dueAt} again and again, and it is ${node.localMs(this.nowUs)}`
      throw this.violation('a timer that came is not asked for again at once', found)
    }
    node.wakeAt = null
    this.deliver(node, { kind: 'timer' }, 0)
  }

  /** Sees to it that a timer comes no later than the core wants one; an early one is harmless. */
  protected arm(node: SimNode): void {
    if (node.core === null || node.status !== 'up' || this.processors.awaitsTimer(node)) return
    const { dueAt } = node
    if (dueAt === null || dueAt >= node.armedForAt) return
    let atUs = Math.max(this.nowUs, node.globalUs(dueAt))
    if (this.config.timerSlackMs > 0) atUs += this.#slack.below(Math.ceil(this.config.timerSlackMs * 1000))
    node.armedForAt = dueAt
    node.armedUs = atUs
    this.#heap.push(atUs, new Pending('timer', node, 0, null, null, null, null))
  }
  /** Called after every step. */
  protected stepped(_node: SimNode, _event: CoreEvent, _effects: readonly Effect[]): void {}

  protected violation(claim: string, found: string, cause?: unknown): Violation {
    const where = { seed: this.seed, atMs: this.nowMs, replay: this.#replay }
    return new Violation(where, claim, found, cause === undefined ? undefined : { cause })
  }

  #spread(rng: Rng): Millis {
    return Math.round(rng.fraction() * this.config.startSpreadMs * 1000) / 1000
  }
}
