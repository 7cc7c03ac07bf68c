// What befalls a simulated machine: frozen, killed, restarted, its clock set, its
// disk slow. One way takes 10 ms.

import test from 'ava'
import { taskId } from '../../src/core/ids.js'
import type { CopyId, Effect } from '../../src/core/step.js'
import type { TaskSpec, TaskWhen } from '../../src/core/tasks/spec.js'
import { Violation } from '../../src/sim/check.js'
import { pair, stage } from './recorder.js'

const put = (key: string, flush: boolean, token: number | null = null): Effect => ({
  kind: 'persist',
  writes: [{ key, value: new Uint8Array([1]) }],
  flush,
  token,
})

test('a frozen node keeps its connections; on waking its timer comes first, then what had come, in order', t => {
  const it = pair()
  const { world, core, ping } = it
  core(0).nextDeadlineAt = world.node(0).localMs(5_000_000)
  world.inject(0, { kind: 'abilities', runs: [] })
  world.run(2_000)
  const before = core(0).heard.length
  world.freeze(0)
  ping(1, 0, 1)
  world.run(4_000)
  ping(1, 0, 2)
  world.run(5_500)
  world.crash(1)
  world.run(60_000)
  t.is(core(0).heard.length, before)
  const recorder = core(0)
  world.at(60_000, () => world.thaw(0))
  world.run(60_000)
  t.deepEqual(recorder.kinds.slice(before, before + 4), ['timer', 'ping 1', 'ping 2', 'linkDown reset'])
  for (const heard of recorder.heard.slice(before)) t.is(heard.atMs, 60_000)
})

test('a frozen node sees its own clock jump when it wakes', t => {
  const times: number[] = []
  const { world, core } = stage(1, {}, (recorder, now, event) => {
    if (event.kind === 'timer' || event.kind === 'started') {
      times.push(now)
      recorder.nextDeadlineAt = now + 1_000
    }
    return []
  })
  world.run(1_500)
  world.freeze(0)
  world.run(31_500)
  world.thaw(0)
  world.run(32_000)
  const [started = 0] = times
  t.deepEqual(
    times.map(time => Math.round(time - started)),
    [0, 1_000, 31_500],
  )
  t.is(core(0).kinds.at(-1), 'timer')
})

test('a dial to a frozen node is accepted by its kernel and times out, or ends when it wakes in time', t => {
  const { world, core, dial } = stage(3, { handshakeTimeoutMs: 5_000 })
  world.run(0)
  world.freeze(2)
  dial(0, 2)
  world.run(8_000)
  t.is(core(0).firstAt('dialFailed timeout'), 5_010)
  dial(1, 2)
  world.at(11_000, () => world.thaw(2))
  world.run(20_000)
  t.is(core(1).firstAt('linkUp'), 11_010)
  t.deepEqual(
    core(2).kinds.filter(kind => kind === 'linkUp'),
    ['linkUp'],
  )
})

test('the link that a node hangs up as it wakes is down before the one is up that its peer opened meanwhile', t => {
  const { world, core, order, dial, ping, idOf } = pair()
  core(0).nextDeadlineAt = world.node(0).localMs(1_500_000)
  world.inject(0, { kind: 'abilities', runs: [] })
  world.freeze(0)
  order(1, { kind: 'hangUp', node: idOf(0), why: 'test' })
  dial(1, 0)
  world.run(2_000)
  const before = core(0).heard.length
  core(0).orders.push({ kind: 'hangUp', node: idOf(1), why: 'test' })
  world.thaw(0)
  ping(0, 1, 1)
  world.run(3_000)
  t.deepEqual(core(0).kinds.slice(before, before + 3), ['timer', 'linkDown own', 'linkUp'])
  t.is(core(0).kinds.filter(kind => kind.startsWith('linkDown')).length, 1)
  t.deepEqual(core(1).kinds.slice(-2), ['linkUp', 'ping 1'])
})

test('a process that dies while it is frozen loses what its kernel held', t => {
  const { world, core, ping } = pair()
  world.freeze(0)
  ping(1, 0, 1)
  world.run(2_000)
  world.crash(0)
  world.run(3_000)
  world.restart(0)
  world.run(10_000)
  t.false(core(0).kinds.includes('ping 1'))
  t.deepEqual(core(0).kinds, ['started', 'addresses'])
})

test('a restart keeps the identity, counts the boot, draws other chances, and gets nothing meant for the life before', t => {
  const { world, core, order } = stage(1)
  world.run(0)
  const first = core(0)
  const firstDraw = first.env.rng.u32()
  order(0, put('a', true, 1))
  world.run(1)
  world.restart(0)
  world.run(1_000)
  t.is(core(0).env.id, first.env.id)
  t.is(core(0).env.bootCount, 2)
  t.not(core(0).env.rng.u32(), firstDraw)
  t.deepEqual(core(0).kinds, ['started', 'addresses'])
})

test('durable comes after the flush, in the order of the writes, for all that were waiting', t => {
  const { world, core, order } = stage(1, { flushMinMs: 5, flushMaxMs: 5, lazyCommitMs: 5_000 })
  world.run(0)
  order(0, put('a', true, 1))
  world.run(2)
  order(0, put('b', false, 2), put('c', true, 3))
  world.run(3)
  order(0, put('d', false, 4))
  world.run(100)
  t.deepEqual(
    core(0).kinds.filter(kind => kind.startsWith('durable')),
    ['durable 1', 'durable 2', 'durable 3', 'durable 4'],
  )
  t.is(core(0).firstAt('durable 1'), 5)
  t.is(core(0).firstAt('durable 3'), 10)
})

test('a lazy write is durable after its time, or with the next flush', t => {
  const { world, core, order } = stage(2, { flushMinMs: 5, flushMaxMs: 5, lazyCommitMs: 5_000 })
  world.run(0)
  order(0, put('a', false, 1))
  order(1, put('a', false, 1))
  world.run(1_000)
  order(1, put('b', true, 2))
  world.run(10_000)
  t.is(core(0).firstAt('durable 1'), 5_000)
  t.is(core(1).firstAt('durable 1'), 1_005)
})

test('what was said to be durable survives a crash; of the rest a prefix does, shorter or longer by the seed', t => {
  const survivors = new Set<number>()
  for (let seed = 1; seed <= 40; seed++) {
    const { world, core, order } = stage(1, {}, () => [], seed)
    world.run(0)
    order(0, put('a', true, 1))
    world.run(1_000)
    t.true(core(0).kinds.includes('durable 1'))
    order(0, put('b', false), put('c', false), put('d', false))
    world.run(1_100)
    world.restart(0)
    const kept = core(0).env.entries('')
    const keys = kept.map(entry => entry.key).join('')
    t.true('abcd'.startsWith(keys) && keys.length >= 1, `seed ${seed}: ${keys}`)
    survivors.add(keys.length)
  }
  t.deepEqual([...survivors].sort(), [1, 2, 3, 4])
})

test('a failing disk acknowledges nothing until it works again; a slow one takes its time', t => {
  const { world, core, order } = stage(2, { flushMinMs: 5, flushMaxMs: 5, lazyCommitMs: 1_000 })
  world.run(0)
  world.node(0).disk.failing = true
  world.node(1).disk.slowness = 100
  order(0, put('a', true, 1))
  order(1, put('a', true, 1))
  world.run(10_000)
  t.false(core(0).kinds.includes('durable 1'))
  t.is(core(1).firstAt('durable 1'), 500)
  world.node(0).disk.failing = false
  world.run(12_000)
  t.true(core(0).kinds.includes('durable 1'))
})

test('clocks stand apart and drift; timers come by the node’s own', t => {
  const { world, core } = stage(
    [
      { offsetMs: 500, driftPpm: 0 },
      { offsetMs: 0, driftPpm: 1_000 },
    ],
    {},
    (recorder, now, event) => {
      if (event.kind === 'started') recorder.nextDeadlineAt = now + 100_000
      if (event.kind === 'timer') recorder.nextDeadlineAt = null
      return []
    },
  )
  world.run(200_000)
  t.is(core(0).firstAt('timer'), 100_000)
  t.true(Math.abs(core(1).firstAt('timer') - 99_900) < 1)
  t.true(Math.abs(core(0).env.now - core(1).env.now - 500) < 0.001)
})

test('a clock that is set tells the core how far, and becomes the time of the next life', t => {
  const { world, core } = stage(1)
  world.run(1_000)
  const before = world.node(0).localMs(world.nowUs)
  world.clockJump(0, 3_600_000)
  world.run(1_001)
  t.deepEqual(core(0).heard.at(-1)?.event, { kind: 'wall', offsetMs: 3_600_000 })
  t.is(world.node(0).localMs(1_000_000), before)
  world.restart(0)
  t.true(Math.abs(core(0).env.now - before - 3_600_001) < 0.01)
})

test('a core that asks for a timer that is always due is caught', t => {
  const { world } = stage(1, { timersAtOnceMax: 100 }, (recorder, now) => {
    recorder.nextDeadlineAt = now
    return []
  })
  const violation = t.throws(() => world.run(1_000), { instanceOf: Violation })
  t.is(violation?.claim, 'a timer that came is not asked for again at once')
})

test('a core that throws ends the run with the seed, the time and the replay', t => {
  const { world } = stage(
    1,
    {},
    (_recorder, _now, event) => {
      if (event.kind === 'wall') throw new Error('as planned')
      return []
    },
    77,
  )
  world.at(123, () => world.clockJump(0, 1))
  const violation = t.throws(() => world.run(1_000), { instanceOf: Violation })
  t.is(violation?.seed, 77)
  t.is(violation?.atMs, 123)
  t.regex(violation?.found ?? '', /as planned/)
})

test('an effect `wake` brings a timer', t => {
  const { world, core, order } = stage(1)
  world.run(0)
  order(0, { kind: 'wake', at: world.node(0).localMs(700_000) })
  world.run(2_000)
  t.is(core(0).firstAt('timer'), 700)
})

test('a copy starts, a job ends with a result, and a stopped copy ends', t => {
  const { world, core, order } = stage(1)
  world.run(0)
  const spec = (id: string, when: TaskWhen): TaskSpec => ({
    id: taskId(id),
    run: { handler: 'x' },
    when,
    input: null,
    replicas: 1,
    needs: {},
    spread: null,
    weight: 1,
    stopGrace: '5s',
    overlap: false,
    onPartition: 'run',
  })
  const copy = (task: string): CopyId => ({ task: taskId(task), slot: 0, epoch: '1' })
  order(
    0,
    { kind: 'startCopy', copy: copy('job'), spec: spec('job', 'once'), checkpoint: null, period: null },
    { kind: 'startCopy', copy: copy('loop'), spec: spec('loop', 'always'), checkpoint: null, period: null },
  )
  world.run(10_000)
  const exits = () => core(0).heard.filter(({ event }) => event.kind === 'copyExited')
  t.is(core(0).kinds.filter(kind => kind === 'copyStarted').length, 2)
  t.is(exits().length, 1)
  t.like(exits()[0]?.event, { copy: copy('job'), result: { ranOn: 'n0000', period: null } })
  t.true(world.executor.isRunning(world.node(0), copy('loop')))
  order(0, { kind: 'stopCopy', copy: copy('loop'), graceMs: 5_000 })
  world.run(20_000)
  t.like(exits()[1]?.event, { copy: copy('loop'), error: null, result: null })
  t.false(world.executor.isRunning(world.node(0), copy('loop')))
})

test('nodes that search find each other, and not across a cut', t => {
  const { world, core, order } = stage(3)
  world.run(0)
  for (const index of [0, 1, 2]) order(index, { kind: 'discovery', on: true })
  world.cut(0, 2)
  world.run(20_000)
  const found = new Set(
    core(0).heard.flatMap(({ event }) => (event.kind === 'discovered' ? [...event.addresses] : [])),
  )
  t.deepEqual([...found], [world.node(1).address])
})

test('listeners hear the effects that are for the application, and counts are summed', t => {
  const { world, order } = stage(1)
  const replies: number[] = []
  world.on('reply', (_node, effect) => replies.push(effect.request))
  world.run(0)
  order(
    0,
    { kind: 'reply', request: 4, value: null },
    { kind: 'count', metric: 'x', by: 2 },
    { kind: 'count', metric: 'x', by: 3 },
  )
  world.run(1)
  t.deepEqual(replies, [4])
  t.is(world.counts.get('x'), 5)
})

test('a core that alters a message it shared is caught when messages are hardened', t => {
  const { world, order } = stage(1, { hardenMessages: true }, (_recorder, _now, event) => {
    if (event.kind === 'wall') (message.buckets as number[]).push(1)
    return []
  })
  const message = { kind: 'memberDigest' as const, buckets: [] as readonly number[] }
  world.run(0)
  order(0, { kind: 'publish', topic: 'x', message })
  world.run(1)
  world.clockJump(0, 1)
  t.throws(() => world.run(2), { instanceOf: Violation })
})
