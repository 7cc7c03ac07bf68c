// One run of the random scheduler over disks that are put back to old copies of themselves, from a
// seed: 3 to 6 nodes that write to a space and to a raw document, and delete what any of them wrote,
// before, while and after one of them is alone with an older disk. Null when all ended byte for byte
// equal, with each word that nobody deleted standing once, and no other.

import { createRng } from '../../src/core/rng.js'
import { variantsOf } from './replicas.js'
import { insertWord, roughNetwork, textOf, timesOn, type Word } from './words.js'
import { type TestNode, World } from './world.js'

interface Written extends Word {
  readonly boot: string
  /** What a copy of a document asked for with it. */
  readonly requests: number[]
  isDead: boolean
}

export const restored = (seed: number): string | null => {
  const draw = createRng(seed * 7_919)
  const world = new World({
    seed,
    nodes: 3 + draw.below(4),
    ...roughNetwork(draw),
    config: {
      compareIntervalMs: 2_000,
      pieceBytes: draw.pick([60, 300, 49_152]),
      foldEntries: draw.pick([5, 4_000]),
      foldStepBytes: draw.pick([200, 65_536]),
      openWholeStructs: draw.pick([1, 2_000]),
      openPieceStructs: draw.pick([1, 5, 500]),
      loadWholeBytes: draw.pick([1, 65_536]),
    },
  })
  const words: Written[] = []
  const isAcknowledged = (request: number): boolean => world.isAcknowledged(request)
  const write = (node: TestNode): void => {
    const word = `${node.index}x${words.length}`
    const isKey = draw.below(2) === 0
    const requests: number[] = []
    words.push({ word, boot: `${node.index}/${node.boot}`, isKey, requests, isDead: false })
    if (isKey) {
      world.set(node, 'plant', word, word)
      return
    }
    const doc = draw.below(2) === 0 ? world.openSlowly(node, 'notes') : world.open(node, 'notes')
    const before = world.nextRequest()
    const text = doc.getText('t')
    insertWord(draw, text, word)
    if (draw.below(3) === 0) doc.getMap('m').set(`k${draw.below(3)}`, word)
    for (let request = before + 1, end = world.nextRequest(); request < end; request++) requests.push(request)
  }
  /** The power is cut. What was written to a document that is still being read is neither stored nor acknowledged by then. */
  const cut = (node: TestNode): void => {
    const stored = world.stored(node, 'doc/notes').getText('t').toString()
    for (const each of words) {
      const isKept = each.isKey || stored.includes(`<${each.word}>`) || each.requests.some(isAcknowledged)
      if (each.boot === `${node.index}/${node.boot}` && !isKept) each.isDead = true
    }
    world.crash(node, node.disk.pending.length)
  }
  const remove = (node: TestNode): void => {
    const isKey = draw.below(2) === 0
    const alive = words.filter(
      each => each.isKey === isKey && !each.isDead && timesOn(world, node, each) === 1,
    )
    // One of each boot stays: it shows that its boot was known.
    const some = alive.filter(each => alive.some(other => other !== each && other.boot === each.boot))
    if (some.length === 0) return
    const dead = draw.pick(some)
    dead.isDead = true
    if (isKey) world.delete(node, 'plant', dead.word)
    else
      world
        .open(node, 'notes')
        .getText('t')
        .delete(textOf(world, node).indexOf(`<${dead.word}>`), dead.word.length + 2)
  }
  const act = (node: TestNode, most: number): void => {
    for (let i = draw.below(most + 1); i > 0; i--) {
      if (draw.below(4) === 0) remove(node)
      else write(node)
      world.advance(draw.pick([0, 3, 150]))
    }
  }
  const verdict = (when: string): string | null => {
    world.heal()
    world.advance(30_000)
    for (const document of ['doc/notes', 'space/plant'])
      if (variantsOf(world, document) > 1) return `${when}: ${document} differs`
    for (const node of world.nodes) {
      for (const word of words)
        if (timesOn(world, node, word) !== (word.isDead ? 0 : 1))
          return `${when}: ${word.word} on ${node.id}, ${textOf(world, node)}`
      if (node.offences.length > 0) return `${when}: ${JSON.stringify(node.offences[0])}`
    }
    return null
  }
  const backups = new Map<TestNode, ReturnType<TestNode['disk']['backup']>[]>()
  for (let round = 0, rounds = 1 + draw.below(3); round < rounds; round++) {
    for (const node of world.nodes) act(node, 2)
    let fault = verdict(`round ${round}, before`)
    if (fault !== null) return fault
    for (const node of world.nodes)
      if (draw.below(2) === 0) backups.set(node, [...(backups.get(node) ?? []), node.disk.backup()])
    for (const node of world.nodes) act(node, 3)
    fault = verdict(`round ${round}, copied`)
    if (fault !== null) return fault
    const one = draw.pick(world.nodes)
    const others = world.nodes.filter(node => node !== one)
    world.crash(one, 0)
    const copies = backups.get(one) ?? []
    if (copies.length > 0) one.disk.restore(draw.pick(copies))
    world.partition(node => node === one)
    for (const other of others) act(other, 1)
    for (let boots = draw.below(3); boots > 0; boots--) {
      world.start(one)
      act(one, 3)
      world.advance(500)
      cut(one)
    }
    world.start(one)
    act(one, 3)
    world.heal()
    for (let i = draw.below(5); i > 0; i--) {
      act(draw.pick(draw.below(2) === 0 ? [one] : others), 2)
      world.advance(draw.below(30))
    }
    if (draw.below(2) === 0) {
      world.advance(draw.below(120))
      cut(one)
      world.start(one)
    }
    fault = verdict(`round ${round}, restored`)
    if (fault !== null) return fault
  }
  return null
}
