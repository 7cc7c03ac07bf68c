// Random worlds of a task that saves, for as many seeds as the first argument says; the second is the first seed.

import { play } from '../tasks/checkpoint-play.js'

const runs = Number(process.argv[2] ?? 2_000)
const first = Number(process.argv[3] ?? 1)
let checks = 0
for (let seed = first; seed < first + runs; seed++) {
  for (const isOverlap of [false, true]) {
    const findings = play(seed, isOverlap)
    checks += findings.checks
    if (findings.lost.length === 0) continue
    console.error(
      `${isOverlap ? 'overlapping, ' : ''}${findings.lost[0]}\nreplay: node dist/test/soak/checkpoints.js 1 ${seed}`,
    )
    process.exit(1)
  }
  if (seed % 100 === 0) console.log(`seed ${seed}`)
}
console.log(`checkpoints: ${runs} seeds, ${checks} checks, nothing lost`)
