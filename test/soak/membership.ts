// Random worlds by seed, as many as one likes: `node dist/test/soak/membership.js [from] [count]`
// (with a third word, `tell`, it also tells what happens in them).
// It prints every seed that violates a check, with the command that replays it, and
// ends with exit code 1 if there was one.

import { type Outcome, runRandomWorld } from '../membership/random-world.js'
import { tell } from '../membership/tell.js'

const from = Number(process.argv[2] ?? 1)
const count = Number(process.argv[3] ?? 2_000)
const outcomes: Outcome[] = []
let violated = 0
const began = performance.now()
for (let seed = from; seed < from + count; seed++) {
  try {
    outcomes.push(runRandomWorld(seed, process.argv[4] === 'tell' ? tell : undefined))
  } catch (error) {
    violated++
    const text = error instanceof Error ? error.message : String(error)
    console.log(`seed ${seed}: ${text}\n  replay with: node dist/test/soak/membership.js ${seed} 1 tell`)
  }
  if ((seed - from) % 100 === 99) console.log(`${seed - from + 1} worlds, ${violated} violations`)
}

const times = outcomes.map(outcome => outcome.agreedAfterMs).sort((a, b) => a - b)
const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, o) => total + of(o), 0)
const at = (share: number): string => (times[Math.floor((times.length - 1) * share)] ?? Number.NaN).toFixed(0)
console.log(
  `${count} worlds in ${((performance.now() - began) / 1000).toFixed(0)} s: ${violated} violations; ` +
    `all agreed again after ${at(0.5)} ms (median), ${at(0.99)} ms (p99), ${at(1)} ms (longest); ` +
    `${sum(o => o.deaths)} deaths and ${sum(o => o.suspicions)} suspicions held`,
)
if (violated > 0) process.exitCode = 1
