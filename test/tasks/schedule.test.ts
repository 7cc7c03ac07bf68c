import test from 'ava'
import fc from 'fast-check'
import { createSchedule, type Schedule } from '../../src/core/tasks/schedule.js'
import type { TaskWhen } from '../../src/core/tasks/spec.js'
import { createTimeZones } from '../../src/runtime/time-zone.js'
import { holds } from './holds.js'

const { offsetMinutes } = createTimeZones()
const scheduleOf = (when: TaskWhen, stampAt: number): Schedule => {
  const schedule = createSchedule(when, stampAt, offsetMinutes)
  if (schedule === null) throw new Error('no periods')
  return schedule
}

test('what runs always or once has no periods', t => {
  t.is(createSchedule('always', 0, offsetMinutes), null)
  t.is(createSchedule('once', 0, offsetMinutes), null)
})

test('periods of every are numbered from the stamp, and the first begins with it', t => {
  const schedule = scheduleOf({ every: '10s' }, 1_003)
  t.deepEqual(schedule.nextAfter(0), { number: 0, startAt: 1_003 })
  t.is(schedule.periodAt(1_002), null)
  t.deepEqual(schedule.periodAt(1_003), { number: 0, startAt: 1_003 })
  t.deepEqual(schedule.nextAfter(1_003), { number: 1, startAt: 11_003 })
  t.deepEqual(schedule.periodAt(25_000), { number: 2, startAt: 21_003 })
  t.is(schedule.startOf(2), 21_003)
})

const anyWhen: fc.Arbitrary<TaskWhen> = fc.oneof(
  fc.constantFrom('10ms', '1s', '90s', '7m', '1h', '1d').map(every => ({ every })),
  fc
    .constantFrom('* * * * *', '*/7 * * * *', '30 2 * * *', '0 0 1 * *', '15 6 * * mon-fri')
    .map(cron => ({ cron, zone: 'Europe/Berlin' })),
)

test('each moment lies in one period: after its start, before the next', t => {
  const year = 366 * 86_400_000
  holds(
    t,
    fc.property(
      anyWhen,
      fc.integer({ min: 1.7e12, max: 1.8e12 }),
      fc.integer({ min: 0, max: year }),
      (when, stampAt, later) => {
        const schedule = scheduleOf(when, stampAt)
        const at = stampAt + later
        const period = schedule.periodAt(at)
        const next = schedule.nextAfter(at)
        t.true(next !== null && next.startAt > at)
        t.is(schedule.startOf(next?.number ?? -1), next?.startAt ?? 0)
        if (period === null) {
          t.deepEqual(next, schedule.nextAfter(stampAt - 1))
        } else {
          t.true(period.startAt <= at && period.startAt >= stampAt)
          t.is(schedule.startOf(period.number), period.startAt)
          t.deepEqual(schedule.periodAt(period.startAt), period)
          t.deepEqual(schedule.nextAfter(period.startAt), next)
          t.true((next?.number ?? 0) > period.number)
        }
      },
    ),
    300,
  )
})

test('a calendar has no period before the task was made', t => {
  const stampAt = Date.parse('2026-03-01T12:00:30Z')
  const schedule = scheduleOf({ cron: '0 12 * * *' }, stampAt)
  t.is(schedule.periodAt(stampAt + 1_000), null)
  t.is(schedule.nextAfter(0)?.startAt, Date.parse('2026-03-02T12:00:00Z'))
})
