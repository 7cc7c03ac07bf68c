// The condition of one thing that is plugged in: a PLC, a broker, an uplink. It turns a
// stream of outcomes, several a second, into what a person can read: one line in the
// log for each change, and the same word on the health of the node. It never decides
// what a fault is, and it never repeats itself: what comes and goes several times a second
// is one trouble, and over when it has stayed away for a while.

import type { Health } from '../../src/index.js'

export type Report = (source: string, level: Health, reason: string) => void
export type LogLine = (line: string) => void

export interface Condition {
  readonly level: Health
  readonly reason: string
  /** `reason` is what makes a state: it holds no counts or readings, which differ each time. `detail` is only logged. */
  set(level: Health, reason: string, detail?: string): void
  /** It is no longer this node's business: takes back what was reported, without a line. */
  release(): void
}

/** For so long a trouble must not have come back. */
const STEADY_MS = 3_000

export const createCondition = (
  source: string,
  report: Report,
  log: LogLine,
  steadyMs = STEADY_MS,
): Condition => {
  let level: Health = 'ok'
  let troubledAt = Number.NEGATIVE_INFINITY
  let recovery: NodeJS.Timeout | undefined
  // Nothing was said yet, so the first word is a change, also when it is a good one.
  let reason: string | null = null
  const become = (nextLevel: Health, nextReason: string, detail: string): void => {
    if (nextLevel === level && nextReason === reason) return
    level = nextLevel
    reason = nextReason
    report(source, level, level === 'ok' ? '' : reason)
    log(`${source}: ${level}: ${reason}${detail === '' ? '' : ` (${detail})`}`)
  }

  return {
    get level() {
      return level
    },
    get reason() {
      return reason ?? ''
    },
    set(nextLevel, nextReason, detail = '') {
      clearTimeout(recovery)
      if (nextLevel !== 'ok') troubledAt = performance.now()
      const isSoonMs = troubledAt + steadyMs - performance.now()
      if (nextLevel !== 'ok' || level === 'ok' || isSoonMs <= 0) become(nextLevel, nextReason, detail)
      else recovery = setTimeout(become, isSoonMs, nextLevel, nextReason, detail)
    },
    release() {
      clearTimeout(recovery)
      if (level !== 'ok') report(source, 'ok', '')
      level = 'ok'
      reason = null
    },
  }
}
