// What becomes of writes whose lineage is given up, and of the snapshots that are begun
// and thrown away on the way, when the power is cut at any moment of it.

import test from 'ava'
import * as Y from 'yjs'
import { resolveStateConfig } from '../../src/core/state/config.js'
import { readable } from '../../src/core/state/load.js'
import { recover } from '../../src/core/state/log.js'
import { StoredLog } from '../../src/core/state/stored-log.js'
import type { StoreWrite } from '../../src/core/step.js'
import { variantsOf } from './replicas.js'
import { type TestNode, World } from './world.js'

/** A node on an old copy of its disk that has written alone, up to the step in which it gives its lineage up. */
const upToGivingUp = (seed: number, writes: number): { world: World; node: TestNode; requests: number[] } => {
  const world = new World({
    seed,
    nodes: 3,
    latencyMs: [1, 5],
    commitMs: [30, 40],
    config: { foldStepBytes: 100 },
  })
  const node = world.node(0)
  world.set(node, 'plant', 'k', 'one')
  world.set(world.node(1), 'plant', 'theirs', 'old')
  world.advance(1_000)
  const backup = node.disk.backup()
  for (const key of ['k', 'l', 'm']) world.set(node, 'plant', key, 'two')
  world.advance(1_000)
  world.crash(node)
  node.disk.restore(backup)
  world.partition(other => other === node)
  world.start(node)
  const requests = Array.from({ length: writes }, (_, i) => world.set(node, 'plant', `n${i}`, 'three'))
  world.advance(1_000)
  // Under way to the disk when the lineage is given up.
  world.heal()
  for (let ms = 0; ms < 100 && !node.counts.has('shoal_state_lineages_retired_total'); ms++) {
    if (ms === 2) world.set(node, 'plant', 'theirs', 'new')
    world.advance(1)
  }
  return { world, node, requests }
}

test('no power cut while a lineage is given up takes what was acknowledged', t => {
  for (const writes of [1, 4]) {
    for (let keep = 0, most = 0; keep <= most; keep++) {
      const { world, node, requests } = upToGivingUp(4, writes)
      t.is(node.counts.get('shoal_state_lineages_retired_total'), 1)
      for (const request of requests) t.true(world.isAcknowledged(request))
      most = node.disk.pending.length
      world.crash(node, keep)
      world.start(node)
      for (let i = 0; i < writes; i++)
        t.is(node.core.get('plant', `n${i}`), 'three', `n${i}, ${keep} of ${most} batches kept`)
      world.advance(60_000)
      t.is(variantsOf(world, 'space/plant'), 1, `replicas are equal, ${keep} of ${most} batches kept`)
      for (const each of world.nodes) {
        t.not(each.core.get('plant', 'theirs'), undefined)
        for (let i = 0; i < writes; i++) t.is(each.core.get('plant', `n${i}`), 'three')
      }
    }
  }
})

test('a restored backup that wrote alone and was started once more, or more often, before it met anybody makes no two replicas differ', t => {
  for (let boots = 1; boots <= 3; boots++) {
    for (const lost of [1, 3, 6]) {
      const world = new World({ seed: boots, nodes: 3, latencyMs: [1, 5] })
      const a = world.node(0)
      world.set(a, 'plant', 'k', 'one')
      world.advance(1_000)
      const backup = a.disk.backup()
      for (let i = 0; i < lost; i++) world.set(a, 'plant', `lost-${i}`, 'two')
      world.advance(1_000)
      world.crash(a)
      a.disk.restore(backup)
      world.partition(node => node === a)
      for (let boot = 0; boot < boots; boot++) {
        world.start(a)
        world.set(a, 'plant', `alone-${boot}`, 'three')
        world.advance(10_000)
        world.crash(a, a.disk.pending.length)
      }
      world.start(a)
      world.advance(1_000)
      world.heal()
      world.advance(60_000)
      const which = `${boots} boots, ${lost} lost`
      t.is(variantsOf(world, 'space/plant'), 1, which)
      for (const node of world.nodes)
        t.is(Object.keys(world.contents(node, 'plant')).length, 1 + lost + boots, which)
    }
  }
})

test('parts of a snapshot that was thrown away are not read with those of the next one', t => {
  const config = resolveStateConfig({ foldStepBytes: 100 })
  const disk = new Map<string, Uint8Array>()
  const put = (writes: readonly StoreWrite[]): void => {
    for (const { key, value } of writes) {
      if (value === null) disk.delete(key)
      else disk.set(key, value)
    }
  }
  const docOf = (letters: number): Y.Doc => {
    const doc = new Y.Doc()
    doc.clientID = 1
    for (let i = 0; i < letters; i++) doc.getMap('m').set(`key-${i}`, 'x'.repeat(50))
    return doc
  }
  const log = new StoredLog('doc/notes', config)
  put(log.append(Y.encodeStateAsUpdate(docOf(20)), true, 'aaaaaaaa'))
  const large = docOf(20)
  for (let i = 0; i < 8; i++) put(log.foldStep(large, 'aaaaaaaa'))
  const small = docOf(6)
  put(log.foldAll(small, 'bbbbbbbb'))
  for (const isAgain of [false, true]) {
    const recovered = recover([...disk].map(([key, value]) => ({ key, value }))).get('doc/notes')
    if (recovered === undefined) return t.fail('nothing is stored')
    const { found, garbage } = readable('doc/notes', recovered)
    const doc = new Y.Doc()
    for (const update of [...found.parts, ...found.log]) Y.applyUpdate(doc, update)
    t.deepEqual(doc.getMap('m').toJSON(), small.getMap('m').toJSON())
    t.deepEqual(garbage, [])
    // Nor are those that only a power cut left there.
    if (!isAgain) put([{ key: 's/doc/notes/p/2/99', value: disk.get('s/doc/notes/p/2/0') as Uint8Array }])
    disk.delete('s/doc/notes/p/2/99')
  }
})

test('a spoilt head beside a snapshot that was not finished costs nothing, however often its node is killed', t => {
  const world = new World({ seed: 6, nodes: 1, config: { foldEntries: 10, foldStepBytes: 100 } })
  const node = world.node(0)
  for (let i = 0; i < 11; i++) world.set(node, 'plant', `key-${i}`, 'x'.repeat(100))
  world.advance(1_000)
  for (let i = 0; i < 11; i++) world.set(node, 'plant', `more-${i}`, i)
  // In the midst of the second snapshot.
  const parts = (): number => [...node.disk.durable.keys()].filter(key => key.includes('/p/2/')).length
  for (let ms = 0; ms < 2_000 && parts() < 3; ms++) world.advance(1)
  t.true(parts() >= 3 && parts() < 9)
  world.crash(node, 0)
  const head = node.disk.durable.get('s/space/plant/h') as Uint8Array
  node.disk.durable.set('s/space/plant/h', head.slice(0, 10))
  for (let boot = 0; boot < 3; boot++) {
    world.start(node)
    t.is(Object.keys(world.contents(node, 'plant')).length, 22 + boot, `boot ${boot}`)
    world.set(node, 'plant', `boot-${boot}`, boot)
    world.advance(1)
    world.crash(node, node.disk.pending.length)
  }
})

test('what is written again does not take the place of what was written elsewhere meanwhile, and is here already', t => {
  for (const isReached of [false, true]) {
    const world = new World({ seed: 2, nodes: 3, latencyMs: [5, 5], commitMs: [1, 1] })
    const [a, b] = [world.node(0), world.node(1)]
    world.set(a, 'plant', 'first', 0)
    world.advance(1_000)
    const backup = a.disk.backup()
    world.set(a, 'plant', 'second', 0)
    world.advance(1_000)
    world.crash(a)
    a.disk.restore(backup)
    world.partition(node => node === a)
    world.start(a)
    for (const key of ['k', 'l']) world.set(a, 'plant', key, 'older')
    world.advance(1_000)
    world.heal()
    // Told before the comparison has begun, and so seen beside what is given up.
    world.set(b, 'plant', 'k', 'newer')
    while (!a.counts.has('shoal_state_lineages_retired_total')) world.advance(1)
    t.is(a.core.get('plant', 'k'), 'newer')
    if (isReached) world.set(b, 'plant', 'l', 'newest')
    world.advance(60_000)
    for (const node of world.nodes)
      t.deepEqual(world.contents(node, 'plant'), {
        first: 0,
        k: 'newer',
        l: isReached ? 'newest' : 'older',
        second: 0,
      })
  }
})

test('what is written to a raw document under a new lineage stays at home until it is durable, and is nobody’s offence', t => {
  for (let seed = 1; seed <= 5; seed++) {
    const config = { compareIntervalMs: 300 }
    const world = new World({ seed, nodes: 2, latencyMs: [1, 5], commitMs: [4_000, 4_000], config })
    const [a, b] = [world.node(0), world.node(1)]
    const doc = world.open(a, 'notes')
    world.open(b, 'notes')
    doc.getText('t').insert(0, 'one')
    world.advance(10_000)
    const backup = a.disk.backup()
    doc.getText('t').insert(0, 'two ')
    world.advance(10_000)
    world.crash(a, 0)
    a.disk.restore(backup)
    world.start(a)
    const again = world.open(a, 'notes')
    const old = again.clientID
    // Under way to the disk while the lineage is given up, and past what is written next.
    again.getText('t').insert(0, 'x'.repeat(100))
    world.advance(2_000)
    t.true(again.isDestroyed)
    const last = world.open(a, 'notes')
    t.not(last.clientID, old)
    const moved = Y.getState(last.store, last.clientID)
    t.is(moved, 100)
    let early = 0
    world.onEffect = (node, effect) => {
      if (node !== a || (effect.kind !== 'send' && effect.kind !== 'publish')) return
      if (a.disk.pending.length === 0) return
      if (!('update' in effect.message)) return
      for (const { id, length } of Y.decodeUpdate(effect.message.update as Uint8Array).structs)
        if (id.client === last.clientID && id.clock + length > moved) early++
    }
    last.getText('t').insert(0, 'three ')
    world.advance(10_000)
    t.is(early, 0, `seed ${seed}`)
    t.is(b.counts.get('shoal_state_dropped_total:foreign'), undefined)
    t.true(b.documents.get('notes')?.getText('t').toString().includes('three '))
  }
})
