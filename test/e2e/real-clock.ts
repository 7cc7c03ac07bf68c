// The machine's own time, for tests that run real processes.

import type { Clock } from '../../src/ports.js'

export const realClock = (): Clock => ({
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimer(at, callback) {
    const timer = setTimeout(callback, Math.max(0, at - performance.now()))
    return () => clearTimeout(timer)
  },
})
