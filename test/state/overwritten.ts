// One run of the random scheduler over nodes that write over what all of them have while they are
// alone, are killed and boot again, and meet one or all of the others for a moment or for good. From a
// seed. Null when no reader ever saw a key or a word absent, nor anything older than it had seen before,
// nor older than what was acknowledged to it.

import { createRng } from '../../src/core/rng.js'
import { variantsOf } from './replicas.js'
import { roughNetwork } from './words.js'
import { type TestNode, World } from './world.js'

interface Write {
  readonly version: number
  readonly by: TestNode
  readonly request: number
}

const KEYS = ['a', 'b', 'c']

export const overwritten = (seed: number): string | null => {
  const draw = createRng(seed * 15_485_863)
  // To a raw document Yjs applies what a broadcast deletes before what it has to wait for.
  const isRaw = draw.below(2) === 0
  const world = new World({
    seed,
    nodes: 2 + draw.below(4),
    ...roughNetwork(draw),
    ...(isRaw ? { loss: 1 } : {}),
    config: {
      compareIntervalMs: 2_000,
      foldEntries: draw.pick([2, 5, 4_000]),
      foldStepBytes: draw.pick([100, 65_536]),
      loadWholeBytes: draw.pick([1, 65_536]),
    },
  })
  let version = 0
  /** The newest that was acknowledged, and that any was written with, by key. */
  const writes = new Map(KEYS.map(key => [key, [] as Write[]]))
  const write = (node: TestNode, key: string): void => {
    version++
    writes.get(key)?.push({ version, by: node, request: world.set(node, 'plant', key, version) })
    if (!isRaw) return
    // What is not filled yet would be written to without having been seen.
    const text = world.open(node, 'notes').getText(key)
    text.doc?.transact(() => {
      text.insert(text.length, `<${version}>`)
      if (text.length > `<${version}>`.length) text.delete(0, text.length - `<${version}>`.length)
    })
  }
  let fault: string | null = null
  const isBegun = new Set<string>()
  const seen = new Map<string, number>()
  const filled = new WeakSet<object>()
  const look = (node: TestNode): void => {
    for (const key of KEYS) {
      if (!node.up || !isBegun.has(key)) continue
      const value = Number(node.core.get('plant', key) ?? 0)
      const place = `${node.index}/${node.boot}/${key}`
      const before = seen.get(place) ?? 0
      if (value < before) fault ??= `${key} on ${node.id} is ${value} after ${before}, at ${world.now}`
      seen.set(place, value)
      // A copy that is ended here is another one next time.
      const text = node.documents.get('notes')?.getText(key)
      if (text === undefined) continue
      if (text.length > 0) filled.add(text)
      else if (filled.has(text)) fault ??= `the text of ${key} on ${node.id} is empty, at ${world.now}`
    }
  }
  world.around = (_event, turn) => {
    turn()
    for (const node of world.nodes) look(node)
  }
  /** Of what was acknowledged, to itself or to anybody. */
  const isLatest = (node: TestNode, key: string, by: TestNode | null): boolean => {
    const list = (writes.get(key) ?? []).filter(each => by === null || each.by === by)
    const acknowledged = list.findLast(({ request }) => world.isAcknowledged(request))?.version ?? 0
    return Number(node.core.get('plant', key) ?? 0) >= acknowledged
  }
  for (const key of KEYS) write(draw.pick(world.nodes), key)
  world.advance(30_000)
  for (const key of KEYS) isBegun.add(key)
  if (isRaw) for (const node of world.nodes) world.open(node, 'notes')
  for (let round = 0, rounds = 1 + draw.below(3); round < rounds && fault === null; round++) {
    const one = draw.pick(world.nodes)
    if (draw.below(3) > 0) world.crash(one, one.disk.pending.length)
    world.partition(node => node === one)
    for (let boots = 1 + draw.below(3); boots > 0; boots--) {
      if (!one.up) world.start(one)
      for (let i = draw.below(6); i > 0; i--) {
        write(one, draw.pick(KEYS))
        world.advance(draw.pick([0, 3, 150, 4_000]))
      }
      world.advance(draw.pick([0, 50]))
      world.crash(one)
      world.start(one)
      for (const key of KEYS)
        if (!isLatest(one, key, one)) fault ??= `${key} is older after a boot of ${one.id}`
    }
    // For a moment with one of the others, or some.
    for (let meetings = draw.below(3); meetings > 0; meetings--) {
      const some = new Set(draw.shuffle(world.nodes).slice(0, 1 + draw.below(2)))
      world.heal()
      world.partition(node => node === one || some.has(node))
      world.advance(draw.pick([2, 10, 30, 60, 100, 400, 4_000]))
      if (draw.below(3) === 0) write(one, draw.pick(KEYS))
      world.crash(one, one.disk.pending.length)
      world.partition(node => node === one)
      world.start(one)
    }
    world.heal()
    world.advance(30_000)
    for (const key of KEYS)
      for (const node of world.nodes)
        if (!isLatest(node, key, null)) fault ??= `${key} is older on ${node.id}`
    for (const document of ['doc/notes', 'space/plant'])
      if (variantsOf(world, document) > 1) fault ??= `${document} differs`
  }
  return fault
}
