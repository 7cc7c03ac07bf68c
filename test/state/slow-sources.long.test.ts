// A node that lacks much, and has only slow ways to those who have it: it gets there in little more time than the way
// takes, with little that comes twice, and does not go from one source to the next for ever.

import test from 'ava'
import { ALL_BYTES } from '../../src/core/state/message.js'
import { variantsOf } from './replicas.js'
import { sizeOf, type TestNode, type Wire, World } from './world.js'

const KEYS = 400
const VALUE = 'x'.repeat(780)
const LACKING = KEYS * 800
const KB = 1_024

/** Of the node that came back. */
interface Course {
  readonly tookMs: number
  readonly isWhole: boolean
  readonly variants: number
  /** Bytes of pieces that were sent to it. */
  readonly pieceBytes: number
  /** How often it was another neighbor that was asked for all. */
  readonly changes: number
}

/** It was cut off while another wrote; `wireOf`: by what its neighbors are reached, the first, the second and so on. */
const comeBack = (seed: number, wireOf: (neighbor: number, isDown: boolean) => Wire): Course => {
  const world = new World({ seed, nodes: 5 })
  const last = world.node(4)
  world.set(world.node(0), 'plant', 'first', 1)
  world.advance(3_000)
  world.partition(node => node === last)
  const changes = Array.from({ length: KEYS }, (_, i) => ({ key: `key-${i}`, value: VALUE }))
  world.write(world.node(0), 'plant', changes)
  world.advance(10_000)
  let pieceBytes = 0
  const sources: string[] = []
  world.onEffect = (node, effect) => {
    if (effect.kind !== 'send') return
    const { message, to } = effect
    if (to === last.id && message.kind === 'statePiece') pieceBytes += sizeOf(message)
    if (node === last && message.kind === 'stateDigest' && message.bytesMax === ALL_BYTES) sources.push(to)
  }
  world.wireOf = (from: TestNode, to: TestNode) => {
    if (from !== last && to !== last) return null
    return wireOf(from === last ? to.index : from.index, to === last)
  }
  world.heal()
  const began = world.now
  const isWhole = (): boolean => [...last.core.entries('plant')].length === KEYS + 1
  while (!isWhole() && world.now - began < 1_800_000) world.advance(500)
  const course = {
    tookMs: world.now - began,
    isWhole: isWhole(),
    pieceBytes,
    changes: sources.filter((source, i) => i > 0 && source !== sources[i - 1]).length,
  }
  world.wireOf = null
  world.advance(300_000)
  return { ...course, variants: variantsOf(world, 'space/plant') }
}

/** Its own way to the mesh is slow: all that is sent to it shares that. */
const oneWay =
  (bytesPerSecond: number) =>
  (_neighbor: number, isDown: boolean): Wire => ({ name: isDown ? 'down' : 'up', bytesPerSecond })

/** The way to each neighbor is as slow as that neighbor's is. */
const ownWays =
  (...rates: number[]) =>
  (neighbor: number, isDown: boolean): Wire => ({
    name: `${isDown ? 'from' : 'to'} ${neighbor}`,
    bytesPerSecond: rates[neighbor] as number,
  })

const WAYS: readonly (readonly [string, bytesPerSecond: number, ReturnType<typeof oneWay>])[] = [
  ...[1, 3, 8, 16].map(
    rate => [`a way of ${rate} KB a second to all`, rate * KB, oneWay(rate * KB)] as const,
  ),
  ...[1, 3, 8].map(
    rate =>
      [
        `four ways of ${rate} KB a second`,
        rate * KB,
        ownWays(rate * KB, rate * KB, rate * KB, rate * KB),
      ] as const,
  ),
  ['one of 3 KB a second and three of 1', 3 * KB, ownWays(KB, KB, 3 * KB, KB)],
  ['one of 8 KB a second and three on which a byte comes now and then', 8 * KB, ownWays(10, 10, 8 * KB, 10)],
]

for (const [name, bytesPerSecond, wireOf] of WAYS)
  test(`over ${name}, all that is lacking comes about once and in the time that it takes`, t => {
    t.timeout(600_000)
    for (const seed of [1, 2, 3]) {
      const course = comeBack(seed, wireOf)
      const leastMs = (1_000 * LACKING) / bytesPerSecond
      t.log(`${course.tookMs} ms, at least ${leastMs}; ${course.pieceBytes} bytes, ${course.changes} changes`)
      t.true(course.isWhole)
      t.is(course.variants, 1)
      t.true(course.tookMs < 1.5 * leastMs + 30_000, `${course.tookMs} ms`)
      // What was under way when somebody was left comes as well.
      t.true(course.pieceBytes < 1.25 * LACKING + 100_000, `${course.pieceBytes} bytes`)
      t.true(course.changes < 4 + course.tookMs / 10_000, `${course.changes} changes`)
    }
  })
