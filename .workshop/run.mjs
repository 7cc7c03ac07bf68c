// `node .workshop/run.mjs FILE ARGUMENT…`: sets up what needs it, then becomes that
// program, in this same process: signals reach it and its exit code is ours.
//
// It does not hang on npm's `pre` scripts alone, because `ignore-scripts=true`, which
// careful people set for good reasons, turns those off.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, setupOrExit } from './setup.mjs'

await setupOrExit()
const program = join(root, process.argv[2] ?? '')
if (process.argv[2] === undefined || !existsSync(program)) {
  process.stderr.write(`run: there is no ${process.argv[2] ?? 'program named'}\n`)
  process.exit(2)
}
process.argv.splice(1, 2, program)
await import(pathToFileURL(program).href)
