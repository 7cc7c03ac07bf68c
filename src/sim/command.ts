// What `shoal simulate` does: runs a scenario from a seed and says what came of it.
// The seed is the first thing it prints, so that even a run that is interrupted can
// be told again. It reads no clock: the caller measures how long the run took.

import { ShoalError } from '../core/errors.js'
import { Violation } from './check.js'
import { formatReport } from './report.js'
import { findScenario, type Scenario } from './scenario.js'
import { scenarios as everyScenario } from './scenarios.js'

/** As the command line gives them: texts, or nothing. */
export interface SimulateArgs {
  readonly scenario?: string
  readonly nodes?: string | number
  readonly seconds?: string | number
  readonly seed?: string | number
}

export interface SimulateOutput {
  /** Prints one line. */
  line(text: string): void
  /** Milliseconds of the machine since it began, for the last line of the report. */
  elapsedMs(): number
  /** A seed for when none was asked for: a whole number from 0 to 2³²−1. */
  freshSeed(): number
}

const NODES_MAX = 20_000
const SECONDS_MAX = 31_536_000

/** Returns the exit code: 0 when every check held, 1 when one was violated; throws a `ShoalError` at a wrong option. */
export const runSimulate = (
  args: SimulateArgs,
  out: SimulateOutput,
  scenarios: readonly Scenario[] = everyScenario,
): number => {
  const scenario = findScenario(scenarios, args.scenario)
  const nodes = wholeNumber('--nodes', args.nodes ?? scenario.nodes, 1, NODES_MAX)
  const seconds = wholeNumber('--seconds', args.seconds ?? scenario.seconds, 1, SECONDS_MAX)
  const seed = wholeNumber('--seed', args.seed ?? out.freshSeed(), 0, Number.MAX_SAFE_INTEGER)
  const replay = `shoal simulate ${scenario.name} --nodes ${nodes} --seconds ${seconds} --seed ${seed}`
  out.line(`seed       ${seed}`)
  out.line(`scenario   ${scenario.name}: ${scenario.summary}`)
  try {
    const world = scenario.create({ nodes, seconds, seed, replay })
    world.run(seconds * 1_000).finish()
    for (const text of formatReport(world.report())) out.line(text)
    for (const text of scenario.describe?.(world) ?? []) out.line(text)
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    for (const text of error.message.split('\n')) out.line(text)
    if (error.cause instanceof Error) out.line(error.cause.stack ?? error.cause.message)
    return 1
  }
  out.line(`took       ${Math.round(out.elapsedMs())} ms`)
  return 0
}

const wholeNumber = (field: string, given: string | number, min: number, max: number): number => {
  const value = typeof given === 'number' ? given : /^\d+$/.test(given) ? Number(given) : Number.NaN
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value
  throw new ShoalError(
    'OPTION_INVALID',
    `${field} is ${JSON.stringify(given)}; it must be a whole number from ${min} to ${max}`,
  )
}
