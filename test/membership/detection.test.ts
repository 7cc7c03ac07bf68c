// How soon it is known, in virtual time: the network is the simulated one (0.3 to
// 0.7 ms a way), so what is measured here are the rules and their time-outs.

import test from 'ava'
import type { NodeId } from '../../src/core/ids.js'
import { createRng } from '../../src/core/rng.js'
import type { SimNode } from '../../src/sim/node.js'
import {
  disagreement,
  lastDeath,
  type Mesh,
  resetLink,
  runUntilAgreed,
  type Seen,
  settledMesh,
} from './mesh.js'

/** All silence is known within this, at any size (DESIGN, section 9). */
const SILENCE_MS = 2_500
const SPLIT_MS = 5_000

const causesOf = (mesh: Mesh, victim: SimNode): string[] => [
  ...new Set(
    mesh.events
      .filter(event => event.kind === 'member.dead' && event.member === victim.id)
      .map(event => `${event.cause}`),
  ),
]

for (const nodes of [2, 3, 5, 20, 50]) {
  test(`of ${nodes} nodes, whoever is killed is held crashed by everybody within 25 ms, and is back within 2 s`, t => {
    for (const seed of [1, 2, 3]) {
      const mesh = settledMesh({ seed, nodes })
      const { world } = mesh
      const victim = world.node(nodes - 1)
      const from = world.nowMs
      world.crash(victim)
      world.run(from + 1_000)
      const took = lastDeath(mesh, victim.id, from)
      t.true(took !== null && took <= 25, `seed ${seed}: ${took} ms`)
      t.deepEqual(causesOf(mesh, victim), ['crashed'], `seed ${seed}`)
      world.restart(victim)
      const back = runUntilAgreed(mesh, 2_000)
      t.true(back <= 2_000, `seed ${seed}`)
    }
  })

  for (const [what, fail] of [
    ['loses its power', (mesh: Mesh, victim: SimNode) => mesh.world.powerOff(victim)],
    ['freezes', (mesh: Mesh, victim: SimNode) => mesh.world.freeze(victim)],
  ] as const) {
    test(`of ${nodes} nodes, whoever ${what} is held unreachable by everybody within 2.5 s`, t => {
      const times: number[] = []
      for (const seed of nodes < 50 ? [1, 2, 3, 4, 5] : [1, 2, 3]) {
        const mesh = settledMesh({ seed: seed + 10 * nodes, nodes })
        const victim = mesh.world.node(nodes >> 1)
        const from = mesh.world.nowMs
        fail(mesh, victim)
        mesh.world.run(from + 8_000)
        times.push(lastDeath(mesh, victim.id, from) ?? Number.POSITIVE_INFINITY)
        t.deepEqual(causesOf(mesh, victim), ['unreachable'])
      }
      t.true(Math.max(...times) <= SILENCE_MS, `${times.map(Math.round)} ms`)
    })
  }
}

/** Somebody else holds it dead, since then. */
const isDeathOf =
  (victim: NodeId, from: number) =>
  ({ kind, member, by, atMs }: Seen): boolean =>
    kind === 'member.dead' && member === victim && by !== victim && atMs >= from

test('of two nodes, the one that has only ever dialled the address it was told to join knows how long dials take', t => {
  const mesh = settledMesh({ seed: 2, nodes: 2 })
  const { world } = mesh
  const victim = world.node(0)
  const from = world.nowMs
  // The reset of a process that died, and then nothing: only a dial that does not end says that it is gone.
  world.crash(victim)
  world.powerOff(victim)
  world.run(from + 8_000)
  const took = lastDeath(mesh, victim.id, from)
  t.true(took !== null && took <= SILENCE_MS, `${took} ms`)
  t.deepEqual(causesOf(mesh, victim), ['unreachable'])
})

test('whom gossip does not reach yet learns of a crash from its fellow observers as soon', t => {
  for (const seed of [1, 2, 3]) {
    const mesh = settledMesh({ seed, nodes: 5 })
    const { world } = mesh
    world.loseGossip(1)
    const victim = world.node(4)
    const from = world.nowMs
    world.crash(victim)
    world.run(from + 8_000)
    const took = lastDeath(mesh, victim.id, from)
    t.true(took !== null && took <= 100, `seed ${seed}: ${took} ms`)
    t.deepEqual(causesOf(mesh, victim), ['crashed'], `seed ${seed}`)
  }
})

test('whom gossip passes by for good knows within 2.5 s what the others know, and they of it', t => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const mesh = settledMesh({ seed, nodes: 20 })
    const { world } = mesh
    const deaf = world.node(7)
    world.loseGossip(deaf)
    const others = [3, 12, 16].map(index => world.node(index))
    for (const node of others) {
      const from = world.nowMs
      world.inject(node, { kind: 'drain', on: true, request: 1 })
      world.run(from + 2_500)
      t.true(mesh.membership(deaf.index).get(node.id)?.record.draining, `seed ${seed}: ${node.index} drains`)
    }
    world.inject(deaf, { kind: 'drain', on: true, request: 1 })
    world.run(world.nowMs + 2_500)
    for (const node of world.nodes)
      t.true(
        mesh.membership(node.index).get(deaf.id)?.record.draining,
        `seed ${seed}: ${node.index} was told`,
      )
  }
})

test('a node that hears nothing but is heard is found out within 5 s, and is alive again after', t => {
  for (const seed of [1, 2, 3]) {
    const mesh = settledMesh({ seed, nodes: 20 })
    const { world } = mesh
    const victim = world.node(7)
    const from = world.nowMs
    for (const node of world.nodes) if (node !== victim) world.cutOneWay(node, victim)
    world.run(from + SPLIT_MS)
    const took = lastDeath(mesh, victim.id, from)
    t.true(took !== null, `seed ${seed}`)
    world.heal()
    t.true(runUntilAgreed(mesh, 5_000) <= 5_000)
  }
})

test('a node that was not heard for a while accuses nobody when it is heard again', t => {
  for (let seed = 1; seed <= 10; seed++) {
    const mesh = settledMesh({ seed, nodes: 20 })
    const { world } = mesh
    const victim = world.node(seed)
    const from = world.nowMs
    for (const node of world.nodes) if (node !== victim) world.cutOneWay(victim, node)
    const holdIt = (): number => mesh.events.filter(isDeathOf(victim.id, from)).length
    while (holdIt() < 19 && world.nowMs < from + 5_000) world.run(world.nowMs + 20)
    t.is(holdIt(), 19, `seed ${seed}`)
    const words: string[] = []
    world.on('publish', (node, { message }) => {
      if (message.kind !== 'rumor') return
      for (const { body } of message.accusations) words.push(`${node.index} accuses ${body.subject}`)
    })
    const healedAt = world.nowMs
    world.heal()
    world.run(healedAt + 8_000)
    t.deepEqual(words, [], `seed ${seed}`)
    t.is(disagreement(mesh), null, `seed ${seed}`)
  }
})

test('a cut between two nodes, one way or both, kills nobody', t => {
  for (const seed of [1, 2, 3]) {
    const mesh = settledMesh({ seed, nodes: 8 })
    const { world } = mesh
    world.cutOneWay(1, 2)
    world.cut(3, 4)
    const from = world.nowMs
    world.run(from + 60_000)
    const dead = mesh.events.filter(event => event.kind === 'member.dead' && event.atMs >= from)
    t.deepEqual(dead, [], `seed ${seed}`)
  }
})

for (const sizes of [
  [25, 25],
  [49, 1],
] as const) {
  test(`50 nodes cut into ${sizes[0]} and ${sizes[1]} agree on both sides within 5 s, and all within 5 s of the healing`, t => {
    for (const seed of [1, 2, 3]) {
      const mesh = settledMesh({ seed, nodes: 50 })
      const { world } = mesh
      const all = world.nodes.map(node => node.index)
      const one = all.filter(index => (index * 7 + seed) % 50 < sizes[0])
      const other = all.filter(index => !one.includes(index))
      world.partition(one, other)
      t.true(runUntilAgreed(mesh, SPLIT_MS, [one, other]) <= SPLIT_MS, `seed ${seed}`)
      world.run(world.nowMs + 20_000)
      t.is(disagreement(mesh, one), null)
      t.is(disagreement(mesh, other), null)
      world.heal()
      t.true(runUntilAgreed(mesh, SPLIT_MS) <= SPLIT_MS, `seed ${seed}`)
    }
  })
}

test('a node that is left alone says so, and says when it has company again', t => {
  const mesh = settledMesh({ seed: 4, nodes: 6 })
  const { world } = mesh
  const said: string[] = []
  world.on('notify', (node, { event }) => {
    if (node.index === 2 && event.kind.startsWith('node.')) said.push(event.kind)
  })
  world.partition([2])
  world.run(world.nowMs + 6_000)
  t.deepEqual(said, ['node.isolated'])
  world.heal()
  world.run(world.nowMs + 6_000)
  t.deepEqual(said, ['node.isolated', 'node.rejoined'])
})

test('a frozen node that wakes up accuses nobody and is settled again only after a while', t => {
  const mesh = settledMesh({ seed: 5, nodes: 10 })
  const { world } = mesh
  let accusations = 0
  world.on('publish', (node, { message }) => {
    if (node.index === 3 && message.kind === 'rumor') accusations += message.accusations.length
  })
  world.freeze(3)
  world.run(world.nowMs + 20_000)
  world.thaw(3)
  const back = runUntilAgreed(mesh, 3_000)
  t.true(back <= 3_000)
  t.false(mesh.membership(3).selfRecord.settled)
  world.run(world.nowMs + 15_000)
  t.true(mesh.membership(3).selfRecord.settled)
  t.is(accusations, 0)
})

test('in a calm mesh the clock wakes a node about as often as it has a heartbeat to send', t => {
  const mesh = settledMesh({ seed: 5, nodes: 12 })
  mesh.world.run(mesh.world.nowMs + 20_000)
  let timers = 0
  for (const { index } of mesh.world.nodes) {
    const core = mesh.membership(index)
    const step = core.step.bind(core)
    core.step = (now, event) => {
      if (event.kind === 'timer') timers++
      return step(now, event)
    }
  }
  const SECONDS = 60
  mesh.world.run(mesh.world.nowMs + SECONDS * 1_000)
  const perSecond = timers / SECONDS / mesh.world.nodes.length
  // A heartbeat a second, and now and then a comparison or a chore; three with a look at every
  // subject's old deadline.
  t.true(perSecond >= 1 && perSecond < 1.5, `${perSecond} a second`)
})

/** Of so many, as a share, the power goes at once; the draw is another for each seed. */
const losePower = ({ world }: Mesh, share: number): void => {
  const drawn = world.nodes
    .map(node => ({ node, at: ((node.index + 1) * 7_919 * (world.seed - 300)) % 1_009 }))
    .sort((a, b) => a.at - b.at)
  for (const { node } of drawn.slice(0, Math.round(world.nodes.length * share))) world.powerOff(node)
}

for (const [share, seeds] of [
  [0.1, [304, 308]],
  [0.2, [303, 316]],
] as const) {
  test(`of 50 nodes ${share * 100} % lose power, all observers of one among them: nobody is held present for long`, t => {
    for (const seed of seeds) {
      const mesh = settledMesh({ seed, nodes: 50 })
      losePower(mesh, share)
      t.true(runUntilAgreed(mesh, SPLIT_MS) <= SPLIT_MS, `seed ${seed}`)
    }
  })
}

test('few of 50 are left when the power goes: they know it as soon as more would', t => {
  for (const seed of [302, 309]) {
    const mesh = settledMesh({ seed, nodes: 50 })
    losePower(mesh, 0.9)
    t.true(runUntilAgreed(mesh, 4_000) <= 4_000, `seed ${seed}`)
  }
})

test('one that is restarted when only one other of 20 is left knows it as soon as that one says so', t => {
  for (const seed of [502, 506, 508]) {
    const mesh = settledMesh({ seed, nodes: 20 })
    const { world } = mesh
    world.crash(1)
    world.run(world.nowMs + 6_000)
    for (const node of world.nodes.slice(2)) world.powerOff(node)
    world.run(world.nowMs + 50)
    world.restart(1)
    t.true(runUntilAgreed(mesh, 4_000) <= 4_000, `seed ${seed}`)
  }
})

for (const ways of [
  ['powerOff', 'powerOff'],
  ['powerOff', 'crash'],
] as const) {
  test(`two of three nodes are gone at the same moment (${ways}): the third knows within 2.5 s`, t => {
    for (let seed = 1; seed <= 12; seed++) {
      const mesh = settledMesh({ seed: 3_000 + seed, nodes: 3 })
      const { world } = mesh
      world.run(world.nowMs + ((137 * seed) % 1_000))
      const from = world.nowMs
      const gone = [world.node(seed % 3), world.node((seed + 1) % 3)] as const
      for (const [i, way] of ways.entries()) world[way](gone[i] as SimNode)
      world.run(from + 8_000)
      for (const { id } of gone) {
        const took = lastDeath(mesh, id, from)
        t.true(took !== null && took <= SILENCE_MS, `seed ${seed}: ${took} ms`)
      }
    }
  })
}

test('half of 20 nodes lose their power while links break and come back: all survivors know within 2.5 s, in one world of ten a second later, and hold nobody else dead', t => {
  let late = 0
  for (let seed = 1; seed <= 10; seed++) {
    const rng = createRng(seed)
    const mesh = settledMesh({ seed: 20_000 + seed, nodes: 20, judged: false })
    const { world } = mesh
    const from = world.nowMs + 5_000 + rng.below(1_000)
    const breakOne = (): void => {
      const node = world.node(rng.below(20))
      const peers = [...node.links.keys()]
      if (peers.length > 0) resetLink(mesh, node, world.node(rng.pick(peers)))
    }
    for (let at = world.nowMs; at < from + 6_000; at += 1 + rng.below(400)) world.at(at, breakOne)
    const gone = rng.shuffle([...world.nodes]).slice(0, 10)
    world.at(from, () => {
      for (const node of gone) world.powerOff(node)
    })
    world.run(from + 8_000)
    const took = Math.max(...gone.map(({ id }) => lastDeath(mesh, id, from) ?? Number.POSITIVE_INFINITY))
    t.true(took <= SILENCE_MS + 1_000, `seed ${seed}: ${took} ms`)
    if (took > SILENCE_MS) late++
    const wrong = mesh.events.filter(
      ({ kind, by, member }) =>
        kind === 'member.dead' && world.node(by).status === 'up' && world.node(member).status === 'up',
    )
    t.deepEqual(wrong, [], `seed ${seed}`)
  }
  // Of these few it may be that nobody who is left has a link to one, or is next to dial it.
  t.true(late <= 1, `${late} worlds`)
})

for (const [everyMs, seeds] of [
  [2_000, [2, 33, 40, 41, 101]],
  [1_000, [1, 2]],
] as const) {
  test(`one of three whose links break every ${everyMs} ms, and stay in the midst of a talk, finds that another is silent within 2.5 s`, t => {
    for (const seed of seeds) {
      for (const victim of [1, 2]) {
        const mesh = settledMesh({ seed: 3_000 + seed, nodes: 3, judged: false })
        const { world } = mesh
        const began = world.nowMs
        const from = began + 8_000 + ((137 * seed) % 1_000)
        const flap = (): void => {
          for (const other of [1, 2]) resetLink(mesh, world.node(0), world.node(other))
        }
        for (let at = began + ((61 * seed) % everyMs); at < from + 8_000; at += everyMs) world.at(at, flap)
        world.at(from, () => world.powerOff(victim))
        world.run(from + 8_000)
        const took = lastDeath(mesh, world.node(victim).id, from)
        t.true(took !== null && took <= SILENCE_MS, `seed ${seed}, victim ${victim}: ${took} ms`)
      }
    }
  })
}

test('an observer whose path to a member was bad, and which was often refuted, joins in at once when another finds it silent', t => {
  for (const seed of [1, 2, 3, 4]) {
    const mesh = settledMesh({ seed: 3_000 + seed, nodes: 3, judged: false })
    const { world } = mesh
    const [a, b] = [world.node(0), world.node(1)]
    const from = world.nowMs + 8_000
    const flap = (): void => {
      resetLink(mesh, a, b)
      world.cut(a, b)
      world.at(world.nowMs + 100, () => world.mend(a, b))
    }
    for (let at = world.nowMs; at < from + 8_000; at += 1_300) world.at(at + 61 * seed, flap)
    world.at(from, () => world.powerOff(b))
    world.run(from + 8_000)
    const took = lastDeath(mesh, b.id, from)
    t.true(took !== null && took <= SILENCE_MS, `seed ${seed}: ${took} ms`)
  }
})
