// One run of the random scheduler over a mesh of which two or more are put back to old copies of
// their disks at once, and meet each other before they meet anybody else: for some
// milliseconds, or for so long that they speak. From a seed. Null when all ended byte for byte equal,
// with everything that was acknowledged standing once, and no lineage's clock told twice.

import { createRng } from '../../src/core/rng.js'
import { createAuthor, roughConfig, roughNetwork } from './words.js'
import { World } from './world.js'

/** So long after the network is well all have to be equal. */
const SETTLE_MS = 30_000

export const together = (seed: number): string | null => {
  const draw = createRng(seed * 104_711)
  const world = new World({
    seed,
    nodes: 3 + draw.below(3),
    ...roughNetwork(draw),
    config: roughConfig(draw),
  })
  const { act, verdict } = createAuthor(world, draw, [0, 3, 150])
  for (const node of world.nodes) act(node, 2)
  let fault = verdict('before', SETTLE_MS)
  if (fault !== null) return fault
  const backups = new Map(world.nodes.map(node => [node, node.disk.backup()]))
  for (const node of world.nodes) act(node, 3)
  fault = verdict('copied', SETTLE_MS)
  if (fault !== null) return fault

  const old = draw.shuffle(world.nodes).slice(0, 2 + draw.below(world.nodes.length - 2))
  for (const node of old) {
    world.crash(node, 0)
    node.disk.restore(backups.get(node) ?? new Map())
  }
  world.partition(node => old.includes(node))
  for (const node of world.nodes) if (!old.includes(node)) act(node, 1)
  const isLate = draw.below(2) === 0
  for (const node of old) {
    world.start(node)
    if (!isLate) act(node, 2, [0, 3])
    world.advance(draw.below(10))
  }
  if (draw.below(2) === 0) {
    world.advance(draw.below(60))
    if (isLate) for (const node of old) act(node, 2, [0, 3])
  } else {
    for (let i = 0; i < 3; i++) for (const node of old) act(node, 2)
    world.advance(4_000)
    for (const node of old) act(node, 2)
    if (draw.below(2) === 0) {
      const again = draw.pick(old)
      world.crash(again, again.disk.pending.length)
      world.start(again)
      act(again, 2, [0, 3])
    }
  }
  world.heal()
  for (let i = draw.below(4); i > 0; i--) {
    act(draw.pick(world.nodes), 2)
    world.advance(draw.below(30))
  }
  return verdict('restored', SETTLE_MS)
}
