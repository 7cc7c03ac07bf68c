import test from 'ava'
import * as Y from 'yjs'
import { reading } from './crowd.js'
import { grow } from './large-documents.js'
import type { World as WorldType } from './world.js'
import { sizeOf, World } from './world.js'

const fill = async (world: WorldType, keys: number): Promise<number> => {
  let bytes = 0
  for (let from = 0; from < keys; from += 500) {
    const changes = Array.from({ length: 500 }, (_, i) => ({
      key: `sensor-${from + i}`,
      value: reading(from + i),
    }))
    bytes += JSON.stringify(changes).length
    world.write(world.node(0), 'plant', changes)
    world.advance(100)
    await new Promise(setImmediate)
  }
  world.advance(3_000)
  return bytes
}

const sent = (world: WorldType): number => world.nodes.reduce((bytes, node) => bytes + node.bytesSent, 0)

test('catching up takes bytes in proportion to the difference, deletes included', async t => {
  t.timeout(120_000)
  const world = new World({ seed: 1, nodes: 2 })
  const [a, b] = [world.node(0), world.node(1)]
  await fill(world, 20_000)
  const differ = (count: number, change: (i: number) => void): number => {
    world.partition(node => node === a)
    for (let i = 0; i < count; i++) change(i)
    world.advance(1_000)
    const before = sent(world)
    world.heal()
    world.advance(5_000)
    t.deepEqual(world.contents(a, 'plant'), world.contents(b, 'plant'))
    return sent(world) - before
  }
  const deleted = differ(100, i => world.delete(a, 'plant', `sensor-${1_000 + i}`))
  const deletedMany = differ(1_000, i => world.delete(b, 'plant', `sensor-${5_000 + i}`))
  const written = differ(100, i => world.set(a, 'plant', `new-${i}`, reading(i)))
  const overwritten = differ(100, i =>
    world.set(i % 2 === 0 ? a : b, 'plant', `sensor-${150 * i}`, reading(i)),
  )
  t.true(deleted < 4_000, `100 deletes in a row: ${deleted} bytes`)
  t.true(deletedMany < 4_000, `1,000 deletes in a row: ${deletedMany} bytes`)
  t.true(written < 100 * 150 + 4_000, `100 writes: ${written} bytes`)
  t.true(overwritten < 100 * 170 + 8_000, `100 overwrites all over: ${overwritten} bytes`)
  t.is(Object.keys(world.contents(b, 'plant')).length, 20_000 - 1_100 + 100 + 7)
})

test('a newcomer gets all in bounded pieces, few at a time, and says how far it is', async t => {
  t.timeout(120_000)
  const world = new World({ seed: 2, nodes: 2, latencyMs: [200, 400], config: { progressIntervalMs: 1_000 } })
  const [a, b] = [world.node(0), world.node(1)]
  world.crash(b)
  const bytes = await fill(world, 20_000)
  let underWay = 0
  let most = 0
  let largest = 0
  world.onEffect = (node, effect) => {
    if (effect.kind !== 'send') return
    largest = Math.max(largest, sizeOf(effect.message))
    if (node === a && effect.message.kind === 'statePiece') most = Math.max(most, ++underWay)
    if (node === b && effect.message.kind === 'stateGot') underWay--
  }
  const before = sent(world)
  world.start(b)
  for (let i = 0; i < 60; i++) {
    world.advance(1_000)
    await new Promise(setImmediate)
  }
  t.deepEqual(world.contents(b, 'plant'), world.contents(a, 'plant'))
  t.true(sent(world) - before < 1.4 * bytes, `${sent(world) - before} bytes for ${bytes} of JSON`)
  t.true(most <= 4, `${most} pieces under way`)
  t.true(largest <= 60_000, `${largest} bytes in one message`)
  t.true(b.logs.includes('info state is catching up'))
  t.true(b.logs.includes('info state caught up'))
})

test('a catch-up that is cut off goes on from where it was', async t => {
  t.timeout(120_000)
  const world = new World({ seed: 3, nodes: 2, latencyMs: [20, 40] })
  const [a, b] = [world.node(0), world.node(1)]
  world.crash(b)
  const bytes = await fill(world, 10_000)
  const before = sent(world)
  world.start(b)
  for (let i = 0; i < 6; i++) {
    world.advance(300)
    world.partition(node => node === b)
    world.heal()
  }
  world.advance(20_000)
  t.deepEqual(world.contents(b, 'plant'), world.contents(a, 'plant'))
  // A window's worth may be lost with each cut.
  t.true(
    sent(world) - before < 1.4 * bytes + 6 * 4 * 49_152,
    `${sent(world) - before} bytes for ${bytes} of JSON`,
  )
})

test('a write too large for a broadcast reaches all the same', t => {
  const world = new World({ seed: 4, nodes: 3 })
  world.set(world.node(0), 'plant', 'small', 1)
  world.advance(1_000)
  const changes = Array.from({ length: 10 }, (_, i) => ({ key: `large-${i}`, value: 'x'.repeat(60_000) }))
  world.write(world.node(0), 'plant', changes)
  world.set(world.node(0), 'plant', 'small', 2)
  let largest = 0
  world.onEffect = (_node, effect) => {
    if (effect.kind === 'send' || effect.kind === 'publish')
      largest = Math.max(largest, sizeOf(effect.message))
  }
  world.advance(5_000)
  t.true(largest < 262_144, `${largest} bytes in one message`)
  for (const node of world.nodes) {
    t.is(Object.keys(world.contents(node, 'plant')).length, 11)
    t.is(node.core.get('plant', 'small'), 2)
    t.deepEqual(
      [...node.counts.keys()].filter(metric => metric.includes('dropped')),
      [],
    )
  }
})

test('a text longer than a message is cut into pieces, and whole again', t => {
  const world = new World({ seed: 5, nodes: 2 })
  const text = world.open(world.node(0), 'notes').getText('t')
  text.insert(0, '0123456789 😀 '.repeat(40_000))
  let largest = 0
  world.onEffect = (_node, effect) => {
    if (effect.kind === 'send' || effect.kind === 'publish')
      largest = Math.max(largest, sizeOf(effect.message))
  }
  world.advance(5_000)
  t.true(largest < 262_144, `${largest} bytes in one message`)
  t.is(world.open(world.node(1), 'notes').getText('t').toString(), text.toString())
})

test('spaces are compared and told of while a large document is still being read, which is compared afterwards', t => {
  const world = new World({
    seed: 6,
    nodes: 2,
    latencyMs: [1, 3],
    config: { foldBytes: 20_000, foldStepBytes: 1_000, loadWholeBytes: 1_000, loadStepBytes: 50 },
  })
  const [a, b] = [world.node(0), world.node(1)]
  world.set(b, 'plant', 'before', 1)
  const doc = world.open(a, 'notes')
  for (const update of grow('typed', 80_000).updates) {
    Y.applyUpdate(doc, update)
    world.advance(3)
  }
  world.advance(5_000)
  world.crash(b, b.disk.pending.length)
  world.set(a, 'plant', 'missed', 2)
  doc.getText('t').insert(0, 'missed ')
  world.advance(1_000)
  // What is said of the document, by either, is said after it was read.
  const told: string[] = []
  let isHeard = false
  let isSeen = false
  world.onEffect = (_node, effect) => {
    if (effect.kind !== 'send' || !('document' in effect.message)) return
    if (effect.message.document === 'doc/notes') told.push('document')
  }
  world.around = (_event, turn) => {
    turn()
    if (!isHeard && b.up && b.core.get('plant', 'missed') === 2) told.push('heard')
    isHeard ||= told.includes('heard')
    if (!isSeen && isHeard && a.core.get('plant', 'after') === 3) told.push('seen')
    isSeen ||= told.includes('seen')
  }
  world.start(b)
  world.set(b, 'plant', 'after', 3)
  world.advance(20_000)
  t.deepEqual(told.slice(0, 3), ['heard', 'seen', 'document'])
  t.true(b.core.hasExchanged)
  t.is(world.open(b, 'notes').getText('t').toString(), doc.getText('t').toString())
  t.deepEqual(world.contents(a, 'plant'), { before: 1, missed: 2, after: 3 })
})
