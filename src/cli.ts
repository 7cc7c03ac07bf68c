#!/usr/bin/env node
// The command `shoal`. It reads the command line and nothing else; every command
// lives in a file of its own. Exit 0: done; 1: what was asked failed; 2: wrong usage.

import { Command, CommanderError } from 'commander'

const WRONG_USAGE = 2

const program = new Command('shoal')
  .description('A leaderless runtime for edge gateways.')
  .exitOverride()
  .showHelpAfterError()

program
  .command('demo')
  .description('try it: a small mesh on this machine')
  .action(() => {
    process.stdout.write('shoal: the demo is not built yet. `npm test` runs what there is.\n')
  })

try {
  program.parse()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  // Asking for help is no mistake, although commander ends the same way.
  process.exitCode = error.exitCode === 0 ? 0 : WRONG_USAGE
}
