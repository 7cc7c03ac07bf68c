// Random worlds of disks that are put back to old copies of themselves, one at a time and several at once,
// and of nodes that write over what all have while they are alone, for as many seeds as the first argument says; the second is the first seed.

import { overwritten } from '../state/overwritten.js'
import { restored } from '../state/restored.js'
import { together } from '../state/together.js'

const runs = Number(process.argv[2] ?? 2_000)
const first = Number(process.argv[3] ?? 1)
for (let seed = first; seed < first + runs; seed++) {
  const fault = restored(seed) ?? together(seed) ?? overwritten(seed)
  if (fault !== null) {
    console.error(`seed ${seed}: ${fault}\nreplay: node dist/test/soak/state-restored.js 1 ${seed}`)
    process.exit(1)
  }
  if (seed % 100 === 0) console.log(`seed ${seed}`)
}
console.log(`state-restored: ${runs} seeds, no fault`)
