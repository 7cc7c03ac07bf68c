// Runs one command line and turns whatever went wrong into one sentence on stderr
// and an exit code. It never calls `process.exit` where output may still be under way.

import { type Command, CommanderError } from 'commander'
import { ShoalError } from '../core/errors.js'
import { FAILED, UsageError, WRONG_USAGE } from './errors.js'
import { nearest } from './nearest.js'
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
    const [first, asked] = args
    // Asked for help on what is none, commander would show all of it without a word.
    if (first === 'help' && asked !== undefined) refuseUnknown(program, asked)
    await program.parseAsync(args as string[], { from: 'user' })
  } catch (error) {
    process.exitCode = report(error)
  }
}

const refuseUnknown = (program: Command, asked: string): void => {
  const names = program.commands.map(each => each.name())
  if (names.includes(asked) || asked.startsWith('-')) return
  const close = nearest(asked, names)
  const hint = close === null ? 'see "shoal --help"' : `did you mean ${close}?`
  throw new UsageError(`unknown command '${asked}'; ${hint}`)
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
