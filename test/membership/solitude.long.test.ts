// A node that was alone: what it concluded meanwhile was about itself.

import test from 'ava'
import { membershipLan } from '../../src/core/membership/config.js'
import type { Message } from '../../src/core/message.js'
import { createRng } from '../../src/core/rng.js'
import { lastDeath, type Mesh, runUntilAgreed, type Seen, settledMesh } from './mesh.js'
import type { Evidence } from './words.js'
import { accusationOf, courtOf } from './words.js'

const AGREE_MS = 5_000
const LONELY = 3
/** By then nobody keeps the proof of a death any more. */
const PROOFS_GONE_MS = membershipLan.proofKeepMs + 2 * membershipLan.expireMs

/** Cuts one node off, waits until both sides have agreed, and for so long more. */
const cutOff = (mesh: Mesh, forMs: number): void => {
  const { world } = mesh
  const rest = world.nodes.map(node => node.index).filter(index => index !== LONELY)
  world.partition([LONELY], rest)
  runUntilAgreed(mesh, AGREE_MS, [[LONELY], rest])
  world.run(world.nowMs + forMs)
}

const versions = (mesh: Mesh): number[] =>
  mesh.world.nodes.map(node => mesh.membership(node.index).selfRecord.refutation)

const since = (mesh: Mesh, fromMs: number, kind: Seen['kind']): Seen[] =>
  mesh.events.filter(event => event.atMs > fromMs && event.kind === kind)

/** Heals the cut; returns what the lonely node said against others from there on. */
const heal = (mesh: Mesh): { against: number; firstHello: number | null } => {
  const said: { against: number; firstHello: number | null } = { against: 0, firstHello: null }
  const hear = (index: number, message: Message): void => {
    if (index !== LONELY) return
    if (message.kind === 'rumor') said.against += message.accusations.length
    if (message.kind === 'hearsay') said.against += message.lines.length
    if (message.kind === 'hello') said.firstHello ??= message.record.body.refutation
  }
  mesh.world.on('send', (node, { message }) => hear(node.index, message))
  mesh.world.on('publish', (node, { message }) => hear(node.index, message))
  mesh.world.heal()
  return said
}

for (const [nodes, forMs, how] of [
  [20, 20_000, 'for a while'],
  [50, 5_000, 'from 49 others'],
  [8, PROOFS_GONE_MS, 'for longer than anybody keeps the proof of a death'],
] as const) {
  test(`a node that was alone ${how} takes back what it concluded: nobody else has to answer for itself`, t => {
    for (const seed of [1, 2, 3]) {
      const mesh = settledMesh({ seed, nodes })
      const { world } = mesh
      cutOff(mesh, forMs)
      const before = versions(mesh)
      const from = world.nowMs
      const said = heal(mesh)
      t.true(runUntilAgreed(mesh, AGREE_MS) <= AGREE_MS, `seed ${seed}`)
      world.run(from + 15_000)
      const grew = versions(mesh).flatMap((version, index) =>
        version > (before[index] as number) ? [index] : [],
      )
      t.deepEqual(grew, [LONELY], `seed ${seed}: who signed a new word`)
      t.is(said.against, 0, `seed ${seed}: handed on`)
      t.is(said.firstHello, (before[LONELY] as number) + 1, `seed ${seed}: its first word is its answer`)
      t.deepEqual(since(mesh, from, 'member.dead'), [], `seed ${seed}`)
      const back = since(mesh, from, 'member.alive').filter(event => event.by === world.node(LONELY).id)
      t.is(back.length, nodes - 1, `seed ${seed}: each came back once`)
      t.is(new Set(back.map(event => event.member)).size, nodes - 1)
    }
  })
}

test('after a cut that has outlasted all proofs nobody healthy is held dead on the word of the other side', t => {
  for (const seed of [1, 2]) {
    const mesh = settledMesh({ seed, nodes: 20 })
    const { world } = mesh
    const all = world.nodes.map(node => node.index)
    const halves = [all.slice(0, 10), all.slice(10)]
    world.partition(...halves)
    runUntilAgreed(mesh, AGREE_MS, halves)
    world.run(world.nowMs + PROOFS_GONE_MS)
    const from = world.nowMs
    world.heal()
    t.true(runUntilAgreed(mesh, AGREE_MS) <= AGREE_MS, `seed ${seed}`)
    world.run(from + 15_000)
    t.deepEqual(since(mesh, from, 'member.dead'), [], `seed ${seed}`)
  }
})

test('it makes no difference that the first to be met has something new to say', t => {
  for (const seed of [1, 2, 3]) {
    const mesh = settledMesh({ seed, nodes: 20 })
    const { world } = mesh
    cutOff(mesh, 5_000)
    for (const index of [1, 5, 7, 8, 11, 12, 15]) world.inject(index, { kind: 'drain', on: true, request: 1 })
    world.run(world.nowMs + 5_000)
    const before = versions(mesh)
    const from = world.nowMs
    const said = heal(mesh)
    t.true(runUntilAgreed(mesh, AGREE_MS) <= AGREE_MS, `seed ${seed}`)
    world.run(from + 15_000)
    const grew = versions(mesh).flatMap((version, index) =>
      version > (before[index] as number) ? [index] : [],
    )
    t.deepEqual(grew, [LONELY], `seed ${seed}: who signed a new word`)
    t.deepEqual(since(mesh, from, 'member.dead'), [], `seed ${seed}`)
    t.is(said.against, 0, `seed ${seed}: handed on`)
  }
})

test('who died while a node was alone is dead to it again, promptly, on the word of the others', t => {
  for (const seed of [1, 2, 3, 4]) {
    const mesh = settledMesh({ seed, nodes: 20 })
    const { world } = mesh
    cutOff(mesh, 2_000)
    world.crash(5)
    world.powerOff(6)
    world.run(world.nowMs + 10_000)
    const from = world.nowMs
    heal(mesh)
    t.true(runUntilAgreed(mesh, AGREE_MS) <= AGREE_MS, `seed ${seed}`)
    world.run(from + 30_000)
    const healthy = since(mesh, from, 'member.dead').filter(
      ({ member }) => world.node(member).status === 'up',
    )
    t.deepEqual(healthy, [], `seed ${seed}`)
    runUntilAgreed(mesh, 10)
  }
})

test('who died while a node was alone is dead to it at once, though those who could prove it have died too', t => {
  for (const seed of [1, 2, 3, 4]) {
    const mesh = settledMesh({ seed, nodes: 12 })
    const { world } = mesh
    cutOff(mesh, 2_000)
    const observers = mesh
      .membership(0)
      .observersOf(world.node(6).id)
      .map(id => world.node(id).index)
    for (const index of [6, ...observers.filter(index => index !== 0).slice(0, 3)]) {
      world.powerOff(index)
      world.run(world.nowMs + 6_000)
    }
    const from = world.nowMs
    heal(mesh)
    t.true(runUntilAgreed(mesh, 1_500) <= 1_500, `seed ${seed}`)
    world.run(from + 1_500)
    runUntilAgreed(mesh, 10)
    world.run(from + 60_000)
    const healthy = (event: Seen): boolean => world.node(event.member).status === 'up'
    t.deepEqual(since(mesh, from, 'member.dead').filter(healthy), [], `seed ${seed}`)
    const late = since(mesh, from + 6_000, 'member.suspect').filter(healthy)
    t.deepEqual(late, [], `seed ${seed}: nobody is suspected again and again`)
  }
})

test('who dies as the cut heals is found dead by all', t => {
  for (const seed of [1, 2, 3, 4]) {
    const mesh = settledMesh({ seed, nodes: 12 })
    const { world } = mesh
    cutOff(mesh, 5_000)
    world.powerOff(5)
    heal(mesh)
    t.true(runUntilAgreed(mesh, 10_000) <= 10_000, `seed ${seed}`)
  }
})

test('who was alone for so long that the others have forgotten who left meanwhile brings nobody back', t => {
  for (const seed of [1, 2, 3]) {
    const membership = { forgetLeftMs: 300_000, proofKeepMs: 60_000 }
    const mesh = settledMesh({ seed, nodes: 8, membership })
    const { world } = mesh
    const gone = world.node(5)
    cutOff(mesh, 5_000)
    world.inject(5, { kind: 'leave', request: 1 })
    world.run(world.nowMs + 1_000)
    world.crash(5)
    world.run(world.nowMs + 600_000)
    t.is(mesh.membership(0).get(gone.id), undefined, 'the others have forgotten it')
    const from = world.nowMs
    world.heal()
    t.true(runUntilAgreed(mesh, AGREE_MS) <= AGREE_MS, `seed ${seed}`)
    world.run(from + 30_000)
    runUntilAgreed(mesh, 10)
  }
})

test('a node whose link flaps, so that it is cut off before it has met the others, meets them at last', t => {
  // With a link left from before the cut, three seeds of sixty held all others dead for ever, and told nobody.
  for (const seed of [33, 48, 56]) {
    const mesh = settledMesh({ seed, nodes: 5, judged: false })
    const { world } = mesh
    const rng = createRng(seed)
    for (let cut = 0; cut < 8; cut++) {
      world.partition([LONELY], [0, 1, 2, 4])
      world.run(world.nowMs + 2_000 + rng.below(6_000))
      world.heal()
      world.run(world.nowMs + rng.below(1_500))
    }
    t.true(runUntilAgreed(mesh, 10_000) <= 10_000, `seed ${seed}`)
    world.run(world.nowMs + 20_000)
    runUntilAgreed(mesh, 10)
  }
})

/** Everybody alone, until each holds all others dead. Returns the groups. */
const cutAllApart = (mesh: Mesh): number[][] => {
  const alone = mesh.world.nodes.map(node => [node.index])
  mesh.world.partition(...alone)
  runUntilAgreed(mesh, AGREE_MS, alone)
  return alone
}

test('where all were alone, as when a switch lost its power, all agree again, and none is held dead meanwhile', t => {
  for (const seed of [1, 2, 3]) {
    const mesh = settledMesh({ seed, nodes: 12 })
    const { world } = mesh
    cutAllApart(mesh)
    world.run(world.nowMs + 60_000)
    const from = world.nowMs
    world.heal()
    t.true(runUntilAgreed(mesh, AGREE_MS) <= AGREE_MS, `seed ${seed}`)
    world.run(from + 15_000)
    t.deepEqual(since(mesh, from, 'member.dead'), [], `seed ${seed}`)
    runUntilAgreed(mesh, 10)
  }
})

test('two of many that were alone hold the others dead until these are there', t => {
  for (const seed of [1, 2, 3]) {
    const mesh = settledMesh({ seed, nodes: 12 })
    const { world } = mesh
    const alone = cutAllApart(mesh)
    world.run(world.nowMs + 10_000)
    const from = world.nowMs
    const groups = [[0, 1], ...alone.slice(2)]
    world.heal()
    world.partition(...groups)
    world.run(from + 30_000)
    runUntilAgreed(mesh, 10, groups)
    t.is(since(mesh, from, 'member.alive').length, 2, `seed ${seed}: each came back for the other`)
    const next = world.nowMs
    world.heal()
    t.true(runUntilAgreed(mesh, AGREE_MS) <= AGREE_MS, `seed ${seed}`)
    world.run(next + 15_000)
    t.deepEqual(since(mesh, next, 'member.dead'), [], `seed ${seed}`)
  }
})

for (const [how, cause, withinMs] of [
  ['crash', 'crashed', 1_000],
  ['powerOff', 'unreachable', 5_000],
] as const) {
  test(`of two nodes the one that is left holds the other dead as soon as ever after a ${how}, and until it is back`, t => {
    for (const seed of [1, 2, 3]) {
      const mesh = settledMesh({ seed, nodes: 2 })
      const { world } = mesh
      const victim = world.node(1)
      const from = world.nowMs
      world[how](1)
      world.run(from + 60_000)
      const took = lastDeath(mesh, victim.id, from)
      t.true(took !== null && took <= withinMs, `seed ${seed}: ${took}`)
      t.is(since(mesh, from, 'member.dead')[0]?.cause, cause)
      t.deepEqual(since(mesh, from, 'member.alive'), [], `seed ${seed}`)
      world.restart(1)
      t.true(runUntilAgreed(mesh, AGREE_MS) <= AGREE_MS, `seed ${seed}`)
    }
  })
}

test('one that comes back in a new life was gone, and so nothing is taken back of the others', t => {
  for (const seed of [1, 2, 3]) {
    const mesh = settledMesh({ seed, nodes: 4 })
    const { world } = mesh
    for (const index of [1, 2, 3]) world.powerOff(index)
    world.run(world.nowMs + 20_000)
    const from = world.nowMs
    world.restart(1)
    world.run(from + 20_000)
    const back = since(mesh, from, 'member.alive').filter(event => event.by === world.node(0).id)
    t.deepEqual([...new Set(back.map(event => event.member))], [world.node(1).id], `seed ${seed}`)
    t.is(mesh.membership(0).get(world.node(2).id)?.verdict, 'dead')
  }
})

test('a node that is alone tries two to five members a second', t => {
  const mesh = settledMesh({ seed: 1, nodes: 20 })
  const { world } = mesh
  cutOff(mesh, 3_000)
  let tried = 0
  world.on('dial', (node, { node: to }) => {
    if (node.index === LONELY && to !== null) tried++
  })
  world.run(world.nowMs + 60_000)
  t.true(tried >= 2 * 60 && tried <= 5 * 60, `${tried}`)
})

test('what an accuser took back counts no more when it is handed back, and what it says later does', t => {
  const court = courtOf(50)
  const { jury, roster, subject } = court
  const of = subject.body.id
  const own = (at: number, evidence: Evidence) => accusationOf(roster.self, subject, evidence, at)
  const [other] = court.observers.filter(id => id !== roster.self)
  t.true(jury.admit(100, own(100, 'silent')))
  t.deepEqual(jury.withdraw(50, 150), [of])
  t.false(jury.isAccused(of))
  t.false(jury.admit(160, own(100, 'silent')))
  t.true(jury.admit(200, own(200, 'silent')))
  // What was said in company, or proved by a refusal, or by others, stands.
  t.deepEqual(jury.withdraw(200, 250), [])
  t.true(jury.admit(260, own(260, 'refused')))
  t.deepEqual(jury.withdraw(250, 300), [])
  jury.lapse(of)
  t.true(jury.admit(310, accusationOf(other as typeof of, subject, 'silent', 310)))
  t.true(jury.admit(320, own(320, 'silent')))
  t.deepEqual(jury.withdraw(300, 350), [of])
  t.is(jury.accusationsAgainst(of).length, 1)
})
