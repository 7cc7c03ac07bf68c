// Two files at a time, in an order that looks random and is always the same: those that
// compute and those that wait for processes and sockets lie in folders of their own, and
// run one beside the other instead of two alike, so that no core waits.

import { createHash } from 'node:crypto'

const placeOf = file => {
  const name = file.slice(file.lastIndexOf('dist/test/'))
  return createHash('sha256').update(name).digest('hex')
}

export default {
  files: ['dist/test/**/*.test.js', '!dist/test/{machine,bench,soak}/**'],
  concurrency: 2,
  timeout: '3m',
  sortTestFiles: (a, b) => (placeOf(a) < placeOf(b) ? -1 : 1),
}
