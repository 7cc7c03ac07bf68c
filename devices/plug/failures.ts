// A task that fails on this gateway: Shoal begins it again, later and later, and shows its
// last error to whoever asks. The gateway's log gets one line for each reason, not one for
// each try, and the health of the node has it until the task has run for a while.

import type { Handler } from '../../src/index.js'
import { type Condition, createCondition, type LogLine, type Report } from './condition.js'

const STEADY_MS = 10_000

/** The same handler, whose failures are said. */
export const sayingFailures = (
  { report, log }: { readonly report: Report; readonly log: LogLine },
  handler: Handler,
): Handler => {
  const conditions = new Map<string, Condition>()
  return async context => {
    const { task, signal } = context
    const failed = conditions.get(task)
    const steady = setTimeout(() => failed?.set('ok', 'runs again'), STEADY_MS)
    try {
      return await handler(context)
    } catch (error) {
      if (!signal.aborted) {
        const condition = failed ?? createCondition(`task ${task}`, report, log)
        conditions.set(task, condition)
        condition.set('strained', error instanceof Error ? error.message : String(error))
      }
      throw error
    } finally {
      clearTimeout(steady)
      // Its next owner may be another gateway: then it is none of this one's business any more.
      if (signal.aborted) {
        failed?.release()
        conditions.delete(task)
      }
    }
  }
}
