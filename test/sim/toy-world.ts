// Worlds of toy nodes in a ring with chords: node i dials i+1, i+2, i+4 and i+8,
// which gives everybody eight links.

import { nodeId } from '../../src/core/ids.js'
import type { Check } from '../../src/sim/check.js'
import type { SimConfig } from '../../src/sim/config.js'
import { createWorld, type World } from '../../src/sim/world.js'
import { type ToyOptions, ToySwim } from './toy-swim.js'

const CHORDS = [1, 2, 4, 8]

export interface ToyWorldOptions extends Omit<ToyOptions, 'dials'> {
  readonly seed: number
  readonly nodes: number
  readonly config?: Partial<SimConfig>
  readonly checks?: readonly Check[]
  readonly replay?: string
}

export const toyWorld = (options: ToyWorldOptions): World => {
  const { seed, nodes, config = {}, checks = [], ...toy } = options
  const idOf = (index: number) => nodeId(`n${String(index).padStart(4, '0')}`)
  const addressOf = (index: number) => `/ip4/10.0.${index >> 8}.${index & 255}/tcp/7600`
  return createWorld({
    seed,
    nodes,
    config,
    checks,
    ...(options.replay === undefined ? {} : { replay: options.replay }),
    boot: env => {
      const peers = new Set(CHORDS.map(chord => (env.index + chord) % nodes))
      peers.delete(env.index)
      const dials = [...peers].map(index => ({ id: idOf(index), address: addressOf(index) }))
      return new ToySwim(env, { ...toy, dials })
    },
  })
}
