// Calendars in five fields, minute hour day-of-month month day-of-week, as cron(5) reads
// them: lists, ranges, steps, names; when both days are restricted, either suffices.
//
// A calendar names minutes of local time. What the clocks do to them: a minute that a
// change skips runs at the first minute after the gap (several of them run once there),
// and a minute that a change repeats runs the first time only. For that, local time is
// walked in whole minutes and translated to mesh time by the zone's offset, which is
// given as a function: tables of zones are no part of the core.

import { ShoalError } from '../errors.js'
import type { Millis } from '../ids.js'
import { CRON_SEARCH_YEARS } from './config.js'

/** Minutes that the zone's clocks are ahead of UTC at that moment. Offsets are whole minutes since 1972. */
export type OffsetMinutes = (zone: string, utcMillis: Millis) => number

export interface Cron {
  readonly minutes: readonly number[]
  readonly hours: readonly number[]
  readonly daysOfMonth: ReadonlySet<number>
  readonly months: ReadonlySet<number>
  readonly daysOfWeek: ReadonlySet<number>
  /** Both day fields are restricted, so that either suffices. */
  readonly isEitherDay: boolean
}

const MINUTE: Millis = 60_000
const MINUTES_A_DAY = 1_440
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

/** Reads the text; `field` names it in what is refused. */
export const parseCron = (field: string, text: string): Cron => {
  const parts = text.trim().split(/\s+/)
  if (text.length > 512 || parts.length !== 5) {
    throw new ShoalError(
      'TASK_INVALID',
      `${field} is ${JSON.stringify(text.slice(0, 80))}; it must have 5 fields: minute hour day-of-month month day-of-week, such as "30 6 * * mon-fri"`,
    )
  }
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = parts
  const read = (name: string, part: string, low: number, high: number, names: readonly string[] = []) =>
    parseField(`${field} (${name})`, part, low, high, names)
  const weekdays = read('day of week', dayOfWeek, 0, 7, DAYS)
  const cron: Cron = {
    minutes: read('minute', minute, 0, 59),
    hours: read('hour', hour, 0, 23),
    daysOfMonth: new Set(read('day of month', dayOfMonth, 1, 31)),
    months: new Set(read('month', month, 1, 12, MONTHS)),
    daysOfWeek: new Set(weekdays.map(day => day % 7)),
    isEitherDay: !dayOfMonth.startsWith('*') && !dayOfWeek.startsWith('*'),
  }
  if (nextDay(cron, 0) === null) {
    throw new ShoalError(
      'TASK_INVALID',
      `${field} is ${JSON.stringify(text)}; no year has such a day, and a task needs one on which it runs`,
    )
  }
  return cron
}

/** The first time after `after` at which the calendar runs, or null if the zone's clocks leave none. */
export const nextCronTime = (
  cron: Cron,
  zone: string,
  offsetMinutes: OffsetMinutes,
  after: Millis,
): Millis | null => {
  // What the clocks showed up to now has had its time; after a change back, so has what they will repeat.
  const now = Math.floor(after / MINUTE)
  const shown = now + offsetMinutes(zone, now * MINUTE)
  const firstDay = Math.floor((shown + 1) / MINUTES_A_DAY)
  for (let day = nextDay(cron, firstDay); day !== null; day = nextDay(cron, day + 1)) {
    if (day - firstDay > CRON_SEARCH_YEARS * 366) return null
    for (const hour of cron.hours) {
      for (const minute of cron.minutes) {
        const local = day * MINUTES_A_DAY + hour * 60 + minute
        if (local <= shown) continue
        const at = firstTimeOf(local, zone, offsetMinutes)
        if (at > now) return at * MINUTE
      }
    }
  }
  return null
}

/** The last time at or before `at` at which the calendar ran, not looking back beyond `from`; null if there is none. */
export const lastCronTime = (
  cron: Cron,
  zone: string,
  offsetMinutes: OffsetMinutes,
  at: Millis,
  from: Millis,
): Millis | null => {
  const next = (after: Millis): Millis =>
    nextCronTime(cron, zone, offsetMinutes, after) ?? Number.POSITIVE_INFINITY
  // Bisect for the latest minute whose next run is not after `at`, first in doubling steps back.
  let step = MINUTE
  while (next(at - step) > at) {
    if (at - step < from) return null
    step *= 2
  }
  let low = at - step
  let high = low + step
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (next(middle) <= at) low = middle
    else high = middle
  }
  const found = next(low)
  return found < from ? null : found
}

/** The first day at or after this one (in days since 1970) that the calendar names, or null. */
const nextDay = (cron: Cron, from: number): number | null => {
  const date = dateOf(from)
  for (let day = from; day < from + CRON_SEARCH_YEARS * 366; day++) {
    if (cron.months.has(date.month)) {
      const inMonth = cron.daysOfMonth.has(date.day)
      const inWeek = cron.daysOfWeek.has((((day + 4) % 7) + 7) % 7)
      if (cron.isEitherDay ? inMonth || inWeek : inMonth && inWeek) return day
    }
    date.day++
    if (date.day > daysIn(date.year, date.month)) {
      date.day = 1
      date.month = (date.month % 12) + 1
      if (date.month === 1) date.year++
    }
  }
  return null
}

/** The first minute of mesh time at which the zone's clocks show this local minute or a later one. */
const firstTimeOf = (local: number, zone: string, offsetMinutes: OffsetMinutes): number => {
  const offsetAt = (minute: number): number => offsetMinutes(zone, minute * MINUTE)
  // No offset reaches 24 hours, so the time lies between these.
  let low = local - MINUTES_A_DAY
  let high = local + MINUTES_A_DAY
  const before = offsetAt(low)
  const after = offsetAt(high)
  if (before === after && offsetAt(local - before) === before) return local - before
  if (before !== after) {
    // One change in between: bisect for its first minute.
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (offsetAt(middle) === before) low = middle
      else high = middle
    }
    if (offsetAt(high) === after) {
      if (local - before < high) return local - before
      return Math.max(local - after, high)
    }
    low = local - MINUTES_A_DAY
  }
  // Two changes within two days: walk.
  let minute = low
  while (minute + offsetAt(minute) < local) minute++
  return minute
}

interface CivilDate {
  year: number
  month: number
  day: number
}

/** The date of a day counted from 1970 (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
const dateOf = (days: number): CivilDate => {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  }
}

const daysIn = (year: number, month: number): number => {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}

/** One field: a list of `*`, a value or a range, each with an optional `/step`. */
const parseField = (
  field: string,
  text: string,
  low: number,
  high: number,
  names: readonly string[],
): readonly number[] => {
  const refuse = (part: string): never => {
    const alsoNames = names.length === 0 ? '' : ` or ${names[0]}–${names[names.length - 1]}`
    throw new ShoalError(
      'TASK_INVALID',
      `${field} has ${JSON.stringify(part)}; accepted are *, ${low}–${high}${alsoNames}, ranges as a-b, steps as */n or a-b/n, and lists of these with commas`,
    )
  }
  const value = (part: string, whole: string): number => {
    const name = names.indexOf(part.toLowerCase())
    if (name >= 0) return name + low
    const number = /^\d{1,2}$/.test(part) ? Number(part) : -1
    return number >= low && number <= high ? number : refuse(whole)
  }
  const values = new Set<number>()
  for (const part of text.split(',')) {
    const [range = '', stepText, ...more] = part.split('/')
    if (more.length > 0) refuse(part)
    const step = stepText === undefined ? 1 : /^\d{1,2}$/.test(stepText) ? Number(stepText) : 0
    if (step < 1) refuse(part)
    let from = low
    let to = high
    if (range !== '*') {
      const ends = range.split('-')
      if (ends.length > 2) refuse(part)
      from = value(ends[0] as string, part)
      to = ends[1] === undefined ? (stepText === undefined ? from : high) : value(ends[1], part)
      if (to < from) refuse(part)
    }
    for (let at = from; at <= to; at += step) values.add(at)
  }
  return [...values].sort((a, b) => a - b)
}
