// Many small worlds of whole nodes, one seed after another: `npm run soak:simulate`
// or `… -- SCENARIO FROM COUNT NODES SECONDS`. Prints every seed that violates a
// check with the command that replays it, and ends with a count; exits 1 if there
// was one.

import { Violation } from '../../src/sim/check.js'
import { findScenario } from '../../src/sim/scenario.js'
import { scenarios } from '../../src/sim/scenarios.js'

const [name = 'chaos', from = '1', count = '10000', nodes = '5', seconds = '70'] = process.argv.slice(2)
const scenario = findScenario(scenarios, name)
const started = performance.now()
let violated = 0
for (let seed = Number(from); seed < Number(from) + Number(count); seed++) {
  const replay = `shoal simulate ${name} --nodes ${nodes} --seconds ${seconds} --seed ${seed}`
  try {
    scenario
      .create({ nodes: Number(nodes), seconds: Number(seconds), seed, replay })
      .run(Number(seconds) * 1_000)
      .finish()
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    violated++
    process.stdout.write(`${error.message}\n`)
  }
  const done = seed - Number(from) + 1
  if (done % 100 === 0) {
    const minutes = (performance.now() - started) / 60_000
    process.stdout.write(`${done} seeds, ${violated} violated, ${minutes.toFixed(1)} min\n`)
  }
}
process.stdout.write(`simulate: ${count} seeds of ${name}, ${violated} violated\n`)
process.exitCode = violated === 0 ? 0 : 1
