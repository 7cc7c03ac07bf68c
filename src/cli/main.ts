// Runs one command line and turns whatever went wrong into one sentence on stderr
// and an exit code. It never calls `process.exit` where output may still be under way.

import { CommanderError } from 'commander'
import { ShoalError } from '../core/errors.js'
import { FAILED, UsageError, WRONG_USAGE } from './errors.js'
import { createProgram } from './program.js'

export const main = async (args: readonly string[]): Promise<void> => {
  // `shoal events | head` closes the pipe: nothing is left to say, and nothing went wrong.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
  try {
    const program = createProgram()
    if (args.length === 0) {
      program.outputHelp({ error: true })
      process.exitCode = WRONG_USAGE
      return
    }
    await program.parseAsync(args as string[], { from: 'user' })
  } catch (error) {
    process.exitCode = report(error)
  }
}

const report = (error: unknown): number => {
  // Asking for help is no mistake, although commander ends the same way; it has said all else itself.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE
  if (error instanceof UsageError) {
    process.stderr.write(`shoal: ${error.message}\n`)
    return WRONG_USAGE
  }
  if (error instanceof ShoalError) {
    process.stderr.write(`shoal: ${error.message}\n`)
    return FAILED
  }
  process.stderr.write(`shoal: this is a defect: ${error instanceof Error ? error.stack : String(error)}\n`)
  return FAILED
}
