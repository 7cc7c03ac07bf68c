// A scenario is a world with a story: who is in it, what befalls them, what must
// hold. Scenarios are named, so that one command runs any of them, with any number
// of nodes, for any time, from any seed.

import { ShoalError } from '../core/errors.js'
import type { World } from './world.js'

export interface ScenarioOptions {
  readonly nodes: number
  readonly seconds: number
  readonly seed: number
  /** The command that repeats the run; for `WorldOptions.replay`. */
  readonly replay: string
}

export interface Scenario {
  readonly name: string
  /** What it tries, in one line. */
  readonly summary: string
  readonly nodes: number
  readonly seconds: number
  /** Makes the world with its faults and checks planned; the caller runs it. */
  readonly create: (options: ScenarioOptions) => World
  /** Lines of its own for the report. */
  readonly describe?: (world: World) => readonly string[]
}

export const findScenario = (scenarios: readonly Scenario[], name: string | undefined): Scenario => {
  const found = name === undefined ? scenarios[0] : scenarios.find(scenario => scenario.name === name)
  if (found !== undefined) return found
  const names = scenarios.map(scenario => scenario.name).join(', ')
  throw new ShoalError(
    'SCENARIO_UNKNOWN',
    `scenario is ${JSON.stringify(name ?? '')}; it must be one of ${names || '(none is registered)'}`,
  )
}
