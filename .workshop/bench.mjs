// Runs every program right under test/bench (folders hold their parts), one after
// another, or those whose names hold one of the given words. What else is given they get:
// `npm run bench -- membership kill --runs=3` runs one part of one of them.
// Figures go to stdout as each prints them.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root, setupOrExit } from './setup.mjs'

const HELP = `Usage: npm run bench [-- NAME...] [-- NAME PART... [--quick] [--values] [--runs=N] [--OPTION=N]]

NAME    one of: ALL. All of them, which takes over an hour, if none is given
PART    a part of it, by a piece of its name: kill, silent, partition, reach, drain
--quick few runs on few nodes, in a minute or two, to see that it works
--values  each value beside the median
--OPTION=N  how many: nodes, tasks, runs and so on; see number('...') in test/bench/NAME.ts
`

const folder = join(root, 'dist', 'test', 'bench')
const given = process.argv.slice(2)
const wantsHelp = given.includes('--help') || given.includes('-h')
if (!wantsHelp) await setupOrExit()
const all = (existsSync(folder) ? readdirSync(folder) : [])
  .filter(name => name.endsWith('.js'))
  .map(name => name.slice(0, -'.js'.length))
  .sort()
const names = given.filter(word => !word.startsWith('-') && all.some(name => name.includes(word)))
const rest = given.filter(word => !names.includes(word))
const chosen = names.length === 0 ? all : all.filter(name => names.some(word => name.includes(word)))
if (wantsHelp) {
  process.stdout.write(HELP.replace('ALL', all.join(', ') || 'the files in test/bench, once it is built'))
} else if (names.length === 0 && rest.some(word => !word.startsWith('-'))) {
  process.stderr.write(`bench: no bench is called ${rest.join(' or ')}; there are ${all.join(', ')}\n`)
  process.exitCode = 2
} else {
  for (const name of chosen) {
    process.stdout.write(`\n${name}\n`)
    const { status } = spawnSync(process.execPath, [join(folder, `${name}.js`), ...rest], {
      cwd: root,
      stdio: 'inherit',
    })
    if (status !== 0) process.exitCode = 1
  }
}
