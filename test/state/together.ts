// One run of the random scheduler over a mesh of which two or more are put back to old copies of
// their disks at once, and meet each other before they meet anybody else: for some
// milliseconds, or for so long that they speak. From a seed. Null when all ended byte for byte equal,
// with everything that was acknowledged standing once, and no lineage's clock told twice.

import { createRng } from '../../src/core/rng.js'
import { variantsOf } from './replicas.js'
import { insertWord, roughNetwork, timesOn, type Word } from './words.js'
import { type TestNode, World } from './world.js'

export const together = (seed: number): string | null => {
  const draw = createRng(seed * 104_711)
  const world = new World({
    seed,
    nodes: 3 + draw.below(3),
    ...roughNetwork(draw),
    config: {
      compareIntervalMs: 2_000,
      pieceBytes: draw.pick([60, 49_152]),
      foldEntries: draw.pick([5, 4_000]),
      loadWholeBytes: draw.pick([1, 65_536]),
    },
  })
  const words: Word[] = []
  const kinds = draw.pick([[true], [false], [true, false]])
  const write = (node: TestNode): void => {
    const word = `${node.index}x${words.length}`
    const isKey = draw.pick(kinds)
    words.push({ word, isKey })
    if (isKey) {
      world.set(node, 'plant', word, word)
      return
    }
    insertWord(draw, world.open(node, 'notes').getText('t'), word)
  }
  const act = (node: TestNode, most: number, pauses = [0, 3, 150]): void => {
    for (let i = draw.below(most + 1); i > 0; i--) {
      write(node)
      world.advance(draw.pick(pauses))
    }
  }
  const verdict = (when: string): string | null => {
    world.heal()
    world.advance(30_000)
    for (const document of ['doc/notes', 'space/plant'])
      if (variantsOf(world, document) > 1) return `${when}: ${document} differs`
    for (const node of world.nodes) {
      for (const word of words) {
        const times = timesOn(world, node, word)
        if (times !== 1) return `${when}: ${word.word} ${times} times on ${node.id}`
      }
      if (node.offences.length > 0) return `${when}: ${JSON.stringify(node.offences[0])}`
    }
    return null
  }
  for (const node of world.nodes) act(node, 2)
  let fault = verdict('before')
  if (fault !== null) return fault
  const backups = new Map(world.nodes.map(node => [node, node.disk.backup()]))
  for (const node of world.nodes) act(node, 3)
  fault = verdict('copied')
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
  return verdict('restored')
}
