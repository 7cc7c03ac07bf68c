// The simulated world, as scenarios and tests use it: a number of nodes with real
// cores on virtual time, faults to try them with, checks that judge them, and a
// report. What happens inside stands in `engine.ts`.

import { invariant } from '../core/errors.js'
import type { Millis, NodeId } from '../core/ids.js'
import type { Message } from '../core/message.js'
import type { CoreEvent, Effect, Stepper } from '../core/step.js'
import type { Check } from './check.js'
import { type EffectKind, type EffectListener, type EffectOf, Engine } from './engine.js'
import type { SimNode } from './node.js'
import type { WorldOptions } from './options.js'
import type { PathConditions } from './paths.js'
import { createReport, type SimReport } from './report.js'

export type { BootEnv, SimNodeOptions, WorldOptions } from './options.js'

/** A node, its id or its index. */
export type Target = NodeId | SimNode | number | string

export const createWorld = (options: WorldOptions): World => new World(options)

/** Between two looks at a claim that did not hold yet when the run was over. */
const ASK_AGAIN_MS = 100

export class World extends Engine {
  readonly #stepChecks: Check[] = []
  readonly #endChecks: Check[] = []

  constructor(options: WorldOptions) {
    super(options)
    for (const check of options.checks ?? []) this.addCheck(check)
  }

  /** Asks the liveness checks, once everything has run. */
  finish(): this {
    for (const check of this.#endChecks) {
      const untilMs = this.nowMs + (check.withinMs ?? 0)
      let found = check.atEnd?.(this) ?? null
      while (found !== null && this.nowMs < untilMs) {
        this.run(Math.min(untilMs, this.nowMs + ASK_AGAIN_MS))
        found = check.atEnd?.(this) ?? null
      }
      this.#judge(check, found)
    }
    return this
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
          ? this.byId.get(target)
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

  /** Publishes as if the node's core had asked for it. */
  publish(target: Target, topic: string, message: Message): void {
    this.gossip.publish(this.node(target), topic, message)
  }

  /** From here on gossip passes this node by, as it does for a moment after its links have opened. */
  loseGossip(target: Target): void {
    this.gossip.forget(this.node(target))
  }

  /** Whether both ends of a connection between the two are open. */
  isLinked(a: Target, b: Target): boolean {
    const states = this.node(a).links.get(this.node(b).index)?.states
    return states !== undefined && states[0] === 'open' && states[1] === 'open'
  }

  /** Listens to one kind of effect, of every node. */
  on<Kind extends EffectKind>(kind: Kind, listener: (node: SimNode, effect: EffectOf<Kind>) => void): void {
    const list = this.listeners.get(kind)
    if (list === undefined) this.listeners.set(kind, [listener as EffectListener])
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
    return x.status === 'up' && y.status === 'up' && this.paths.isOpenBothWays(x.index, y.index)
  }
  // ── Faults ─────────────────────────────────────────────────────────────────

  /** kill -9: the process is gone, its host answers for it. */
  crash(target: Target): void {
    const node = this.node(target)
    if (node.status !== 'up' && node.status !== 'frozen') return
    this.#disturb(node)
    this.endLife(node, true)
    node.status = 'down'
  }

  /** The plug is pulled: silence. */
  powerOff(target: Target): void {
    const node = this.node(target)
    if (node.status === 'off') return
    this.#disturb(node)
    if (node.status !== 'down') this.endLife(node, false)
    node.status = 'off'
    this.paths.setPower(node.index, false)
  }

  /** SIGSTOP: its kernel goes on receiving, the process does nothing. */
  freeze(target: Target): void {
    const node = this.node(target)
    if (node.status !== 'up') return
    this.#disturb(node)
    node.status = 'frozen'
    this.processors.freeze(node)
  }

  /** SIGCONT: timers first, then whatever had come, in order. */
  thaw(target: Target): void {
    const node = this.node(target)
    if (node.status !== 'frozen') return
    this.#disturb(node)
    node.status = 'up'
    const { life } = node
    node.disarm()
    this.processors.timer(node, () => this.timer(node))
    this.processors.thaw(node)
    for (const handshake of node.backlog.splice(0)) if (node.life === life) handshake()
    for (const pending of node.held.splice(0)) if (node.life === life) this.hand(node, pending)
    if (node.life === life) this.processors.work(node, 0, () => this.arm(node))
  }

  /** Starts the process again (and its host, if need be) with the same identity and disk. */
  restart(target: Target): void {
    const node = this.node(target)
    if (node.status === 'up' || node.status === 'frozen') this.crash(node)
    this.#disturb(node)
    if (node.status === 'off') {
      this.paths.setPower(node.index, true)
      node.status = 'down'
      this.streams.pathsChanged()
    }
    this.boot(node)
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
    this.streams.pathsChanged()
  }

  /** Splits the mesh: each list hears only itself, and those in no list hear each other. */
  partition(...groups: readonly (readonly Target[])[]): void {
    const groupOf = new Int32Array(this.nodes.length)
    groups.forEach((group, at) => {
      for (const target of group) groupOf[this.node(target).index] = at + 1
    })
    for (const node of this.nodes) this.#disturb(node)
    this.paths.split(index => groupOf[index] as number)
    this.streams.pathsChanged()
  }

  /** Ends the partition; single cuts stay. */
  join(): void {
    for (const node of this.nodes) this.#disturb(node)
    this.paths.unite()
    this.streams.pathsChanged()
  }

  /** Ends every partition and cut. */
  heal(): void {
    for (const node of this.nodes) this.#disturb(node)
    this.paths.heal()
    this.streams.pathsChanged()
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
    if (target === null) this.byAddress.delete(address)
    else this.byAddress.set(address, this.node(target))
  }

  /** Its host got a new lease: nobody answers at the old address, and its process says the new one when it starts. */
  readdress(target: Target, address: string): void {
    const node = this.node(target)
    if (this.byAddress.get(node.address) === node) this.byAddress.delete(node.address)
    node.address = address
    this.byAddress.set(address, node)
  }

  protected override stepped(node: SimNode, event: CoreEvent, effects: readonly Effect[]): void {
    for (let i = 0; i < this.#stepChecks.length; i++) {
      const check = this.#stepChecks[i] as Check
      const found = check.afterStep?.(this, node, event, effects) ?? null
      if (found !== null) this.#judge(check, found)
    }
  }

  #judge(check: Check, found: string | null): void {
    if (found !== null) throw this.violation(check.claim, found)
  }

  #disturb(node: SimNode): void {
    node.disturbedAtMs = this.nowMs
    this.lastFaultAtMs = this.nowMs
  }
}
