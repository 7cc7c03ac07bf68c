// When a periodic task runs. A period is known by where it begins in mesh time; what
// an owner hands over is the time up to which periods are done ("covered"), so that
// the rule survives a change of `every` and works alike for the calendar.
//
// The next run is the first period after the covered time, at once if it has begun
// already (a late run is made up for once, never piled up).

import { parseDuration } from '../duration.js'
import type { Millis } from '../ids.js'
import type { TaskWhen } from './spec.js'

export interface Periods {
  /** Where the first period that begins after this time begins, or null if there is none. */
  after(time: Millis): Millis | null
  /** The number of the newest period that has begun by this time, for the executor and for people. */
  numberAt(time: Millis): number
}

/** Minutes that a zone is ahead of UTC at a moment. */
export type ZoneOffset = (zone: string, utcMs: Millis) => number

export type CronAfter = (cron: string, zone: string, time: Millis, zoneOffset: ZoneOffset) => Millis | null

/** The periods of a task, or null when it has none (`always`, `once`). */
export const periodsOf = (
  when: TaskWhen,
  createdAt: Millis,
  zoneOffset: ZoneOffset,
  cronAfter: CronAfter = () => null,
): Periods | null => {
  if (typeof when === 'string') return null
  if ('every' in when) {
    const length = Math.max(1, parseDuration('when.every', when.every))
    const numberAt = (time: Millis): number => Math.floor((time - createdAt) / length)
    return { after: time => createdAt + (numberAt(time) + 1) * length, numberAt }
  }
  const { cron, zone = 'UTC' } = when
  return {
    after: time => cronAfter(cron, zone, time, zoneOffset),
    // A calendar has no first period; the minute names it.
    numberAt: time => Math.floor(time / 60_000),
  }
}
