// All tests, as `package.json` has them, at less expense and in a better order.
//
// A test file costs 0.4 s of a processor before its first test runs: a thread, ava, its imports,
// and code that is slow until it has run for a while. So those that only compute are told to
// ava as few files, each of which imports several; a title then has to be the only one of
// its kind among them, and ava says so where it is not. Those that start processes, open
// sockets or wait for timers stay alone: others would keep their events from them.
//
// The order looks random and is always the same: files that compute and files that wait
// lie in folders of their own, and some at a time run better mixed than alike. Those that take
// longest, and those that wait, begin in the first two thirds: one that began last would be
// waited for by itself.

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

const { ava } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))

const COMPUTES = ['core', 'dashboard', 'membership', 'sim', 'state', 'tasks']
/** Each as long as several others: together with them one would be waited for in the end. */
const LONG = [
  'membership/detection',
  'membership/liars',
  'state/bounds',
  'state/durability',
  'state/footing',
  'state/hostile',
]
const TOGETHER_MOST = 6

const tests = new URL('dist/test/', import.meta.url)
const together = new URL('dist/together/', import.meta.url)

const filesOf = folder =>
  readdirSync(new URL(`${folder}/`, tests))
    .filter(name => name.endsWith('.test.js') && !name.endsWith('.long.test.js'))
    .map(name => `${folder}/${name.slice(0, -'.test.js'.length)}`)
    .filter(name => !LONG.includes(name))

const writeTogether = (folder, files) => {
  const parts = Math.ceil(files.length / TOGETHER_MOST)
  for (let part = 0; part < parts; part++) {
    const own = files.filter((_, i) => i % parts === part)
    const imports = own.map(name => `import '../test/${name}.test.js'\n`)
    writeFileSync(new URL(`${folder}-${part + 1}.test.js`, together), imports.join(''))
  }
}

rmSync(together, { recursive: true, force: true })
mkdirSync(together, { recursive: true })
for (const folder of COMPUTES) writeTogether(folder, filesOf(folder))

const BEGINS_EARLY = new RegExp(`^dist/test/((cli|devices|e2e|http)/|(${LONG.join('|')})\\.)`)

const placeOf = file => {
  const name = file.slice(file.lastIndexOf('dist/'))
  const chance = createHash('sha256').update(name).digest().readUInt32BE() / 2 ** 32
  return BEGINS_EARLY.test(name) ? (chance * 2) / 3 : chance
}

export default {
  ...ava,
  files: [
    ...ava.files,
    'dist/together/*.test.js',
    ...COMPUTES.flatMap(filesOf).map(name => `!dist/test/${name}.test.js`),
  ],
  sortTestFiles: (a, b) => placeOf(a) - placeOf(b),
}
