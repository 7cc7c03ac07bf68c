// Nodes that share the processors of a simulated machine, one behaviour at a time. One
// way takes 10 ms, a step 100 ms, and all else is free unless a test says so.

import test from 'ava'
import type { CoreEvent } from '../../src/core/step.js'
import { faultDefaults, planFaults } from '../../src/sim/faults.js'
import { gatewayOnTwoCores, type ProcessorConfig } from '../../src/sim/processor-costs.js'
import type { World } from '../../src/sim/world.js'
import { type Recorder, type Stage, stage } from './recorder.js'
import { toyWorld } from './toy-world.js'

const FREE: ProcessorConfig = {
  count: 1,
  nodesPerMachine: Number.POSITIVE_INFINITY,
  quantumUs: 4_000,
  frameUs: 0,
  sendUs: 0,
  passUs: 0,
  gossipUs: 0,
  duplicateUs: 0,
  publishUs: 0,
  dialUs: 0,
  handshakeUs: 0,
  linkUs: 0,
  timerUs: 0,
  stepUs: 0,
}

const SOMETHING: CoreEvent = { kind: 'abilities', runs: [] }

/** Nodes that have started and come to rest, at 10 s. */
const rested = (nodes: number, processors: Partial<ProcessorConfig>): Stage => {
  const it = stage(nodes, { processors: { ...FREE, stepUs: 100_000, ...processors } })
  it.world.run(10_000)
  return it
}

const kindsSince = (recorder: Recorder, atMs: number): string[] =>
  recorder.kinds.filter((_, i) => (recorder.heard[i]?.atMs ?? 0) > atMs)

/** When it did something, in ms since 10 s. */
const timesOf = (recorder: Recorder): number[] =>
  recorder.heard.map(({ atMs }) => atMs - 10_000).filter(atMs => atMs > 0)

test("a node's work waits while another has the only processor", t => {
  const { world, core } = rested(2, {})
  world.inject(0, SOMETHING)
  world.inject(1, SOMETHING)
  world.run(20_000)
  t.deepEqual(timesOf(core(0)), [100])
  t.deepEqual(timesOf(core(1)), [200])
})

test('two processors serve two nodes at once, and one node alone no faster', t => {
  const { world, core } = rested(3, { count: 2 })
  for (const node of [0, 0, 1, 2]) world.inject(node, SOMETHING)
  world.run(20_000)
  t.deepEqual(timesOf(core(1)), [100])
  t.deepEqual(timesOf(core(2)), [200])
  t.deepEqual(timesOf(core(0)), [100, 200])
})

test('nodes on machines of their own do not wait for each other', t => {
  const { world, core } = rested(2, { nodesPerMachine: 1 })
  world.inject(0, SOMETHING)
  world.inject(1, SOMETHING)
  world.run(20_000)
  t.deepEqual([...timesOf(core(0)), ...timesOf(core(1))], [100, 100])
})

test('a node with much to do lets others have its processor after a quantum', t => {
  const { world, core } = rested(2, { quantumUs: 200_000 })
  for (const node of [0, 0, 0, 0, 1]) world.inject(node, SOMETHING)
  world.run(20_000)
  t.deepEqual(timesOf(core(0)), [100, 200, 400, 500])
  t.deepEqual(timesOf(core(1)), [300])
})

test('what a node gets it does in the order in which it came, however long that waits', t => {
  const { world, core, dial, ping } = rested(2, { nodesPerMachine: 1, stepUs: 1_000, frameUs: 100_000 })
  dial(0, 1)
  world.run(11_000)
  for (const nonce of [1, 2, 3]) ping(0, 1, nonce)
  world.at(11_050, () => world.crash(0))
  world.run(20_000)
  t.deepEqual(kindsSince(core(1), 11_000), ['ping 1', 'ping 2', 'ping 3', 'linkDown reset'])
})

test('a step sees the time at which its work is done', t => {
  const times: number[] = []
  const onEvent = (_: Recorder, now: number) => {
    times.push(now)
    return []
  }
  const { world } = stage(1, { processors: { ...FREE, stepUs: 100_000 } }, onEvent)
  world.run(10_000)
  world.inject(0, SOMETHING)
  world.run(20_000)
  t.is(Math.round((times.at(-1) ?? 0) - world.node(0).localMs(10_000_000)), 100)
})

test('a host takes a call at once while its process is busy, and shakes hands when it is not', t => {
  const { world, core, dial } = rested(2, { nodesPerMachine: 1 })
  for (let i = 0; i < 10; i++) world.inject(1, SOMETHING)
  dial(0, 1)
  world.run(20_000)
  // A step, a round trip, and the step that hears of it.
  t.is(core(0).firstAt('dialAccepted'), 10_220)
  t.is(core(1).firstAt('linkUp'), 11_020)
})

test('both ends pay for a handshake, half with their first word and half with their last', t => {
  const { world, core, dial } = rested(2, { nodesPerMachine: 1, stepUs: 0, handshakeUs: 200_000 })
  dial(0, 1)
  world.run(20_000)
  t.is(core(1).firstAt('linkUp'), 10_000 + 50 + 4 * 100)
  t.is(core(0).firstAt('linkUp'), 10_000 + 60 + 4 * 100)
})

test('the whole of a handshake has its limit', t => {
  const { world, core, dial } = rested(2, { nodesPerMachine: 1 })
  for (let i = 0; i < 60; i++) world.inject(1, SOMETHING)
  dial(0, 1)
  world.run(30_000)
  // Five seconds after the call was taken, and the step that hears of it.
  t.is(core(0).firstAt('dialFailed timeout'), 15_210)
  t.false(core(1).kinds.includes('linkUp'))
})

test('a host says at once that the process is gone that was to shake hands', t => {
  const { world, core, dial } = rested(2, { nodesPerMachine: 1, stepUs: 0, handshakeUs: 4_000_000 })
  dial(0, 1)
  world.run(13_000)
  world.crash(1)
  world.run(30_000)
  t.is(core(0).firstAt('dialFailed failed'), 13_010)
})

test('a timer is late where others have the processor, and comes before what the sockets hold', t => {
  const { world, core, dial, ping } = rested(4, { nodesPerMachine: 2, stepUs: 1_000, frameUs: 300_000 })
  dial(2, 1)
  dial(3, 0)
  world.run(11_000)
  core(1).nextDeadlineAt = world.node(1).localMs(11_250_000)
  world.inject(1, SOMETHING)
  world.run(11_200)
  ping(3, 0, 1)
  ping(2, 1, 2)
  // It reaches the first node a moment earlier, which then has the processor of both.
  world.run(20_000)
  t.deepEqual(kindsSince(core(1), 11_200), ['timer', 'ping 2'])
  t.is(core(0).firstAt('ping 1'), 11_511)
  t.is(core(1).firstAt('timer'), 11_511)
})

test('a timer that comes due in a backlog waits for what was read before it, and no longer', t => {
  const { world, core, dial, ping } = rested(2, { nodesPerMachine: 1, stepUs: 1_000, frameUs: 100_000 })
  dial(0, 1)
  world.run(11_000)
  core(1).nextDeadlineAt = world.node(1).localMs(11_200_000)
  world.inject(1, SOMETHING)
  for (const nonce of [1, 2, 3]) ping(0, 1, nonce)
  world.at(11_200, () => ping(0, 1, 4))
  world.run(20_000)
  t.deepEqual(kindsSince(core(1), 11_010), ['ping 1', 'ping 2', 'ping 3', 'timer', 'ping 4'])
})

test('a frozen node leaves its processor to others, and goes on where it stopped', t => {
  const { world, core } = rested(2, {})
  world.inject(0, SOMETHING)
  world.inject(1, SOMETHING)
  world.at(10_040, () => world.freeze(0))
  world.at(11_000, () => world.thaw(0))
  world.run(20_000)
  t.deepEqual(timesOf(core(1)), [140])
  t.deepEqual(timesOf(core(0)), [1_060])
})

test('what a dead process had to do is not done by the next one', t => {
  const { world, core } = rested(1, {})
  for (let i = 0; i < 5; i++) world.inject(0, SOMETHING)
  world.at(10_050, () => world.restart(0))
  world.run(20_000)
  t.deepEqual(core(0).kinds, ['started', 'addresses'])
  t.deepEqual(timesOf(core(0)), [150, 250])
})

/** Everything the network has, on a toy whose nodes share two processors. */
const stormy = (
  processors: ProcessorConfig | undefined,
  faults: typeof faultDefaults = faultDefaults,
): World => {
  const world = toyWorld({ seed: 7, nodes: 30, silentAfterMs: 5_000, config: { lossRate: 0.02, processors } })
  planFaults(world, { ...faults, fromMs: 2_000, untilMs: 30_000, everyMs: 300 })
  return world.run(40_000)
}

test('the same seed gives the same trace, whatever processors cost', t => {
  const first = stormy(gatewayOnTwoCores)
  t.deepEqual(stormy(gatewayOnTwoCores).report(), first.report())
  t.is(stormy(gatewayOnTwoCores).trace.hash, first.trace.hash)
  t.not(first.trace.hash, stormy(undefined).trace.hash)
  t.true(first.tally.crashes > 10)
})

test('where all work costs nothing the world is the same as without processors', t => {
  // Handshakes are planned word by word here: whose process ends or freezes in the midst of one
  // is noticed sooner, and of two things in one microsecond another may be first. So no process
  // does so in this world, and all that befalls the network does.
  const weights = { partition: 1, cut: 2, oneWayCut: 1, loss: 2, latency: 1, clockJump: 1, slowDisk: 1 }
  const faults = { ...faultDefaults, weights }
  const free = stormy(FREE, faults)
  t.is(free.trace.hash, stormy(undefined, faults).trace.hash)
  t.true(free.tally.linksOpened >= 120 && free.tally.messagesLost > 100)
})
