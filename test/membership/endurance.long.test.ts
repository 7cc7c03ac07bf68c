// What must hold for long, or for many: loss, sick neighbors, mass starts, idle cost,
// a day of comings and goings, and a handful of random worlds (the soak runs thousands).

import test from 'ava'
import type { NodeId } from '../../src/core/ids.js'
import { createRng } from '../../src/core/rng.js'
import { createMesh, joinAll, lastDeath, type Mesh, runUntilAgreed, settledMesh } from './mesh.js'
import { runRandomWorld } from './random-world.js'

const eventsSince = (mesh: Mesh, kind: string, fromMs: number): number =>
  mesh.events.filter(event => event.kind === kind && event.atMs >= fromMs).length

test('100 nodes at 5 % packet loss hold nobody dead in 5 minutes', t => {
  const mesh = settledMesh({ seed: 1, nodes: 100 })
  const { world } = mesh
  const from = world.nowMs
  world.loss(0.05)
  // A thousand for an hour: the soak of large meshes.
  world.run(from + 300_000)
  t.is(eventsSince(mesh, 'member.dead', from), 0, `seed ${world.seed}`)
})

for (const [nodes, seeds] of [
  [20, [1, 9, 11]],
  [30, [2]],
  [50, [34]],
] as const) {
  test(`where a third of ${nodes} is frozen for 1 to 32 s, again and again, no healthy member is suspected or held dead by a healthy one`, t => {
    for (const seed of seeds) {
      const mesh = settledMesh({ seed, nodes, judged: false })
      const { world } = mesh
      const rng = createRng(seed)
      const sick = new Set<NodeId>()
      const from = world.nowMs
      for (const seconds of [1, 2, 4, 8, 16, 32, 1, 2, 4, 8, 16, 32]) {
        const chosen = rng.shuffle(world.nodes.map(node => node.index)).slice(0, nodes / 3)
        sick.clear()
        for (const index of chosen) {
          sick.add(world.node(index).id)
          world.at(world.nowMs + rng.below(500), () => world.freeze(index))
          world.at(world.nowMs + 500 + seconds * 1_000, () => world.thaw(index))
        }
        const began = world.nowMs
        world.run(began + 500 + seconds * 1_000 + 6_000)
        const wrong = mesh.events.filter(
          ({ kind, atMs, member, by }) =>
            (kind === 'member.dead' || kind === 'member.suspect') &&
            atMs >= began &&
            !sick.has(member) &&
            !sick.has(by),
        )
        t.deepEqual(wrong, [], `seed ${seed}, ${seconds} s`)
      }
      t.true(eventsSince(mesh, 'member.dead', from) > 0, 'those frozen for long were held dead meanwhile')
      runUntilAgreed(mesh, 10_000)
    }
  })
}

test('100 nodes switched on in the same second agree within 5 s, with at most 10 dials each', t => {
  const mesh = createMesh({ seed: 3, nodes: 100 })
  joinAll(mesh)
  const { world } = mesh
  world.run(world.config.startSpreadMs + 1)
  t.true(runUntilAgreed(mesh, 5_000) <= 5_000)
  world.run(10_000)
  t.true(world.tally.dials <= 1_000, `${world.tally.dials} dials`)
  // The power comes back: all start again, and remember each other.
  for (const node of world.nodes) world.powerOff(node)
  world.run(world.nowMs + 5_000)
  const dials = world.tally.dials
  const rng = createRng(3)
  const from = world.nowMs
  for (const node of world.nodes) world.at(from + rng.below(1_000), () => world.restart(node))
  world.run(from + 1_001)
  t.true(runUntilAgreed(mesh, 5_000) <= 5_000)
  world.run(from + 10_000)
  t.is(eventsSince(mesh, 'member.dead', from), 0)
  t.true(world.tally.dials - dials <= 2_500, `${world.tally.dials - dials} dials`)
})

test('an idle node sends under 600 bytes a second, as much in a mesh of 200 as in one of 20', t => {
  /** Two of the exchanges that a node has with one of its neighbors. */
  const MEASURED_S = 40
  const rateOf = (nodes: number): number => {
    const { world } = settledMesh({ seed: 4, nodes })
    world.run(world.nowMs + 20_000)
    const before = world.nodes.map(node => node.bytesSent)
    world.run(world.nowMs + MEASURED_S * 1_000)
    const rates = world.nodes.map((node, i) => (node.bytesSent - (before[i] as number)) / MEASURED_S)
    return rates.reduce((sum, rate) => sum + rate, 0) / nodes
  }
  const rates = [5, 20, 50, 200].map(rateOf)
  t.true(
    rates.every(rate => rate > 0 && rate <= 600),
    `${rates.map(Math.round)} B/s`,
  )
  const [, twenty, , many] = rates as [number, number, number, number]
  t.true(many <= 1.25 * twenty, `${rates.map(Math.round)} B/s`)
})

test('after 24 hours of comings and goings every table is back where it was', t => {
  const hour = 3_600_000
  const nodes = 5
  const mesh = settledMesh({ seed: 5, nodes })
  const { world } = mesh
  world.run(world.nowMs + 120_000)
  const sizes = (): number[] => world.nodes.map(node => mesh.membership(node.id).tableSize)
  const before = sizes()
  const rng = createRng(5)
  const from = world.nowMs
  let faults = 0
  while (world.nowMs < from + 24 * hour) {
    const index = rng.below(nodes)
    if (rng.below(2) === 0) world.crash(index)
    else world.powerOff(index)
    faults++
    world.run(world.nowMs + 60_000)
    world.restart(index)
    world.run(world.nowMs + 9 * 60_000)
    mesh.events.length = 0
  }
  t.true(faults >= 140)
  world.run(world.nowMs + 120_000)
  runUntilAgreed(mesh, 1_000)
  const after = sizes()
  t.true(
    // Some it met only meanwhile; each of 140 faults leaving one row would show.
    after.every((size, i) => size <= (before[i] as number) + nodes),
    `${before} then ${after}`,
  )
})

/** Of the thousands that the soak of membership runs. */
const WORLDS = 12

test(`${WORLDS} random worlds violate no check, and all agree again within 30 s of the last fault`, t => {
  let told = 0
  for (let seed = 1; seed <= WORLDS; seed++) {
    const { agreedAfterMs } = runRandomWorld(seed)
    t.true(agreedAfterMs <= 30_000, `seed ${seed}`)
    told++
  }
  t.is(told, WORLDS)
})

/** What each of these worlds found, before it was mended. */
const FORMER_VIOLATIONS: readonly [seed: number, what: string][] = [
  [16, 'two observers, one of which had only heard of the other, hurried at 5 % loss'],
  [65, 'the answer to a lone accuser was lost twice, at high latency'],
  [178, 'two one-way cuts are a majority of three observers: the check asked too much'],
  [554, 'the only observer on its side of a split did not wait for a lost answer'],
  [704, 'gone with the cure of 16'],
  [1186, 'gone with the cure of 65'],
  [1476, 'of two nodes at 20 % loss one lost its answer three times: more than is claimed'],
  [1836, 'gone with the cure of 65'],
  [8373, 'an accusation that nobody believed lay in wait and counted, long after, beside a fresh one'],
  [
    8917,
    'the proof of a death that was refuted long ago came by exchange from one that had slept, and was believed at once',
  ],
  [20706, 'of two nodes that had lost 20 %, a stream still waited to repeat: more than is claimed'],
  [
    20889,
    'who was accused across a split by one who is not its neighbor never heard of it, and held dead by that one alone was dialled by nobody',
  ],
  [
    21107,
    'an accusation was taken back whose subject had not heard of it, while it was still on its way to another',
  ],
  [31130, 'gone with the cure of 20889'],
  [
    300149,
    'what an observer said while it was cut off waited in a connection, and came to one node alone, which held three dead on it',
  ],
]

for (const [seed, what] of FORMER_VIOLATIONS) {
  test(`seed ${seed}: ${what}`, t => {
    t.is(runRandomWorld(seed).seed, seed)
  })
}

/** From some time on this node stands still and runs by turns, for as long as is said each time. */
const standsStill = (
  { world }: Mesh,
  id: NodeId,
  fromMs: number,
  endMs: number,
  stillMs: () => number,
  runMs: () => number,
): void => {
  const stall = (): void => {
    if (world.nowMs >= endMs) return
    world.freeze(id)
    world.at(world.nowMs + stillMs(), () => {
      world.thaw(id)
      world.at(world.nowMs + runMs(), stall)
    })
  }
  world.at(fromMs, stall)
}

/** Every node stands still for 1 to 3.5 s, again and again: as where they get too little of their machines. */
const standStill = (mesh: Mesh, seed: number, fromMs: number, endMs: number, longer = 1): void => {
  const rng = createRng(seed)
  const stillMs = (): number => longer * (1_000 + rng.below(2_500))
  const runMs = (): number => 50 + rng.below(350)
  for (const { id } of mesh.world.nodes)
    standsStill(mesh, id, fromMs + rng.below(1_000), endMs, stillMs, runMs)
}

test('where all nodes stand still again and again none holds another dead', t => {
  for (const seed of [1, 2, 3]) {
    const mesh = settledMesh({ seed, nodes: 20, judged: false })
    const { world } = mesh
    const startMs = world.nowMs
    const endMs = startMs + 60_000
    standStill(mesh, seed, startMs, endMs)
    world.run(endMs + 4_000)
    t.is(eventsSince(mesh, 'member.dead', startMs), 0, `seed ${seed}`)
    // 173 to 391 without the rule, and 1 to 8 deaths.
    const suspected = eventsSince(mesh, 'member.suspect', startMs)
    t.true(suspected <= 40, `seed ${seed}: ${suspected}`)
    t.true(runUntilAgreed(mesh, 5_000) <= 5_000, `seed ${seed}`)
    // And a silence is known again as fast as ever once that is over.
    world.run(world.nowMs + 10_000)
    const victim = world.node(7)
    const frozenMs = world.nowMs
    world.freeze(victim)
    world.run(frozenMs + 2_500)
    t.not(lastDeath(mesh, victim.id, frozenMs), null, `seed ${seed}`)
  }
})

test('where all nodes stand still again and again while they start, they reach for those whom they want alone', t => {
  for (const seed of [1, 2, 3]) {
    const mesh = createMesh({ seed, nodes: 30, judged: false })
    const { world } = mesh
    let sweeps = 0
    world.on('count', (_node, { metric, by }) => {
      if (metric === 'sweeps') sweeps += by
    })
    joinAll(mesh)
    standStill(mesh, seed, world.config.startSpreadMs, 30_000)
    world.run(34_000)
    // 49 to 102 when newcomers swept too, and up to 16 false deaths.
    t.is(sweeps, 0, `seed ${seed}`)
    t.is(eventsSince(mesh, 'member.dead', 0), 0, `seed ${seed}`)
    t.true(runUntilAgreed(mesh, 5_000) <= 5_000, `seed ${seed}`)
  }
})

test('who dies silently is found out though applications block all who watch it for a second of every four', t => {
  for (const seed of [1, 2, 3]) {
    const mesh = settledMesh({ seed, nodes: 20, judged: false })
    const { world } = mesh
    const rng = createRng(seed)
    const victim = world.node(0)
    const stillMs = (): number => 1_000
    const runMs = (): number => 3_000 + rng.below(200)
    for (const id of mesh.membership(1).observersOf(victim.id))
      standsStill(mesh, id, world.nowMs + rng.below(4_000), Number.POSITIVE_INFINITY, stillMs, runMs)
    world.run(world.nowMs + 30_000)
    const from = world.nowMs
    world.powerOff(victim)
    world.run(from + 15_000)
    // While any three stalls counted nobody knew for three minutes and more.
    t.not(lastDeath(mesh, victim.id, from), null, `seed ${seed}`)
  }
})

test('where all nodes come back from a power cut at once, and stand still for longer than they run, none holds another dead', t => {
  for (const seed of [1, 2]) {
    const mesh = settledMesh({ seed, nodes: 30, judged: false })
    const { world } = mesh
    const rng = createRng(seed)
    for (const node of world.nodes) world.powerOff(node)
    world.run(world.nowMs + 8_000)
    const startMs = world.nowMs
    for (const node of world.nodes) world.at(startMs + rng.below(500), () => world.restart(node))
    standStill(mesh, seed, startMs + 500, startMs + 45_000, 2.5)
    world.run(startMs + 60_000)
    // Hundreds while stalls counted only that ended within 5 s of each other.
    t.is(eventsSince(mesh, 'member.dead', startMs), 0, `seed ${seed}`)
    t.true(runUntilAgreed(mesh, 5_000) <= 5_000, `seed ${seed}`)
  }
})

for (const [still, run, what] of [
  [[1_200, 1_200], [500, 500], 'for longer than a question takes'],
  [[2_000, 2_000], [1_000, 1_000], 'and never runs for as long as it is quiet after each time'],
  [[1_000, 3_000], [1_000, 3_000], 'now longer and now shorter'],
  [[10_000, 20_000], [200, 1_500], 'for most of the time'],
] as const)
  test(`of two nodes one stands still again and again, ${what}: it finds out within five minutes that the other has died`, t => {
    for (const seed of [1, 2, 3]) {
      const mesh = settledMesh({ seed, nodes: 2, judged: false })
      const { world } = mesh
      const rng = createRng(seed)
      const within =
        ([least, most]: readonly [number, number]) =>
        () =>
          least + rng.below(most - least + 1)
      standsStill(mesh, world.node(0).id, world.nowMs, Number.POSITIVE_INFINITY, within(still), within(run))
      world.run(world.nowMs + 60_000)
      const victim = world.node(1)
      world.powerOff(victim)
      world.run(world.nowMs + 300_000)
      // After 309 s, or never, while what it stood still itself was no silence of the other.
      t.is(mesh.membership(0).get(victim.id)?.verdict, 'dead', `seed ${seed}`)
    }
  })

test('what a sweep found before a node knew that it has too little of its machine is not said minutes later', t => {
  for (const seed of [1, 2, 3]) {
    const mesh = settledMesh({ seed, nodes: 20, judged: false })
    const { world } = mesh
    const startMs = world.nowMs
    standStill(mesh, seed, startMs, startMs + 600_000)
    world.run(startMs + 600_000)
    t.is(eventsSince(mesh, 'member.dead', startMs + 60_000), 0, `seed ${seed}`)
    const suspected = eventsSince(mesh, 'member.suspect', startMs + 60_000)
    t.true(suspected <= 20, `seed ${seed}: ${suspected}`)
  }
})
