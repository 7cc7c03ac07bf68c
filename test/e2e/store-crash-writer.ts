// The victim of the crash tests: opens a store, writes for ever and says on its
// standard output what was acknowledged. Arguments: directory, seed.
//
// Batch number n writes `last` = n, and three keys of n with the same stamp, and
// deletes those of n − 40: whoever reads the store later can tell for every n whether
// all of the batch is there or none. Sizes are drawn so that records cross LevelDB's
// blocks, and its memory table is small, so that tables are written and merged too.

import { writeSync } from 'node:fs'
import { openDiskStore } from '../../src/adapters/disk/disk-store.js'
import { createRng } from '../../src/core/rng.js'
import type { StoreWrite } from '../../src/core/step.js'
import { realClock } from './real-clock.js'
import { batchValue, KEPT_BATCHES, keysOf } from './store-crash-check.js'

const [directory = '', seed = '0'] = process.argv.slice(2)
const rng = createRng(Number(seed))
const store = await openDiskStore(directory, {
  clock: realClock(),
  groupCommitMs: 1,
  lazyCommitMs: 50,
  writeBufferBytes: 64 << 10,
})

let first = 1
for await (const { value } of store.read('last')) first = Number(new TextDecoder().decode(value)) + 1
writeSync(1, `opened ${first}\n`)

for (let n = first; ; n++) {
  const writes: StoreWrite[] = [{ key: 'last', value: new TextEncoder().encode(String(n)) }]
  for (const key of keysOf(n))
    writes.push({ key, value: batchValue(n, rng.below(20) === 0 ? 9_000 : rng.below(300)) })
  if (n > KEPT_BATCHES) for (const key of keysOf(n - KEPT_BATCHES)) writes.push({ key, value: null })
  const done = store.write(writes, rng.below(3) > 0).then(() => writeSync(1, `acknowledged ${n}\n`))
  // Some batches are waited for and some pile up, so that commits take one batch or many.
  if (rng.below(4) === 0) await done
}
