// How V8 is set in a process that is a node and nothing else; an application that embeds
// one decides for itself. The figures are of 20 and 50 idle nodes on Node 20.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** By then a start has come to rest: its modules are read, its handshakes done. */
const AFTER_START_MS = 10_000

/**
 * Flags that V8 heeds when they are set by the program itself, first of all. (It passes
 * over `--max-semi-space-size` then: the young generation grew to 16 MB, and shrank again
 * or did not.) One that does not grow saves 15 MB on Node 20, what 24 calls optimizing for
 * size 31 MB there.
 *
 * A node does a little of everything and nothing often. V8 would spend the first minutes on
 * optimizing what has run a few hundred times: a sixth of all its work when 50 nodes get
 * three writes a second. With a budget twenty times as large only what is really hot is.
 */
export const setEngine = (): void => {
  const major = Number(process.versions.node.split('.')[0])
  const flags =
    major < 22 ? ['--semi-space-growth-factor=1', '--interrupt-budget=1320000'] : ['--optimize-for-size']
  for (const flag of flags) setFlagsFromString(flag)
}

/**
 * Collects what a start leaves behind, 7 of 82 MB. An idle node makes so little garbage
 * that V8 would leave it there for hours. It takes 15 to 20 ms.
 */
export const collectAfterStart = (): void => {
  setTimeout(() => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    setFlagsFromString('--no-expose-gc')
    collect()
  }, AFTER_START_MS).unref()
}
