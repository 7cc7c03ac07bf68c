// All tests, as `package.json` has them, in an order that looks random and is always the
// same: files that compute and files that wait for processes and sockets lie in folders of
// their own, and some at a time run better mixed than alike. Those that wait begin in the
// first two thirds: one that began last would be waited for by itself.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

const { ava } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))

const WAITS = /^dist\/test\/(cli|devices|e2e|http)\//

const placeOf = file => {
  const name = file.slice(file.lastIndexOf('dist/test/'))
  const chance = createHash('sha256').update(name).digest().readUInt32BE() / 2 ** 32
  return WAITS.test(name) ? (chance * 2) / 3 : chance
}

export default {
  ...ava,
  sortTestFiles: (a, b) => placeOf(a) - placeOf(b),
}
