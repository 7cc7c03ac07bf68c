// Liars and look-alikes: whatever one member says, or one machine between two nodes
// pretends, nobody healthy is held dead. The worlds check that after every step.

import test from 'ava'
import type { Member } from '../../src/core/member.js'
import type { SimNode } from '../../src/sim/node.js'
import { disagreement, type Mesh, resetLink, settledMesh } from './mesh.js'
import { accusationOf, type Evidence } from './words.js'

const deathsSince = (mesh: Mesh, fromMs: number): string[] =>
  mesh.events
    .filter(event => event.kind === 'member.dead' && event.atMs >= fromMs)
    .map(event => `${event.by} holds ${event.member} dead`)

const accuseEverybody = ({ membership, world }: Mesh, liar: SimNode, evidence: Evidence): void => {
  const others = membership(liar.id)
    .all()
    .filter(member => member.id !== liar.id)
  const accusations = others.map(({ record }) => accusationOf(liar.id, { body: record }, evidence))
  world.publish(liar.id, 'members', { kind: 'rumor', records: [], accusations, strikes: [] })
}

for (const evidence of ['silent', 'refused'] as const) {
  for (const nodes of [3, 5, 20]) {
    test(`one of ${nodes} that accuses everybody (${evidence}), again and again, kills nobody and is answered at most 4 times a second`, t => {
      const mesh = settledMesh({ seed: nodes, nodes })
      const { world } = mesh
      const liar = world.node(1)
      const from = world.nowMs
      const published = world.tally.gossipPublished
      let words = 0
      const lie = (): void => {
        words += 1
        accuseEverybody(mesh, liar, evidence)
      }
      for (let at = 50; at < 30_000; at += 50) world.at(from + at, lie)
      world.run(from + 60_000)
      t.deepEqual(deathsSince(mesh, from), [])
      t.is(disagreement(mesh), null)
      const answers = world.tally.gossipPublished - published - words
      t.true(answers <= 4 * 30 * (nodes - 1) + 20 * nodes, `${answers} answers to ${words} lies`)
    })
  }
}

test('an accusation that one node alone was told, as when it waited for the end of a cut, is answered in time', t => {
  const mesh = settledMesh({ seed: 6, nodes: 20 })
  const { world } = mesh
  const from = world.nowMs
  let told = 0
  for (const listener of world.nodes) {
    const subject = world.node((listener.index + 7) % 20)
    const heard = mesh.membership(listener.index)
    const accuser = heard.observersOf(subject.id).find(id => heard.isLinked(id))
    if (accuser === undefined || heard.observersOf(subject.id).includes(listener.id)) continue
    told += 1
    const { record } = heard.get(subject.id) as Member
    const accusations = [accusationOf(accuser, { body: record }, 'silent')]
    const message = { kind: 'rumor', records: [], accusations, strikes: [] } as const
    world.inject(listener, { kind: 'message', from: accuser, channel: 'link', message, bytes: 0 })
  }
  t.true(told >= 5, `${told}`)
  world.run(from + 10_000)
  t.deepEqual(deathsSince(mesh, from), [])
  t.true(mesh.events.some(({ kind, atMs }) => kind === 'member.suspect' && atMs >= from))
  t.is(disagreement(mesh), null)
})

test('whoever accuses a member of what it has answered is given the answer by its neighbors', t => {
  const mesh = settledMesh({ seed: 8, nodes: 20 })
  const { world } = mesh
  const [accuser, subject] = [world.node(3), world.node(4)]
  const { record } = mesh.membership(0).get(subject.id) as Member
  world.inject(subject, { kind: 'abilities', runs: ['work'] })
  world.run(world.nowMs + 1_000)
  const givers = new Set<string>()
  world.on('send', (node, { to, message }) => {
    const isGiven = message.kind === 'rumor' && message.records.some(({ body }) => body.id === subject.id)
    if (to === accuser.id && isGiven) givers.add(node.id)
  })
  const accusations = [accusationOf(accuser.id, { body: record }, 'silent')]
  world.publish(accuser, 'members', { kind: 'rumor', records: [], accusations, strikes: [] })
  world.run(world.nowMs + 1_000)
  t.is(givers.size, accuser.links.size)
})

test('one that accuses everybody makes nobody reach for all the others', t => {
  const mesh = settledMesh({ seed: 4, nodes: 20 })
  const { world } = mesh
  accuseEverybody(mesh, world.node(1), 'silent')
  world.run(world.nowMs + 5_000)
  t.is(world.counts.get('sweeps') ?? 0, 0)
})

test('two of 20 that accuse everybody of silence at once, as if the mesh were torn, kill nobody', t => {
  const mesh = settledMesh({ seed: 7, nodes: 20 })
  const { world } = mesh
  const from = world.nowMs
  for (let at = 50; at < 5_000; at += 250)
    for (const liar of [0, 1]) world.at(from + at, () => accuseEverybody(mesh, world.node(liar), 'silent'))
  world.run(from + 15_000)
  t.deepEqual(deathsSince(mesh, from), [])
  t.is(disagreement(mesh), null)
})

test('three of 20 that accuse everybody, again and again, are soon taken for what they are: few reach for all the others', t => {
  const mesh = settledMesh({ seed: 4, nodes: 20, judged: false })
  const { world } = mesh
  const from = world.nowMs
  const lie = (): void => {
    for (const liar of [0, 1, 2]) accuseEverybody(mesh, world.node(liar), 'silent')
  }
  for (let at = 50; at < 60_000; at += 500) world.at(from + at, lie)
  world.run(from + 62_000)
  const sweeps = world.counts.get('sweeps') ?? 0
  // Each honest one may do so once before it has refuted them, and again when that is forgiven, after a
  // minute; once in 5 s it was 205.
  t.true(sweeps <= 2 * 17, `${sweeps}`)
})

for (const nodes of [3, 5, 20]) {
  test(`one of ${nodes} that accuses everybody while another comes back again and again kills nobody with its help`, t => {
    const mesh = settledMesh({ seed: 40 + nodes, nodes })
    const { world } = mesh
    const liar = world.node(1)
    const comer = world.node(2)
    const from = world.nowMs
    const lie = (): void => accuseEverybody(mesh, liar, 'silent')
    for (let at = 50; at < 60_000; at += 50) world.at(from + at, lie)
    // It may accuse nobody alone when it has just started, but it may join in.
    for (let at = 1_000; at < 60_000; at += 6_000) world.at(from + at, () => world.restart(comer))
    world.run(from + 80_000)
    const wrong = mesh.events.filter(
      ({ kind, member, atMs }) => kind === 'member.dead' && member !== comer.id && atMs >= from,
    )
    t.deepEqual(wrong, [])
    t.is(disagreement(mesh), null)
  })
}

test('a node that comes back behind a firewall, which resets its links and refuses its address, is held dead by nobody', t => {
  for (const nodes of [3, 8, 50]) {
    const mesh = settledMesh({ seed: nodes, nodes })
    const { world } = mesh
    const victim = world.node(2)
    world.powerOff(victim)
    world.run(world.nowMs + 7_000)
    world.bindAddress(victim.address, null)
    const from = world.nowMs
    world.restart(victim)
    for (const afterMs of [20, 60, 120, 300, 600]) {
      world.at(from + afterMs, () => {
        for (const node of world.nodes) if (node !== victim) resetLink(mesh, victim, node)
      })
    }
    world.run(from + 20_000)
    t.true(world.tally.linksBroken > 0, 'links were reset')
    t.deepEqual(deathsSince(mesh, from), [], `${nodes} nodes`)
    t.is(disagreement(mesh), null, `${nodes} nodes`)
  }
})

test('a firewall that resets a live node’s links and refuses its address kills nobody: it dials outward', t => {
  for (const seed of [1, 2, 3]) {
    const mesh = settledMesh({ seed, nodes: 12 })
    const { world } = mesh
    const victim = world.node(5)
    const from = world.nowMs
    world.bindAddress(victim.address, null)
    // Its links are reset one after the other: each observer in turn finds the address refusing.
    for (const node of world.nodes) {
      if (node === victim) continue
      world.at(from + 100 + node.index * 1_500, () => resetLink(mesh, victim, node))
    }
    world.run(from + 40_000)
    t.true(world.tally.linksBroken > 0, 'links were reset')
    t.deepEqual(deathsSince(mesh, from), [], `seed ${seed}`)
    t.is(disagreement(mesh), null, `seed ${seed}`)
  }
})

test('a firewall that resets all links of a live node at once kills nobody', t => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const mesh = settledMesh({ seed, nodes: 12 })
    const { world } = mesh
    const victim = world.node(5)
    const from = world.nowMs
    world.bindAddress(victim.address, null)
    world.at(from + 100, () => {
      for (const node of world.nodes) if (node !== victim) resetLink(mesh, victim, node)
    })
    world.run(from + 20_000)
    const held = deathsSince(mesh, from + 2_000)
    t.deepEqual(held, [], `seed ${seed}`)
    t.is(disagreement(mesh), null, `seed ${seed}`)
  }
})

test('a port that another node has taken over proves nothing about its former owner', t => {
  for (const seed of [1, 2, 3]) {
    const mesh = settledMesh({ seed, nodes: 10 })
    const { world } = mesh
    const from = world.nowMs
    world.bindAddress(world.node(4).address, 6)
    world.run(from + 30_000)
    t.deepEqual(deathsSince(mesh, from), [], `seed ${seed}`)
    t.is(disagreement(mesh), null)
  }
})

test('an address that means the observer itself proves nothing', t => {
  const mesh = settledMesh({ seed: 3, nodes: 6 })
  const { world } = mesh
  const from = world.nowMs
  const observer = mesh.membership(4).observersOf(world.node(4).id)[0] as string
  world.bindAddress(world.node(4).address, world.node(observer))
  world.run(from + 30_000)
  t.deepEqual(deathsSince(mesh, from), [])
  t.is(disagreement(mesh), null)
})

test('a member that breaks the rules of the wire is cut off and named, and 49 others stay right', t => {
  const mesh = settledMesh({ seed: 8, nodes: 50 })
  const { world } = mesh
  const rogue = world.node(9)
  const named = new Set<string>()
  world.on('log', (_node, { level, fields }) => {
    if (level === 'warn') named.add(`${fields?.member}`)
  })
  let bans = 0
  world.on('ban', (_node, { node }) => {
    if (node === rogue.id) bans++
  })
  const from = world.nowMs
  for (let at = 0; at < 60_000; at += 20) {
    world.at(from + at, () => {
      for (const index of rogue.links.keys())
        world.inject(index, { kind: 'misbehaved', node: rogue.id, offence: 'oversized message' })
    })
  }
  world.run(from + 90_000)
  t.deepEqual([...named], [rogue.id])
  t.true(bans > 0)
  const wrong = deathsSince(mesh, from).filter(text => !text.includes(rogue.id))
  t.deepEqual(wrong, [])
  const others = world.nodes.filter(node => node !== rogue)
  for (const node of others) {
    for (const other of others) t.is(mesh.membership(node.id).get(other.id)?.verdict, 'alive')
  }
})

test('one slip of a peer changes nothing', t => {
  const mesh = settledMesh({ seed: 2, nodes: 4 })
  const { world } = mesh
  let bans = 0
  world.on('ban', () => bans++)
  for (let i = 0; i < 19; i++)
    world.inject(0, { kind: 'misbehaved', node: world.node(1).id, offence: 'not a message' })
  world.run(world.nowMs + 1_000)
  t.is(bans, 0)
})

for (const [nodes, everyMs] of [
  [3, 400],
  [5, 300],
] as const) {
  test(`one of ${nodes} whose links break every ${everyMs} ms keeps nobody from finding that another is silent`, t => {
    for (const seed of [1, 2, 3, 4]) {
      const mesh = settledMesh({ seed: 100 + seed, nodes, judged: false })
      const { world } = mesh
      const flapper = world.node(0)
      const victim = world.node(nodes - 1)
      const flap = (): void => {
        for (const node of world.nodes) if (node !== flapper) resetLink(mesh, flapper, node)
      }
      const from = world.nowMs + 5_000
      for (let at = world.nowMs; at < from + 12_000; at += everyMs) world.at(at, flap)
      world.at(from, () => world.powerOff(victim))
      world.run(from + 12_000)
      for (const judge of world.nodes) {
        if (judge === flapper || judge === victim) continue
        const found = mesh.events.find(
          ({ kind, by, member, atMs }) =>
            kind === 'member.dead' && by === judge.id && member === victim.id && atMs >= from,
        )
        const took = (found?.atMs ?? Number.POSITIVE_INFINITY) - from
        // A second and a half more than without: once it may have been this node that was cut off.
        t.true(took <= 4_000, `seed ${seed}: ${took} ms`)
      }
    }
  })
}
