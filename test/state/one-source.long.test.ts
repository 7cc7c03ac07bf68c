// A node that lacks much takes it from one neighbor at a time; one that lacks little, from anybody at once.

import test, { type ExecutionContext } from 'ava'
import type { Message } from '../../src/core/message.js'
import { variantsOf } from './replicas.js'
import { sizeOf, type TestNode, World } from './world.js'

/** About 200 KB for each 250. */
const VALUE = 'x'.repeat(780)
/** 780 KB, or seventeen pieces, where 8 KB are little. */
const MUCH = 1_000

const fill = (world: World, node: TestNode, keys: number, prefix = 'key', space = 'plant'): void => {
  for (let from = 0; from < keys; from += 250) {
    const count = Math.min(250, keys - from)
    const changes = Array.from({ length: count }, (_, i) => ({ key: `${prefix}-${from + i}`, value: VALUE }))
    world.write(node, space, changes)
    world.advance(200)
  }
}

interface Traffic {
  /** Bytes of messages to this node, */
  readonly received: Map<TestNode, number>
  /** and pieces among them. */
  readonly pieces: Map<TestNode, number>
  /** Bytes of pieces by the nodes that sent them. */
  readonly given: Map<TestNode, number>
}

const add = (counts: Map<TestNode, number>, node: TestNode, by: number): void =>
  void counts.set(node, (counts.get(node) ?? 0) + by)

const watch = (world: World): Traffic => {
  const traffic: Traffic = { received: new Map(), pieces: new Map(), given: new Map() }
  world.onEffect = (node, effect) => {
    if (effect.kind !== 'send') return
    const to = world.nodes.find(({ id }) => id === effect.to) as TestNode
    add(traffic.received, to, sizeOf(effect.message))
    if (effect.message.kind !== 'statePiece') return
    add(traffic.pieces, to, 1)
    add(traffic.given, node, sizeOf(effect.message))
  }
  return traffic
}

const keysOf = (node: TestNode): number => [...node.core.entries('plant')].length

/** A cheap look; whether they are equal byte for byte is looked at once, in the end. */
const areAsMany = (nodes: readonly TestNode[]): boolean => {
  const keys = nodes.slice(0, 1).map(keysOf)[0]
  return [...nodes].reverse().every(node => keysOf(node) === keys)
}

/** Until all have as many keys; how long that took. */
const untilEqual = (t: ExecutionContext, world: World, mostMs = 60_000, nodes = world.nodes): number => {
  const began = world.now
  // Those that met have still to say that they differ.
  world.advance(25)
  while (!areAsMany(nodes) && world.now - began < mostMs) world.advance(25)
  t.true(areAsMany(nodes), `not equal after ${mostMs} ms`)
  return world.now - began
}

const areAllEqual = (t: ExecutionContext, world: World, space = 'plant', nodes = world.nodes): void => {
  world.advance(10_000)
  t.is(variantsOf(world, `space/${space}`, nodes), 1, 'byte for byte')
}

/** The last of them is cut off, while the first writes much. */
const behind = (neighbors: number, seed: number, keys = MUCH): { world: World; last: TestNode } => {
  const world = new World({ seed, nodes: neighbors + 1 })
  const last = world.node(neighbors)
  world.set(world.node(0), 'plant', 'first', 1)
  world.advance(3_000)
  world.partition(node => node === last)
  fill(world, world.node(0), keys)
  world.advance(10_000)
  return { world, last }
}

for (const neighbors of [4, 10])
  test(`a node that returns to ${neighbors} neighbors gets what it lacks about once`, t => {
    t.timeout(600_000)
    const { world, last } = behind(neighbors, 10 + neighbors)
    const { received } = watch(world)
    world.heal()
    const tookMs = untilEqual(t, world)
    areAllEqual(t, world)
    const bytes = received.get(last) ?? 0
    t.log(`${(bytes / 1e6).toFixed(2)} MB received, equal after ${tookMs} ms`)
    t.true(bytes < 1.25 * MUCH * VALUE.length, `${bytes} bytes`)
  })

test('a node that was down gets what it lacks about once', t => {
  t.timeout(600_000)
  const { world, last } = behind(4, 16)
  const { received } = watch(world)
  world.crash(last)
  world.start(last)
  world.heal()
  const tookMs = untilEqual(t, world)
  areAllEqual(t, world)
  const bytes = received.get(last) ?? 0
  t.log(`${(bytes / 1e6).toFixed(2)} MB received, equal after ${tookMs} ms`)
  t.true(bytes < 1.25 * MUCH * VALUE.length, `${bytes} bytes`)
  t.true(last.core.hasExchanged)
})

test('two halves of a mesh that meet send each node about what it lacks', t => {
  t.timeout(600_000)
  const world = new World({ seed: 21, nodes: 20 })
  world.set(world.node(0), 'plant', 'first', 1)
  world.advance(3_000)
  world.partition(node => node.index < 10)
  fill(world, world.node(0), MUCH / 2, 'here')
  fill(world, world.node(10), MUCH / 2 + 1, 'there')
  world.advance(10_000)
  const { received } = watch(world)
  world.heal()
  const tookMs = untilEqual(t, world)
  areAllEqual(t, world)
  const bytes = [...received.values()].reduce((sum, each) => sum + each, 0)
  t.log(`${(bytes / 1e6).toFixed(1)} MB in all, equal after ${tookMs} ms`)
  t.true(bytes < 1.5 * 20 * (MUCH / 2) * VALUE.length, `${bytes} bytes`)
})

test('of many spaces that a node lacks, each comes about once', t => {
  t.timeout(600_000)
  const world = new World({ seed: 31, nodes: 11 })
  const last = world.node(10)
  world.partition(node => node === last)
  for (let i = 0; i < 100; i++) {
    const changes = Array.from({ length: 5 }, (_, k) => ({ key: `key-${k}`, value: VALUE }))
    world.write(world.node(i % 10), `space-${i}`, changes)
    world.advance(20)
  }
  world.advance(10_000)
  const { pieces } = watch(world)
  world.heal()
  world.advance(10_000)
  for (const i of [0, 7, 55, 99])
    t.deepEqual(world.contents(last, `space-${i}`), world.contents(world.node(0), `space-${i}`))
  t.is(last.core.held, world.node(0).core.held)
  t.log(`${pieces.get(last)} pieces`)
  t.true((pieces.get(last) ?? 0) < 130, `${pieces.get(last)} pieces`)
})

/** Who sends the returning node its pieces. */
const sourceOf = (world: World, last: TestNode): (() => TestNode | null) => {
  let source: TestNode | null = null
  world.onEffect = (node, effect) => {
    if (effect.kind === 'send' && effect.to === last.id && effect.message.kind === 'statePiece')
      source ??= node
  }
  return () => source
}

test('a source that dies midway is replaced at once by another', t => {
  t.timeout(600_000)
  const { world, last } = behind(4, 41)
  const source = sourceOf(world, last)
  world.heal()
  for (let i = 0; i < 4_000 && keysOf(last) < 200; i++) world.advance(1)
  const died = source() as TestNode
  t.true(keysOf(last) < 800, 'it is midway')
  world.crash(died)
  const alive = world.nodes.filter(node => node !== died)
  const tookMs = untilEqual(t, world, 2_500, alive)
  t.log(`equal ${tookMs} ms later`)
  world.start(died)
  untilEqual(t, world)
  areAllEqual(t, world)
})

/** From some piece on, a node's pieces are lost, though its link stays. */
const stalls = (world: World, of: (node: TestNode) => boolean, after: number): void => {
  const sent = new Map<TestNode, number>()
  world.onTheWay = (from, _to, message) => {
    if (message.kind !== 'statePiece' || !of(from)) return message
    add(sent, from, 1)
    return (sent.get(from) ?? 0) > after ? null : message
  }
}

test('a source that stalls midway is left after three seconds', t => {
  t.timeout(600_000)
  const { world, last } = behind(4, 51)
  const source = sourceOf(world, last)
  stalls(world, node => node === source(), 6)
  world.heal()
  const tookMs = untilEqual(t, world, 30_000)
  t.log(`equal after ${tookMs} ms`)
  t.true(tookMs > 2_000 && tookMs < 4_500, `${tookMs} ms`)
  world.onTheWay = null
  areAllEqual(t, world)
})

test('a source that delivers a little now and then is left as well', t => {
  t.timeout(600_000)
  const { world, last } = behind(4, 52)
  const source = sourceOf(world, last)
  let lastPieceAt = 0
  world.onTheWay = (from, _to, message) => {
    if (message.kind !== 'statePiece' || from !== source()) return message
    if (world.now - lastPieceAt < 2_000) return null
    lastPieceAt = world.now
    return message
  }
  world.heal()
  const tookMs = untilEqual(t, world, 30_000)
  t.log(`equal after ${tookMs} ms`)
  t.true(tookMs < 4_500, `${tookMs} ms`)
  world.onTheWay = null
  areAllEqual(t, world)
})

test('neighbors that promise and never send cost a bounded time, and are tried last afterwards', t => {
  t.timeout(600_000)
  const { world, last } = behind(6, 61)
  // The first that are asked, whoever they are.
  const liars = new Set<TestNode>()
  world.onTheWay = (from, to, message) => {
    if (to !== last || message.kind !== 'statePiece') return message
    if (liars.size < 3) liars.add(from)
    return liars.has(from) ? null : message
  }
  world.heal()
  const tookMs = untilEqual(t, world, 60_000)
  t.log(`equal after ${tookMs} ms with ${liars.size} liars`)
  t.is(liars.size, 3)
  t.true(tookMs > 2_000 && tookMs < 3 * 3_000 + 3_000, `${tookMs} ms`)
  world.advance(5_000)
  world.partition(node => node === last)
  fill(world, world.node(0), 500, 'second')
  world.advance(5_000)
  world.heal()
  const againMs = untilEqual(t, world, 60_000)
  t.log(`and ${againMs} ms the second time`)
  t.true(againMs < 1_000, `${againMs} ms`)
  world.onTheWay = null
  areAllEqual(t, world)
})

test('a little is mended at once by anybody, though those who are asked first stall', t => {
  const world = new World({ seed: 71, nodes: 5 })
  const last = world.node(4)
  world.set(world.node(0), 'plant', 'first', 1)
  world.advance(3_000)
  world.partition(node => node === last)
  world.set(world.node(2), 'plant', 'little', 1)
  world.advance(4_000)
  const stalled = new Set<TestNode>()
  world.onTheWay = (from, to, message) => {
    if (to !== last || message.kind !== 'statePiece') return message
    if (stalled.size < 2) stalled.add(from)
    return stalled.has(from) ? null : message
  }
  world.heal()
  const began = world.now
  while (last.core.get('plant', 'little') !== 1 && world.now - began < 10_000) world.advance(5)
  t.log(`after ${world.now - began} ms`)
  t.true(world.now - began < 500, `${world.now - began} ms`)
  t.is(stalled.size, 2)
  world.onTheWay = null
  areAllEqual(t, world)
})

test('a little takes no more messages there and back than it did', t => {
  // Whose name is smaller speaks first: hello, summary, digest, piece; or one more, a want.
  for (const [index, mostMs] of [
    [0, 42],
    [4, 52],
  ] as const) {
    const world = new World({ seed: 72, nodes: 5, latencyMs: [10, 10], commitMs: [1, 1] })
    const last = world.node(index)
    world.set(world.node(1), 'plant', 'first', 1)
    world.advance(3_000)
    world.partition(node => node === last)
    world.set(world.node(1), 'plant', 'little', 1)
    world.advance(3_000)
    world.heal()
    const began = world.now
    while (last.core.get('plant', 'little') !== 1 && world.now - began < 10_000) world.advance(1)
    t.true(world.now - began <= mostMs, `${world.now - began} ms`)
    areAllEqual(t, world)
  }
})

test('what a node wrote while it was cut off goes to one neighbor first, and all become equal', t => {
  t.timeout(600_000)
  const { world, last } = behind(4, 81, 250)
  fill(world, last, MUCH, 'own')
  world.advance(5_000)
  const { given } = watch(world)
  world.heal()
  const tookMs = untilEqual(t, world)
  areAllEqual(t, world)
  const bytes = given.get(last) ?? 0
  t.log(`${(bytes / 1e6).toFixed(2)} MB sent by it, equal after ${tookMs} ms`)
  t.true(bytes < 1.5 * MUCH * VALUE.length, `${bytes} bytes`)
})

test('who got it first and never passes it on delays the others for a bounded time', t => {
  t.timeout(600_000)
  const { world, last } = behind(4, 82, 250)
  fill(world, last, MUCH, 'own')
  world.advance(5_000)
  let first: string | null = null
  // It takes what is sent, and not even says that it came.
  world.onTheWay = (from, to, message) => {
    if (from === last && message.kind === 'statePiece') first ??= to.id
    return from.id === first ? null : message
  }
  world.heal()
  const others = (): TestNode[] => world.nodes.filter(({ id }) => id !== first)
  world.advance(200)
  const tookMs = untilEqual(t, world, 30_000, others())
  t.log(`equal after ${tookMs} ms`)
  t.true(tookMs < 5_000, `${tookMs} ms`)
  world.onTheWay = null
  world.advance(20_000)
  areAllEqual(t, world)
})

test('a node that starts again midway, and its source too, goes on and becomes equal', t => {
  t.timeout(600_000)
  const { world, last } = behind(4, 91)
  const { received } = watch(world)
  world.heal()
  for (let i = 0; i < 4_000 && keysOf(last) < 200; i++) world.advance(1)
  t.true(keysOf(last) < 800, 'it is midway')
  world.crash(last)
  world.advance(200)
  world.start(last)
  for (let i = 0; i < 50; i++) world.advance(1)
  t.true(keysOf(last) < 1_000, 'it is midway again')
  world.crash(world.node(1))
  world.start(world.node(1))
  untilEqual(t, world)
  areAllEqual(t, world)
  t.true((received.get(last) ?? 0) < 2.2 * MUCH * VALUE.length, `${received.get(last)} bytes`)
})

/** As a node that knows nothing of it reads and writes messages. */
const asBefore = (message: Message): Message | null => {
  if (message.kind === 'stateHeld') return null
  if (message.kind !== 'stateDigest' && message.kind !== 'stateWant') return message
  const { bytesMax: _unknown, ...rest } = message
  return rest
}

for (const [what, isOld] of [
  ['one neighbor is', (index: number) => index === 1],
  ['all neighbors are', (index: number) => index !== 4],
  ['the one that returns is', (index: number) => index === 4],
] as const)
  test(`where ${what} of an older version, all become equal`, t => {
    t.timeout(600_000)
    const { world, last } = behind(4, 101, MUCH / 2)
    fill(world, last, MUCH / 4, 'own')
    world.advance(5_000)
    world.onTheWay = (from, to, message) =>
      isOld(from.index) || isOld(to.index) ? asBefore(message) : message
    world.heal()
    const tookMs = untilEqual(t, world, 30_000)
    t.log(`equal after ${tookMs} ms`)
    t.true(tookMs < 8_000, `${tookMs} ms`)
    areAllEqual(t, world)
  })
