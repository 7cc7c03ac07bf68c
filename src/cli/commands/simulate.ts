// `shoal simulate`: hands the simulator its texts, a clock and a seed.

import { randomInt } from 'node:crypto'
import { ShoalError } from '../../core/errors.js'
import { UsageError } from '../errors.js'
import { line, printJsonLine } from '../output.js'

interface Flags {
  readonly nodes?: string
  readonly seconds?: string
  readonly seed?: string
  readonly json?: true
}

export const simulate = async (scenario: string | undefined, flags: Flags): Promise<void> => {
  const { runSimulate } = await import('../../sim/command.js')
  const began = performance.now()
  const { nodes, seconds, seed } = flags
  try {
    process.exitCode = runSimulate(
      {
        ...(scenario === undefined ? {} : { scenario }),
        ...(nodes === undefined ? {} : { nodes }),
        ...(seconds === undefined ? {} : { seconds }),
        ...(seed === undefined ? {} : { seed }),
      },
      {
        line: text => {
          if (!flags.json) line(text)
          else {
            const [, name, rest] = /^(\S+)\s{2,}(.*)$/.exec(text) ?? []
            printJsonLine(name === undefined ? { line: text } : { name, line: rest })
          }
        },
        elapsedMs: () => performance.now() - began,
        freshSeed: () => randomInt(0, 2 ** 32),
      },
    )
  } catch (error) {
    // Which scenario, how many, how long: all of it comes from the command line.
    throw error instanceof ShoalError ? new UsageError(error.message) : error
  }
}
