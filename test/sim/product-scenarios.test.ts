// Small worlds of the product: every scenario, two seeds, every check; the soak of each scenario runs thousands.

import test from 'ava'
import { scenarios } from '../../src/sim/scenarios.js'

const NODES = 4
const SECONDS = 60

for (const { name, create } of scenarios) {
  test(`every check holds in small worlds of "${name}"`, t => {
    t.timeout(120_000)
    for (let seed = 1; seed <= 2; seed++) {
      const replay = `shoal simulate ${name} --nodes ${NODES} --seconds ${SECONDS} --seed ${seed}`
      const world = create({ nodes: NODES, seconds: SECONDS, seed, replay })
      t.notThrows(() => world.run(SECONDS * 1_000).finish(), replay)
    }
  })
}

test('the same seed tells the same story, whatever Node it runs on', t => {
  const [chaos] = scenarios
  const world = chaos?.create({ nodes: 3, seconds: 50, seed: 7, replay: 'chaos' })
  world?.run(12_000)
  // Changes with every change of the core; what counts is that 20 and 24 agree on it.
  t.is(world?.trace.hash, 'befbd3724adc0d1b')
})
