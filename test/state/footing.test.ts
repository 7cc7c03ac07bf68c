// Whom a node that has booted relies on to learn what is known of its own writing: several nodes
// whose disks are put back to old copies at once must not take each other's word for it.

import test from 'ava'
import * as Y from 'yjs'
import { nodeId } from '../../src/core/ids.js'
import type { Member, MembersView } from '../../src/core/member.js'
import { Footing } from '../../src/core/state/footing.js'
import { MET_MAX, metHash, writeHello } from '../../src/core/state/hello.js'
import { manyOld } from './many-old.js'
import { variantsOf } from './replicas.js'
import { together } from './together.js'
import { type TestNode, World } from './world.js'

const LINEAGES = 'shoal_state_lineages_retired_total'

const keysOf = (world: World, node: TestNode): string =>
  Object.keys(world.contents(node, 'plant')).sort().join(' ')

test('nodes that are put back to old copies of their disks, and meet each other before anybody else, end as all others, with all that was acknowledged', t => {
  // Of these random worlds, and of those below, the soak of restored disks runs thousands.
  for (let seed = 1; seed <= 15; seed++) t.is(together(seed), null, `seed ${seed}`)
  // What was lost was the first that one of them wrote, under a lineage that stood on its disk before.
  t.is(together(201), null, 'seed 201')
})

test('what two old disks write while they know only each other is told under clocks that nobody has used', t => {
  // They find the others at once, or after they have waited for long enough to speak.
  for (const apartMs of [0, 20, 10_000]) {
    const world = new World({ seed: 1 + apartMs, nodes: 4, latencyMs: [1, 5] })
    const [a, b] = [world.node(0), world.node(1)]
    for (const node of world.nodes) world.set(node, 'plant', `first-${node.index}`, 1)
    world.advance(1_000)
    const backups = [a, b].map(node => [node, node.disk.backup()] as const)
    for (const node of [a, b])
      for (let i = 0; i < 3; i++) world.set(node, 'plant', `lost-${node.index}-${i}`, 1)
    world.advance(1_000)
    for (const [node, backup] of backups) {
      world.crash(node, 0)
      node.disk.restore(backup)
    }
    world.partition(node => node === a || node === b)
    world.start(a)
    world.start(b)
    for (const node of [a, b])
      for (let i = 0; i < 4; i++) world.set(node, 'plant', `again-${node.index}-${i}`, 1)
    world.advance(apartMs)
    if (apartMs > 5_000) t.true(keysOf(world, b).includes('again-0-3'), 'nobody waits for ever')
    for (const node of [a, b]) world.set(node, 'plant', `late-${node.index}`, 1)
    world.heal()
    world.advance(60_000)
    for (const node of world.nodes)
      t.is(keysOf(world, node).split(' ').length, 4 + 6 + 8 + 2, `${apartMs} ms`)
    t.is(variantsOf(world, 'space/plant'), 1, `${apartMs} ms`)
  }
})

test('of a space that not everybody holds, only who holds it shows what is known of own writing', t => {
  for (const apartMs of [0, 20, 500, 10_000]) {
    const spaces = (index: number): string[] => (index < 2 ? ['rare', 'plant'] : ['plant'])
    const world = new World({ seed: 1 + apartMs, nodes: 4, latencyMs: [1, 5], spaces })
    const [a, b] = [world.node(0), world.node(1)]
    let writes = 0
    const write = (count: number): void => {
      for (let i = 0; i < count; i++) world.set(a, 'rare', `k${writes++}`, 1)
    }
    write(2)
    world.advance(5_000)
    const backup = a.disk.backup()
    write(3)
    world.advance(5_000)
    world.crash(a, 0)
    a.disk.restore(backup)
    // All but the one that could tell.
    world.partition(node => node === b)
    world.start(a)
    world.set(a, 'plant', 'shared', apartMs)
    write(4)
    world.advance(apartMs)
    if (apartMs > 400)
      t.is(world.node(2).core.get('plant', 'shared'), apartMs, 'the rest does not wait for it')
    world.heal()
    write(1)
    world.advance(60_000)
    for (const node of [a, b]) t.is(Object.keys(world.contents(node, 'rare')).length, writes, `${apartMs} ms`)
    const stored = [a, b].map(node => Y.encodeStateAsUpdate(world.stored(node, 'space/rare')))
    t.deepEqual(stored[0], stored[1])
  }
})

test('own clocks that come in a piece, before any vector has told of them, are seen for what they are', t => {
  const world = new World({ seed: 1, nodes: 2, latencyMs: [1, 5] })
  const [a, b] = [world.node(0), world.node(1)]
  world.open(a, 'notes').getText('t').insert(0, '<one>')
  world.advance(1_000)
  const backup = a.disk.backup()
  world.open(a, 'notes').getText('t').insert(0, '<lost, and longer>')
  world.advance(1_000)
  world.open(b, 'notes').getText('t').insert('<lost, and longer>'.length, '<on top>')
  world.advance(1_000)
  const update = Y.encodeStateAsUpdate(world.open(b, 'notes'))
  world.startAloneFrom(a, backup)
  world.open(a, 'notes').getText('t').insert(0, '<alone>')
  world.advance(1_000)
  world.heal()
  const message = { kind: 'statePiece', document: 'doc/notes', number: 1, last: true, update } as const
  world.step(a, { kind: 'message', from: b.id, channel: 'bulk', message, bytes: 0 })
  world.advance(60_000)
  const texts = new Set(world.nodes.map(node => world.open(node, 'notes').getText('t').toString()))
  t.is(texts.size, 1)
  for (const word of ['<one>', '<lost, and longer>', '<on top>', '<alone>'])
    t.is([...texts][0]?.split(word).length, 2, `${word} in ${[...texts]}`)
  t.is(variantsOf(world, 'doc/notes'), 1)
})

test('one to rely on that was cut off itself does not do where a neighbor that has not answered yet knows better', t => {
  for (const document of ['space/plant', 'doc/notes']) {
    const world = new World({ seed: 1, nodes: 3, latencyMs: [1, 5] })
    const [a, b] = [world.node(0), world.node(1)]
    const words: string[] = []
    const write = (word: string): void => {
      words.push(word)
      if (document === 'space/plant') world.set(a, 'plant', word, 1)
      else world.open(a, 'notes').getText('t').insert(0, word)
    }
    write('<first>')
    world.advance(5_000)
    const backup = a.disk.backup()
    world.partition(node => node === b)
    // Who asks for everything twice within a second has to wait for the second answer.
    world.crash(a, 0)
    world.start(a)
    world.advance(100)
    write('<lost>')
    world.advance(100)
    world.crash(a, 0)
    a.disk.restore(backup)
    world.start(a)
    world.advance(50)
    world.heal()
    world.advance(10)
    write('<again>')
    world.advance(60_000)
    t.is(variantsOf(world, document), 1, document)
    for (const node of world.nodes) {
      const held =
        document === 'space/plant' ? keysOf(world, node) : world.open(node, 'notes').getText('t').toString()
      for (const word of words) t.is(held.split(word).length, 2, `${word} in ${document} of ${node.id}`)
    }
  }
})

test('a neighbor that never answers keeps who has booted from speaking for a moment only', t => {
  const world = new World({ seed: 1, nodes: 3, latencyMs: [1, 5] })
  const [a, b, frozen] = [world.node(0), world.node(1), world.node(2)]
  world.set(a, 'plant', 'first', 1)
  world.advance(5_000)
  world.crash(a, a.disk.pending.length)
  world.onTheWay = (from, _to, message) => (from === frozen ? null : message)
  world.start(a)
  world.set(a, 'plant', 'again', 1)
  world.advance(world.config.restExchangeMs / 2)
  t.is(b.core.get('plant', 'again'), undefined, 'what the third knows may be more')
  world.advance(world.config.restExchangeMs)
  t.is(b.core.get('plant', 'again'), 1)
  t.is(a.counts.get(LINEAGES), undefined)
})

test('a mesh that comes back as a whole waits for nobody else, and keeps its lineages', t => {
  for (const nodes of [2, 3, 5, 9]) {
    const world = new World({ seed: nodes, nodes, latencyMs: [1, 5] })
    for (const node of world.nodes) world.set(node, 'plant', `first-${node.index}`, 1)
    world.advance(10_000)
    for (const node of world.nodes) world.crash(node, node.disk.pending.length)
    for (const node of world.nodes) {
      world.start(node)
      world.set(node, 'plant', `again-${node.index}`, 1)
    }
    world.advance(1_000)
    for (const node of world.nodes) {
      t.is(keysOf(world, node).split(' ').length, 2 * nodes, `${nodes} nodes`)
      t.is(node.counts.get(LINEAGES), undefined)
    }
  }
})

test('of a mesh that comes back without some, those who are there speak when they have waited', t => {
  const world = new World({ seed: 1, nodes: 3, latencyMs: [1, 5] })
  for (const node of world.nodes) world.set(node, 'plant', `first-${node.index}`, 1)
  world.advance(10_000)
  for (const node of world.nodes) world.crash(node, node.disk.pending.length)
  const [a, b, c] = [world.node(0), world.node(1), world.node(2)]
  for (const node of [a, b]) world.start(node)
  world.set(a, 'plant', 'again', 1)
  world.advance(2_500)
  t.is(b.core.get('plant', 'again'), undefined)
  world.advance(1_500)
  t.is(b.core.get('plant', 'again'), 1)
  t.is(a.counts.get(LINEAGES), 1)
  // And those who came back first are relied on once they have met all.
  world.start(c)
  world.advance(2_000)
  world.crash(b, b.disk.pending.length)
  world.start(b)
  world.set(b, 'plant', 'last', 1)
  world.advance(1_000)
  for (const node of world.nodes) t.is(node.core.get('plant', 'last'), 1)
})

test('however many nodes are put back to old copies of their disks, and meet only each other, no two replicas differ', t => {
  for (let seed = 1; seed <= 6; seed++) t.is(manyOld(seed), null, `seed ${seed}`)
  // One that had met somebody who was up, and had not got everything yet, was relied on.
  t.is(manyOld(45), null, 'seed 45')
  // One that had held back a piece, its own clocks being in doubt, took itself for compared, and was relied on.
  t.is(manyOld(300_323), null, 'seed 300323')
})

test('in a mesh that comes back as a whole, each hears of those who are no neighbors through others', t => {
  const nodes = 24
  const isNear = (a: number, b: number): boolean => [1, 5, nodes - 5, nodes - 1].includes(Math.abs(a - b))
  const world = new World({ seed: 1, nodes, latencyMs: [1, 5], linked: isNear })
  for (const node of world.nodes) {
    world.set(node, 'plant', `k${node.index}`, 'first')
    world.set(node, 'plant', 'shared', node.index)
  }
  world.advance(60_000)
  for (const node of world.nodes) world.crash(node, node.disk.pending.length)
  for (const node of world.nodes) {
    world.start(node)
    world.set(node, 'plant', `k${node.index}`, 'again')
    world.set(node, 'plant', 'shared', node.index)
  }
  world.advance(2_000)
  for (const node of world.nodes) {
    for (const { index } of world.nodes) t.is(node.core.get('plant', `k${index}`), 'again')
    t.is(node.counts.get(LINEAGES), undefined)
    t.deepEqual(node.offences, [])
  }
})

test('who says that it has met thousands who do not exist keeps nobody from hearing of all others', t => {
  const nodes = 8
  // Its neighbors are all of them; the others have two each, and itself.
  const linked = (a: number, b: number): boolean =>
    a === 3 || b === 3 || [1, nodes - 1].includes(Math.abs(a - b))
  const world = new World({ seed: 3, nodes, latencyMs: [1, 5], linked })
  const insider = world.node(3)
  const others = world.nodes.filter(node => node !== insider)
  for (const node of world.nodes) world.set(node, 'plant', `k${node.index}`, 'first')
  world.advance(60_000)
  for (const node of world.nodes) world.crash(node, node.disk.pending.length)
  for (const node of world.nodes) {
    world.start(node)
    world.set(node, 'plant', `k${node.index}`, 'again')
  }
  const invented = Array.from({ length: MET_MAX }, (_, i) => (i * 2_654_435_761) >>> 0)
  world.onEffect = (node, effect) => {
    if (node !== insider || effect.kind !== 'send' || effect.message.kind !== 'stateHello') return
    const { root } = effect.message
    if (root.length === 0) return
    const lie = writeHello(root.subarray(0, 8), false, invented)
    Object.assign(effect, { message: { kind: 'stateHello', root: lie } })
  }
  world.advance(10_000)
  for (const node of others) {
    for (const { index } of world.nodes) t.is(node.core.get('plant', `k${index}`), 'again')
    t.is(node.counts.get(LINEAGES), undefined)
  }
})

test('a member that is known only after others have met it counts from then on', t => {
  const known: Member[] = []
  let revision = 1
  const members = {
    self: nodeId('a'),
    all: () => known,
    get: () => undefined,
    get revision() {
      return revision
    },
  } as unknown as MembersView
  const footing = new Footing({ members, peersMax: 4, isHeldBy: () => true })
  footing.begin()
  footing.heard(nodeId('b'), false, [metHash(nodeId('c'))])
  t.is(footing.size, 0)
  for (const id of ['b', 'c']) known.push({ id: nodeId(id), verdict: 'alive' } as Member)
  revision++
  t.is(footing.size, 2)
  t.true(footing.isSureOf('space/plant'))
  footing.heard(nodeId('b'), false, [])
  t.is(footing.size, 2, 'what was heard of is here, whatever it says once it has booted again')
})

/** Two of three write, before and after the third is back. */
const nightly = (world: World, lateMs: number): void => {
  const [a, b, late] = [world.node(0), world.node(1), world.node(2)]
  for (const node of world.nodes) world.crash(node, node.disk.pending.length)
  for (const node of [a, b]) {
    world.start(node)
    world.set(node, 'plant', `k${node.index}`, 'alone')
    world.open(node, 'notes').getMap('m').set(`k${node.index}`, 'alone')
  }
  world.advance(lateMs)
  world.start(late)
  world.advance(5_000)
  for (const node of world.nodes) world.set(node, 'plant', `k${node.index}`, 'met')
  world.advance(5_000)
}

test('a mesh that comes back without one of its members every night stays as small as what is alive', t => {
  const world = new World({ seed: 1, nodes: 3, latencyMs: [1, 5] })
  const [a, b, late] = [world.node(0), world.node(1), world.node(2)]
  const left = (): number => (a.counts.get(LINEAGES) ?? 0) + (b.counts.get(LINEAGES) ?? 0)
  const writers = (document: string): number => world.stored(late, document).store.clients.size
  for (let night = 0; night < 10; night++) nightly(world, 10_000)
  const before = left()
  // 8 of each node for either document, and one or two until it waits for as long as the third one takes.
  t.true(before >= 2 * 2 * 8 && before <= 2 * 2 * 10, `${before} lineages`)
  for (let night = 0; night < 50; night++) nightly(world, 10_000)
  t.is(left(), before)
  for (const document of ['space/plant', 'doc/notes']) t.true(writers(document) <= 2 * 10 + 3)
  t.true(Y.encodeStateAsUpdate(world.stored(late, 'space/plant')).length < 4_096)
  for (const node of world.nodes)
    for (const { index } of world.nodes) t.is(node.core.get('plant', `k${index}`), 'met')
  t.is(variantsOf(world, 'space/plant'), 1)

  // Nobody waits for one that is gone.
  for (const node of world.nodes) world.crash(node, node.disk.pending.length)
  for (const node of [a, b]) world.start(node)
  world.set(a, 'plant', 'k', 'again')
  world.advance(4_000)
  t.is(b.core.get('plant', 'k'), undefined)
  world.setVerdict(late, 'dead')
  world.advance(500)
  t.is(b.core.get('plant', 'k'), 'again')
  t.is(left(), before)
})

test('a node that is restarted or killed again and again while others are up adds nothing to what it writes', t => {
  const world = new World({ seed: 1, nodes: 3, latencyMs: [1, 5], config: { foldEntries: 50 } })
  const [a, b] = [world.node(0), world.node(1)]
  const bytes = (): number => {
    const doc = world.stored(b, 'space/plant')
    return Y.encodeStateAsUpdate(doc).length + Y.encodeStateVector(doc).length
  }
  world.set(a, 'plant', 'k', 1_000)
  world.advance(5_000)
  const before = bytes()
  for (let restart = 0; restart < 300; restart++) {
    if (restart % 2 === 0) world.crash(a)
    else world.crash(a, a.disk.pending.length)
    world.start(a)
    world.set(a, 'plant', 'k', 1_000 + restart)
    world.advance(restart % 3 === 0 ? 3 : 4_000)
  }
  world.advance(30_000)
  t.is(a.counts.get(LINEAGES), undefined)
  // One deleted run, and clocks of more digits.
  t.true(bytes() - before < 64, `${before} bytes, then ${bytes()}`)
})
