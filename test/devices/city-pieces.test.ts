// The parts of the city gateway that need no clock and no network.

import { readFileSync } from 'node:fs'
import test from 'ava'
import { createCollector } from '../../devices/city-sensor-gateway/collect.js'
import { createRecent, SETTLE_TICKS } from '../../devices/city-sensor-gateway/recent.js'
import {
  checkCollectTask,
  checkForwardTask,
  readGatewaySettings,
} from '../../devices/city-sensor-gateway/settings.js'
import {
  addValue,
  coarsen,
  createSketch,
  quantile,
  type Sketch,
  summaryOf,
} from '../../devices/city-sensor-gateway/sketch.js'
import {
  type Aggregate,
  createWindows,
  MINUTE_MS,
  readingOf,
} from '../../devices/city-sensor-gateway/windows.js'
import { chanceOf } from '../../devices/virtual/chance.js'
import { createField } from '../../devices/virtual/sensor-field.js'
import type { TaskContext } from '../../src/index.js'

const sketchOf = (values: readonly number[]): Sketch => {
  const sketch = createSketch()
  for (const value of values) addValue(sketch, value)
  return sketch
}
const MINUTE = 28_000_000 * MINUTE_MS
const payload = (sensor: string, seq: number, value: number, at: number): Buffer =>
  Buffer.from(JSON.stringify({ sensor, seq, value, at }))

test('a summary is exact but for its percentile, which is right to one percent', t => {
  const seed = 5
  const chance = chanceOf(seed)
  const values = Array.from({ length: 5_000 }, () => (chance() - 0.3) * 10 ** (chance() * 4))
  const sketch = sketchOf(values)
  const sorted = [...values].sort((a, b) => a - b)
  const summary = summaryOf(sketch)
  t.is(summary.count, 5_000)
  t.is(summary.min, sorted[0] as number)
  t.is(summary.max, sorted.at(-1) as number)
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  t.true(Math.abs(summary.mean - mean) <= Math.abs(mean) * 1e-5)
  const isRight = (share: number): void => {
    const exact = sorted[Math.ceil(share * 5_000) - 1] as number
    const found = quantile(sketch, share)
    t.true(
      Math.abs(found - exact) <= Math.abs(exact) * 0.0101 + 1e-6,
      `seed ${seed}: ${share}: ${found} for ${exact}`,
    )
  }
  for (const share of [0.05, 0.5, 0.95, 0.999]) isRight(share)
  t.true(coarsen(sketch, 256))
  t.is(Object.keys(sketch.buckets).length, 256)
  t.is(
    Object.values(sketch.buckets).reduce((sum, count) => sum + count),
    5_000,
  )
  t.false(coarsen(sketch, 256))
  for (const share of [0.95, 0.999]) isRight(share)
})

test('a summary of zeros, of one value and of negative values is right', t => {
  const of = (...values: readonly number[]) => summaryOf(sketchOf(values))
  t.deepEqual(of(0, 0), { count: 2, mean: 0, min: 0, max: 0, p95: 0 })
  t.deepEqual(of(7.25), { count: 1, mean: 7.25, min: 7.25, max: 7.25, p95: 7.25 })
  t.deepEqual(of(-3), { count: 1, mean: -3, min: -3, max: -3, p95: -3 })
})

test('a minute is closed after its stragglers, once, under an id that is always the same', t => {
  const windows = createWindows('mitte', 10_000)
  windows.take('noise', payload('a', 1, 50, MINUTE + 1_000), MINUTE + 1_000)
  windows.take('noise', payload('b', 1, 60, MINUTE + 59_000), MINUTE + 62_000)
  t.deepEqual(windows.close(MINUTE + 69_999), [])
  const [aggregate, ...others] = windows.close(MINUTE + 70_000)
  t.is(others.length, 0)
  t.is(aggregate?.id, `mitte/${new Date(MINUTE).toISOString().slice(0, 16)}Z`)
  t.like(aggregate?.kinds.noise, { count: 2, mean: 55, min: 50, max: 60 })
  t.deepEqual(windows.close(MINUTE + 500_000), [])
  windows.take('noise', payload('a', 2, 50, MINUTE + 2_000), MINUTE + 71_000)
  t.is(windows.state().counts.late, 1)
})

test('whatever stands in a topic is a kind or nonsense, and breaks nothing', t => {
  const windows = createWindows('mitte', 10_000)
  const kinds = [
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    '',
    'x'.repeat(200),
    'a/b',
    '§',
    'noise',
  ]
  for (const [i, kind] of kinds.entries()) windows.take(kind, payload('a', i + 1, 1, MINUTE), MINUTE)
  const again = createWindows('mitte', 10_000, JSON.parse(JSON.stringify(windows.state())))
  const [aggregate] = again.close(MINUTE + 70_000)
  t.deepEqual(Object.keys(aggregate?.kinds ?? {}), ['constructor', 'toString', 'hasOwnProperty', 'noise'])
  t.is(again.state().counts.garbage, 5)
  t.is(({} as Record<string, unknown>).count, undefined)
})

test('of the kinds of a minute, and of the sensors, so many are kept as a checkpoint can hold', t => {
  const windows = createWindows('mitte', 10_000)
  for (let i = 0; i < 200; i++) windows.take(`kind-${i}`, payload(`s-${i}`, 1, i, MINUTE), MINUTE)
  t.is(windows.state().counts.garbage, 136)
  t.true(windows.forgetSensors())
  t.is(Object.keys(windows.state().last).length, 100)
  t.is(Object.keys(windows.closeOldest()?.kinds ?? {}).length, 64)
  t.is(windows.closeOldest(), null)
  while (windows.forgetSensors());
  t.deepEqual(windows.state().last, {})
})

test('repeats, nonsense and wrong clocks are told apart and counted', t => {
  const windows = createWindows('mitte', 10_000)
  const take = (bytes: Buffer): void => windows.take('noise', bytes, MINUTE + 5_000)
  take(payload('a', 1, 50, MINUTE))
  take(payload('a', 1, 50, MINUTE))
  take(payload('a', 2, 52, 12_000))
  take(payload('b', 1, 54, MINUTE * 2))
  for (const text of ['', 'null', '{"value":', '[]', '{"sensor":"a","seq":3,"value":1e99,"at":0}'])
    take(Buffer.from(text))
  t.deepEqual(windows.state().counts, { taken: 9, garbage: 5, repeated: 1, late: 0, clock: 2 })
  const [aggregate] = windows.close(MINUTE + 70_000)
  t.is(aggregate?.kinds.noise?.count, 3)
})

test('a sensor that begins anew is heard again', t => {
  const windows = createWindows('mitte', 10_000)
  windows.take('noise', payload('a', 5_000, 50, MINUTE), MINUTE)
  windows.take('noise', payload('a', 1, 50, MINUTE), MINUTE)
  t.is(windows.state().counts.repeated, 0)
})

test('a successor goes on in the middle of a minute and counts no reading twice', t => {
  const first = createWindows('mitte', 10_000)
  first.take('noise', payload('a', 1, 50, MINUTE), MINUTE)
  const saved = JSON.parse(JSON.stringify(first.state()))
  first.take('noise', payload('a', 2, 90, MINUTE + 1_000), MINUTE + 1_000)
  const second = createWindows('mitte', 10_000, saved)
  second.take('noise', payload('a', 1, 50, MINUTE), MINUTE + 3_000)
  second.take('noise', payload('a', 2, 90, MINUTE + 1_000), MINUTE + 3_000)
  t.deepEqual(second.close(MINUTE + 70_000)[0]?.kinds.noise, first.close(MINUTE + 70_000)[0]?.kinds.noise)
})

test('what the broker gives again is known as a repeat however much it is; a sensor that begins anew is not', t => {
  const windows = createWindows('mitte', 10_000)
  const seqs = Array.from({ length: 500 }, (_, index) => index + 5_001)
  for (const seq of seqs) windows.take('noise', payload('a', seq, 50, MINUTE), MINUTE)
  for (const seq of seqs) windows.take('noise', payload('a', seq, 50, MINUTE), MINUTE, true)
  t.is(windows.state().counts.repeated, 500)
  windows.take('noise', payload('a', 1, 50, MINUTE), MINUTE, true)
  t.is(windows.state().counts.repeated, 500)
  t.is(windows.close(MINUTE + 70_000)[0]?.kinds.noise?.count, 501)
})

test('what was queued stays in the checkpoint until it has settled, however much was queued after it', t => {
  const minutes = (count: number): readonly Aggregate[] =>
    Array.from({ length: count }, (_, n) => ({ id: `mitte/${n}`, district: 'mitte', minute: n, kinds: {} }))
  const recent = createRecent(minutes(3))
  recent.add(minutes(1_000))
  for (let tick = 0; tick < SETTLE_TICKS; tick += 1) {
    recent.tick()
    recent.trim()
    t.false(recent.forgetSettled())
    t.is(recent.aggregates.length, 1_003)
  }
  recent.add(minutes(2))
  recent.tick()
  recent.trim()
  t.is(recent.aggregates.length, 20, 'the last few stay where there is room')
  t.true(recent.forgetSettled())
  t.is(recent.aggregates.length, 11)
  while (recent.forgetSettled());
  t.is(recent.aggregates.length, 2)
})

test('open minutes are bounded: when time is broken the oldest are closed', t => {
  const windows = createWindows('mitte', 10 * MINUTE_MS)
  for (let n = 0; n < 100; n += 1) {
    windows.take('noise', payload('a', n, 50, MINUTE + n * MINUTE_MS), MINUTE + n * MINUTE_MS)
  }
  t.is(windows.close(MINUTE).length, 40)
})

test('what is said by a healthy field is a reading, and what a broken one says is none', t => {
  const [sensor, same] = [1, 1].map(seed => createField({ districts: ['mitte'], perDistrict: 3, seed })[0])
  t.deepEqual(sensor?.say(MINUTE), same?.say(MINUTE))
  t.not(readingOf(Buffer.from(sensor?.say(MINUTE)[0] ?? '')), null)
  if (sensor !== undefined) sensor.fault = 'garbage'
  for (let n = 0; n < 20; n += 1) t.is(readingOf(Buffer.from(sensor?.say(MINUTE)[0] ?? '')), null)
})

test('the configuration and the tasks of the city gateway are what it accepts', t => {
  t.is(readGatewaySettings('devices/city-sensor-gateway/gateway.json').uplink, 'mqtt://127.0.0.1:1884')
  for (const { run, input } of JSON.parse(readFileSync('devices/city-sensor-gateway/tasks.json', 'utf8'))) {
    t.notThrows(() => (run.handler === 'collect' ? checkCollectTask(input) : checkForwardTask(input)))
  }
  t.is(
    t.throws(() => checkCollectTask({})).message,
    'input.district is missing; it must be 1 to 63 of a-z, 0-9, dot, dash and underscore',
  )
})

test('a task whose checkpoint is refused fails and says so; it does not stay as if it ran', async t => {
  const lines: string[] = []
  const said: string[] = []
  const refused = () => Promise.reject(new Error('the checkpoint has 70000 bytes'))
  const collector = createCollector({
    street: 'mqtt://127.0.0.1:1',
    uplink: null,
    report: (source, level, reason) => said.push(`${source} ${level} ${reason}`),
    log: line => lines.push(line),
  })
  const context = {
    task: 'collect-mitte',
    slot: 0,
    input: { district: 'mitte', checkpointMs: 10 },
    checkpoint: null,
    signal: new AbortController().signal,
    save: refused,
    space: () => ({ entries: () => [], has: () => false, set: refused, delete: refused }),
  } as unknown as TaskContext
  for (let tries = 0; tries < 3; tries++)
    await t.throwsAsync(async () => collector(context), { message: 'the checkpoint has 70000 bytes' })
  const own = lines.filter(line => line.startsWith('task'))
  t.deepEqual(own, ['task collect-mitte: strained: the checkpoint has 70000 bytes'], 'said once')
  t.true(said.includes('task collect-mitte strained the checkpoint has 70000 bytes'))
})
