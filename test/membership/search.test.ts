// Who finds whom on the local network: with nobody told to join anybody.

import test from 'ava'
import { createRng } from '../../src/core/rng.js'
import { createMesh, type Mesh, runUntilAgreed, settledMesh } from './mesh.js'

const NODES = 12
const MINUTE_MS = 60_000

/** Nodes that are switched on one after the other. */
const oneByOne = (seed: number, nodes: number, everyMs: number): Mesh => {
  const starts = Array.from({ length: nodes }, (_, i) => ({ startAtMs: 100 + i * everyMs }))
  const mesh = createMesh({ seed, nodes: starts, config: { discovery: true } })
  mesh.world.run(100 + nodes * everyMs)
  return mesh
}

const fresh = ({ world }: Mesh): string[] => world.nodes.map(({ index }) => `/ip4/10.9.0.${index}/tcp/7600`)

/** All lose their power, and each has another address when it starts again. */
const loseAddresses = (mesh: Mesh, withinMs: number, addresses = fresh(mesh)): void => {
  const { world } = mesh
  const rng = createRng(world.seed)
  for (const node of world.nodes) world.powerOff(node)
  world.run(world.nowMs + 8_000)
  for (const node of world.nodes) world.readdress(node, addresses[node.index] as string)
  for (const node of world.nodes) world.at(world.nowMs + rng.below(withinMs), () => world.restart(node))
}

for (const everyMs of [100, 5_000, MINUTE_MS])
  test(`who is switched on ${everyMs} ms after the one before it is found, though the others have long met`, t => {
    for (const seed of [1, 2, 3]) {
      const mesh = oneByOne(seed, 5, everyMs)
      t.true(runUntilAgreed(mesh, 15_000) <= 15_000, `seed ${seed}`)
    }
  })

for (const withinMs of [1_000, 20_000, MINUTE_MS])
  test(`${NODES} nodes that come back within ${withinMs} ms, all with other addresses, find each other`, t => {
    for (const seed of [1, 2, 3]) {
      const mesh = oneByOne(seed, NODES, 100)
      runUntilAgreed(mesh, 15_000)
      mesh.world.run(mesh.world.nowMs + 12_000)
      loseAddresses(mesh, withinMs)
      // Until then each believes in those whom it remembers.
      mesh.world.run(mesh.world.nowMs + withinMs + 30_000)
      t.true(runUntilAgreed(mesh, 15_000) <= 15_000, `seed ${seed}`)
    }
  })

test('where the addresses have changed hands, whoever answers is asked who is there, without mDNS too', t => {
  for (let seed = 1; seed <= 10; seed++) {
    const mesh = settledMesh({ seed, nodes: NODES })
    const { world } = mesh
    loseAddresses(mesh, 1_000, createRng(seed).shuffle(world.nodes.map(node => node.address)))
    world.run(world.nowMs + 31_000)
    t.true(runUntilAgreed(mesh, 15_000) <= 15_000, `seed ${seed}`)
  }
})

test('islands of nodes whose addresses have all changed find each other within minutes', t => {
  for (const seed of [1, 2, 3]) {
    const mesh = oneByOne(seed, NODES, 100)
    const { world } = mesh
    runUntilAgreed(mesh, 15_000)
    world.run(world.nowMs + 12_000)
    const all = world.nodes.map(node => node.index)
    const islands = [all.slice(0, NODES / 2), all.slice(NODES / 2)]
    world.partition(...islands)
    loseAddresses(mesh, 1_000)
    world.run(world.nowMs + MINUTE_MS)
    runUntilAgreed(mesh, 15_000, islands)
    world.heal()
    t.true(runUntilAgreed(mesh, 10 * MINUTE_MS) <= 10 * MINUTE_MS, `seed ${seed}`)
  }
})

test('islands that never met find each other within the hour in which a cable joins them, though nobody misses anybody', t => {
  for (const seed of [1, 2, 3]) {
    const mesh = createMesh({ seed, nodes: NODES, config: { discovery: true } })
    const { world } = mesh
    const all = world.nodes.map(node => node.index)
    const islands = [all.slice(0, NODES / 2), all.slice(NODES / 2)]
    world.partition(...islands)
    world.run(2 * MINUTE_MS)
    runUntilAgreed(mesh, 1_000, islands)
    world.heal()
    t.true(runUntilAgreed(mesh, 60 * MINUTE_MS) <= 60 * MINUTE_MS, `seed ${seed}`)
  }
})

test('who is in company later than it started asks then', t => {
  const mesh = createMesh({ seed: 1, nodes: 2, config: { discovery: true } })
  const { world } = mesh
  world.partition([0], [1])
  world.run(MINUTE_MS)
  world.heal()
  runUntilAgreed(mesh, 15_000)
  let asked = 0
  world.on('discovery', (_node, { on }) => {
    if (on) asked++
  })
  world.run(world.nowMs + 20_000)
  t.is(asked, 2)
})

test('where nobody is gone one in ten minutes asks after the first, and where one is, one a minute does', t => {
  const mesh = oneByOne(1, NODES, 100)
  const { world } = mesh
  runUntilAgreed(mesh, 15_000)
  let asked = 0
  world.on('discovery', (_node, { on }) => {
    if (on) asked++
  })
  world.run(world.nowMs + MINUTE_MS)
  asked = 0
  world.run(world.nowMs + 60 * MINUTE_MS)
  t.true(asked >= 1 && asked <= 12, `${asked}`)
  asked = 0
  world.crash(3)
  let strangers = 0
  world.on('dial', (_node, { node }) => {
    if (node === null) strangers++
  })
  world.run(world.nowMs + 60 * MINUTE_MS)
  t.true(asked >= 30 && asked <= 120, `${asked}`)
  t.is(strangers, 0, 'of those who answer none is new')
})

test('who remembers others answers before it knows whether it finds them', t => {
  const mesh = settledMesh({ seed: 1, nodes: 2, judged: false, config: { discovery: true } })
  const { world } = mesh
  world.powerOff(0)
  world.powerOff(1)
  world.run(world.nowMs + 8_000)
  const said: { on: boolean; atMs: number }[] = []
  world.on('discovery', (_node, { on }) => void said.push({ on, atMs: world.nowMs }))
  const from = world.nowMs
  world.restart(0)
  world.run(from + 5_000)
  const [first, second] = said
  t.is(first?.on, false)
  t.true(first !== undefined && first.atMs < from + 100, `${first?.atMs}`)
  t.true(second?.on === true && second.atMs < from + 1_000, `${second?.atMs}`)
})

test('who remembers others and finds them asks nobody: neither where all come back at once nor where one does', t => {
  const mesh = settledMesh({ seed: 1, nodes: 50, judged: false, config: { discovery: true } })
  const { world } = mesh
  const rng = createRng(world.seed)
  let asked = 0
  world.on('discovery', (_node, { on }) => {
    if (on) asked++
  })
  for (const node of world.nodes) world.powerOff(node)
  world.run(world.nowMs + 8_000)
  const from = world.nowMs
  for (const node of world.nodes) world.at(from + rng.below(500), () => world.restart(node))
  world.run(from + 4_000)
  runUntilAgreed(mesh, 1_000)
  t.is(asked, 0)
  world.crash(1)
  world.run(world.nowMs + 500)
  world.restart(1)
  world.run(world.nowMs + 2_000)
  t.is(asked, 0)
})

test('of many who answer at once a node that is alone dials a few', t => {
  const { world } = createMesh({ seed: 1, nodes: 1 })
  world.run(5_000)
  let dialled = 0
  world.on('dial', () => {
    dialled++
  })
  for (let i = 0; i < 50; i++)
    world.inject(0, { kind: 'discovered', addresses: [`/ip4/10.9.0.${i}/tcp/7600/p2p/n${i}`] })
  world.run(5_500)
  t.is(dialled, 4)
})

test('whoever answers again and again with addresses where nobody is does not fill the line in which all dials wait', t => {
  const { world } = createMesh({ seed: 1, nodes: 1 })
  world.run(5_000)
  let dialled = 0
  world.on('dial', (_node, { addresses }) => {
    dialled += addresses.length
  })
  for (let at = 5_000; at < 65_000; at += 100)
    world.at(at, () => {
      const addresses = Array.from({ length: 16 }, (_, i) => `/ip4/10.8.${at % 200}.${i}/tcp/1/p2p/n${at}`)
      world.inject(0, { kind: 'discovered', addresses })
    })
  world.run(65_000)
  // 32 of them end in a second, where 64 are tried at once and each takes 2 s.
  t.true(dialled <= 60 * 16, `${dialled}`)
})
