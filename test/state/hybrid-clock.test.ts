import test from 'ava'
import { createHybridClock, packStamp, stampCounter, stampMs } from '../../src/core/hybrid-clock.js'

test('stamps grow even when the wall clock stands still or runs backwards', t => {
  const clock = createHybridClock(60_000)
  const stamps = [1_000, 1_000, 999, 5, 1_001].map(wall => clock.next(wall))
  for (let i = 1; i < stamps.length; i++) t.true((stamps[i] as number) > (stamps[i - 1] as number))
  t.is(stampMs(stamps[0] as number), 1_000)
})

const NOW = 1_700_000_000_000

test('a stamp that was seen is followed, unless it lies too far ahead', t => {
  const clock = createHybridClock(60_000)
  t.true(clock.observe(packStamp(NOW + 50_000, 7), NOW))
  t.is(clock.next(NOW), packStamp(NOW + 50_000, 8))
  t.false(clock.observe(packStamp(NOW + 1e12, 0), NOW))
  t.false(clock.observe(Number.MAX_SAFE_INTEGER, NOW))
  t.false(clock.observe(-1, NOW))
  t.false(clock.observe(0.5, NOW))
  t.is(clock.next(NOW), packStamp(NOW + 50_000, 9))
})

test('a clock that shows 1970 follows what it sees, and is still not led beyond all bounds', t => {
  const clock = createHybridClock(60_000)
  t.true(clock.observe(packStamp(NOW, 7), 5_000))
  t.is(clock.next(5_000), packStamp(NOW, 8))
  t.false(clock.observe(Number.MAX_SAFE_INTEGER, 5_000))
  t.is(clock.next(5_001), packStamp(NOW, 9))
  // Set by NTP, it goes on from there.
  t.is(clock.next(NOW + 1_000), packStamp(NOW + 1_000, 0))
})

test('more than 2,048 stamps in a millisecond carry into the next', t => {
  const clock = createHybridClock(60_000)
  let last = 0
  for (let i = 0; i < 5_000; i++) last = clock.next(1_000)
  t.is(last, packStamp(1_000, 0) + 4_999)
  t.is(stampMs(last), 1_002)
  t.is(stampCounter(last), 4_999 - 2 * 2_048)
})

test('a wall clock out of all bounds does no harm', t => {
  const clock = createHybridClock(60_000)
  t.is(clock.next(-5), 1)
  t.true(Number.isSafeInteger(clock.next(Number.MAX_VALUE)))
})
