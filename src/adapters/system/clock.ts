// The time of a real machine. `now` begins at what the wall showed when the clock was
// made and goes on with the monotonic clock: somebody setting the machine's date, or
// NTP, moves `wall` and never `now`, so no deadline fires early and no silence is
// invented. It does not stand still while the process is frozen, which the core must see.

import type { Millis } from '../../core/ids.js'
import type { Clock } from '../../ports.js'

/** Node fires longer timers at once. */
const TIMER_MS_MAX = 2_147_483_647

/** What the clock is made of; tests bring their own. */
export interface TimeSources {
  monotonic(): Millis
  wall(): Millis
}

const REAL: TimeSources = { monotonic: () => performance.now(), wall: () => Date.now() }

export const createClock = (sources: TimeSources = REAL): Clock => {
  const offset = sources.wall() - sources.monotonic()
  let latest = Number.NEGATIVE_INFINITY

  const now = (): Millis => {
    // Some machines' monotonic clocks step back by fractions between cores.
    latest = Math.max(latest, offset + sources.monotonic())
    return latest
  }
  const setTimer = (at: Millis, callback: () => void): (() => void) => {
    let timer: NodeJS.Timeout
    const arm = (): void => {
      const waitMs = Math.ceil(Math.max(0, at - now()))
      timer = setTimeout(fire, Math.min(waitMs, TIMER_MS_MAX))
    }
    const fire = (): void => {
      // A timer may come a fraction early, or may have been longer than Node can wait.
      if (now() < at) arm()
      else callback()
    }
    arm()
    return () => clearTimeout(timer)
  }
  return { now, wall: sources.wall, setTimer }
}
