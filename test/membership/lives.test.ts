// The lives of one node: boots, backups, clones, goodbyes, strikes, and coming back.

import test from 'ava'
import type { MemberRecord } from '../../src/core/member.js'
import { membershipLan } from '../../src/core/membership/config.js'
import type { MembershipMessage } from '../../src/core/membership/message.js'
import type { NodeEvent } from '../../src/core/mesh-event.js'
import { Process } from './by-hand.js'
import {
  createMesh,
  disagreement,
  joinAll,
  lastDeath,
  type Mesh,
  runUntilAgreed,
  settledMesh,
} from './mesh.js'
import { accusationOf, id, recordOf } from './words.js'

type Rumor = MembershipMessage & { kind: 'rumor' }

const start = (process: Process): Process => process.do({ kind: 'started' })

test('each boot is a higher generation, and a node says nothing before it is durable', t => {
  const store = new Map<string, Uint8Array>()
  for (const boot of [1, 2, 3]) {
    const process = new Process(id(1), `${boot}`.repeat(16), store)
    process.stopDisk()
    start(process)
    process.do({ kind: 'linkUp', node: id(2), address: 'sim/n0002', outbound: false })
    process.run(5_000)
    t.deepEqual([...process.sent('hello'), ...process.sent('rumor')], [])
    process.goOnDisk()
    const [hello] = process.sent('hello') as (MembershipMessage & { kind: 'hello' })[]
    t.is(hello?.record.body.generation.number, boot)
  }
})

test('a restored backup rises above its own past, once, and is not taken for a clone', t => {
  const store = new Map<string, Uint8Array>()
  start(new Process(id(1), 'a'.repeat(16), store))
  const backup = new Map(store)
  for (const instance of ['b', 'c', 'd']) start(new Process(id(1), instance.repeat(16), store))
  const past = recordOf(id(1), { generation: { number: 4, instance: 'd'.repeat(16) } })
  const restored = start(new Process(id(1), 'e'.repeat(16), backup))
  t.is(restored.core.selfRecord.generation.number, 2)
  for (let i = 0; i < 5; i++) {
    const message = { kind: 'rumor', records: [past], accusations: [], strikes: [] } as const
    restored.do({ kind: 'gossip', from: id(2), topic: 'members', message, bytes: 0 })
  }
  t.is(restored.core.selfRecord.generation.number, 5)
  t.deepEqual(restored.saw('standDown'), [])
  const again = start(new Process(id(1), 'f'.repeat(16), backup))
  t.is(again.core.selfRecord.generation.number, 6, 'the higher number was durable')
})

test('of two processes with one identity exactly one stands down, the one with the larger instance, and both say so', t => {
  const store = new Map<string, Uint8Array>()
  start(new Process(id(1), '9'.repeat(16), store))
  const one = new Process(id(1), 'a'.repeat(16), new Map(store))
  const two = new Process(id(1), 'b'.repeat(16), new Map(store))
  one.hears([two])
  two.hears([one])
  start(one)
  start(two)
  one.do({ kind: 'drain', on: false, request: 1 })
  two.do({ kind: 'drain', on: false, request: 1 })
  t.is(one.saw('standDown').length, 0)
  t.is(two.saw('standDown').length, 1)
  const events = [...one.effects, ...two.effects].flatMap(effect =>
    effect.kind === 'notify' && effect.event.kind === 'node.cloned' ? [effect.event as NodeEvent] : [],
  )
  t.true(events.length >= 1)
  t.regex(`${events[0]?.message}`, /another process runs with the identity n0001/)
})

test('a node answers what is said against it, at once the first time and a crowd together', t => {
  const process = start(new Process(id(1), 'a'.repeat(16), new Map()))
  const hear = (message: MembershipMessage): void =>
    void process.do({ kind: 'gossip', from: id(2), topic: 'members', message, bytes: 0 })
  hear({ kind: 'rumor', records: [recordOf(id(2)), recordOf(id(3))], accusations: [], strikes: [] })
  const before = process.core.selfRecord.refutation
  const accuse = (accuser: number): void => {
    const self = recordOf(id(1), process.core.selfRecord)
    hear({ kind: 'rumor', records: [], accusations: [accusationOf(id(accuser), self)], strikes: [] })
  }
  accuse(2)
  t.is(process.core.selfRecord.refutation, before + 1)
  accuse(3)
  accuse(2)
  t.is(process.core.selfRecord.refutation, before + 1)
  process.run(membershipLan.answerPauseMs)
  t.is(process.core.selfRecord.refutation, before + 2)
  accuse(99)
  process.run(10_000)
  t.is(process.core.selfRecord.refutation, before + 2, 'a stranger is not answered')
})

test('accusations that overtake the word they speak of count when it comes, if it comes soon', t => {
  for (const [afterMs, verdict] of [
    [membershipLan.earlyWordMs, 'dead'],
    [membershipLan.earlyWordMs + 1, 'alive'],
  ] as const) {
    const process = start(new Process(id(1), 'a'.repeat(16), new Map()))
    const hear = (records: Rumor['records'], accusations: Rumor['accusations']): void =>
      void process.do({
        kind: 'gossip',
        from: id(3),
        topic: 'members',
        message: { kind: 'rumor', records, accusations, strikes: [] },
        bytes: 0,
      })
    hear(
      [2, 3, 4, 5].map(index => recordOf(id(index))),
      [],
    )
    const word = recordOf(id(2), { refutation: 1 })
    hear([], [accusationOf(id(3), word, 'refused'), accusationOf(id(4), word, 'refused')])
    t.is(process.core.get(id(2))?.verdict, 'alive', 'what it said last is not accused')
    process.now += afterMs
    hear([word], [])
    t.is(process.core.get(id(2))?.verdict, verdict, `${afterMs} ms`)
  }
})

test('a node that hears it is held dead answers', t => {
  const process = start(new Process(id(1), 'a'.repeat(16), new Map()))
  const { generation, refutation } = process.core.selfRecord
  const line = {
    id: id(1),
    generationNumber: generation.number,
    generationInstance: generation.instance,
    refutation: refutation + 3,
    verdict: 'dead',
    ageMs: 5_000,
  } as const
  process.do({
    kind: 'message',
    from: id(2),
    channel: 'direct',
    message: { kind: 'hearsay', lines: [line] },
    bytes: 0,
  })
  t.is(process.core.selfRecord.refutation, refutation + 4)
})

test('a restarted node speaks of remembered members once they are confirmed, and of those that are gone once they are dead', t => {
  const mesh = settledMesh({ seed: 6, nodes: 8 })
  const { world } = mesh
  world.run(world.nowMs + 10_000)
  world.crash(3)
  world.crash(5)
  world.run(world.nowMs + 50)
  // Node 5 is killed before node 3 hears that it was.
  const from = world.nowMs
  world.restart(3)
  world.run(from + 40_000)
  const seen = mesh.events.filter(event => event.by === world.node(3).id && event.atMs >= from)
  const about = (index: number): string[] =>
    seen.filter(event => event.member === world.node(index).id).map(event => event.kind)
  for (const index of [0, 1, 2, 4, 6, 7]) t.deepEqual(about(index), ['member.alive'], `${index}`)
  t.deepEqual(about(5), ['member.dead'])
})

test('who leaves is held left by everybody at once, suspected by nobody, and is welcome again', t => {
  const mesh = settledMesh({ seed: 7, nodes: 20 })
  const { world } = mesh
  const leaver = world.node(4)
  const from = world.nowMs
  world.inject(leaver, { kind: 'leave', request: 1 })
  world.run(from + 150)
  world.crash(leaver)
  world.run(from + 10_000)
  for (const node of world.nodes) {
    if (node !== leaver) t.is(mesh.membership(node.id).get(leaver.id)?.verdict, 'left')
  }
  const kinds = new Set(mesh.events.filter(e => e.member === leaver.id && e.atMs >= from).map(e => e.kind))
  t.deepEqual([...kinds], ['member.left'])
  world.restart(leaver)
  t.true(runUntilAgreed(mesh, 2_000) <= 2_000)
})

test('a draining member is seen draining by everybody, and no longer when it is over', t => {
  const mesh = settledMesh({ seed: 8, nodes: 12 })
  const { world } = mesh
  for (const on of [true, false]) {
    world.inject(2, { kind: 'drain', on, request: 1 })
    world.run(world.nowMs + 500)
    for (const node of world.nodes) t.is(mesh.membership(node.id).get(world.node(2).id)?.record.draining, on)
  }
})

const heldBy = (mesh: Mesh, index: number): number =>
  mesh.world.nodes.filter(
    node => node.status === 'up' && mesh.membership(node.id).get(mesh.world.node(index).id) !== undefined,
  ).length

test('a struck member is forgotten everywhere, stays struck when one that was away brings the old record, and is welcome in a new life', t => {
  const mesh = settledMesh({ seed: 9, nodes: 10 })
  const { world } = mesh
  const replies: string[] = []
  world.on('reply', () => replies.push('reply'))
  world.on('refuse', (_node, { code }) => replies.push(code))
  world.inject(0, { kind: 'forget', member: world.node(7).id, request: 1 })
  world.run(world.nowMs + 100)
  t.deepEqual(replies, ['MEMBER_ALIVE'])
  world.powerOff(3)
  world.crash(7)
  world.run(world.nowMs + 6_000)
  world.inject(0, { kind: 'forget', member: world.node(7).id, request: 2 })
  world.run(world.nowMs + 1_000)
  t.is(heldBy(mesh, 7), 0)
  t.deepEqual(replies, ['MEMBER_ALIVE', 'reply'])
  world.restart(3)
  world.run(world.nowMs + 60_000)
  t.is(heldBy(mesh, 7), 0)
  world.restart(7)
  t.true(runUntilAgreed(mesh, 5_000) <= 5_000)
  world.run(world.nowMs + 30_000)
  t.is(disagreement(mesh), null)
})

test('the dead and those who left are forgotten in time, and no two nodes remind each other', t => {
  const minute = 60_000
  const mesh = settledMesh({
    seed: 10,
    nodes: 8,
    membership: { forgetLeftMs: 10 * minute, forgetDeadMs: 15 * minute, proofKeepMs: 2 * minute },
  })
  const { world } = mesh
  world.inject(6, { kind: 'leave', request: 1 })
  world.crash(7)
  world.run(world.nowMs + 200)
  world.crash(6)
  const from = world.nowMs
  // Nodes that come back meet the old stories late.
  for (const [index, at] of [
    [2, 5],
    [3, 9],
    [4, 14],
  ] as const)
    world.at(from + at * minute, () => world.restart(index))
  world.run(from + 8 * minute)
  t.is(heldBy(mesh, 6), 6)
  t.is(heldBy(mesh, 7), 6)
  world.run(from + 13 * minute)
  t.is(heldBy(mesh, 6), 0)
  world.run(from + 18 * minute)
  t.is(heldBy(mesh, 7), 0)
  world.run(from + 60 * minute)
  t.is(heldBy(mesh, 6) + heldBy(mesh, 7), 0)
})

test('a first start is settled at once; each quick return takes longer to be settled', t => {
  const mesh = settledMesh({ seed: 11, nodes: 5 })
  const { world } = mesh
  const settledAfter = (): number => {
    const from = world.nowMs
    world.restart(3)
    while (!mesh.membership(3).selfRecord.settled && world.nowMs - from < 400_000)
      world.run(world.nowMs + 100)
    return world.nowMs - from
  }
  t.true(mesh.membership(3).selfRecord.settled)
  const times = [settledAfter(), settledAfter(), settledAfter(), settledAfter()]
  const [first, , , last] = times as [number, number, number, number]
  t.true(first >= membershipLan.settleMs && first < membershipLan.settleMs + 1_000, `${times}`)
  t.true(last >= 4 * first, `${times}`)
})

test('where all come back at once nobody waits to be settled for long', t => {
  const mesh = settledMesh({ seed: 12, nodes: 10 })
  const { world } = mesh
  for (const node of world.nodes) world.powerOff(node)
  world.run(world.nowMs + 5_000)
  for (const node of world.nodes) world.restart(node)
  world.run(world.nowMs + 7_000)
  t.deepEqual(
    world.nodes.map(node => mesh.membership(node.id).selfRecord.settled),
    Array(10).fill(true),
  )
})

test('members that can only dial out are watched by those that can be dialled, and are found out like the others', t => {
  const isDialable = (index: number): boolean => index < 8
  const nodes = Array.from({ length: 16 }, (_, index) => ({ dialable: isDialable(index) }))
  const mesh = createMesh({ seed: 13, nodes })
  joinAll(mesh)
  const { world } = mesh
  world.run(1_100)
  runUntilAgreed(mesh, 10_000)
  world.run(world.nowMs + 20_000)
  for (const node of world.nodes.slice(8)) {
    const observers = mesh.membership(0).observersOf(node.id)
    t.true(
      observers.every(observer => isDialable(world.node(observer).index)),
      `${observers}`,
    )
    t.is(observers.length, 4)
  }
  const from = world.nowMs
  world.powerOff(12)
  world.run(from + 10_000)
  const silent = lastDeath(mesh, world.node(12).id, from)
  t.true(silent !== null && silent <= 2_500, `${silent} ms`)
  const since = world.nowMs
  world.crash(10)
  world.run(since + 8_000)
  const killed = lastDeath(mesh, world.node(10).id, since)
  t.true(killed !== null && killed <= 2_500, `${killed} ms`)
  t.is(disagreement(mesh), null)
})

test('what a member says of itself is known everywhere', t => {
  const mesh = settledMesh({ seed: 14, nodes: 10 })
  const { world } = mesh
  world.inject(1, { kind: 'reconfigure', labels: { zone: 'hall-2' }, capacity: 3 })
  world.inject(2, { kind: 'health', source: 'disk', level: 'failing', reason: 'full' })
  world.run(world.nowMs + 4_000)
  const seen = (index: number): readonly (MemberRecord | undefined)[] =>
    world.nodes.map(node => mesh.membership(node.id).get(world.node(index).id)?.record)
  t.true(seen(1).every(record => record?.labels.zone === 'hall-2' && record.capacity === 3))
  t.true(seen(2).every(record => record?.health === 'failing' && record.reasons[0] === 'disk: full'))
  const told = mesh.events.filter(event => event.kind === 'member.health').length
  t.is(told, 10)
})

test('two islands that grew apart find each other by the address that one of them was given', t => {
  const mesh = createMesh({ seed: 15, nodes: 6 })
  const { world } = mesh
  world.powerOff(0)
  const join = (from: number, to: number): void =>
    world.inject(from, { kind: 'join', addresses: [world.node(to).address] })
  world.run(1_100)
  for (const index of [1, 2]) join(index, 0)
  join(2, 1)
  for (const index of [4, 5]) join(index, 3)
  world.run(5_000)
  world.restart(0)
  world.run(world.nowMs + 1_000)
  join(0, 3)
  t.true(runUntilAgreed(mesh, 90_000) <= 90_000)
})
