// When a task's next run is due, and which period a moment belongs to. A period is a
// number that every node computes alike, so that a hand-over can say which was the last:
// `every` counts from the task's stamp (its creation in mesh time), a calendar counts the
// minutes since 1970 of its runs. `always` and `once` have no periods.
//
// The rate is fixed: a run that is late moves none after it, and what was missed is
// skipped and never made up.

import { parseDuration } from '../duration.js'
import { invariant } from '../errors.js'
import type { Millis } from '../ids.js'
import { lastCronTime, nextCronTime, type OffsetMinutes, parseCron } from './cron.js'
import type { TaskWhen } from './spec.js'

export interface Period {
  readonly number: number
  readonly startAt: Millis
}

export interface Schedule {
  /** The period that `at` lies in: the last that began at or before it, or null before the first. */
  periodAt(at: Millis): Period | null
  /** The first period that begins after `at`, or null if there is none any more. */
  nextAfter(at: Millis): Period | null
  startOf(period: number): Millis
}

/** The schedule of a valid spec, or null for `always` and `once`. `stampAt` is when the task was created. */
export const createSchedule = (
  when: TaskWhen,
  stampAt: Millis,
  offsetMinutes: OffsetMinutes,
): Schedule | null => {
  if (when === 'always' || when === 'once') return null
  if ('every' in when) return everySchedule(parseDuration('when.every', when.every), stampAt)
  return cronSchedule(when.cron, when.zone ?? 'UTC', stampAt, offsetMinutes)
}

const everySchedule = (everyMs: Millis, stampAt: Millis): Schedule => {
  invariant(everyMs > 0, 'a period is longer than nothing')
  const period = (number: number): Period => ({ number, startAt: stampAt + number * everyMs })
  const numberAt = (at: Millis): number => Math.floor((at - stampAt) / everyMs)
  return {
    periodAt: at => (at < stampAt ? null : period(numberAt(at))),
    nextAfter: at => (at < stampAt ? period(0) : period(numberAt(at) + 1)),
    startOf: number => stampAt + number * everyMs,
  }
}

const MINUTE: Millis = 60_000

const cronSchedule = (
  text: string,
  zone: string,
  stampAt: Millis,
  offsetMinutes: OffsetMinutes,
): Schedule => {
  const cron = parseCron('when.cron', text)
  const period = (startAt: Millis | null): Period | null =>
    startAt === null ? null : { number: startAt / MINUTE, startAt }
  return {
    periodAt: at => period(lastCronTime(cron, zone, offsetMinutes, at, stampAt)),
    // A minute that had begun when the task was made is not its own.
    nextAfter: at => period(nextCronTime(cron, zone, offsetMinutes, at < stampAt ? stampAt - 1 : at)),
    startOf: number => number * MINUTE,
  }
}
