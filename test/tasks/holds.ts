// Checks a property on random cases; a failure says how to see it again.

import type { ExecutionContext } from 'ava'
import fc from 'fast-check'

export const holds = <Ts>(t: ExecutionContext, property: fc.IProperty<Ts>, runs: number): void => {
  const details = fc.check(property, { numRuns: runs })
  if (details.failed) t.log(fc.defaultReportMessage(details as fc.RunDetails<unknown>))
  t.false(details.failed, `failed with seed ${details.seed}, path ${details.counterexamplePath}`)
}
