// What a world is made of: its seed, its nodes, how a core boots on one of them.

import type { Millis, NodeId } from '../core/ids.js'
import type { Rng } from '../core/rng.js'
import type { Stepper, StoreEntry } from '../core/step.js'
import type { Check } from './check.js'
import type { SimConfig } from './config.js'

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
