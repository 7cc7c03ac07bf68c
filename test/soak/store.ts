// The long form of `test/e2e/store-crash.long.test.ts`: 200 kills, and the log torn at every
// byte of its last records. Run as `node dist/test/soak/store.js [seed]`; it ends with
// exit code 1 and the sentence of the check at the first thing that was lost.

import { createRng } from '../../src/core/rng.js'
import { killRepeatedly, type LoggedStore, tearEverywhere, writeLog } from '../e2e/store-crash-check.js'

const KILLS = 200
const seed = Number(process.argv[2] ?? Date.now() % 1_000_000)
const rng = createRng(seed)
console.log(`seed ${seed}; replay with: node dist/test/soak/store.js ${seed}`)

const killsBegan = performance.now()
const { batches, acknowledged } = await killRepeatedly(KILLS, rng)
console.log(
  `${KILLS} kills in ${seconds(killsBegan)}: ${batches} batches, ${acknowledged} of them acknowledged before a kill; none lost, every start succeeded`,
)

const small = await writeLog([10, 200, 0, 30, 700, 5])
await tear('the last three records', small, small.ends[2] ?? 0, small.ends[5] ?? 0)

// 3 × 12,000 bytes cross the border of LevelDB's 32 KiB blocks: the record stands in two fragments.
const large = await writeLog([10, 12_000, 30])
await tear('a record in two blocks', large, 32_768 - 300, 32_768 + 300)

async function tear(what: string, store: LoggedStore, from: number, to: number): Promise<void> {
  const began = performance.now()
  const cuts = Array.from({ length: to - from + 1 }, (_, i) => from + i)
  const opened = await tearEverywhere(store, cuts, ['short', 'zeros', 'noise'], rng)
  console.log(
    `${what}, torn at ${cuts.length} bytes in three ways, in ${seconds(began)}: ${opened} starts, none failed, no whole batch lost`,
  )
  await store.dispose()
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`
}
