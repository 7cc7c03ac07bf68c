import test from 'ava'
import * as Y from 'yjs'
import { createRng } from '../../src/core/rng.js'
import type { Effect } from '../../src/core/step.js'
import { variantsOf } from './replicas.js'
import { type TestNode, World } from './world.js'

/** What left a node: the contents of every struct, by client and clock. */
const watch = (world: World): { faults: string[]; structs: Map<string, string> } => {
  const seen = { faults: [] as string[], structs: new Map<string, string>() }
  world.onEffect = (node, effect) => {
    const update = updateOf(effect)
    if (update === null) return
    for (const struct of Y.decodeUpdate(update).structs) {
      if (!(struct instanceof Y.Item) || !(struct.content instanceof Y.ContentEmbed)) continue
      const place = `${struct.id.client}:${struct.id.clock}`
      const content = JSON.stringify(struct.content.embed)
      const known = seen.structs.get(place)
      if (known !== undefined && known !== content)
        seen.faults.push(`${node.id} sends ${place} as ${content}; it was ${known}`)
      seen.structs.set(place, content)
    }
  }
  return seen
}

const updateOf = (effect: Effect): Uint8Array | null => {
  if (effect.kind !== 'publish' && effect.kind !== 'send') return null
  return 'update' in effect.message ? (effect.message.update as Uint8Array) : null
}

test('a kill between a neighbor’s sync and the commit leaves replicas equal', t => {
  for (let seed = 0; seed < 20; seed++) {
    const world = new World({ seed, nodes: 3, commitMs: [400, 500], latencyMs: [1, 5] })
    const [a, b] = [world.node(0), world.node(1)]
    const old = world.set(a, 'plant', 'k', 'old')
    world.advance(2_000)
    t.true(world.isAcknowledged(old))
    const watched = watch(world)
    const request = world.set(a, 'plant', 'k', 'lost')
    world.set(a, 'plant', 'other', 'lost')
    // The neighbors compare, and ask for all they can get, while the commit is under way.
    world.partition(node => node === b)
    world.heal()
    world.set(b, 'plant', 'b', 1)
    world.advance(300)
    t.false(world.isAcknowledged(request))
    t.is(b.core.get('plant', 'k'), 'old', 'neither the overwrite nor its delete has left')
    world.crash(a, 0)
    world.start(a)
    t.is(a.core.get('plant', 'k'), 'old')
    world.set(a, 'plant', 'k', 'new')
    world.advance(30_000)
    t.deepEqual(watched.faults, [])
    for (const node of world.nodes) t.deepEqual(world.contents(node, 'plant'), { b: 1, k: 'new' })
    t.is(variantsOf(world, 'space/plant'), 1)
  }
})

test('no clock of a clientID is given out twice over 1,000 kills', t => {
  t.timeout(120_000)
  const draw = createRng(77)
  const world = new World({
    seed: 78,
    nodes: 3,
    commitMs: [1, 60],
    loss: 0.2,
    config: { foldEntries: 20, foldStepBytes: 500 },
  })
  const watched = watch(world)
  const acknowledged = new Map<string, { request: number; value: number }[]>()
  let kills = 0
  for (let n = 0; kills < 1_000; n++) {
    const node = draw.pick(world.nodes)
    const key = `${node.index}-${draw.below(5)}`
    const request = world.set(node, 'plant', key, n)
    acknowledged.set(key, [...(acknowledged.get(key) ?? []), { request, value: n }])
    world.advance(draw.below(30))
    if (draw.below(2) === 0) {
      const victim = draw.pick(world.nodes)
      world.crash(victim)
      kills++
      if (draw.below(3) === 0) world.advance(draw.below(100))
      world.start(victim)
    }
  }
  world.advance(120_000)
  t.deepEqual(watched.faults, [])
  t.is(variantsOf(world, 'space/plant'), 1, 'replicas are equal')
  for (const [key, writes] of acknowledged) {
    const last = writes.findLastIndex(({ request }) => world.isAcknowledged(request))
    const value = world.node(0).core.get('plant', key) as number
    if (last >= 0)
      t.true(
        value >= (writes[last] as { value: number }).value,
        `${key} is not older than what was acknowledged`,
      )
  }
  t.is(clientsOf(world.node(0), world).length, 3, 'no crash cost a clientID')
})

test('10,000 restarts, clean or not, add less than 16 KB, and nothing that grows', t => {
  t.timeout(120_000)
  const world = new World({ seed: 5, nodes: 1, commitMs: [1, 1], config: { foldEntries: 40 } })
  const node = world.node(0)
  for (let n = 0; n < 10_000; n++) {
    world.set(node, 'plant', `key-${n % 10}`, n)
    if (n % 3 !== 0) world.advance(5)
    world.crash(node)
    world.start(node)
  }
  world.advance(1_000)
  const doc = world.stored(node, 'space/plant')
  const bytes = Y.encodeStateAsUpdate(doc).length + Y.encodeStateVector(doc).length
  // 466 after a hundred restarts, 516 after these; a clientID for each 200th would be 125 more.
  t.true(bytes < 640, `${bytes} bytes`)
})

test('a restored backup takes another clientID, and nothing differs afterwards', t => {
  for (let seed = 0; seed < 20; seed++) {
    const world = new World({ seed, nodes: 3, latencyMs: [1, 5] })
    const a = world.node(0)
    world.set(a, 'plant', 'k', 'one')
    world.advance(1_000)
    const backup = a.disk.backup()
    world.set(a, 'plant', 'k', 'two')
    world.set(a, 'plant', 'l', 'two')
    world.advance(1_000)
    world.crash(a)
    a.disk.restore(backup)
    // It writes before it meets anybody: the same clocks, other contents.
    world.partition(node => node === a)
    world.start(a)
    world.set(a, 'plant', 'm', 'three')
    if (seed % 2 === 0) for (let i = 0; i < 5; i++) world.set(a, 'plant', `n${i}`, 'three')
    world.advance(1_000)
    world.heal()
    world.advance(30_000)
    t.is(variantsOf(world, 'space/plant'), 1, `replicas are equal (seed ${seed})`)
    const contents = world.contents(a, 'plant')
    t.is(contents.k, 'two')
    t.is(contents.l, 'two')
    t.is(contents.m, 'three')
    t.is(a.counts.get('shoal_state_lineages_retired_total'), 1)
    world.crash(a)
    world.start(a)
    t.is(world.contents(a, 'plant').m, 'three')
    world.set(a, 'plant', 'z', 1)
    world.advance(5_000)
    t.is(variantsOf(world, 'space/plant'), 1)
  }
})

test('stored entries that cannot be read do not stop a start, and come back from the neighbors', t => {
  const draw = createRng(9)
  for (let seed = 0; seed < 60; seed++) {
    const world = new World({
      seed,
      nodes: 2,
      config: { foldEntries: seed % 2 === 0 ? 5 : 4_000, foldStepBytes: 200 },
    })
    const [a, b] = [world.node(0), world.node(1)]
    for (let i = 0; i < 30; i++) {
      world.set(draw.pick([a, b]), 'plant', `key-${draw.below(10)}`, i)
      world.advance(20)
    }
    world.advance(2_000)
    const expected = world.contents(b, 'plant')
    world.crash(a)
    for (let i = 0; i < 3; i++) {
      const key = draw.pick([...a.disk.durable.keys()])
      const value = Uint8Array.from(a.disk.durable.get(key) as Uint8Array)
      if (draw.below(2) === 0) value[draw.below(value.length)] = draw.below(256)
      a.disk.durable.set(key, draw.below(3) === 0 ? value.subarray(0, draw.below(value.length)) : value)
    }
    a.disk.durable.set('s/nonsense', new Uint8Array([1]))
    world.start(a)
    world.set(a, 'plant', 'after', seed)
    world.advance(60_000)
    t.deepEqual(world.contents(a, 'plant'), world.contents(b, 'plant'), `seed ${seed}`)
    t.like(world.contents(b, 'plant'), { ...expected, after: seed })
  }
})

test('others’ updates are written lazily, own ones are flushed', t => {
  const world = new World({ seed: 3, nodes: 2 })
  const flushes: string[] = []
  world.onEffect = (node, effect) => {
    if (effect.kind === 'persist') flushes.push(`${node.index} ${effect.flush} ${effect.token !== null}`)
  }
  world.set(world.node(0), 'plant', 'a', 1)
  world.advance(500)
  t.deepEqual(flushes, ['0 true true', '1 false false'])
})

const clientsOf = (node: TestNode, world: World): number[] => [
  ...Y.decodeStateVector(Y.encodeStateVector(world.stored(node, 'space/plant'))).keys(),
]

test('a restored backup that writes among its neighbors before they compared is seen for what it is', t => {
  for (let seed = 0; seed < 20; seed++) {
    const world = new World({ seed, nodes: 3, latencyMs: [1, 5] })
    const a = world.node(0)
    world.set(a, 'plant', 'k', 'one')
    world.advance(1_000)
    const backup = a.disk.backup()
    world.set(a, 'plant', 'k', 'two')
    world.advance(1_000)
    world.crash(a)
    a.disk.restore(backup)
    // Linked at once, and past what the mesh knows of its clocks in its first step.
    world.start(a)
    t.false(a.core.hasExchanged)
    for (let i = 0; i < 8; i++) world.set(a, 'plant', `n${i}`, 'three')
    world.advance(20_000)
    t.true(a.core.hasExchanged)
    t.is(variantsOf(world, 'space/plant'), 1, `replicas are equal (seed ${seed})`)
    const contents = world.contents(world.node(1), 'plant')
    t.is(contents.k, 'two')
    for (let i = 0; i < 8; i++) t.is(contents[`n${i}`], 'three', `n${i} (seed ${seed})`)
    t.is(a.counts.get('shoal_state_lineages_retired_total'), 1)
  }
})

test('a node that wrote before says nothing while it is alone, and what it wrote is found when it meets somebody', t => {
  const world = new World({ seed: 3, nodes: 2, latencyMs: [1, 5] })
  const [a, b] = [world.node(0), world.node(1)]
  world.set(a, 'plant', 'k', 1)
  world.advance(1_000)
  world.crash(b)
  world.crash(a)
  const published: string[] = []
  world.onEffect = (node, effect) => void (effect.kind === 'publish' && published.push(node.id))
  world.start(a)
  world.set(a, 'plant', 'l', 2)
  world.advance(10_000)
  t.false(a.core.hasExchanged)
  t.deepEqual(published, [])
  world.start(b)
  world.advance(5_000)
  t.deepEqual(world.contents(b, 'plant'), { k: 1, l: 2 })
  t.true(b.core.hasExchanged, 'who booted last has compared itself')
})

test('a node whose first neighbor does not answer speaks three seconds later all the same', t => {
  const world = new World({ seed: 3, nodes: 2, latencyMs: [1, 5] })
  const [a, b] = [world.node(0), world.node(1)]
  world.set(a, 'plant', 'k', 1)
  world.advance(1_000)
  world.crash(b)
  world.crash(a)
  const published: string[] = []
  world.onEffect = (node, effect) => void (effect.kind === 'publish' && published.push(node.id))
  world.start(a)
  world.advance(10_000)
  world.step(a, { kind: 'linkUp', node: b.id, address: '', outbound: true })
  world.set(a, 'plant', 'l', 2)
  world.advance(2_900)
  t.deepEqual(published, [])
  world.advance(200)
  t.false(a.core.hasExchanged)
  t.deepEqual(published, [a.id])
})

test('a disk that lost its end without a trace makes no two replicas differ, however long its node was alone', t => {
  for (let seed = 0; seed < 20; seed++) {
    const world = new World({ seed, nodes: 3, latencyMs: [1, 5] })
    const a = world.node(0)
    world.set(a, 'plant', 'k', 'one')
    world.advance(1_000)
    const backup = a.disk.backup()
    for (const key of ['k', 'l', 'm']) world.set(a, 'plant', key, 'two')
    world.advance(1_000)
    world.crash(a)
    a.disk.restore(backup)
    const written = world.writeAloneAndMet(a, 'plant')
    t.is(written, 6 + 5)
    t.is(variantsOf(world, 'space/plant'), 1, `replicas are equal (seed ${seed})`)
    const contents = world.contents(world.node(1), 'plant')
    t.is(Object.keys(contents).length, 3 + written, `seed ${seed}`)
    t.is(contents.m, 'two')
  }
})

test('a restored backup that writes as much as it lost, or less, or more, loses nothing of either', t => {
  for (const place of [0, 2]) {
    for (const lost of [1, 2, 3]) {
      for (const wrote of [1, 2, 3]) {
        const world = new World({ seed: 1, nodes: 3 })
        const a = world.node(place)
        const expected: Record<string, number> = { first: 0 }
        const set = (key: string): void => {
          expected[key] = Object.keys(expected).length
          world.set(a, 'plant', key, expected[key] as number)
        }
        world.set(a, 'plant', 'first', 0)
        world.advance(2_000)
        const backup = a.disk.backup()
        for (let i = 0; i < lost; i++) set(`lost-${i}`)
        world.advance(2_000)
        world.startAloneFrom(a, backup)
        world.advance(1_000)
        for (let i = 0; i < wrote; i++) set(`new-${i}`)
        world.advance(5_000)
        world.heal()
        world.advance(60_000)
        const which = `node ${place}: ${lost} lost, ${wrote} written`
        for (const node of world.nodes) t.deepEqual(world.contents(node, 'plant'), expected, which)
        t.is(variantsOf(world, 'space/plant'), 1, which)
        t.is(a.counts.get('shoal_state_lineages_retired_total'), 1, which)
      }
    }
  }
})

test('what a restored backup wrote before others did does not win over them when its lineage is given up', t => {
  for (const place of [0, 2]) {
    for (const lost of [2, 3]) {
      const world = new World({ seed: 1, nodes: 3 })
      const [a, b] = [world.node(place), world.node(1)]
      world.set(a, 'plant', 'first', 0)
      world.advance(2_000)
      const backup = a.disk.backup()
      for (let i = 0; i < lost; i++) world.set(a, 'plant', `lost-${i}`, i)
      world.advance(2_000)
      world.startAloneFrom(a, backup)
      world.advance(1_000)
      world.set(a, 'plant', 'k', 'older')
      world.advance(5_000)
      world.set(b, 'plant', 'k', 'newer')
      world.advance(5_000)
      world.heal()
      world.advance(60_000)
      for (const node of world.nodes)
        t.is(node.core.get('plant', 'k'), 'newer', `node ${place}, ${lost} lost`)
    }
  }
})

test('after any restored backup replicas are equal, and of every key the newest write stands', t => {
  for (let seed = 1; seed <= 60; seed++) {
    const draw = createRng(seed * 7_919)
    const world = new World({ seed, nodes: 3, latencyMs: [1, 8] })
    const a = world.node(draw.below(3))
    const others = world.nodes.filter(node => node !== a)
    const newest: Record<string, number> = {}
    let writes = 0
    const some = (node: TestNode, most: number): void => {
      for (let i = draw.below(most + 1); i > 0; i--) {
        const key = `k${draw.below(5)}`
        newest[key] = ++writes
        world.set(node, 'plant', key, writes)
        world.advance(150)
      }
    }
    some(a, 4)
    world.advance(1_500)
    const backup = a.disk.backup()
    some(a, 4)
    world.advance(1_500)
    world.crash(a, 0)
    a.disk.restore(backup)
    world.partition(node => node === a)
    some(others[0] as TestNode, 2)
    world.start(a)
    world.advance(500)
    for (let i = 0; i < 3; i++) {
      some(a, 2)
      some(draw.pick(others), 1)
    }
    world.advance(1_000)
    world.heal()
    if (draw.below(2) === 1) some(a, 2)
    world.advance(60_000)
    for (const node of world.nodes) t.deepEqual(world.contents(node, 'plant'), newest, `seed ${seed}`)
  }
})

test('while a disk takes nothing for a minute, writes are read at home alone, and all are acknowledged and told when it does again', t => {
  const world = new World({ seed: 21, nodes: 3, commitMs: [60_000, 60_000], latencyMs: [1, 5] })
  const watched = watch(world)
  const [a, b] = [world.node(0), world.node(1)]
  const requests: number[] = []
  for (let i = 0; i < 500; i++) {
    requests.push(world.set(a, 'plant', `k${i % 50}`, i))
    if (i % 10 === 9) requests.push(world.delete(a, 'plant', `k${i % 50}`))
    world.advance(100)
  }
  t.is(a.core.get('plant', 'k48'), 498)
  t.is(b.core.get('plant', 'k48'), undefined)
  t.false(requests.some(request => world.isAcknowledged(request)))
  world.advance(120_000)
  t.true(requests.every(request => world.isAcknowledged(request)))
  for (const node of world.nodes) t.is(Object.keys(world.contents(node, 'plant')).length, 45)
  t.deepEqual(watched.faults, [])
  t.is(variantsOf(world, 'space/plant'), 1)
})

test('who has booted has not compared itself with a neighbor whose disk still holds back a part of what it knew', t => {
  const world = new World({ seed: 22, nodes: 2, commitMs: [400, 400], latencyMs: [1, 5] })
  const [a, b] = [world.node(0), world.node(1)]
  const write = (value: number): void => {
    const changes = ['one', 'two'].map(key => ({ key, value }))
    world.perform(a, a.core.write(world.now, 'shoal.claims', changes, null))
  }
  write(1)
  world.advance(2_000)
  world.crash(b)
  write(2)
  world.advance(2_000)
  // These replace what is durable, and so neither is told before their commit.
  write(3)
  world.start(b)
  for (let ms = 0; !b.core.hasExchanged; ms += 5) {
    if (ms > 5_000) throw new Error('it never compared itself')
    world.advance(5)
  }
  for (const key of ['one', 'two']) t.true(Number(b.core.get('shoal.claims', key)) >= 2, key)
  world.advance(5_000)
  for (const key of ['one', 'two']) t.is(b.core.get('shoal.claims', key), 3)
})
