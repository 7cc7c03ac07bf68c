// Runs every program right under test/bench (folders hold their parts), one after
// another, or those whose names hold one of the given words: `npm run bench -- simulator`.
// Figures go to stdout as each prints them.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root, setupOrExit } from './setup.mjs'

await setupOrExit()
const folder = join(root, 'dist', 'test', 'bench')
const words = process.argv.slice(2)
const benches = (existsSync(folder) ? readdirSync(folder) : [])
  .filter(name => name.endsWith('.js'))
  .filter(name => words.length === 0 || words.some(word => name.includes(word)))
  .sort()
if (benches.length === 0) {
  process.stderr.write(`bench: there is no test/bench/*.ts ${words.join(' or ')}\n`)
  process.exitCode = 1
}
for (const bench of benches) {
  process.stdout.write(`\n${bench.slice(0, -'.js'.length)}\n`)
  const { status } = spawnSync(process.execPath, [join(folder, bench)], { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
