// The small instruments: how regular a link is, how far this node trusts itself, what
// time it is in the mesh, and how ill it says it is.

import test from 'ava'
import { nodeId } from '../../src/core/ids.js'
import { Awareness } from '../../src/core/membership/awareness.js'
import { membershipLan as config } from '../../src/core/membership/config.js'
import { HealthGauge } from '../../src/core/membership/health-gauge.js'
import { MeshClock } from '../../src/core/membership/mesh-clock.js'
import { Pulse } from '../../src/core/membership/pulse.js'

const beating = (intervals: readonly number[]): { pulse: Pulse; now: number } => {
  const pulse = new Pulse(config.heartbeatMs, 0)
  let now = 0
  for (const interval of intervals) {
    now += interval
    pulse.beat(now, config)
  }
  return { pulse, now }
}

test('silence on a regular link is noticed at the floor', t => {
  const { pulse, now } = beating(Array(30).fill(1_000))
  t.is(pulse.silentAt(config, 1) - now, config.silentFloorMs)
  t.is(pulse.lateAt(config, 1) - now, config.lateFloorMs)
})

test('a link that loses packets earns a longer patience, never beyond the ceiling', t => {
  const { pulse, now } = beating(Array.from({ length: 40 }, (_, i) => (i % 4 === 0 ? 1_600 : 800)))
  const patience = pulse.silentAt(config, 1) - now
  t.true(patience > config.silentFloorMs && patience <= config.silentCeilingMs, `${patience}`)
  const wild = beating(Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 3_900 : 10)))
  t.is(wild.pulse.silentAt(config, 1) - wild.now, config.silentCeilingMs)
  t.true(wild.pulse.lateAt(config, 1) < wild.pulse.silentAt(config, 1))
})

test('when a cut has healed silence proves nothing for a moment, and nobody can keep it so', t => {
  const awareness = new Awareness(config)
  const { crowdMembers, crowdQuietMs, crowdQuietMaxMs, crowdPauseMs } = config
  let now = 100_000
  for (let i = 1; i < crowdMembers; i++) awareness.returned(now)
  t.true(awareness.quietUntil <= now, 'a few that come back are no crowd')
  awareness.returned(now)
  t.is(awareness.quietUntil, now + crowdQuietMs)
  const since = now
  for (; now < since + crowdPauseMs; now += 100) awareness.returned(now)
  t.is(awareness.quietUntil, since + crowdQuietMaxMs)
  now += 100
  awareness.returned(now)
  t.is(awareness.quietUntil, now + crowdQuietMs)
  // One here and one there, as nodes are restarted, is no crowd either.
  const later = new Awareness(config)
  for (now = 0; now < 60_000; now += 3_000) later.returned(now)
  t.is(later.quietUntil, 0)
})

test('other frames between heartbeats are signs of life and teach nothing about regularity', t => {
  const pulse = new Pulse(config.heartbeatMs, 0)
  for (let now = 1_000; now <= 30_000; now += 1_000) {
    pulse.frame(now - 300, config)
    pulse.beat(now, config)
  }
  t.is(pulse.silentAt(config, 1) - 30_000, config.silentFloorMs)
  pulse.frame(30_900, config)
  t.is(pulse.silentAt(config, 1) - 30_900, config.silentFloorMs)
})

test('a long pause without heartbeats was no interval between two of them', t => {
  const { pulse } = beating(Array(20).fill(1_000))
  pulse.beat(120_000, config)
  t.is(pulse.silentAt(config, 1) - 120_000, config.silentFloorMs)
})

test('what did not come while this node was frozen was not late', t => {
  const { pulse, now } = beating(Array(20).fill(1_000))
  pulse.postpone(now + 20_000, 20_000)
  t.is(pulse.silentAt(config, 1), now + 20_000 + config.silentFloorMs)
})

test('what waited in a socket while this node was frozen teaches nothing about regularity', t => {
  const { pulse, now } = beating(Array(20).fill(1_000))
  let at = now + 20_300
  pulse.postpone(at, 20_000)
  for (let i = 0; i < 20; i++) pulse.beat(at, config)
  for (at += 700; at < now + 25_000; at += 1_000) pulse.beat(at, config)
  t.is(pulse.silentAt(config, 1) - pulse.lastFrameAt, config.silentFloorMs)
})

test('a link was silent for as long as nothing came, and for a moment after', t => {
  const { pulse, now } = beating(Array(20).fill(1_000))
  t.false(pulse.wasSilent(now + 500, config))
  t.true(pulse.wasSilent(now + config.lateFloorMs + 1, config))
  pulse.frame(now + 3_000, config)
  t.true(pulse.wasSilent(now + 3_001, config))
  pulse.frame(now + 3_500, config)
  t.false(pulse.wasSilent(now + 3_000 + config.reachAgainMs, config))
})

test('a node that was late for long doubts itself no longer for it', t => {
  const awareness = new Awareness(config)
  awareness.late(0, 60_000)
  t.true(awareness.stretch(4 * config.lagMemoryMs) < 1.5)
})

test('a node that comes late doubts itself, up to a bound, and forgets it again', t => {
  const awareness = new Awareness(config)
  t.is(awareness.stretch(0), 1)
  awareness.late(1_000, config.lagHalfMs)
  t.is(awareness.stretch(1_000), 2)
  awareness.late(1_000, 60_000)
  t.is(awareness.stretch(1_000), config.lagStretchMax)
  t.true(awareness.stretch(1_000 + 30 * config.lagMemoryMs) < 1.001)
})

test('a machine whose dials take long waits longer before it calls one silence, up to a bound', t => {
  const quick = new Awareness(config)
  for (let i = 0; i < 20; i++) quick.dialTook(0, 5)
  t.is(quick.dialEvidenceMs(0), config.dialEvidenceMs)
  const slow = new Awareness(config)
  for (let i = 0; i < 20; i++) slow.dialTook(0, i % 2 === 0 ? 300 : 900)
  t.true(slow.dialEvidenceMs(0) > config.dialEvidenceMs)
  slow.late(0, 60_000)
  t.is(slow.dialEvidenceMs(0), config.dialEvidenceMaxMs)
})

test('a node that woke up in 1970 follows the clocks around it', t => {
  const clock = new MeshClock()
  clock.setWallOffset(0)
  const today = 1_790_000_000_000
  clock.observe(1_000, nodeId('a'), today + 1_000)
  clock.observe(1_000, nodeId('b'), today + 1_000)
  t.true(Math.abs(clock.now(1_000) - (today + 1_000)) < 500)
})

test('one clock that is years ahead, or in 1970, moves nobody among three', t => {
  const year = 365 * 86_400_000
  for (const wrong of [year, -20 * year]) {
    const clock = new MeshClock()
    clock.setWallOffset(50 * year)
    clock.observe(0, nodeId('good'), 50 * year + 20)
    clock.observe(0, nodeId('wrong'), 50 * year + wrong)
    t.is(clock.now(0), 50 * year, `${wrong}`)
  }
})

test('of two clocks the later counts, since the usual fault is being behind', t => {
  const behind = new MeshClock()
  behind.observe(0, nodeId('a'), 1_000_000)
  t.is(behind.now(0), 1_000_000)
  const ahead = new MeshClock()
  ahead.setWallOffset(1_000_000)
  ahead.observe(0, nodeId('b'), 0)
  t.is(ahead.now(0), 1_000_000)
})

test('a neighbor that is gone no longer has a say in the time, and small differences never had', t => {
  const clock = new MeshClock()
  clock.observe(0, nodeId('a'), 1_000_000)
  clock.forget(nodeId('a'))
  t.is(clock.now(0), 0)
  clock.observe(0, nodeId('b'), 400)
  t.is(clock.now(0), 0)
  clock.observe(0, nodeId('c'), Number.NaN)
  t.is(clock.now(0), 0)
})

test('health worsens after it lasted, and betters after it lasted longer', t => {
  const gauge = new HealthGauge()
  gauge.report(0, 'cpu', 'strained', '95 %')
  t.is(gauge.settle(config.healthWorseMs - 1, config), null)
  t.deepEqual(gauge.settle(config.healthWorseMs, config), { level: 'strained', reasons: ['cpu: 95 %'] })
  gauge.report(10_000, 'cpu', 'ok', '')
  t.is(gauge.settle(10_000 + config.healthBetterMs - 1, config), null)
  t.deepEqual(gauge.settle(10_000 + config.healthBetterMs, config), { level: 'ok', reasons: [] })
})

test('a value at the edge makes nobody read about it', t => {
  const gauge = new HealthGauge()
  let published = 0
  for (let now = 0; now < 600_000; now += 1_000) {
    gauge.report(now, 'cpu', now % 2_000 === 0 ? 'strained' : 'ok', 'at the edge')
    if (gauge.settle(now, config) !== null) published++
  }
  t.is(published, 0)
})

test('the worst of several sources counts, and each gives its reason', t => {
  const gauge = new HealthGauge()
  gauge.report(0, 'disk', 'failing', 'full')
  gauge.report(0, 'cpu', 'strained', '95 %')
  t.deepEqual(gauge.settle(config.healthWorseMs, config), {
    level: 'failing',
    reasons: ['cpu: 95 %', 'disk: full'],
  })
  gauge.report(50_000, 'disk', 'ok', '')
  t.is(gauge.settle(50_000 + config.healthBetterMs, config)?.level, 'strained')
})

test('reasons follow what is behind a level that stays, once it has lasted', t => {
  const gauge = new HealthGauge()
  gauge.report(0, 'broker', 'strained', 'refuses')
  t.deepEqual(gauge.settle(config.healthWorseMs, config)?.reasons, ['broker: refuses'])
  gauge.report(10_000, 'plc', 'strained', 'silent')
  gauge.report(10_000, 'broker', 'ok', '')
  t.is(gauge.dueAt(config), 10_000 + config.healthBetterMs)
  t.deepEqual(gauge.settle(10_000 + config.healthBetterMs, config), {
    level: 'strained',
    reasons: ['plc: silent'],
  })
  t.is(gauge.dueAt(config), null)
})

test('a source that comes and goes beside another keeps no worse level back, and is not published', t => {
  const gauge = new HealthGauge()
  gauge.report(0, 'disk', 'strained', 'full')
  gauge.settle(config.healthWorseMs, config)
  let published = 0
  for (let now = 10_000; now < 600_000; now += 1_000) {
    gauge.report(now, 'cpu', now % 2_000 === 0 ? 'strained' : 'ok', '97 %')
    if (gauge.settle(now, config) !== null) published++
  }
  t.is(published, 0)
  gauge.report(600_000, 'disk', 'failing', 'broken')
  for (let now = 600_100; now < 600_000 + config.healthWorseMs; now += 100) {
    gauge.report(now, 'cpu', now % 200 === 0 ? 'strained' : 'ok', '97 %')
  }
  t.is(gauge.settle(600_000 + config.healthWorseMs, config)?.level, 'failing')
})

test('who stands still again and again for much of the time has too little of its machine', t => {
  const { stallsMany, stallsMs, stallsShare, starvedMs, lagMs } = config
  const awareness = new Awareness(config)
  let now = 100_000
  for (let i = 1; i < stallsMany; i++, now += 2 * lagMs) awareness.stalled(now, lagMs)
  t.is(awareness.starvedUntil, 0)
  awareness.stalled(now, lagMs)
  t.is(awareness.starvedUntil, now + starvedMs)
  now += 2 * lagMs
  awareness.stalled(now, lagMs)
  t.is(awareness.starvedUntil, now + starvedMs, 'as long as it goes on')
  const starvedBy = (forMs: number, everyMs: number): boolean => {
    const other = new Awareness(config)
    for (now = 0; now < 60_000; now += everyMs) other.stalled(now, forMs)
    return other.starvedUntil > 0
  }
  t.false(starvedBy(4 * stallsMs, 5 * stallsMs + 1), 'now and then')
  t.true(starvedBy(2 * stallsMs, 3 * stallsMs), 'however long each of them was')
  t.true(starvedBy(1_000, 1_000 / stallsShare))
  t.false(starvedBy(1_000, 2_000 / stallsShare), 'an application that blocks it now and then')
})
