// A mesh that is cut in two, and whole again. What is counted is work: on few cores it is
// what a split of many nodes waits for, and the simulator has as many cores as nodes.

import test from 'ava'
import { createRng } from '../../src/core/rng.js'
import { disagreement, type Mesh, runUntilAgreed, settledMesh } from './mesh.js'

const halves = (mesh: Mesh, smaller: number) => {
  const indexes = mesh.world.nodes.map(node => node.index)
  return [indexes.slice(smaller), indexes.slice(0, smaller)] as const
}

const cut = (mesh: Mesh, smaller: number): void => {
  const [most, few] = halves(mesh, smaller)
  for (const a of most) for (const b of few) mesh.world.cut(a, b)
}

/** The virtual time until both sides agree. */
const untilBothAgree = (mesh: Mesh, smaller: number, limitMs: number): number => {
  const from = mesh.world.nowMs
  const sides = halves(mesh, smaller)
  while (sides.some(side => disagreement(mesh, side) !== null)) {
    if (mesh.world.nowMs - from > limitMs) return Number.POSITIVE_INFINITY
    mesh.world.run(mesh.world.nowMs + 20)
  }
  return mesh.world.nowMs - from
}

const work = (mesh: Mesh) => {
  const { world } = mesh
  const done = { words: 0, warnings: 0, visits: 0, links: 0, dials: 0, knocks: 0 }
  const links = world.tally.linksOpened
  world.on('publish', (_node, { message }) => {
    if (message.kind === 'rumor') done.words++
    if (message.kind === 'hearsay') done.warnings++
  })
  world.on('send', (_node, { message, channel }) => {
    if (channel === 'direct' && message.kind === 'hearsay') done.visits++
  })
  world.on('dial', () => done.dials++)
  world.on('knock', () => done.knocks++)
  return () => ({ ...done, links: world.tally.linksOpened - links })
}

for (const [nodes, smaller, limitMs] of [
  [50, 25, 3_000],
  [50, 15, 4_500],
  [50, 10, 4_500],
  [50, 5, 4_500],
  [50, 1, 4_500],
  [20, 10, 3_500],
  [8, 4, 3_500],
] as const) {
  test(`a mesh of ${nodes} that loses ${smaller}: both sides agree, and nobody on one's own side is doubted`, t => {
    for (const seed of [1, 2, 3]) {
      const mesh = settledMesh({ seed: 70_000 + seed, nodes })
      const from = mesh.world.nowMs
      cut(mesh, smaller)
      const took = untilBothAgree(mesh, smaller, 10_000)
      t.true(took <= limitMs, `seed ${seed}: ${took} ms`)
      const few = new Set(halves(mesh, smaller)[1].map(index => mesh.world.node(index).id))
      const wrong = mesh.events.filter(
        ({ kind, atMs, by, member }) =>
          kind === 'member.dead' && atMs > from && few.has(by) === few.has(member),
      )
      t.deepEqual(wrong, [], `seed ${seed}`)
    }
  })
}

test('50 nodes that are cut into halves knock at each other, open hardly a link before they agree, and say little more than one word each', t => {
  const mesh = settledMesh({ seed: 70_001, nodes: 50 })
  const done = work(mesh)
  cut(mesh, 25)
  t.true(untilBothAgree(mesh, 25, 5_000) <= 3_000)
  const { words, links, dials, knocks } = done()
  t.true(knocks > 1_500, `${knocks} knocks`)
  // By dialling everybody it was 390 links, 1,900 dials and 130 words.
  t.true(links <= 30, `${links} links`)
  t.true(dials <= 100, `${dials} dials`)
  t.true(words <= 100, `${words} words`)
})

test('50 nodes that were cut into halves are one again: one word tells many, answers travel together, and nobody is suspected', t => {
  for (const seed of [1, 2]) {
    const mesh = settledMesh({ seed: 71_000 + seed, nodes: 50 })
    cut(mesh, 25)
    mesh.world.run(mesh.world.nowMs + 12_000)
    const done = work(mesh)
    const from = mesh.world.nowMs
    mesh.world.heal()
    t.true(runUntilAgreed(mesh, 5_000) <= 1_000, `seed ${seed}`)
    mesh.world.run(from + 8_000)
    const { words, warnings, visits } = done()
    // Each visited those of its side that the other held dead, and each answered to all: some 50 of either.
    t.true(words <= 30, `${words} words`)
    t.true(warnings >= 2 && warnings <= 12, `${warnings} warnings`)
    t.true(visits <= 30, `${visits} visits`)
    const doubted = mesh.events.filter(
      ({ kind, atMs }) => atMs > from && (kind === 'member.suspect' || kind === 'member.dead'),
    )
    t.deepEqual(doubted, [], `seed ${seed}`)
  }
})

test('who is frozen behind a kernel that accepts is found, however many there are', t => {
  for (const seed of [1, 2]) {
    const mesh = settledMesh({ seed: 72_000 + seed, nodes: 50, judged: false })
    const { world } = mesh
    const frozen = createRng(seed)
      .shuffle(world.nodes.map(node => node.index))
      .slice(0, 20)
    for (const index of frozen) world.freeze(index)
    const awake = world.nodes.filter(node => node.status === 'up').map(node => node.index)
    const from = world.nowMs
    while (disagreement(mesh, awake) !== null && world.nowMs < from + 8_000) world.run(world.nowMs + 50)
    t.is(disagreement(mesh, awake), null, `seed ${seed}`)
    t.true(world.nowMs - from <= 5_000, `seed ${seed}: ${world.nowMs - from} ms`)
  }
})

test('the answers of a side are lost with the neighbor that was to pass them on: views are compared', t => {
  let swallowed = 0
  for (const seed of [1, 2, 3, 4]) {
    const mesh = settledMesh({ seed: 73_000 + seed, nodes: 20, judged: false })
    const { world } = mesh
    cut(mesh, 10)
    world.run(world.nowMs + 12_000)
    // Whoever has the smallest id is asked to pass on most of them.
    const first = world.node(0)
    const healedAt = world.nowMs
    world.on('send', (_node, { to, message }) => {
      if (to === first.id && message.kind === 'rumor' && first.status === 'frozen') swallowed++
    })
    world.heal()
    world.at(healedAt + 5 * seed, () => world.freeze(first))
    world.run(healedAt + 8_000)
    const others = world.nodes.slice(1).map(node => node.index)
    t.is(disagreement(mesh, others), null, `seed ${seed}`)
  }
  t.true(swallowed > 0)
})
