// The scheduler is random, the code is the real one. SHOAL_SEED=n replays one run;
// SHOAL_RUNS sets how many. The soak of merging runs thousands.

import test from 'ava'
import { schedule, scheduleDocuments } from './schedule.js'

const runs = Number(process.env.SHOAL_RUNS ?? 10)
const only = process.env.SHOAL_SEED
/** Runs of one test, so that each is over in a few seconds. */
const BATCH = 10

for (const crashes of [false, true]) {
  const title = crashes ? 'loss, doubling, partitions, crashes and restarts' : 'loss, doubling and partitions'
  for (let first = 0; first < (only === undefined ? runs : 1); first += BATCH) {
    const seeds =
      only === undefined ? Array.from({ length: BATCH }, (_, i) => 1_000 + first + i) : [Number(only)]
    test.serial(
      `${title} end in equal replicas, nothing acknowledged lost: seeds from ${seeds[0]}`,
      async t => {
        for (const seed of seeds) {
          const fault = schedule(seed, crashes)
          t.is(fault, null, `SHOAL_SEED=${seed} npx ava dist/test/state/merge.test.js`)
          await new Promise(setImmediate)
        }
      },
    )
  }
}

test('raw documents end alike after partitions, crashes and restarts', async t => {
  for (let seed = 1; seed <= 10; seed++) {
    t.is(scheduleDocuments(seed), null, `seed ${seed}`)
    await new Promise(setImmediate)
  }
})
