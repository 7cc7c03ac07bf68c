import test from 'ava'
import type { Json } from '../../src/core/json.js'
import { type TestNode, World } from './world.js'

const SMALL = {
  keyBytesMax: 16,
  valueBytesMax: 1_000,
  spaceKeysMax: 5,
  spaceBytesMax: 3_000,
  documentsMax: 3,
  totalBytesMax: 4_000,
  changesPerWriteMax: 4,
  writeBytesMax: 2_500,
  documentBytesMax: 500,
} as const

const refusal = (world: World, request: number): { code: string; limit: string } => {
  const reply = world.replies.get(request)
  const limit = /\b[a-z][A-Za-z]+Max\b/.exec(reply?.message ?? '')?.[0] ?? ''
  return { code: reply?.code ?? '', limit }
}

const deep = (levels: number): Json => (levels === 0 ? 1 : [deep(levels - 1)])

test('every limit refuses by its name, before anything changes', t => {
  const world = new World({ seed: 1, nodes: 1, config: SMALL })
  const node = world.node(0)
  const text = (bytes: number): string => 'x'.repeat(bytes - 2)
  const refused = (changes: Record<string, Json>, limit: string, code = 'STATE_LIMIT'): void => {
    const before = JSON.stringify(world.contents(node, 'plant'))
    const persisted = node.disk.pending.length
    const list = Object.entries(changes).map(([key, value]) => ({ key, value }))
    t.deepEqual(refusal(world, world.write(node, 'plant', list)), { code, limit })
    t.is(JSON.stringify(world.contents(node, 'plant')), before)
    t.is(node.disk.pending.length, persisted)
  }
  refused({ 'a key of more than 16': 1 }, 'keyBytesMax')
  refused({ äöüäöüäöü: 1 }, 'keyBytesMax')
  refused({ '': 1 }, '', 'KEY_INVALID')
  refused({ a: text(1_001) }, 'valueBytesMax')
  refused({ a: deep(65) }, 'valueDepthMax', 'VALUE_INVALID')
  refused({ a: Number.NaN }, 'valueDepthMax', 'VALUE_INVALID')
  refused({ a: 1, b: 2, c: 3, d: 4, e: 5 }, 'changesPerWriteMax')
  refused({ a: text(1_000), b: text(1_000), c: text(600) }, 'writeBytesMax')
  world.write(
    node,
    'plant',
    [1, 2, 3, 4].map(i => ({ key: `k${i}`, value: text(600) })),
  )
  refused({ x: 1, y: 2 }, 'spaceKeysMax')
  refused({ x: text(900) }, 'spaceBytesMax')
  world.set(node, 'stock', 'a', text(1_000))
  world.set(node, 'stock', 'b', text(400))
  refused({ x: text(300) }, 'totalBytesMax')
  world.set(node, 'third', 'a', 1)
  t.deepEqual(refusal(world, world.set(node, 'fourth', 'a', 1)), {
    code: 'STATE_LIMIT',
    limit: 'documentsMax',
  })
  t.is(refusal(world, world.set(node, 'Not a name', 'a', 1)).code, 'SPACE_INVALID')
  world.advance(100)
  t.true(world.isAcknowledged(world.delete(node, 'plant', 'k1')) === false)
  world.advance(100)
  t.is(node.core.get('plant', 'k1'), undefined, 'what makes it smaller is always welcome')
})

test('a space that is empty again takes no place from others, up to a bound', t => {
  const world = new World({ seed: 9, nodes: 2, config: SMALL })
  const node = world.node(0)
  let opened = 0
  for (let i = 0; i < 30; i++) {
    const request = world.set(node, `space-${i}`, 'a', 1)
    world.advance(100)
    if (!world.isAcknowledged(request)) break
    opened++
    world.delete(node, `space-${i}`, 'a')
    world.advance(100)
  }
  t.is(opened, 12)
  world.set(node, 'space-3', 'b', 1)
  world.advance(100)
  t.is(node.core.get('space-3', 'b'), 1, 'one that is known can be written again')
})

test('a raw document that is empty again, and that nobody has open, takes no place', t => {
  const world = new World({ seed: 10, nodes: 1, config: { documentsMax: 3 } })
  const node = world.node(0)
  for (let i = 0; i < 3; i++) world.open(node, `notes-${i}`).getText('t').insert(0, 'something')
  world.advance(100)
  t.is(node.core.refuseDocument('more')?.code, 'STATE_LIMIT')
  const text = world.open(node, 'notes-0').getText('t')
  text.delete(0, text.length)
  t.is(node.core.refuseDocument('more')?.code, 'STATE_LIMIT', 'it is open')
  text.doc?.destroy()
  t.is(node.core.refuseDocument('more'), null)
  world.open(node, 'notes-0').getText('t').insert(0, 'again')
  world.openSlowly(node, 'notes-0').destroy()
  t.is(node.core.refuseDocument('more')?.code, 'STATE_LIMIT')
})

test('a raw document is refused what would make it too large', t => {
  const world = new World({ seed: 2, nodes: 1, config: SMALL })
  const node = world.node(0)
  const doc = world.open(node, 'notes')
  let refusedAt = -1
  for (let i = 0; i < 100 && refusedAt < 0; i++) {
    doc.getText('t').insert(0, 'ten bytes ')
    world.advance(50)
    if ([...world.replies.values()].some(({ code }) => code === 'STATE_LIMIT')) refusedAt = i
  }
  t.true(refusedAt > 20 && refusedAt < 60, `refused at the ${refusedAt}th`)
})

test('Shoal’s own spaces are not writable by the application, but by Shoal', t => {
  const world = new World({ seed: 3, nodes: 2 })
  const node = world.node(0)
  t.is(refusal(world, world.set(node, 'shoal.mesh', 'a', 1)).code, 'SPACE_RESERVED')
  world.perform(node, node.core.write(world.now, 'shoal.mesh', [{ key: 'a', value: 1 }], 4_242))
  t.is(node.core.get('shoal.mesh', 'a'), 1)
  world.advance(1_000)
  t.is(world.node(1).core.get('shoal.mesh', 'a'), 1)
})

test('what a reader gets cannot be changed', t => {
  const world = new World({ seed: 4, nodes: 1 })
  const node = world.node(0)
  const value = { list: [1, 2, { three: 3 }] }
  world.set(node, 'plant', 'a', value)
  value.list.push(4)
  const read = node.core.get('plant', 'a') as unknown as typeof value
  t.deepEqual(read, { list: [1, 2, { three: 3 }] })
  t.throws(() => read.list.push(5), { instanceOf: TypeError })
})

test('a space that not everybody holds reaches its holders, and nobody else', t => {
  const holders = [5, 18, 31]
  const world = new World({
    seed: 5,
    nodes: 40,
    spaces: index => (holders.includes(index) ? ['*'] : ['common*']),
    // Everybody is linked to four on a ring: no two holders are.
    linked: (a, b) => [1, 2, 38, 39].includes(Math.abs(a - b)),
  })
  const writer = world.node(5)
  world.set(writer, 'rare', 'a', 1)
  world.set(writer, 'common-things', 'b', 2)
  world.advance(200)
  world.dialWanted()
  world.advance(1_000)
  world.dialWanted()
  world.advance(2_000)
  world.set(world.node(31), 'rare', 'c', 3)
  world.advance(2_000)
  const holds = (node: TestNode): boolean => holders.includes(node.index)
  for (const node of world.nodes) {
    t.deepEqual(world.contents(node, 'common-things'), { b: 2 })
    if (holds(node)) {
      t.deepEqual(world.contents(node, 'rare'), { a: 1, c: 3 })
      t.deepEqual(
        [...node.core.wantedNeighbors()].sort(),
        holders.filter(i => i !== node.index).map(i => world.node(i).id),
      )
    } else {
      t.throws(() => node.core.get('rare', 'a'), { message: /not among the spaces that this node holds/ })
      t.is(refusal(world, world.set(node, 'rare', 'a', 1)).code, 'SPACE_NOT_HELD')
      t.false([...node.disk.durable.keys()].some(key => key.includes('rare')))
      t.deepEqual(node.core.wantedNeighbors(), [])
    }
  }
})

test('what Shoal itself writes may be a whole task, and any number of changes', t => {
  const world = new World({ seed: 6, nodes: 2 })
  const node = world.node(0)
  // The largest task and what is written beside it; then the claims of a death that moves 12,000 tasks.
  const task = { input: 'x'.repeat(65_000), run: { exec: ['y'.repeat(65_000)] }, revision: 1 }
  world.perform(node, node.core.write(world.now, 'shoal.tasks', [{ key: 'large', value: task }], null))
  const claims = Array.from({ length: 12_000 }, (_, i) => ({ key: `task-${i}/0/n`, value: { number: i } }))
  world.perform(node, node.core.write(world.now, 'shoal.claims', claims, 4_243))
  world.advance(30_000)
  const other = world.node(1).core
  t.deepEqual(other.get('shoal.tasks', 'large'), task)
  t.is([...other.entries('shoal.claims')].length, 12_000)
  t.deepEqual(world.node(1).offences, [])
  t.throws(
    () => node.core.write(world.now, 'shoal.tasks', [{ key: 'k', value: 'x'.repeat(140_000) }], null),
    { message: /too many/ },
  )
})
