import test from 'ava'
import * as Y from 'yjs'
import { Crowd, reading, sizes } from './crowd.js'
import { World } from './world.js'

test('6,000 overwrites over 100 keys by 20 writers leave at most twice the live data and 64 bytes a writer', async t => {
  t.timeout(120_000)
  const crowd = new Crowd(20)
  for (let n = 0; n < 6_000; ) {
    for (let k = 0; k < 20; k++, n++) crowd.set(n % 20, 'plant', `sensor-${(n * 7) % 100}`, reading(n))
    crowd.settle(10)
    if (n % 1_000 === 0) await new Promise(setImmediate)
  }
  crowd.settle()
  const { v1, live, structs } = sizes(crowd, 7, 'plant')
  t.true(v1 <= 2 * live + 64 * 20, `${v1} bytes encoded, ${live} alive, ${structs} structs`)
  t.true(structs <= 220)
})

test('100,000 keys created by one and removed by another leave under 64 KB', async t => {
  t.timeout(120_000)
  const crowd = new Crowd(2)
  for (let round = 0; round < 100; round++) {
    const keys = Array.from({ length: 1_000 }, (_, i) => `task-${round}-${i}`)
    for (let from = 0; from < 1_000; from += 100)
      crowd.write(
        0,
        'plant',
        keys.slice(from, from + 100).map(key => ({ key, value: 'on' })),
      )
    crowd.settle(50)
    for (let from = 0; from < 1_000; from += 100)
      crowd.write(
        1,
        'plant',
        keys.slice(from, from + 100).map(key => ({ key, value: undefined })),
      )
    crowd.settle(50)
    await new Promise(setImmediate)
  }
  crowd.settle()
  t.is(sizes(crowd, 0, 'plant').live, 2)
  t.is(sizes(crowd, 1, 'plant').live, 2)
  const { v1 } = sizes(crowd, 1, 'plant')
  t.true(v1 < 1_024, `${v1} bytes`)
  const stored = [...(crowd.stores[0]?.values() ?? [])].reduce((bytes, value) => bytes + value.length, 0)
  t.true(stored < 2 * 262_144 + 4_000 * 100, `${stored} bytes in the store`)
})

test('20 writers of the same 100 keys in twenty parts are bounded again soon after they meet', async t => {
  t.timeout(120_000)
  const world = new World({ seed: 11, nodes: 20 })
  const keys = Array.from({ length: 100 }, (_, i) => `sensor-${i}`)
  world.write(
    world.node(0),
    'plant',
    keys.map(key => ({ key, value: reading(0) })),
  )
  world.advance(5_000)
  for (const node of world.nodes) world.partition(other => other === node)
  for (let round = 0; round < 3; round++) {
    for (const node of world.nodes) {
      world.write(
        node,
        'plant',
        keys.map((key, i) => ({ key, value: reading(node.index * 1_000 + i) })),
      )
      world.advance(50)
    }
    await new Promise(setImmediate)
  }
  world.heal()
  for (let i = 0; i < 10; i++) {
    world.advance(1_000)
    await new Promise(setImmediate)
  }
  const doc = world.stored(world.node(3), 'space/plant')
  const live = JSON.stringify(world.contents(world.node(3), 'plant')).length
  const encoded = Y.encodeStateAsUpdate(doc).length
  t.true(encoded <= 2 * live + 64 * 20, `${encoded} bytes encoded, ${live} alive`)
  let entries = 0
  for (const name of doc.share.keys()) entries += doc.getArray(name).length
  t.is(entries, 100, 'one entry a key')
})

test('losers whose winner’s writer is gone are removed by the lowest live holder', t => {
  const world = new World({ seed: 12, nodes: 4 })
  world.set(world.node(0), 'plant', 'k', 'old')
  world.advance(2_000)
  for (const node of world.nodes) world.partition(other => other === node)
  world.set(world.node(1), 'plant', 'k', 'loser')
  world.advance(10)
  world.set(world.node(3), 'plant', 'k', 'winner')
  world.advance(1_000)
  // The winner reaches node 2 only, then its writer dies.
  world.heal()
  world.partition(node => node.index < 2)
  world.advance(30)
  world.crash(world.node(3))
  world.heal()
  world.advance(60_000)
  const entries = (): number => {
    const doc = world.stored(world.node(2), 'space/plant')
    return [...doc.share.keys()].reduce((sum, name) => sum + doc.getArray(name).length, 0)
  }
  const before = entries()
  world.setVerdict(world.node(3), 'dead')
  world.advance(5_000)
  t.true(before >= 1)
  t.is(entries(), 1)
  t.is(new Set([0, 1, 2].map(i => world.node(i).core.get('plant', 'k'))).size, 1)
})

test('the log is folded, and what is stored stays in proportion to what is alive', t => {
  const world = new World({ seed: 13, nodes: 2, config: { foldEntries: 50, foldStepBytes: 500 } })
  for (let n = 0; n < 2_000; n++) {
    world.set(world.node(n % 2), 'plant', `sensor-${n % 20}`, reading(n))
    world.advance(5)
  }
  world.advance(30_000)
  for (const node of world.nodes) {
    t.true(node.disk.durable.size < 120, `${node.disk.durable.size} entries`)
    const expected = world.contents(node, 'plant')
    world.crash(node, node.disk.pending.length)
    world.start(node)
    t.deepEqual(world.contents(node, 'plant'), expected)
  }
})
