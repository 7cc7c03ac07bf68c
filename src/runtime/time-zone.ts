// The world's time zones, as `core/tasks/cron.ts` wants them: minutes ahead of UTC at a
// moment. The tables come with Node.js and differ between its versions when a country
// changes its mind, which is why they stand outside the core: the simulator has its own.

import { ShoalError } from '../core/errors.js'
import type { Millis } from '../core/ids.js'

/** Formatters are costly to make (about 50 µs and 20 KB) and zones come from users. */
const FORMATS_MAX = 64
const MINUTE: Millis = 60_000

export interface TimeZones {
  readonly offsetMinutes: (zone: string, utcMillis: Millis) => number
  readonly knowsZone: (zone: string) => boolean
}

export const createTimeZones = (): TimeZones => {
  const formats = new Map<string, Intl.DateTimeFormat>()

  const formatOf = (zone: string): Intl.DateTimeFormat => {
    let format = formats.get(zone)
    if (format === undefined) {
      format = new Intl.DateTimeFormat('en-US', {
        timeZone: zone,
        calendar: 'gregory',
        numberingSystem: 'latn',
        hourCycle: 'h23',
        era: 'short',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
      })
      if (formats.size >= FORMATS_MAX) formats.delete(formats.keys().next().value as string)
      formats.set(zone, format)
    }
    return format
  }

  const knowsZone = (zone: string): boolean => {
    try {
      formatOf(zone)
      return true
    } catch (error) {
      if (error instanceof RangeError) return false
      throw error
    }
  }

  return {
    knowsZone,
    offsetMinutes: (zone, utcMillis) => {
      if (zone === 'UTC') return 0
      if (!knowsZone(zone)) {
        throw new ShoalError(
          'ZONE_UNKNOWN',
          `zone is ${JSON.stringify(zone)}; this node's tables do not have it`,
        )
      }
      const minute = Math.floor(utcMillis / MINUTE)
      const fields: Record<string, number> = {}
      for (const { type, value } of formatOf(zone).formatToParts(minute * MINUTE))
        fields[type] = Number(value)
      const { year = 0, month = 1, day = 1, hour = 0, minute: shown = 0 } = fields
      return Math.round(Date.UTC(year, month - 1, day, hour, shown) / MINUTE) - minute
    },
  }
}
