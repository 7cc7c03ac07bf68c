// Worlds of whole nodes: the production core, byte for byte, on virtual time. Every
// node is told to join the first two, as an installer would tell it.

import type { Millis } from '../core/ids.js'
import { drawInstance } from '../core/membership/self.js'
import type { CoreConfig } from '../core/node-core.js'
import { coreDefaults, NodeCore } from '../core/node-core.js'
import type { CoreEvent, Effect, Stepper } from '../core/step.js'
import type { Check } from './check.js'
import type { SimConfig } from './config.js'
import type { SimNodeOptions } from './options.js'
import { simSealer } from './seals.js'
import { type BootEnv, createWorld, type World } from './world.js'

export interface ProductOptions {
  readonly seed: number
  readonly nodes: number | readonly SimNodeOptions[]
  readonly core?: Partial<CoreConfig>
  readonly config?: Partial<SimConfig>
  readonly checks?: readonly Check[]
  readonly replay?: string
  readonly labels?: (index: number) => Readonly<Record<string, string>>
  readonly capacity?: (index: number) => number | null
  readonly spaces?: (index: number) => readonly string[]
}

/** A core that joins the mesh as soon as it runs. */
class Joining implements Stepper {
  readonly core: NodeCore
  readonly #join: readonly string[]

  constructor(core: NodeCore, join: readonly string[]) {
    this.core = core
    this.#join = join
  }

  get nextDeadlineAt(): Millis | null {
    return this.core.nextDeadlineAt
  }

  step(now: Millis, event: CoreEvent): readonly Effect[] {
    const effects = this.core.step(now, event)
    if (event.kind !== 'started' || this.#join.length === 0) return effects
    return [...effects, ...this.core.step(now, { kind: 'join', addresses: this.#join })]
  }
}

export const createProductWorld = (options: ProductOptions): World => {
  const config = { ...coreDefaults, ...options.core }
  const world: World = createWorld({
    seed: options.seed,
    nodes: options.nodes,
    config: { discovery: false, ...options.config },
    ...(options.checks === undefined ? {} : { checks: options.checks }),
    ...(options.replay === undefined ? {} : { replay: options.replay }),
    boot: env => {
      const join = joinAddresses(world, env)
      return new Joining(boot(env, config, options, join.length > 0 ? config.tasks.bootGate.waitMs : 0), join)
    },
  })
  return world
}

/** The core of a node that runs. */
export const coreOf = (world: World, target: number | string): NodeCore =>
  (world.core(target) as Joining).core

const joinAddresses = (world: World, env: BootEnv): string[] =>
  world.nodes.slice(0, 2).flatMap(node => (node.id === env.id ? [] : [node.address]))

const boot = (env: BootEnv, config: CoreConfig, options: ProductOptions, awaitMs: Millis): NodeCore =>
  new NodeCore({
    config,
    rng: env.rng.fork(1),
    sealer: simSealer,
    instance: drawInstance(env.rng),
    now: env.now,
    zoneOffset: () => 0,
    awaitMs,
    entries: env.entries,
    profile: {
      id: env.id,
      name: `node-${env.index}`,
      addresses: [env.address],
      dialable: true,
      labels: options.labels?.(env.index) ?? {},
      capacity: options.capacity?.(env.index) ?? null,
      runs: ['exec', 'handler:work'],
      spaces: options.spaces?.(env.index) ?? ['*'],
      version: '0.1.0',
    },
  })
