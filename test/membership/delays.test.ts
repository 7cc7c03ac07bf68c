import test from 'ava'
import type { NodeId } from '../../src/core/ids.js'
import { Awareness } from '../../src/core/membership/awareness.js'
import { membershipLan } from '../../src/core/membership/config.js'
import { Delays } from '../../src/core/membership/delays.js'
import { id } from './words.js'

const NEIGHBORS = [id(1), id(2), id(3)]
/** A neighbor's clock may be years off. */
const sentAt = (now: number, neighbor: NodeId): number => now + NEIGHBORS.indexOf(neighbor) * 1e10

/** Each said something at once that came at once, and a second later something that waited for so long. */
const delaysOf = (waits: readonly number[]): Delays => {
  const delays = new Delays()
  for (const neighbor of NEIGHBORS) delays.heard(1_000, neighbor, sentAt(1_000, neighbor))
  for (const [i, waitedMs] of waits.entries()) {
    const neighbor = NEIGHBORS[i] as NodeId
    delays.heard(2_000 + waitedMs, neighbor, sentAt(2_000, neighbor))
  }
  return delays
}

const near = (ms: number, expected: number): boolean => Math.abs(ms - expected) < 10

test('words that come late from most of three neighbors wait here, whatever their clocks say', t => {
  t.true(near(delaysOf([800, 900, 700]).at(2_900), 800))
  t.true(near(delaysOf([800, 900, 0]).at(2_900), 800))
})

test('one neighbor whose words are late says nothing about this node, and two are too few', t => {
  t.true(near(delaysOf([800, 0, 0]).at(2_900), 0))
  const delays = delaysOf([800, 800, 800])
  delays.forget(id(3))
  t.is(delays.at(2_900), 0)
})

test('what came a while ago says nothing of now', t => {
  t.is(delaysOf([800, 800, 800]).at(6_000), 0)
})

test('a clock that is set back is a new clock', t => {
  const delays = delaysOf([0, 0, 0])
  for (const neighbor of NEIGHBORS) delays.heard(3_000, neighbor, sentAt(3_000, neighbor) - 3_600_000)
  t.is(delays.at(3_000), 0)
  for (const neighbor of NEIGHBORS) delays.heard(4_000, neighbor, sentAt(4_000, neighbor) - 3_600_000)
  t.is(delays.at(4_000), 0)
})

test('on links that were new in the midst of it the time of an answer tells', t => {
  const delays = new Delays()
  for (const neighbor of NEIGHBORS) {
    delays.heard(1_000, neighbor, sentAt(0, neighbor))
    delays.answered(neighbor, 900)
  }
  t.is(delays.at(1_000), 900)
})

const hearsLate = (lagMs: number): boolean => {
  const awareness = new Awareness(membershipLan)
  awareness.late(1_000, lagMs)
  for (const neighbor of NEIGHBORS) awareness.heard(1_000, neighbor, sentAt(1_000, neighbor))
  for (const neighbor of NEIGHBORS) awareness.heard(2_900, neighbor, sentAt(2_000, neighbor))
  return awareness.deafUntil > 2_900
}

test('a node whose timers are late too is deaf; where they are punctual, words were late before they came', t => {
  t.true(hearsLate(100))
  t.false(hearsLate(0))
})
