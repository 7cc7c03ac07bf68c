// Durations as people write them: a whole number and a unit, `250ms` to `30d`.

import { ShoalError } from './errors.js'
import type { Millis } from './ids.js'

const UNIT_MS: Readonly<Record<string, Millis>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const DURATION = /^(\d+)(ms|s|m|h|d)$/
/** A century. Beyond what a number holds exactly, sums with a date would be rounded or infinite. */
const DURATION_MAX: Millis = 36_525 * 86_400_000

export const parseDuration = (field: string, text: unknown): Millis => {
  const match = typeof text === 'string' ? DURATION.exec(text) : null
  const millis = match === null ? null : Number(match[1]) * (UNIT_MS[match[2] as string] as Millis)
  if (millis === null || millis > DURATION_MAX) {
    throw new ShoalError(
      'DURATION_INVALID',
      `${field} is ${JSON.stringify(text)}; it must be a whole number with a unit, such as 250ms, 5s, 10m, 24h or 30d` +
        (millis === null ? '' : ', and at most a century'),
    )
  }
  return millis
}
