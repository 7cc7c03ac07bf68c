// All tests, as `package.json` has them, in an order that looks random and is always the
// same: files that compute and files that wait for processes and sockets lie in folders of
// their own, and two at a time run better one of each than two alike.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

const { ava } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))

const placeOf = file => {
  const name = file.slice(file.lastIndexOf('dist/test/'))
  return createHash('sha256').update(name).digest('hex')
}

export default {
  ...ava,
  sortTestFiles: (a, b) => (placeOf(a) < placeOf(b) ? -1 : 1),
}
