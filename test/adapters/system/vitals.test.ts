// When a machine is said to be strained or failing, and for how long.

import test from 'ava'
import {
  createLevels,
  readVitals,
  startVitals,
  VITALS,
  type Vitals,
} from '../../../src/adapters/system/vitals.js'

const WELL: Vitals = {
  cpuShare: 0.2,
  memoryShare: 0.4,
  diskShare: 0.5,
  diskFreeBytes: 50e9,
  lag: { medianMs: 0, p99Ms: 3, maxMs: 9 },
  celsius: 45,
}

const levelOf = (vitals: Vitals, source: string) =>
  readVitals(vitals).find(reading => reading.source === source)?.level

test('a machine that is well, and one that cannot say, are ok', t => {
  const silent = {
    ...WELL,
    cpuShare: null,
    memoryShare: null,
    diskShare: null,
    diskFreeBytes: null,
    celsius: null,
  }
  for (const vitals of [WELL, silent]) {
    t.deepEqual([...new Set(readVitals(vitals).map(({ level }) => level))], ['ok'])
  }
})

test('each threshold is where its name says', t => {
  t.is(levelOf({ ...WELL, memoryShare: VITALS.memory.strained }, 'memory'), 'strained')
  t.is(levelOf({ ...WELL, memoryShare: VITALS.memory.failing }, 'memory'), 'failing')
  t.is(levelOf({ ...WELL, celsius: VITALS.celsius.failing }, 'temperature'), 'failing')
  t.is(levelOf({ ...WELL, lag: { ...WELL.lag, p99Ms: VITALS.lagMs.strained } }, 'event loop'), 'strained')
})

test('a processor at its limit is strained and never failing: a gateway may compute', t => {
  t.is(levelOf({ ...WELL, cpuShare: 1 }, 'cpu'), 'strained')
})

test('a full share of a large disk is no worry while gigabytes are free', t => {
  t.is(levelOf({ ...WELL, diskShare: 0.995, diskFreeBytes: VITALS.disk.enoughBytes }, 'disk'), 'ok')
  t.is(levelOf({ ...WELL, diskShare: 0.995, diskFreeBytes: 1_000 }, 'disk'), 'failing')
})

test('a level rises when seen twice, falls after calm, and is told once', t => {
  const told: string[] = []
  const levels = createLevels((source, level) => told.push(`${source} ${level}`))
  const look = (level: 'ok' | 'strained' | 'failing', times: number): void => {
    for (let i = 0; i < times; i++) levels([{ source: 'memory', level, reason: '' }])
  }
  look('strained', 1)
  look('ok', 1)
  look('strained', 1)
  t.deepEqual(told, [])
  look('strained', 5)
  t.deepEqual(told, ['memory strained'])
  look('failing', 2)
  t.deepEqual(told, ['memory strained', 'memory failing'])
  look('ok', 5)
  t.is(told.length, 2)
  look('ok', 1)
  t.deepEqual(told, ['memory strained', 'memory failing', 'memory ok'])
})

test('this machine can be looked at', async t => {
  const meter = startVitals({ dataDir: '/', report: () => {} })
  await meter.look()
  meter.stop()
  const { latest } = meter
  t.true(latest !== null && latest.diskShare !== null && latest.diskShare >= 0 && latest.diskShare <= 1)
  t.true(
    latest !== null && (latest.memoryShare === null || (latest.memoryShare > 0 && latest.memoryShare < 1)),
  )
})
