// One run of the random scheduler over nodes that hold something else after each boot: kills, old copies of
// disks, partitions, spaces and documents beside each other. The first node holds everything, and its disk is never an
// old one. From a seed. Null when all who hold something ended with it byte for byte equal, and with all that
// the first node had ever seen there, once; but for what two lives of one disk have told under the same clocks
// while nobody was there who knew of both (clashes.ts).

import * as Y from 'yjs'
import { holdsSpace } from '../../src/core/member.js'
import { createRng } from '../../src/core/rng.js'
import { Clashes } from './clashes.js'
import { insertWord, roughNetwork } from './words.js'
import { type TestNode, World } from './world.js'

const SPACES = ['plant', 'rare', 'stock']
const DOCUMENTS = ['notes', 'plans']
const PLACES = [...SPACES.map(name => `space/${name}`), ...DOCUMENTS.map(name => `doc/${name}`)]
const PATTERNS = [
  ['*'],
  ['*'],
  ['plant', 'notes'],
  ['rare', 'plans', 'plant'],
  ['stock', 'notes'],
  ['plant', 'rare', 'stock'],
]

interface Written {
  readonly word: string
  readonly place: string
  readonly by: TestNode
  isCertain: boolean
}

/** `excused` is told how many spaces and documents could differ. */
export const shifting = (seed: number, excused: (places: number) => void = () => {}): string | null => {
  const draw = createRng(seed * 49_979_687)
  const drawn = Array.from({ length: 8 }, (_, index) => (index === 0 ? ['*'] : draw.pick(PATTERNS)))
  const world = new World({
    seed,
    nodes: 3 + draw.below(5),
    ...roughNetwork(draw),
    spaces: index => drawn[index] ?? ['*'],
    config: {
      compareIntervalMs: 2_000,
      foldEntries: draw.pick([3, 4_000]),
      loadWholeBytes: draw.pick([1, 65_536]),
    },
  })
  const [first] = world.nodes as [TestNode]
  const clashes = new Clashes(world)
  const words: Written[] = []
  const holds = (node: TestNode, name: string): boolean => holdsSpace(node.patterns, name)
  const has = (node: TestNode, { word, place }: Written): number => {
    const [kind, name] = place.split('/') as [string, string]
    if (kind === 'space') return Number(node.core.get(name, word) !== undefined)
    return world.open(node, name).getText('t').toString().split(`<${word}>`).length - 1
  }
  const write = (node: TestNode): void => {
    const place = draw.pick(PLACES.filter(each => holds(node, each.slice(each.indexOf('/') + 1))))
    const [kind, name] = place.split('/') as [string, string]
    const word = `${node.index}x${words.length}`
    words.push({ word, place, by: node, isCertain: false })
    if (kind === 'space') world.set(node, name, word, word)
    else insertWord(draw, world.open(node, name).getText('t'), word)
  }
  const act = (most: number): void => {
    for (let i = draw.below(most + 1); i > 0; i--) {
      const up = world.nodes.filter(node => node.up)
      if (up.length > 0) write(draw.pick(up))
      world.advance(draw.pick([0, 3, 50, 400]))
    }
  }
  const boot = (node: TestNode): void => {
    if (node !== first && draw.below(2) === 0) node.patterns = draw.pick(PATTERNS)
    world.start(node)
  }
  const verdict = (when: string): string | null => {
    world.heal()
    for (const node of world.nodes) if (!node.up) boot(node)
    for (let i = 0; i < 8; i++) {
      world.dialWanted()
      world.advance(5_000)
    }
    for (const word of words) if (has(first, word) > 0) word.isCertain = true
    for (const node of world.nodes) {
      for (const place of new Set(words.map(word => word.place))) {
        if (!holds(node, place.slice(place.indexOf('/') + 1))) continue
        if (!clashes.isExcused(place) && bytesOf(world, node, place) !== bytesOf(world, first, place))
          return `${when}: ${place} differs on ${node.id}`
        for (const word of words) {
          if (word.place !== place || clashes.isOf(word.by, place)) continue
          const times = has(node, word)
          if (times > 1 || (word.isCertain && times === 0))
            return `${when}: ${word.word} ${times} times on ${node.id}`
        }
      }
      if (node.offences.length > 0) return `${when}: ${JSON.stringify(node.offences[0])}`
    }
    return null
  }
  act(12)
  let fault = verdict('before')
  const backups = new Map<TestNode, ReturnType<TestNode['disk']['backup']>[]>()
  for (let round = 0; round < 3 && fault === null; round++) {
    for (const node of world.nodes)
      if (draw.below(2) === 0) backups.set(node, [...(backups.get(node) ?? []), node.disk.backup()])
    act(8)
    for (let i = 2 + draw.below(6); i > 0; i--) {
      const node = draw.pick(world.nodes)
      const what = draw.below(6)
      if (what === 0) {
        const side = new Set(world.nodes.filter(() => draw.below(2) === 0))
        world.partition(each => side.has(each))
      } else if (what === 1) world.heal()
      else if (!node.up) boot(node)
      else {
        world.crash(node, node.disk.pending.length)
        const copies = backups.get(node) ?? []
        if (node !== first && copies.length > 0 && draw.below(2) === 0) {
          node.disk.restore(draw.pick(copies))
          clashes.restored(node, PLACES)
        }
        if (draw.below(2) === 0) boot(node)
      }
      act(4)
      world.advance(draw.pick([0, 20, 300, 4_000]))
    }
    fault = verdict(`round ${round}`)
  }
  excused(clashes.size)
  return fault
}

/** What waits for something that its writer holds no more is nobody's. */
const bytesOf = (world: World, node: TestNode, document: string): string => {
  const doc = world.stored(node, document)
  doc.store.pendingStructs = null
  doc.store.pendingDs = null
  return Buffer.from(Y.encodeStateAsUpdate(doc)).toString('hex')
}
