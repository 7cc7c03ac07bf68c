// One random world of bad luck, told entirely by its seed: how many nodes, which
// faults, when. Afterwards everything is mended, and all must agree again, soon and
// for good. The soak runs thousands of these, `npm test` a few.

import { createRng, type Rng } from '../../src/core/rng.js'
import { faultDefaults, planFaults } from '../../src/sim/faults.js'
import { createMesh, joinAll, type Mesh, runUntilAgreed } from './mesh.js'

export interface Outcome {
  readonly seed: number
  readonly nodes: number
  /** From the end of the last fault until all agreed. */
  readonly agreedAfterMs: number
  readonly deaths: number
  readonly suspicions: number
}

export const MENDED_WITHIN_MS = 30_000

/** Throws with the seed in the message when a check is violated or the end does not come. */
export const runRandomWorld = (seed: number, look?: (mesh: Mesh) => void): Outcome => {
  const rng = createRng(seed * 7919 + 1)
  const nodes = 2 + rng.below(seed % 10 === 0 ? 40 : 16)
  const mesh = createMesh({ seed, nodes })
  look?.(mesh)
  const { world } = mesh
  joinAll(mesh)
  world.run(1_100)
  runUntilAgreed(mesh, 20_000)
  if (seed % 2 === 0) storm(mesh, rng)
  else planned(mesh, rng)
  // A process is started with its join addresses every time; one that was killed before it
  // had met anybody, twice, knows nobody otherwise (seeds 2118 and 2220).
  const addresses = [world.node(0).address]
  for (const node of world.nodes.slice(1)) world.inject(node, { kind: 'join', addresses })
  const agreedAfterMs = runUntilAgreed(mesh, MENDED_WITHIN_MS)
  world.run(world.nowMs + 30_000)
  // Whoever agreed must go on agreeing.
  runUntilAgreed(mesh, 1_000)
  world.finish()
  const count = (kind: string): number => mesh.events.filter(event => event.kind === kind).length
  return { seed, nodes, agreedAfterMs, deaths: count('member.dead'), suspicions: count('member.suspect') }
}

/** Faults on top of each other, with no mercy for how many nodes are left. */
const storm = ({ world }: Mesh, rng: Rng): void => {
  const count = world.nodes.length
  for (let i = 0; i < 40; i++) {
    world.run(world.nowMs + rng.below(4_000))
    const index = rng.below(count)
    switch (rng.below(10)) {
      case 0:
        world.crash(index)
        break
      case 1:
        world.powerOff(index)
        break
      case 2:
        world.freeze(index)
        break
      case 3:
        world.thaw(index)
        break
      case 4:
      case 5:
        world.restart(index)
        break
      case 6: {
        const all = rng.shuffle(world.nodes.map(node => node.index))
        const size = 1 + rng.below(count - 1)
        world.partition(all.slice(0, size), all.slice(size))
        break
      }
      case 7:
        world.heal()
        break
      case 8:
        world.cutOneWay(index, rng.below(count))
        break
      case 9:
        world.loss(rng.pick([0, 0, 0.05, 0.2]))
        break
    }
  }
  world.heal()
  world.loss(0)
  for (const node of world.nodes) {
    if (node.status === 'frozen') world.thaw(node)
    else if (node.status !== 'up') world.restart(node)
  }
}

/** The simulator's own faults: every one ends, and at most a third of the nodes is down. */
const planned = ({ world }: Mesh, rng: Rng): void => {
  const untilMs = world.nowMs + 60_000 + rng.below(60_000)
  planFaults(world, {
    ...faultDefaults,
    fromMs: world.nowMs + 1_000,
    untilMs,
    everyMs: 500 + rng.below(5_000),
    lastsMaxMs: 2_000 + rng.below(30_000),
  })
  world.run(untilMs + 1)
}
