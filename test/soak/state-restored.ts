// Random worlds of disks that are put back to old copies of themselves, one at a time and several at once,
// of nodes that write over what all have while they are alone, and of nodes that hold something else after each boot, for as many seeds as the first argument says; the second is the first seed.

import { manyOld } from '../state/many-old.js'
import { overwritten } from '../state/overwritten.js'
import { restored } from '../state/restored.js'
import { shifting } from '../state/shifting.js'
import { together } from '../state/together.js'

const runs = Number(process.argv[2] ?? 2_000)
const first = Number(process.argv[3] ?? 1)
let excused = 0
for (let seed = first; seed < first + runs; seed++) {
  const fault =
    restored(seed) ??
    together(seed) ??
    manyOld(seed) ??
    overwritten(seed) ??
    shifting(seed, places => {
      excused += places
    })
  if (fault !== null) {
    console.error(`seed ${seed}: ${fault}\nreplay: node dist/test/soak/state-restored.js 1 ${seed}`)
    process.exit(1)
  }
  if (seed % 100 === 0) console.log(`seed ${seed}`)
}
console.log(
  `state-restored: ${runs} seeds, no fault; ${excused} spaces and documents in which two meanings of a clock were told`,
)
