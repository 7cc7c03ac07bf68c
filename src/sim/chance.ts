// Chance in a simulation: one generator for each concern and each node, derived
// from the seed by name. A concern's draws never shift another's, so a change of,
// say, the disk's timing leaves the network's losses where they were.

import { combine, hashText } from '../core/hash.js'
import { createRng, type Rng } from '../core/rng.js'

/** The generator of a concern (`latency`, `disk`, …), optionally of one node in one life. */
export const chanceOf = (seed: number, concern: string, node = 0, life = 0): Rng => {
  const low = seed >>> 0
  const high = Math.floor(seed / 0x1_0000_0000) >>> 0
  return createRng(combine(combine(combine(low, high), hashText(concern)), combine(node + 1, life + 1)))
}
