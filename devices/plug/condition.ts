// The condition of one thing that is plugged in: a PLC, a broker, an uplink. It turns a
// stream of outcomes, several a second, into what a person can read: one line in the
// log for each change, and the same word on the health of the node. It never decides
// what a fault is, and it never repeats itself.

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

export const createCondition = (source: string, report: Report, log: LogLine): Condition => {
  let level: Health = 'ok'
  // Nothing was said yet, so the first word is a change, also when it is a good one.
  let reason: string | null = null
  return {
    get level() {
      return level
    },
    get reason() {
      return reason ?? ''
    },
    set(nextLevel, nextReason, detail = '') {
      if (nextLevel === level && nextReason === reason) return
      level = nextLevel
      reason = nextReason
      report(source, level, level === 'ok' ? '' : reason)
      log(`${source}: ${level}: ${reason}${detail === '' ? '' : ` (${detail})`}`)
    },
    release() {
      if (level !== 'ok') report(source, 'ok', '')
      level = 'ok'
      reason = null
    },
  }
}
