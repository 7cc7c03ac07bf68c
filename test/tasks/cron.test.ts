import test from 'ava'
import fc from 'fast-check'
import { ShoalError } from '../../src/core/errors.js'
import { lastCronTime, nextCronTime, parseCron } from '../../src/core/tasks/cron.js'
import { createTimeZones } from '../../src/runtime/time-zone.js'
import { holds } from './holds.js'

const { offsetMinutes, knowsZone } = createTimeZones()
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const at = (text: string): number => Date.parse(text)
const iso = (time: number | null): string | null =>
  time === null ? null : new Date(time).toISOString().slice(0, 16)

const runs = (cron: string, zone: string, from: string, count: number): (string | null)[] => {
  const out: (string | null)[] = []
  let time: number | null = at(from)
  for (let i = 0; i < count && time !== null; i++) {
    time = nextCronTime(parseCron('when.cron', cron), zone, offsetMinutes, time)
    out.push(iso(time))
  }
  return out
}

/** Minute by minute: what the clocks show, in order; a skipped minute runs at the first after it, a repeated one the first time. */
const bruteForce = (text: string, zone: string, from: number, to: number): number[] => {
  const cron = parseCron('when.cron', text)
  const names = (local: number): boolean => {
    const date = new Date(local * MINUTE)
    const inMonth = cron.daysOfMonth.has(date.getUTCDate())
    const inWeek = cron.daysOfWeek.has(date.getUTCDay())
    return (
      cron.minutes.includes(date.getUTCMinutes()) &&
      cron.hours.includes(date.getUTCHours()) &&
      cron.months.has(date.getUTCMonth() + 1) &&
      (cron.isEitherDay ? inMonth || inWeek : inMonth && inWeek)
    )
  }
  const start = from / MINUTE - 1_440
  let shown = start + offsetMinutes(zone, start * MINUTE)
  const found: number[] = []
  for (let minute = start + 1; minute <= to / MINUTE; minute++) {
    const local = minute + offsetMinutes(zone, minute * MINUTE)
    let isDue = false
    for (; shown < local; shown++) if (names(shown + 1)) isDue = true
    if (isDue && minute * MINUTE > from) found.push(minute * MINUTE)
  }
  return found
}

const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu']
/** Days around which the clocks of these zones change, and an ordinary one. */
const days = [
  '2026-03-29',
  '2026-10-25',
  '2026-03-08',
  '2026-11-01',
  '2026-04-05',
  '2026-10-04',
  '2026-07-15',
  '2028-02-29',
]

const item = (low: number, high: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constant('*'),
    fc.integer({ min: low, max: high }).map(String),
    fc.integer({ min: 1, max: 20 }).map(step => `*/${step}`),
    fc
      .tuple(fc.integer({ min: low, max: high }), fc.integer({ min: low, max: high }))
      .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
    fc
      .tuple(
        fc.integer({ min: low, max: high }),
        fc.integer({ min: low, max: high }),
        fc.integer({ min: 1, max: 9 }),
      )
      .map(([a, b, step]) => `${Math.min(a, b)}-${Math.max(a, b)}/${step}`),
    fc.array(fc.integer({ min: low, max: high }), { minLength: 1, maxLength: 4 }).map(list => list.join(',')),
  )

const anyCron = fc
  .tuple(item(0, 59), item(0, 5), item(1, 31), fc.constant('*'), item(0, 7))
  .map(fields => fields.join(' '))

test('the next run is the one that a walk over every minute finds, through every change of the clocks', t => {
  holds(
    t,
    fc.property(anyCron, fc.constantFrom(...zones), fc.constantFrom(...days), (text, zone, day) => {
      const from = at(day) - DAY
      const to = at(day) + 2 * DAY
      const found: number[] = []
      const cron = parseCron('when.cron', text)
      for (let time = nextCronTime(cron, zone, offsetMinutes, from); time !== null && time <= to; ) {
        found.push(time)
        if (found.length === 60) break
        time = nextCronTime(cron, zone, offsetMinutes, time)
      }
      const expected = bruteForce(text, zone, from, to).slice(0, 60)
      t.deepEqual(found.map(iso), expected.map(iso))
    }),
    60,
  )
})

test('the next run from within the hours of a change is right too, and the last run is the one before it', t => {
  holds(
    t,
    fc.property(
      anyCron,
      fc.constantFrom(...zones),
      fc.constantFrom(...days),
      fc.integer({ min: 0, max: 36 * 60 * 60 }),
      (text, zone, day, seconds) => {
        const from = at(day) - 6 * HOUR
        const now = from + seconds * 1_000
        const cron = parseCron('when.cron', text)
        const expected = bruteForce(text, zone, from, now + DAY)
        const next = nextCronTime(cron, zone, offsetMinutes, now)
        const due = expected.find(time => time > now)
        if (due === undefined) t.true(next === null || next > now + DAY)
        else t.is(iso(next), iso(due))
        const last = lastCronTime(cron, zone, offsetMinutes, now, from + MINUTE)
        t.is(iso(last), iso(expected.filter(time => time <= now).at(-1) ?? null))
      },
    ),
    60,
  )
})

test('a skipped time runs at the next valid minute', t => {
  // Berlin's clocks go from 02:00 to 03:00 on 29 March 2026, at 01:00 UTC.
  t.deepEqual(runs('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', 2), [
    '2026-03-29T01:00',
    '2026-03-30T00:30',
  ])
  // Lord Howe's go from 02:00 to 02:30 on 4 October 2026, at 15:30 UTC of the day before.
  t.deepEqual(runs('15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T00:00Z', 1), ['2026-10-03T15:30'])
})

test('a repeated time runs once', t => {
  t.deepEqual(runs('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', 2), [
    '2026-10-25T00:30',
    '2026-10-26T01:30',
  ])
  t.deepEqual(runs('45 1 * * *', 'Australia/Lord_Howe', '2026-04-04T00:00Z', 2), [
    '2026-04-04T14:45',
    '2026-04-05T15:15',
  ])
  t.deepEqual(runs('*/30 1-3 * * *', 'America/New_York', '2026-11-01T05:00Z', 4), [
    '2026-11-01T05:30',
    '2026-11-01T07:00',
    '2026-11-01T07:30',
    '2026-11-01T08:00',
  ])
})

test('several skipped minutes are one run', t => {
  t.deepEqual(runs('*/10 2 * * *', 'Europe/Berlin', '2026-03-29T00:00Z', 2), [
    '2026-03-29T01:00',
    '2026-03-30T00:00',
  ])
})

test('both days restricted: either suffices; one restricted: it decides', t => {
  t.deepEqual(runs('0 0 13 * fri', 'UTC', '2026-02-01T00:00Z', 3), [
    '2026-02-06T00:00',
    '2026-02-13T00:00',
    '2026-02-20T00:00',
  ])
  t.deepEqual(runs('0 0 13 * *', 'UTC', '2026-02-01T00:00Z', 2), ['2026-02-13T00:00', '2026-03-13T00:00'])
  t.deepEqual(runs('0 0 * * 7', 'UTC', '2026-02-01T00:00Z', 1), ['2026-02-08T00:00'])
})

test('names, ranges, steps and lists mean what cron(5) says', t => {
  const cron = parseCron('when.cron', '5-20/5,40 */6,23 1,15 jan-mar,DEC mon-fri')
  t.deepEqual(cron.minutes, [5, 10, 15, 20, 40])
  t.deepEqual(cron.hours, [0, 6, 12, 18, 23])
  t.deepEqual([...cron.daysOfMonth], [1, 15])
  t.deepEqual([...cron.months], [1, 2, 3, 12])
  t.deepEqual([...cron.daysOfWeek], [1, 2, 3, 4, 5])
  t.deepEqual(parseCron('when.cron', '10/20 * * * *').minutes, [10, 30, 50])
})

test('29 February comes, in its years, and 2100 is none of them', t => {
  t.deepEqual(runs('0 0 29 2 *', 'UTC', '2026-01-01T00:00Z', 2), ['2028-02-29T00:00', '2032-02-29T00:00'])
  t.deepEqual(runs('0 0 29 feb *', 'UTC', '2096-03-01T00:00Z', 1), ['2104-02-29T00:00'])
})

for (const text of [
  '* * * *',
  '* * * * * *',
  '',
  '60 * * * *',
  '* 24 * * *',
  '* * 0 * *',
  '* * 32 * *',
  '* * * 13 *',
  '* * * * 8',
  '* * * foo *',
  '*/0 * * * *',
  '5-1 * * * *',
  '1-2-3 * * * *',
  '1,,2 * * * *',
  '-1 * * * *',
  '1.5 * * * *',
  '*/5/5 * * * *',
  '* * * * fri-mon',
]) {
  test(`refused with what is accepted: ${JSON.stringify(text)}`, t => {
    const error = t.throws(() => parseCron('when.cron', text), { instanceOf: ShoalError })
    t.is(error?.code, 'TASK_INVALID')
    t.regex(error?.message ?? '', /^when\.cron .*(accepted are|must have 5 fields)/)
  })
}

for (const text of ['0 0 31 feb *', '0 0 30 2 *', '* * 31 4,6,9,11 *']) {
  test(`refused because no year has such a day: ${text}`, t => {
    t.throws(() => parseCron('when.cron', text), {
      instanceOf: ShoalError,
      message: /no year has such a day/,
    })
  })
}

test('a day that never comes beside a weekday that does is accepted: either suffices', t => {
  t.deepEqual(runs('0 0 31 2 mon', 'UTC', '2026-02-01T00:00Z', 2), ['2026-02-02T00:00', '2026-02-09T00:00'])
})

test('zones are known by name, and what is none is not', t => {
  for (const zone of zones) t.true(knowsZone(zone))
  for (const zone of ['Mars/Olympus', '', 'Europe/']) t.false(knowsZone(zone))
  t.is(offsetMinutes('Europe/Berlin', at('2026-07-01T00:00Z')), 120)
  t.is(offsetMinutes('Asia/Kathmandu', at('2026-07-01T00:00Z')), 345)
  t.is(offsetMinutes('America/New_York', at('2026-01-01T00:00:59.999Z')), -300)
})
