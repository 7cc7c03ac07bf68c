// How fast the simulator's kernel is: a toy protocol, so that the cost is its own.
// 1,000 nodes with eight links each, heartbeats to two of them each second.

import { formatReport } from '../../src/sim/report.js'
import { toyWorld } from '../sim/toy-world.js'

const RUNS = 5
const SECONDS = 60
const times: number[] = []
let last = toyWorld({ seed: 1, nodes: 2 })
for (let run = 0; run < RUNS; run++) {
  const before = performance.now()
  last = toyWorld({ seed: 1, nodes: 1_000 }).run(SECONDS * 1_000)
  times.push(performance.now() - before)
}
times.sort((a, b) => a - b)
const median = times[RUNS >> 1] as number
const report = last.report()
console.log(`1,000 toy nodes, ${SECONDS} virtual seconds: median ${Math.round(median)} ms of ${RUNS} runs`)
console.log(`${Math.round(report.events / (median / 1_000))} events a second`)
for (const line of formatReport(report)) console.log(line)
