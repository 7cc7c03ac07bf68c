// A core that does what a test tells it to and writes down what reached it.

import type { Millis, NodeId } from '../../src/core/ids.js'
import type { Channel, CoreEvent, Effect, Stepper } from '../../src/core/step.js'
import type { SimConfig } from '../../src/sim/config.js'
import { type BootEnv, createWorld, type SimNodeOptions, type World } from '../../src/sim/world.js'

export interface Heard {
  /** Virtual time, in ms since the world began. */
  readonly atMs: Millis
  readonly event: CoreEvent
}

export class Recorder implements Stepper {
  nextDeadlineAt: Millis | null = null
  readonly env: BootEnv
  readonly heard: Heard[] = []
  /** What the next event of the application is to bring about. */
  orders: Effect[] = []
  readonly #clock: () => Millis
  readonly #onEvent: (recorder: Recorder, now: Millis, event: CoreEvent) => readonly Effect[]

  constructor(
    env: BootEnv,
    clock: () => Millis,
    onEvent: (recorder: Recorder, now: Millis, event: CoreEvent) => readonly Effect[],
  ) {
    this.env = env
    this.#clock = clock
    this.#onEvent = onEvent
  }

  step(now: Millis, event: CoreEvent): readonly Effect[] {
    this.heard.push({ atMs: this.#clock(), event })
    if (event.kind === 'timer') this.nextDeadlineAt = null
    const orders = this.orders
    this.orders = []
    return [...orders, ...this.#onEvent(this, now, event)]
  }

  /** The kinds of what it heard, with the nonce of a ping and the reason of a failed dial. */
  get kinds(): string[] {
    return this.heard.map(({ event }) => {
      if (event.kind === 'message' || event.kind === 'gossip') {
        return event.message.kind === 'ping' ? `ping ${event.message.nonce}` : event.message.kind
      }
      if (event.kind === 'dialFailed') return `dialFailed ${event.reason}`
      if (event.kind === 'linkDown') return `linkDown ${event.reset ? 'reset' : 'own'}`
      if (event.kind === 'durable') return `durable ${event.token}`
      return event.kind
    })
  }

  /** When something was first heard, in virtual ms; throws if it never was. */
  firstAt(kind: string): Millis {
    const index = this.kinds.indexOf(kind)
    if (index < 0) throw new Error(`${this.env.id} never heard '${kind}', only ${this.kinds.join(', ')}`)
    return (this.heard[index] as Heard).atMs
  }
}

/** No jitter, no slack, no drift, no serialisation: times that can be computed by hand. One way takes 10 ms. */
export const exact: Partial<SimConfig> = {
  latencyMs: 10,
  jitterMs: 0,
  timerSlackMs: 0,
  startSpreadMs: 0,
  clockOffsetMs: 0,
  clockDriftPpm: 0,
  linkBytesPerSecond: Number.POSITIVE_INFINITY,
}

export interface Stage {
  readonly world: World
  core(index: number): Recorder
  /** Has a node's core ask for effects now. */
  order(index: number, ...effects: Effect[]): void
  idOf(index: number): NodeId
  dial(from: number, to: number): void
  ping(from: number, to: number, nonce: number, channel?: Channel): void
}

export const stage = (
  nodes: number | readonly SimNodeOptions[],
  config: Partial<SimConfig> = {},
  onEvent: (recorder: Recorder, now: Millis, event: CoreEvent) => readonly Effect[] = () => [],
  seed = 1,
): Stage => {
  const clock = { now: (): Millis => 0 }
  const world = createWorld({
    seed,
    nodes,
    config: { ...exact, ...config },
    boot: env => new Recorder(env, () => clock.now(), onEvent),
  })
  clock.now = () => world.nowMs
  const core = (index: number): Recorder => world.core(index) as Recorder
  const idOf = (index: number) => world.node(index).id
  const order = (index: number, ...effects: Effect[]): void => {
    core(index).orders.push(...effects)
    world.inject(index, { kind: 'abilities', runs: [] })
  }
  return {
    world,
    core,
    order,
    idOf,
    dial: (from, to) => order(from, { kind: 'dial', node: idOf(to), addresses: [world.node(to).address] }),
    ping: (from, to, nonce, channel = 'link') =>
      order(from, { kind: 'send', to: idOf(to), channel, message: { kind: 'ping', nonce, meshTime: 0 } }),
  }
}

/** Two nodes with a link from the first to the second, at 1 s. */
export const pair = (config: Partial<SimConfig> = {}): Stage => {
  const it = stage(2, config)
  it.world.run(0)
  it.dial(0, 1)
  it.world.run(1_000)
  return it
}
