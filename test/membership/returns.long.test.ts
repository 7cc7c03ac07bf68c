// Who is gone again as soon as it is back: in the first second after a return hardly
// anybody has met the member, and some do not trust their own ears yet. Virtual time.

import test from 'ava'
import type { SimNode } from '../../src/sim/node.js'
import {
  createMesh,
  disagreement,
  joinAll,
  lastDeath,
  type Mesh,
  runUntilAgreed,
  settledMesh,
} from './mesh.js'

/** All silence is known within this, at any size (DESIGN, section 9). */
const SILENCE_MS = 2_500

const AWAY_MS = 7_000

/** Runs until somebody counts the member alive. */
const untilCounted = ({ world, membership }: Mesh, member: SimNode): void => {
  const untilMs = world.nowMs + 30_000
  const isCounted = (): boolean =>
    world.nodes.some(
      node =>
        node !== member && node.status === 'up' && membership(node.id).get(member.id)?.verdict === 'alive',
    )
  while (!isCounted() && world.nowMs < untilMs) world.run(world.nowMs + 5)
}

const WAYS_BACK: readonly [what: string, go: (mesh: Mesh, node: SimNode) => void][] = [
  [
    'from a restart',
    ({ world }, node) => {
      world.crash(node)
      world.run(world.nowMs + AWAY_MS)
      world.restart(node)
    },
  ],
  [
    'from a cut',
    ({ world }, node) => {
      world.partition([node])
      world.run(world.nowMs + AWAY_MS)
      world.heal()
    },
  ],
  [
    'from a freeze',
    ({ world }, node) => {
      world.freeze(node)
      world.run(world.nowMs + AWAY_MS)
      world.thaw(node)
    },
  ],
  [
    'after a goodbye',
    ({ world }, node) => {
      world.inject(node, { kind: 'leave', request: 1 })
      world.run(world.nowMs + 150)
      world.crash(node)
      world.run(world.nowMs + 3_000)
      world.restart(node)
    },
  ],
]

for (const [what, goAndReturn] of WAYS_BACK) {
  for (const nodes of [2, 3, 5, 20, 50]) {
    test(`of ${nodes} nodes, who is killed or loses its power as soon as it is back ${what} is held dead by all within 2.5 s`, t => {
      for (const end of ['crash', 'powerOff'] as const) {
        const mesh = settledMesh({ seed: nodes, nodes, judged: false })
        const { world } = mesh
        // Of many each moment is the same story, and takes long; it is another's each time, so it need not be forgotten.
        const restMs = nodes < 20 ? 65_000 : 12_000
        for (const [i, delayMs] of (nodes < 50 ? [0, 50, 100, 200, 300, 600] : [0, 100, 300]).entries()) {
          const victim = world.node((1 + 7 * i) % nodes)
          goAndReturn(mesh, victim)
          untilCounted(mesh, victim)
          world.run(world.nowMs + delayMs)
          const from = world.nowMs
          world[end](victim)
          world.run(from + 15_000)
          t.is(disagreement(mesh), null, `${end} after ${delayMs} ms`)
          const deaths = mesh.events.filter(e => e.member === victim.id && e.kind === 'member.dead')
          const tookMs = Math.max(0, ...deaths.map(({ atMs }) => atMs - from))
          t.true(tookMs <= SILENCE_MS, `${end} after ${delayMs} ms: ${tookMs} ms`)
          world.restart(victim)
          runUntilAgreed(mesh, 20_000)
          world.run(world.nowMs + restMs)
        }
      }
    })
  }
}

for (const end of ['crash', 'powerOff'] as const) {
  test(`of three nodes, who is gone (${end}) just after a cut has healed is held dead by both others within 2.5 s`, t => {
    const mesh = settledMesh({ seed: 3, nodes: 3, judged: false })
    const { world } = mesh
    for (const [i, delayMs] of [0, 100, 200, 300, 500, 700, 1_000, 1_400].entries()) {
      // The one that was alone does not trust its own ears for a while, and perhaps has met the other
      // survivor only over the victim.
      const [victim, lone] = [world.node(i % 3), world.node((i + 1) % 3)]
      world.partition([lone])
      world.run(world.nowMs + 10_000)
      world.heal()
      while (disagreement(mesh) !== null) world.run(world.nowMs + 1)
      world.run(world.nowMs + delayMs)
      const from = world.nowMs
      world[end](victim)
      world.run(from + 15_000)
      const tookMs = lastDeath(mesh, victim.id, from)
      t.true(tookMs !== null && tookMs <= SILENCE_MS, `after ${delayMs} ms: ${tookMs} ms`)
      world.restart(victim)
      runUntilAgreed(mesh, 20_000)
      world.run(world.nowMs + 65_000)
    }
  })
}

for (const [nodes, frozenMs] of [
  [2, 3_000],
  [2, 20_000],
  [3, 3_000],
  [3, 20_000],
] as const) {
  test(`of ${nodes} nodes one that was frozen for ${frozenMs / 1_000} s finds within 2.5 s that another falls silent`, t => {
    for (const [i, delayMs] of [0, 100, 500, 1_000, 2_000, 3_000].entries()) {
      for (const end of ['crash', 'powerOff'] as const) {
        const mesh = settledMesh({ seed: 1_000 * nodes + i, nodes, judged: false })
        const { world } = mesh
        world.run(world.nowMs + ((137 * i) % 1_000))
        world.freeze(1)
        world.run(world.nowMs + frozenMs)
        world.thaw(1)
        world.run(world.nowMs + delayMs)
        const from = world.nowMs
        world[end](0)
        world.run(from + 12_000)
        const tookMs = lastDeath(mesh, world.node(0).id, from)
        t.true(tookMs !== null && tookMs <= SILENCE_MS, `${end} after ${delayMs} ms: ${tookMs} ms`)
      }
    }
  })
}

for (const [back, seeds] of [
  [2, [6, 8]],
  [10, [2, 10, 11]],
] as const) {
  test(`${back} of 19 that have lost their power come back at once: they and the one that was left agree within 5 s`, t => {
    for (const seed of seeds) {
      const mesh = settledMesh({ seed, nodes: 20, judged: false })
      const { world } = mesh
      for (const node of world.nodes.slice(1)) world.powerOff(node)
      world.run(world.nowMs + 10_000)
      for (let index = 1; index <= back; index++) world.restart(index)
      t.true(runUntilAgreed(mesh, 5_000) <= 5_000, `seed ${seed}`)
    }
  })
}

test('a node that starts tries each of those whom it remembers once, in two seconds', t => {
  const mesh = settledMesh({ seed: 1, nodes: 20, judged: false })
  const { world } = mesh
  for (const node of world.nodes) world.powerOff(node)
  world.run(world.nowMs + 5_000)
  const tried = new Set<string>()
  world.on('dial', (_node, { node }) => {
    if (node !== null) tried.add(node)
  })
  world.restart(4)
  world.run(world.nowMs + 2_000)
  t.is(tried.size, 19)
})

for (const nodes of [2, 3, 20]) {
  test(`${nodes} nodes that are all killed a second after their first agreement find each other again untold`, t => {
    for (let seed = 1; seed <= 10; seed++) {
      const mesh = createMesh({ seed, nodes, judged: false })
      const { world } = mesh
      joinAll(mesh)
      world.run(world.config.startSpreadMs + 100)
      runUntilAgreed(mesh, 20_000)
      world.run(world.nowMs + 1_000)
      for (const node of world.nodes) world.crash(node)
      world.run(world.nowMs + 3_000)
      for (const node of world.nodes) world.restart(node)
      t.true(runUntilAgreed(mesh, 10_000) <= 10_000, `seed ${seed}`)
    }
  })
}
