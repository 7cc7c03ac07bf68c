// How often a neighbor is asked about what differs, as long as nothing of it moves.

import test from 'ava'
import { nodeId } from '../../src/core/ids.js'
import { defaultStateConfig } from '../../src/core/state/config.js'
import { Standstill } from '../../src/core/state/standstill.js'
import { type TestNode, World } from './world.js'

const NODE = nodeId('a')
const MINUTE = 60_000
const hash = (byte: number): Uint8Array => new Uint8Array(8).fill(byte)
const differing = (mine: number, theirs: number, room = 100) => [
  { document: 'space/plant', mine: hash(mine), theirs: hash(theirs), room },
]

/** In which minutes it is asked, of those in which it differs just so. */
const asks = (standstill: Standstill, from: number, to: number, mine: number): number[] => {
  const out: number[] = []
  for (let minute = from; minute < to; minute++)
    if (standstill.toAsk(minute * MINUTE, NODE, differing(mine, 9)).length > 0) out.push(minute)
  return out
}

test('what differs and does not move is asked about as usual for a minute, and then ever more seldom, but again and again', t => {
  const standstill = new Standstill(defaultStateConfig)
  for (let second = 0; second < 60; second += 5)
    t.is(standstill.toAsk(second * 1_000, NODE, differing(1, 9)).length, 1, `after ${second} s`)
  t.deepEqual(asks(standstill, 1, 80, 1), [1, 2, 4, 8, 16, 24, 32, 40, 48, 56, 64, 72])
})

test('as soon as either of the two has got something, or they were equal or apart, it is asked about at once', t => {
  const standstill = new Standstill(defaultStateConfig)
  asks(standstill, 0, 50, 1)
  t.deepEqual(standstill.toAsk(50 * MINUTE, NODE, differing(1, 9)), [])
  t.is(standstill.toAsk(50 * MINUTE, NODE, differing(2, 9)).length, 1)
  asks(standstill, 51, 90, 2)
  t.is(standstill.toAsk(90 * MINUTE, NODE, differing(2, 8)).length, 1)
  asks(standstill, 91, 130, 2)
  standstill.toAsk(130 * MINUTE, NODE, [])
  t.is(standstill.toAsk(130 * MINUTE, NODE, differing(2, 9)).length, 1)
  asks(standstill, 131, 170, 2)
  standstill.linkDown(NODE)
  t.is(standstill.toAsk(170 * MINUTE, NODE, differing(2, 9)).length, 1)
  t.is(standstill.toAsk(170 * MINUTE, nodeId('b'), differing(2, 9)).length, 1)
})

test('more room than at any question is a reason to ask at once, and as much as there was is none', t => {
  const standstill = new Standstill(defaultStateConfig)
  asks(standstill, 0, 50, 1)
  const isAsked = (room: number): boolean =>
    standstill.toAsk(50 * MINUTE, NODE, differing(1, 9, room)).length > 0
  t.deepEqual([100, 40, 100, 101, 101, 60, 101, 102].map(isAsked), [
    false,
    false,
    false,
    true,
    false,
    false,
    false,
    true,
  ])
})

test('what was refused for want of room comes soon after room is given back by another space', t => {
  for (let seed = 1; seed <= 6; seed++) {
    const config = { totalBytesMax: 400_000, spaceBytesMax: 400_000 }
    const spaces = (index: number): string[] => (index === 0 ? ['late'] : ['*'])
    const world = new World({ seed, nodes: 2, config, spaces })
    const [a, b] = [world.node(0), world.node(1)]
    const fill = (node: TestNode, space: string, count: number, value: string | undefined): void => {
      world.write(
        node,
        space,
        Array.from({ length: count }, (_, i) => ({ key: `key-${i}`, value })),
      )
    }
    world.advance(3_000)
    fill(b, 'filler', 480, 'x'.repeat(700))
    world.advance(3_000)
    fill(a, 'late', 240, 'x'.repeat(700))
    world.advance(6 * MINUTE)
    const keys = (): number => [...b.core.entries('late')].length
    t.true(keys() < 240, 'a part of it is refused')
    fill(b, 'filler', 480, undefined)
    world.advance(MINUTE)
    t.is(keys(), 240, `seed ${seed}`)
  }
})
