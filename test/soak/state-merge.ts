// The random scheduler for as many seeds as the first argument says; the second is the first seed.

import { schedule, scheduleDocuments } from '../state/schedule.js'

const runs = Number(process.argv[2] ?? 2_000)
const first = Number(process.argv[3] ?? 1)
for (let seed = first; seed < first + runs; seed++) {
  const fault = schedule(seed, false) ?? schedule(seed, true) ?? scheduleDocuments(seed)
  if (fault !== null) {
    console.error(`seed ${seed}: ${fault}\nreplay: node dist/test/soak/state-merge.js 1 ${seed}`)
    process.exit(1)
  }
  if (seed % 100 === 0) console.log(`seed ${seed}`)
}
console.log(`state-merge: ${runs} seeds, no fault`)
