// What it costs a mesh to find together again, counted.

import test from 'ava'
import { taskId } from '../../src/core/ids.js'
import { parseSpec } from '../../src/core/tasks/spec-rules.js'
import { createProductWorld } from '../../src/sim/product.js'
import { Copies } from '../../src/sim/product-checks.js'

const NODES = 20
const TASKS = 50

test('after a cut of 20 nodes has healed, each sends little, and one copy of each task remains', t => {
  t.timeout(120_000)
  const world = createProductWorld({ nodes: NODES, seed: 1, replay: '' })
  const copies = new Copies(world)
  world.addCheck(copies.watch())
  const runners = () => Array.from({ length: TASKS }, (_, i) => copies.runningOn(taskId(`t${i}`), 0).length)
  world.run(8_000)
  for (let i = 0; i < TASKS; i++) {
    const spec = parseSpec({ id: `t${i}`, run: { handler: 'work' } })
    world.inject(0, { kind: 'taskPut', spec, request: i + 1 })
  }
  world.run(16_000)
  const all = world.nodes.map(node => node.index)
  world.partition(all.slice(0, 12), all.slice(12))
  world.run(40_000)
  t.deepEqual(new Set(runners()), new Set([2]), 'each side runs all')
  let sent = 0
  world.on('send', (_, { message }) => {
    if (message.kind.startsWith('state')) sent++
  })
  world.heal()
  world.run(50_000)
  t.deepEqual(new Set(runners()), new Set([1]))
  // 107 when it was written; 250 when every comparison told all neighbors of what gossip was bringing.
  t.true(sent / NODES < 150, `${sent / NODES} messages of state a node`)
})
