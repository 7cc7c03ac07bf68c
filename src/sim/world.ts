// The simulated world: nodes with real cores on virtual time. It takes the next
// thing that is planned, hands it to its node's core, and performs the effects
// that come back; `runtime/` does the same on a real machine.
//
// The order of things at one instant is the order in which they were planned, all
// chance comes from the seed, and nothing here reads a clock: two runs of one seed
// are one run.

import { invariant } from '../core/errors.js'
import { type Millis, type NodeId, nodeId } from '../core/ids.js'
import type { Rng } from '../core/rng.js'
import type { CoreEvent, Effect, Stepper, StoreEntry } from '../core/step.js'
import { chanceOf } from './chance.js'
import { type Check, Violation } from './check.js'
import { type SimConfig, simDefaults } from './config.js'
import { Dialer } from './dialer.js'
import { Discovery } from './discovery.js'
import { EventHeap } from './event-heap.js'
import { SimExecutor } from './executor.js'
import { Gossip } from './gossip.js'
import { emptyTally, type Kernel, type Tally } from './kernel.js'
import { SimNode } from './node.js'
import { type PathConditions, Paths } from './paths.js'
import { Pending } from './pending.js'
import { createReport, type SimReport } from './report.js'
import { createSizeEstimate, type SizeOf } from './size.js'
import { Streams } from './streams.js'
import { Trace } from './trace.js'

/** What a booting process finds. */
export interface BootEnv {
  readonly id: NodeId
  readonly index: number
  readonly address: string
  /** 1 at the first boot. */
  readonly bootCount: number
  /** Of this node in this life alone. */
  readonly rng: Rng
  /** The node's own clock at boot. */
  readonly now: Millis
  /** What its disk kept, by key. */
  entries(prefix: string): readonly StoreEntry[]
}

export interface SimNodeOptions {
  readonly id?: string
  readonly address?: string
  /** False for a node that can only dial out. */
  readonly dialable?: boolean
  readonly offsetMs?: Millis
  readonly driftPpm?: number
  /** When it first boots; null: not until `restart`. By default at random within `startSpreadMs`. */
  readonly startAtMs?: Millis | null
}

export interface WorldOptions {
  readonly seed: number
  readonly nodes: number | readonly SimNodeOptions[]
  readonly boot: (env: BootEnv) => Stepper
  readonly config?: Partial<SimConfig>
  readonly checks?: readonly Check[]
  /** The command that repeats this run, for the report of a violation. */
  readonly replay?: string
}

type EffectKind = Effect['kind']
type EffectOf<Kind extends EffectKind> = Extract<Effect, { kind: Kind }>
type EffectListener = (node: SimNode, effect: Effect) => void
type Target = NodeId | SimNode | number | string

export const createWorld = (options: WorldOptions): World => new World(options)

export class World implements Kernel {
  readonly seed: number
  readonly config: SimConfig
  readonly nodes: readonly SimNode[]
  readonly paths: Paths
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
  readonly #boot: (env: BootEnv) => Stepper
  readonly #heap = new EventHeap<Pending>()
  readonly #byId = new Map<string, SimNode>()
  readonly #byAddress = new Map<string, SimNode>()
  readonly #streams: Streams
  readonly #dialer: Dialer
  readonly #gossip: Gossip
  readonly #discovery: Discovery
  readonly #slack: Rng
  readonly #diskChance: Rng
  readonly #listeners = new Map<EffectKind, EffectListener[]>()
  readonly #stepChecks: Check[] = []
  readonly #endChecks: Check[] = []

  constructor(options: WorldOptions) {
    this.seed = options.seed
    this.config = { ...simDefaults, ...options.config }
    this.#replay = options.replay ?? `the test that made this world, with seed ${options.seed}`
    this.#boot = options.boot
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
      invariant(!this.#byId.has(node.id), `node ids are unique, and ${node.id} stands twice`)
      this.#byId.set(node.id, node)
      this.#byAddress.set(node.address, node)
    }
    this.paths = new Paths(this.config, this.seed, this.nodes.length)
    this.#streams = new Streams(this)
    this.#dialer = new Dialer(this, this.#streams)
    this.#gossip = new Gossip(this, this.#streams)
    this.#discovery = new Discovery(this)
    this.executor = new SimExecutor(this)
    this.#slack = chanceOf(this.seed, 'timer')
    this.#diskChance = chanceOf(this.seed, 'disk')
    const starts = chanceOf(this.seed, 'start')
    wanted.forEach((node, index) => {
      const startAtMs = node.startAtMs === undefined ? this.#spread(starts) : node.startAtMs
      if (startAtMs !== null) this.at(startAtMs, () => this.#start(this.nodes[index] as SimNode))
    })
    for (const check of options.checks ?? []) this.addCheck(check)
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

  /** Asks the liveness checks, once everything has run. */
  finish(): this {
    for (const check of this.#endChecks) this.#judge(check, check.atEnd?.(this) ?? null)
    return this
  }

  /** Calls at a virtual time; one that is past is now. */
  at(timeMs: Millis, run: () => void): void {
    this.call(Math.max(this.nowUs, Math.round(timeMs * 1000)), run)
  }

  report(): SimReport {
    return createReport(this)
  }

  // ── Looking in, speaking to ────────────────────────────────────────────────

  node(target: Target): SimNode {
    const node =
      typeof target === 'number'
        ? this.nodes[target]
        : typeof target === 'string'
          ? this.#byId.get(target)
          : target
    invariant(node !== undefined, `there is a node ${String(target)} in this world`)
    return node
  }

  /** The core that runs on a node; throws when none does. */
  core(target: Target): Stepper {
    const { core, id } = this.node(target)
    invariant(core !== null, `a core runs on ${id}`)
    return core
  }

  /** Hands an event of the application to a node's core; a frozen node gets it when it wakes, a dead one never. */
  inject(target: Target, event: CoreEvent): void {
    this.planEvent(this.nowUs, this.node(target), event)
  }

  /** Listens to one kind of effect, of every node. */
  on<Kind extends EffectKind>(kind: Kind, listener: (node: SimNode, effect: EffectOf<Kind>) => void): void {
    const list = this.#listeners.get(kind)
    if (list === undefined) this.#listeners.set(kind, [listener as EffectListener])
    else list.push(listener as EffectListener)
  }

  addCheck(check: Check): void {
    if (check.afterStep !== undefined) this.#stepChecks.push(check)
    if (check.atEnd !== undefined) this.#endChecks.push(check)
    if (check.atInterval === undefined) return
    const everyUs = Math.round((check.everyMs ?? 1_000) * 1000)
    const again = (): void => {
      this.#judge(check, check.atInterval?.(this) ?? null)
      this.call(this.nowUs + everyUs, again)
    }
    this.call(this.nowUs + everyUs, again)
  }

  /** Whether both processes run and packets pass both ways. */
  isConnected(a: Target, b: Target): boolean {
    const x = this.node(a)
    const y = this.node(b)
    return (
      x.status === 'up' &&
      y.status === 'up' &&
      this.paths.isOpen(x.index, y.index) &&
      this.paths.isOpen(y.index, x.index)
    )
  }

  // ── Faults ─────────────────────────────────────────────────────────────────

  /** kill -9: the process is gone, its host answers for it. */
  crash(target: Target): void {
    const node = this.node(target)
    if (node.status !== 'up' && node.status !== 'frozen') return
    this.#disturb(node)
    this.#end(node, true)
    node.status = 'down'
  }

  /** The plug is pulled: silence. */
  powerOff(target: Target): void {
    const node = this.node(target)
    if (node.status === 'off') return
    this.#disturb(node)
    if (node.status !== 'down') this.#end(node, false)
    node.status = 'off'
    this.paths.setPower(node.index, false)
  }

  /** SIGSTOP: its kernel goes on receiving, the process does nothing. */
  freeze(target: Target): void {
    const node = this.node(target)
    if (node.status !== 'up') return
    this.#disturb(node)
    node.status = 'frozen'
  }

  /** SIGCONT: timers first, then whatever had come, in order. */
  thaw(target: Target): void {
    const node = this.node(target)
    if (node.status !== 'frozen') return
    this.#disturb(node)
    node.status = 'up'
    const { life } = node
    node.disarm()
    this.#timer(node)
    for (const handshake of node.backlog.splice(0)) if (node.life === life) handshake()
    for (const pending of node.held.splice(0)) if (node.life === life) this.#hand(node, pending)
    if (node.life === life) this.#arm(node)
  }

  /** Starts the process again (and its host, if need be) with the same identity and disk. */
  restart(target: Target): void {
    const node = this.node(target)
    if (node.status === 'up' || node.status === 'frozen') this.crash(node)
    this.#disturb(node)
    if (node.status === 'off') {
      this.paths.setPower(node.index, true)
      node.status = 'down'
      this.#streams.pathsChanged()
    }
    this.#start(node)
  }

  /** Nothing passes between the two. */
  cut(a: Target, b: Target): void {
    this.cutOneWay(a, b)
    this.cutOneWay(b, a)
  }

  cutOneWay(from: Target, to: Target): void {
    const [a, b] = [this.node(from), this.node(to)]
    this.#disturb(a)
    this.#disturb(b)
    this.paths.cut(a.index, b.index)
  }

  /** Ends a cut, both ways. */
  mend(a: Target, b: Target): void {
    const [x, y] = [this.node(a), this.node(b)]
    this.#disturb(x)
    this.#disturb(y)
    this.paths.mend(x.index, y.index)
    this.paths.mend(y.index, x.index)
    this.#streams.pathsChanged()
  }

  /** Splits the mesh: each list hears only itself, and those in no list hear each other. */
  partition(...groups: readonly (readonly Target[])[]): void {
    const groupOf = new Int32Array(this.nodes.length)
    groups.forEach((group, at) => {
      for (const target of group) groupOf[this.node(target).index] = at + 1
    })
    for (const node of this.nodes) this.#disturb(node)
    this.paths.split(index => groupOf[index] as number)
    this.#streams.pathsChanged()
  }

  /** Ends every partition and cut. */
  heal(): void {
    for (const node of this.nodes) this.#disturb(node)
    this.paths.heal()
    this.#streams.pathsChanged()
  }

  /** The share of packets lost everywhere, or on all paths of one node. */
  loss(rate: number, target?: Target): void {
    this.lastFaultAtMs = this.nowMs
    if (target === undefined) this.paths.lossRate = rate
    else this.paths.setNodeLoss(this.node(target).index, rate)
  }

  /** Latency and jitter everywhere. */
  latency(latencyMs: Millis, jitterMs: Millis = this.paths.jitterMs): void {
    this.paths.latencyMs = latencyMs
    this.paths.jitterMs = jitterMs
  }

  /** Conditions of one direction between two nodes; null puts it back. */
  conditions(from: Target, to: Target, conditions: PathConditions | null): void {
    this.paths.setConditions(this.node(from).index, this.node(to).index, conditions)
  }

  /** The machine's clock is set; a node's `now` goes on evenly, and its core is told of the difference. */
  clockJump(target: Target, byMs: Millis): void {
    const node = this.node(target)
    const offsetMs = node.jump(byMs)
    this.planEvent(this.nowUs, node, { kind: 'wall', offsetMs })
  }

  /** Another node's process answers at this address from now on, or nobody. */
  bindAddress(address: string, target: Target | null): void {
    if (target === null) this.#byAddress.delete(address)
    else this.#byAddress.set(address, this.node(target))
  }

  // ── Kernel: what the parts of the world ask ────────────────────────────────

  nodeOf(id: NodeId): SimNode | undefined {
    return this.#byId.get(id)
  }

  nodeAt(address: string): SimNode | undefined {
    return this.#byAddress.get(address)
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
    this.trace.add(this.nowUs, node.index, event.kind, size)
    let effects: readonly Effect[]
    try {
      effects = core.step(node.localMs(this.nowUs), event)
    } catch (error) {
      throw this.#violation('a core never throws', `${node.id} at '${event.kind}': ${String(error)}`, error)
    }
    const { life } = node
    for (let i = 0; i < effects.length; i++) this.#perform(node, effects[i] as Effect)
    if (node.life !== life || node.status !== 'up') return
    this.#arm(node)
    for (let i = 0; i < this.#stepChecks.length; i++) {
      const check = this.#stepChecks[i] as Check
      const found = check.afterStep?.(this, node, event, effects) ?? null
      if (found !== null) this.#judge(check, found)
    }
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
        this.#timer(node)
        this.#arm(node)
      }
      return
    }
    if (pending.kind === 'frame' && !this.#streams.arrives(pending)) return
    if (node.status === 'frozen') {
      if (node.held.length < this.config.frozenEventsMax) node.held.push(pending)
      else this.tally.messagesLost++
    } else if (node.status === 'up') this.#hand(node, pending)
    else if (pending.kind === 'frame' || pending.kind === 'direct' || pending.kind === 'gossip')
      this.tally.messagesLost++
  }

  /** Gives to a running node what has reached it. */
  #hand(node: SimNode, pending: Pending): void {
    const { link, event } = pending
    switch (pending.kind) {
      case 'frame':
        if (link?.states[link.endOf(node)] !== 'open') this.tally.messagesLost++
        else this.#deliverMessage(node, event as CoreEvent, pending.size)
        return
      case 'gossip':
        this.#gossip.arrive(pending)
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
        if (link !== null) this.#streams.close(link, node)
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
        this.#streams.send(node, effect.to, effect.channel, effect.message)
        break
      case 'publish':
        this.#gossip.publish(node, effect.topic, effect.message)
        break
      case 'wake':
        if (node.wakeAt === null || effect.at < node.wakeAt) node.wakeAt = effect.at
        break
      case 'persist':
        node.disk.apply(effect.writes, effect.flush, effect.token)
        this.#planCommit(node)
        break
      case 'dial':
        this.#dialer.dial(node, effect.node, effect.addresses, effect.verify ?? false)
        break
      case 'hangUp': {
        const peer = this.#byId.get(effect.node)
        if (peer !== undefined) this.#streams.hangUp(node, peer)
        break
      }
      case 'ban': {
        const peer = this.#byId.get(effect.node)
        if (peer === undefined) break
        node.bans.set(peer.index, node.globalUs(effect.untilAt))
        this.#streams.hangUp(node, peer)
        break
      }
      case 'subscribe':
        this.#gossip.subscribe(node, effect.topic)
        break
      case 'unsubscribe':
        this.#gossip.unsubscribe(node, effect.topic)
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
    const listeners = this.#listeners.get(effect.kind)
    if (listeners !== undefined) for (const listener of listeners) listener(node, effect)
  }

  // ── Lives ──────────────────────────────────────────────────────────────────

  #start(node: SimNode): void {
    if (node.status !== 'down') return
    node.life++
    node.boots++
    node.status = 'up'
    node.adoptWall()
    node.upSinceMs = this.nowMs
    this.tally.boots++
    node.core = this.#boot({
      id: node.id,
      index: node.index,
      address: node.address,
      bootCount: node.boots,
      rng: chanceOf(this.seed, 'core', node.index, node.boots),
      now: node.localMs(this.nowUs),
      entries: prefix => node.disk.entries(prefix),
    })
    this.deliver(node, { kind: 'started' }, 0)
    const { address, dialable } = node
    this.planEvent(this.nowUs, node, { kind: 'addresses', addresses: [address], dialable })
  }

  /** The process is gone with everything that it held in memory. */
  #end(node: SimNode, isHostUp: boolean): void {
    this.tally.crashes++
    node.life++
    node.core = null
    node.wakeAt = null
    node.disarm()
    node.held.length = 0
    node.backlog.length = 0
    node.bans.clear()
    node.commitRunning = false
    node.lazyPlanned = false
    node.disk.crash(chanceOf(this.seed, 'crash', node.index, node.life))
    this.#streams.dropAll(node, isHostUp)
    this.#gossip.forget(node)
    this.#discovery.forget(node)
    this.executor.forget(node)
  }

  #disturb(node: SimNode): void {
    node.disturbedAtMs = this.nowMs
    this.lastFaultAtMs = this.nowMs
  }

  // ── Timers ─────────────────────────────────────────────────────────────────

  #timer(node: SimNode): void {
    const dueAt = dueOf(node)
    if (dueAt === null || node.localMs(this.nowUs) < dueAt) return
    if (node.timersAtUs !== this.nowUs) {
      node.timersAtUs = this.nowUs
      node.timersAtOnce = 0
    }
    if (++node.timersAtOnce > this.config.timersAtOnceMax) {
      const found = `${node.id} asked for a timer at ${dueAt} again and again, and it is ${node.localMs(this.nowUs)}`
      throw this.#violation('a timer that came is not asked for again at once', found)
    }
    node.wakeAt = null
    this.deliver(node, { kind: 'timer' }, 0)
  }

  /** Sees to it that a timer comes no later than the core wants one; an early one is harmless. */
  #arm(node: SimNode): void {
    if (node.core === null || node.status !== 'up') return
    const dueAt = dueOf(node)
    if (dueAt === null || dueAt >= node.armedForAt) return
    let atUs = Math.max(this.nowUs, node.globalUs(dueAt))
    if (this.config.timerSlackMs > 0) atUs += this.#slack.below(Math.ceil(this.config.timerSlackMs * 1000))
    node.armedForAt = dueAt
    node.armedUs = atUs
    this.#heap.push(atUs, new Pending('timer', node, 0, null, null, null, null))
  }

  // ── Disks ──────────────────────────────────────────────────────────────────

  /** One commit at a time; whoever comes while it runs shares the next one. */
  #planCommit(node: SimNode): void {
    if (node.commitRunning) return
    const { life, disk } = node
    const { flushMinMs, flushMaxMs, lazyCommitMs } = this.config
    if (disk.wantsFlush()) {
      node.commitRunning = true
      const batches = disk.pendingBatches
      const lengthMs = (flushMinMs + this.#diskChance.fraction() * (flushMaxMs - flushMinMs)) * disk.slowness
      this.call(this.nowUs + lengthMs * 1000, () => this.#endCommit(node, life, batches))
    } else if (disk.pendingBatches > 0 && !node.lazyPlanned) {
      node.lazyPlanned = true
      this.call(this.nowUs + lazyCommitMs * 1000, () => {
        if (node.life !== life) return
        node.lazyPlanned = false
        if (!node.commitRunning) this.#endCommit(node, life, disk.pendingBatches)
      })
    }
  }

  #endCommit(node: SimNode, life: number, batches: number): void {
    if (node.life !== life) return
    node.commitRunning = false
    if (node.disk.failing) {
      // It tries again; nothing is acknowledged meanwhile.
      node.commitRunning = true
      this.call(this.nowUs + this.config.lazyCommitMs * 1000, () => this.#endCommit(node, life, batches))
      return
    }
    for (const token of node.disk.commit(batches)) {
      this.planEvent(this.nowUs, node, { kind: 'durable', token })
    }
    this.#planCommit(node)
  }

  // ── Judgement ──────────────────────────────────────────────────────────────

  #judge(check: Check, found: string | null): void {
    if (found !== null) throw this.#violation(check.claim, found)
  }

  #violation(claim: string, found: string, cause?: unknown): Violation {
    const where = { seed: this.seed, atMs: this.nowMs, replay: this.#replay }
    return new Violation(where, claim, found, cause === undefined ? undefined : { cause })
  }

  #spread(rng: Rng): Millis {
    return Math.round(rng.fraction() * this.config.startSpreadMs * 1000) / 1000
  }
}

/** When the core wants a timer: the earlier of its deadline and of what it asked to be woken for. */
const dueOf = (node: SimNode): Millis | null => {
  const deadlineAt = node.core?.nextDeadlineAt ?? null
  if (deadlineAt === null) return node.wakeAt
  return node.wakeAt === null ? deadlineAt : Math.min(deadlineAt, node.wakeAt)
}
