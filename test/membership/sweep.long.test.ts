// Splits in which a sweep may be misled: lost packets, doors that a firewall keeps closed, an
// address that every machine has, half of a mesh that freezes; and what a sweep may cost.

import test from 'ava'
import { createRng } from '../../src/core/rng.js'
import { lastDeath, type Mesh, runUntilAgreed, settledMesh } from './mesh.js'

/** Splits it by chance, within these shares; returns the sides. */
const split = ({ world }: Mesh, seed: number): number[][] => {
  const rng = createRng(seed)
  const all = rng.shuffle(world.nodes.map(node => node.index))
  const size = Math.round(all.length * (0.3 + rng.below(40) / 100))
  const sides = [all.slice(0, size), all.slice(size)]
  world.partition(...sides)
  return sides
}

/** Who held somebody dead on its own side. */
const wrongDeaths = ({ world, events }: Mesh, sides: number[][], fromMs: number): number => {
  const sideOf = (index: number): number => sides.findIndex(side => side.includes(index))
  return events.filter(
    ({ kind, by, member, atMs }) =>
      kind === 'member.dead' &&
      atMs >= fromMs &&
      sideOf(world.node(by).index) === sideOf(world.node(member).index),
  ).length
}

test('in a split whoever is left behind a closed door, and is on this side, can answer before it is held dead', t => {
  let wrong = 0
  for (let seed = 1; seed <= 8; seed++) {
    const mesh = settledMesh({ seed, nodes: 30, judged: false })
    const { world } = mesh
    for (const node of world.nodes) if (node.index % 3 === 1) world.bindAddress(node.address, null)
    const from = world.nowMs
    const sides = split(mesh, seed)
    world.run(from + 6_000)
    wrong += wrongDeaths(mesh, sides, from)
  }
  // With so many doors closed a link can't be had again where two of these lose it.
  t.true(wrong <= 8, `${wrong}`)
})

test('in a split in which one packet in twenty is lost hardly anybody is held dead on its own side', t => {
  let wrong = 0
  for (let seed = 1; seed <= 12; seed++) {
    const mesh = settledMesh({ seed, nodes: 30, judged: false })
    const { world } = mesh
    world.loss(0.05)
    world.run(world.nowMs + 10_000)
    const from = world.nowMs
    const sides = split(mesh, seed)
    world.run(from + 6_000)
    wrong += wrongDeaths(mesh, sides, from)
  }
  t.true(wrong <= 2, `${wrong}`)
})

test('an address that all machines have, where somebody always accepts, hides nobody who is gone', t => {
  for (let seed = 1; seed <= 4; seed++) {
    const mesh = settledMesh({ seed, nodes: 20, judged: false })
    const { world } = mesh
    const bridges = [0, 1].map(side => `/ip4/172.17.0.${side}/tcp/7600`)
    for (const node of world.nodes)
      world.inject(node, { kind: 'addresses', addresses: [node.address, ...bridges], dialable: true })
    world.run(world.nowMs + 20_000)
    const sides = split(mesh, seed)
    for (const [side, address] of bridges.entries()) world.bindAddress(address, sides[side]?.[0] ?? null)
    const tookMs = runUntilAgreed(mesh, 30_000, sides)
    t.true(tookMs <= 5_000, `seed ${seed}: ${tookMs}`)
  }
})

test('of a mesh of which half freezes at once the rest agrees, though each of their machines accepts', t => {
  for (let seed = 1; seed <= 6; seed++) {
    const mesh = settledMesh({ seed, nodes: 20, judged: false })
    const { world } = mesh
    for (const node of createRng(seed)
      .shuffle([...world.nodes])
      .slice(0, 10))
      world.freeze(node)
    const tookMs = runUntilAgreed(mesh, 30_000)
    t.true(tookMs <= 5_000, `seed ${seed}: ${tookMs}`)
  }
})

test('whoever is left without observers when half of a mesh freezes is held dead as soon as in a cut', t => {
  for (const seed of [6, 8, 14]) {
    const mesh = settledMesh({ seed, nodes: 20, judged: false })
    const { world } = mesh
    const frozen = createRng(seed)
      .shuffle([...world.nodes])
      .slice(0, 10)
    const from = world.nowMs
    for (const node of frozen) world.freeze(node)
    world.run(from + 10_000)
    const tookMs = Math.max(...frozen.map(({ id }) => lastDeath(mesh, id, from) ?? Number.POSITIVE_INFINITY))
    // 2.3 to 2.9 s; 4.0 to 4.9 while each that was dialled had the time of a handshake.
    t.true(tookMs <= 3_500, `seed ${seed}: ${tookMs}`)
  }
})

test('in a split of 50 into halves hardly anybody dials those whom nobody misses', t => {
  for (let seed = 1; seed <= 4; seed++) {
    const mesh = settledMesh({ seed, nodes: 50, judged: false })
    const { world } = mesh
    const indices = world.nodes.map(node => node.index)
    const before = world.tally.linksOpened
    const sides = [indices.slice(0, 25), indices.slice(25)]
    world.partition(...sides)
    const tookMs = runUntilAgreed(mesh, 5_000, sides)
    // To dial all was 466 links. Some 120 are opened for the rings of those who are left, a little later.
    const opened = world.tally.linksOpened - before
    t.true(opened <= 250, `seed ${seed}: ${opened} links until agreed, after ${tookMs} ms`)
  }
})
