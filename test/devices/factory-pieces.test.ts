// The parts of the factory gateway that need no clock and no network.

import { readFileSync } from 'node:fs'
import test from 'ava'
import { changedAlarms, isActive, joinAlarms } from '../../devices/factory-gateway/alarms.js'
import { blocksOf, type Points, valuesOf, wordOf } from '../../devices/factory-gateway/points.js'
import { createSampleNumbers } from '../../devices/factory-gateway/sample-numbers.js'
import { checkPlcTask, readGatewaySettings } from '../../devices/factory-gateway/settings.js'
import { createBackoff } from '../../devices/plug/backoff.js'
import { createCondition } from '../../devices/plug/condition.js'
import { BatchProcess } from '../../devices/virtual/batch-process.js'
import { holdingRegisters, inputRegisters, writeHolding } from '../../devices/virtual/registers.js'
import { until } from './until.js'

const point = { table: 'input', type: 'u16', scale: 1, offset: 0, unit: '', min: -1e12, max: 1e12 } as const
const rule = { point: 'temperature', kind: 'above', limit: 85, hysteresis: 5 } as const

test('an alarm is raised above its limit and cleared below its hysteresis, not at the limit', t => {
  t.false(isActive(rule, false, 85))
  t.true(isActive(rule, false, 85.1))
  t.true(isActive(rule, true, 84))
  t.true(isActive(rule, true, 80.1))
  t.false(isActive(rule, true, 80))
  t.true(isActive({ ...rule, kind: 'below', limit: 10 }, false, 9))
  t.false(isActive({ ...rule, kind: 'below', limit: 10 }, true, 15))
})

test('a value that is not believed changes no alarm', t => {
  t.true(isActive(rule, true, null))
  t.deepEqual(changedAlarms('line-3', { hot: rule }, {}, { temperature: null }, 7, 1), {})
})

test('an alarm that a predecessor raised is not raised again', t => {
  const raised = changedAlarms('line-3', { hot: rule }, {}, { temperature: 90 }, 7, 1_000)
  t.is(raised.hot?.id, 'line-3/hot/7/raised')
  t.deepEqual(changedAlarms('line-3', { hot: rule }, raised, { temperature: 91 }, 9, 2_000), {})
})

test('of two memories of an alarm the later change counts', t => {
  const early = { active: true, id: 'a', sample: 7, at: 1, value: 90 }
  const late = { active: false, id: 'b', sample: 9, at: 2, value: 70 }
  t.deepEqual(joinAlarms({ hot: early }, { hot: late }), { hot: late })
  t.deepEqual(joinAlarms({ hot: late }, { hot: early }), { hot: late })
  t.deepEqual(joinAlarms({}, { hot: early }), { hot: early })
})

test('points that lie near each other are read in one go', t => {
  const points: Points = {
    a: { ...point, address: 0, writable: false },
    b: { ...point, address: 6, type: 'u32', writable: false },
    far: { ...point, address: 200, writable: false },
    set: { ...point, table: 'holding', address: 1, writable: true },
  }
  t.deepEqual(blocksOf(points), [
    { table: 'holding', address: 1, length: 1 },
    { table: 'input', address: 0, length: 8 },
    { table: 'input', address: 200, length: 1 },
  ])
})

test('words become values by type and scale, and nonsense becomes none', t => {
  const points: Points = {
    level: { ...point, address: 0, scale: 0.1, min: 0, max: 100, writable: false },
    signed: { ...point, address: 1, type: 'i16', writable: false },
    count: { ...point, address: 2, type: 'u32', writable: false },
    float: { ...point, address: 4, type: 'f32', writable: false },
  }
  const blocks = blocksOf(points)
  t.deepEqual(valuesOf(points, blocks, [[803, 0xffff, 1, 2, 0x3fc0, 0]]), {
    level: 80.3,
    signed: -1,
    count: 65_538,
    float: 1.5,
  })
  t.is(valuesOf(points, blocks, [[50_000, 0, 0, 0, 0x7fc0, 0]]).level, null)
  t.is(valuesOf(points, blocks, [[0, 0, 0, 0, 0x7fc0, 0]]).float, null)
})

test('a setpoint becomes a word, and one that does not fit becomes none', t => {
  const setpoint = {
    ...point,
    table: 'holding' as const,
    address: 1,
    scale: 0.1,
    min: 0,
    max: 120,
    writable: true,
  }
  t.is(wordOf(setpoint, 65.5), 655)
  t.is(wordOf(setpoint, 121), null)
  t.is(wordOf(setpoint, Number.NaN), null)
  t.is(wordOf({ ...setpoint, type: 'i16', min: -100 }, -1), 65_526)
})

test('a successor whose clock is behind repeats no sample number', t => {
  const first = createSampleNumbers(0, 100, 500)
  const used: number[] = []
  for (const at of [100_000, 100_100, 100_200]) {
    const number = first.next(at)
    first.reserve(number)
    used.push(number)
  }
  const second = createSampleNumbers(first.reserved, 100, 500)
  const next = second.next(95_000)
  t.deepEqual(used, [1_000, 1_001, 1_002])
  t.is(next, first.reserved + 1)
  t.true(next > 1_002)
})

test('a gap in the sample numbers is the time that nobody polled', t => {
  const numbers = createSampleNumbers(1_002, 100, 0)
  t.is(numbers.next(100_700), 1_007)
})

test('numbers are reserved before they are used, a block at a time', t => {
  const numbers = createSampleNumbers(0, 100, 300)
  t.true(numbers.reserve(numbers.next(1_000)))
  t.is(numbers.reserved, 12)
  t.false(numbers.reserve(numbers.next(1_100)))
  t.false(numbers.reserve(numbers.next(1_200)))
  t.true(numbers.reserve(numbers.next(1_300)))
  numbers.release()
  t.is(numbers.reserved, 13)
})

test('a condition says each change once, and takes its word back when it has been well for a while', async t => {
  const said: string[] = []
  const lines: string[] = []
  const condition = createCondition(
    'plc line-3',
    (source, level, reason) => said.push(`${source} ${level} ${reason}`),
    line => lines.push(line),
    50,
  )
  condition.set('ok', 'answers')
  for (let n = 0; n < 5; n += 1) condition.set('strained', 'refused', `try ${n}`)
  for (let n = 0; n < 5; n += 1) {
    condition.set('ok', 'answers')
    condition.set('strained', 'refused')
  }
  condition.set('ok', 'answers')
  t.is(condition.level, 'strained', 'what comes and goes is one trouble')
  await until('it is well', () => condition.level === 'ok')
  t.deepEqual(said, ['plc line-3 ok ', 'plc line-3 strained refused', 'plc line-3 ok '])
  t.deepEqual(lines, [
    'plc line-3: ok: answers',
    'plc line-3: strained: refused (try 0)',
    'plc line-3: ok: answers',
  ])
})

test('pauses double up to a ceiling, between half and all of it', t => {
  const low = createBackoff({ minMs: 100, maxMs: 1_000, random: () => 0 })
  const high = createBackoff({ minMs: 100, maxMs: 1_000, random: () => 0.999_999 })
  t.deepEqual(
    [1, 2, 3, 4, 5, 6].map(() => low.next()),
    [50, 100, 200, 400, 500, 500],
  )
  t.deepEqual(
    [1, 2, 3, 4, 5, 6].map(() => high.next()),
    [100, 200, 400, 800, 1_000, 1_000],
  )
  high.reset()
  t.is(high.next(), 100)
})

test('the same seed gives the same process, and batches come and go', t => {
  const one = new BatchProcess(7)
  const two = new BatchProcess(7)
  const other = new BatchProcess(8)
  const seen = new Set<string>()
  for (let step = 0; step < 3_000; step += 1) {
    one.step()
    two.step()
    other.step()
    seen.add(one.state)
  }
  t.deepEqual(inputRegisters(one), inputRegisters(two))
  t.notDeepEqual(inputRegisters(one), inputRegisters(other))
  t.deepEqual([...seen].sort(), ['drain', 'fill', 'heat', 'idle', 'mix'])
  t.true(one.batches > 0)
})

test('a PLC takes setpoints and refuses what it cannot do', t => {
  const tank = new BatchProcess(1)
  t.is(writeHolding(tank, 1, 955), 0)
  t.is(tank.setpoints.temperature, 95.5)
  t.is(holdingRegisters(tank)[1], 955)
  t.is(writeHolding(tank, 1, 5_000), 3)
  t.is(writeHolding(tank, 9, 1), 2)
})

test('the configuration and the tasks of the factory gateway are what it accepts', t => {
  const settings = readGatewaySettings('devices/factory-gateway/gateway.json')
  t.is(settings.plcs['line-3']?.unit, 1)
  const tasks = JSON.parse(readFileSync('devices/factory-gateway/tasks.json', 'utf8'))
  for (const { input } of tasks) t.notThrows(() => checkPlcTask(input))
})

test('a mistake in a task names the place, the value and what is accepted', t => {
  const points = { temperature: { address: 1 } }
  const refused = (input: unknown): string => t.throws(() => checkPlcTask(input)).message
  t.is(
    refused({ plc: 'line-3', points, periodMs: 5 }),
    'input.periodMs is 5; it must be a whole number from 10 to 3600000',
  )
  t.is(
    refused({ plc: 'line-3', points, alarms: { hot: { point: 'temp', kind: 'above', limit: 1 } } }),
    'input.alarms.hot.point is "temp"; it must be one of the points temperature',
  )
  t.regex(
    refused({ plc: 'line-3', points, period: 5 }),
    /^period is not known in input; known are plc, periodMs/,
  )
  t.regex(refused({ points }), /^input.plc is missing; it must be/)
  t.regex(
    refused({ plc: 'a', points: { x: { address: 1, writable: true } } }),
    /^input.points.x.writable is true; it must be false, unless/,
  )
})
