// How often a neighbor is asked about what differs, as long as nothing of it moves.

import test from 'ava'
import { nodeId } from '../../src/core/ids.js'
import { defaultStateConfig } from '../../src/core/state/config.js'
import { Standstill } from '../../src/core/state/standstill.js'

const NODE = nodeId('a')
const MINUTE = 60_000
const hash = (byte: number): Uint8Array => new Uint8Array(8).fill(byte)
const differing = (mine: number, theirs: number) => [
  { document: 'space/plant', mine: hash(mine), theirs: hash(theirs) },
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
