import test from 'ava'
import { createClock } from '../../src/adapters/system/clock.js'
import { createEntropy } from '../../src/adapters/system/entropy.js'

const sources = () => ({ mono: 500, wallNow: 1_700_000_000_000 })

test('now begins at what the wall shows, follows the monotonic clock, and never runs backwards', t => {
  const machine = sources()
  const clock = createClock({ monotonic: () => machine.mono, wall: () => machine.wallNow })
  t.is(clock.now(), 1_700_000_000_000)
  machine.mono += 250
  t.is(clock.now(), 1_700_000_000_250)
  machine.mono -= 1
  t.is(clock.now(), 1_700_000_000_250)
  machine.mono += 2
  t.is(clock.now(), 1_700_000_000_251)
})

test('setting the machine by hours moves the wall and not now', t => {
  const machine = sources()
  const clock = createClock({ monotonic: () => machine.mono, wall: () => machine.wallNow })
  const before = clock.now()
  machine.wallNow -= 3_600_000
  t.is(clock.now(), before)
  t.is(clock.wall(), 1_700_000_000_000 - 3_600_000)
})

test('a timer never comes before its time', async t => {
  const clock = createClock()
  const at = clock.now() + 3
  await new Promise<void>(resolve => clock.setTimer(at, resolve))
  t.true(clock.now() >= at)
})

test('a cancelled timer does not come, and one beyond what Node can wait does not come at once', async t => {
  const clock = createClock()
  const came: string[] = []
  const cancel = clock.setTimer(clock.now(), () => came.push('cancelled'))
  cancel()
  const cancelFar = clock.setTimer(clock.now() + 1e12, () => came.push('far'))
  await new Promise<void>(resolve => clock.setTimer(clock.now() + 1, resolve))
  t.deepEqual(came, [])
  cancelFar()
})

test('entropy gives as many bytes as asked for, and not the same twice', t => {
  const entropy = createEntropy()
  t.is(entropy.bytes(32).length, 32)
  t.notDeepEqual(entropy.bytes(32), entropy.bytes(32))
})
