// One run of the random scheduler over a mesh of which many members, five at least, are put back to old
// copies of their disks at once, and meet only each other: for some milliseconds, or for as long as they like. Not
// all are neighbors, some write alone, are killed again, or hold not everything. From a seed. Null when all ended byte
// for byte equal, with everything that was acknowledged standing once.

import { createRng } from '../../src/core/rng.js'
import { createAuthor, roughConfig, roughNetwork } from './words.js'
import { World } from './world.js'

/** So long after the network is well all have to be equal. */
const SETTLE_MS = 40_000

export const manyOld = (seed: number): string | null => {
  const draw = createRng(seed * 32_452_843)
  const nodes = 6 + draw.below(7)
  // A ring and some chords, or everybody to everybody.
  const reach = draw.pick([1, 2, nodes])
  const chord = 2 + draw.below(nodes - 3)
  const linked = (a: number, b: number): boolean => {
    const apart = Math.min(Math.abs(a - b), nodes - Math.abs(a - b))
    return apart <= reach || Math.abs(a - b) === chord
  }
  const world = new World({
    seed,
    nodes,
    ...roughNetwork(draw),
    linked,
    config: roughConfig(draw),
  })
  const { act, verdict } = createAuthor(world, draw, [0, 3, 50])
  for (const node of world.nodes) act(node, 2)
  let fault = verdict('before', SETTLE_MS)
  if (fault !== null) return fault
  const backups = new Map(world.nodes.map(node => [node, node.disk.backup()]))
  for (const node of world.nodes) act(node, 2)
  fault = verdict('copied', SETTLE_MS)
  if (fault !== null) return fault

  // All but one at most, next to each other in the ring or anywhere.
  const order = draw.below(2) === 0 ? world.nodes : draw.shuffle(world.nodes)
  const old = order.slice(0, 5 + draw.below(nodes - 5))
  const others = world.nodes.filter(node => !old.includes(node))
  // Those who know better are away, or only out of reach; they may boot late as well.
  const areOff = draw.below(2) === 0
  if (areOff) for (const node of others) world.crash(node, node.disk.pending.length)
  for (const node of old) {
    world.crash(node, 0)
    node.disk.restore(backups.get(node) ?? new Map())
  }
  world.partition(node => old.includes(node))
  if (!areOff) for (const node of others) act(node, 1)
  for (const node of old) {
    world.start(node)
    act(node, 1, [0, 3])
    world.advance(draw.below(10))
  }
  world.advance(draw.pick([0, 20, 60, 200, 1_000, 2_900, 3_100, 6_000, 15_000]))
  for (const node of old) act(node, 2)
  if (draw.below(2) === 0) {
    const again = draw.pick(old)
    world.crash(again, again.disk.pending.length)
    world.start(again)
    act(again, 2, [0, 3])
  }
  world.heal()
  for (const node of others)
    if (areOff) {
      world.start(node)
      act(node, 1)
    }
  for (let i = draw.below(4); i > 0; i--) {
    act(draw.pick(world.nodes), 2)
    world.advance(draw.below(30))
  }
  return verdict('restored', SETTLE_MS)
}
