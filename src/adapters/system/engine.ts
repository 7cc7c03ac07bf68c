// How V8 is set in a process that is a node and nothing else; an application that embeds
// one decides for itself. The figures are of 20 and 50 idle nodes on Node 20.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** By then a start has come to rest: its modules are read, its handshakes done. */
const AFTER_START_MS = 10_000

/**
 * Flags that V8 takes only before the heap has grown, so this comes first of all. A small
 * young generation saves 17 MB on Node 20, what 24 calls optimizing for size 31 MB there.
 *
 * A node does a little of everything and nothing often. V8 would spend the first minutes on
 * optimizing what has run a few hundred times: a sixth of all its work when 50 nodes get
 * three writes a second. With a budget twenty times as large only what is really hot is.
 */
export const setEngine = (): void => {
  const major = Number(process.versions.node.split('.')[0])
  const flags =
    major < 22 ? ['--max-semi-space-size=1', '--interrupt-budget=1320000'] : ['--optimize-for-size']
  for (const flag of flags) setFlagsFromString(flag)
}

/**
 * Collects what a start leaves behind, 15 of 96 MB. An idle node makes so little garbage
 * that V8 would leave it there for hours. Each time takes 20 to 40 ms; the first may only
 * end a collection that V8 had begun by itself, which frees no pages.
 */
export const collectAfterStart = (): void => {
  for (const time of [1, 2]) setTimeout(collect, time * AFTER_START_MS).unref()
}

const collect = (): void => {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  setFlagsFromString('--no-expose-gc')
}
