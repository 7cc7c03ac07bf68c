// How fast the simulator's kernel is: a toy protocol, so that the cost is its own.
// 1,000 nodes with eight links each, heartbeats to two of them each second; then
// the same with one message a second that everybody hears by gossip.

import { formatReport } from '../../src/sim/report.js'
import type { World } from '../../src/sim/world.js'
import { toyWorld } from '../sim/toy-world.js'

const RUNS = 5
const NODES = 1_000
const SECONDS = 60

const quiet = (): World => toyWorld({ seed: 1, nodes: NODES })

const talkative = (): World => {
  const world = quiet()
  for (let second = 2; second < SECONDS; second++) {
    world.at(second * 1_000, () => world.publish(second, 'toy', { kind: 'memberDigest', buckets: [second] }))
  }
  return world
}

for (const [name, create] of Object.entries({ quiet, talkative })) {
  const times: number[] = []
  let world = create()
  for (let run = 0; run < RUNS; run++) {
    world = create()
    const before = performance.now()
    world.run(SECONDS * 1_000)
    times.push(performance.now() - before)
  }
  times.sort((a, b) => a - b)
  const median = times[RUNS >> 1] as number
  const report = world.report()
  console.log(
    `${name}: ${NODES} nodes, ${SECONDS} virtual seconds: median ${Math.round(median)} ms of ${RUNS} runs`,
  )
  console.log(`${Math.round(report.events / (median / 1_000))} events a second`)
  for (const line of formatReport(report)) console.log(`  ${line}`)
}
