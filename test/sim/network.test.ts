// The network of the simulator, one behaviour at a time. One way takes 10 ms.

import test from 'ava'
import { pair, stage } from './recorder.js'

test('a dial takes three round trips and brings a link at both ends', t => {
  const { world, core, dial, idOf } = stage(2)
  world.run(0)
  dial(0, 1)
  world.run(1_000)
  t.is(core(1).firstAt('linkUp'), 50)
  t.is(core(0).firstAt('linkUp'), 60)
  const [out] = core(0).heard.filter(({ event }) => event.kind === 'linkUp')
  t.deepEqual(out?.event, {
    kind: 'linkUp',
    node: idOf(1),
    address: world.node(1).address,
    outbound: true,
  })
  const [inward] = core(1).heard.filter(({ event }) => event.kind === 'linkUp')
  t.like(inward?.event, { node: idOf(0), outbound: false })
})

test('two nodes that dial each other at once have one link', t => {
  const { world, core, dial, ping } = stage(2)
  world.run(0)
  dial(0, 1)
  dial(1, 0)
  world.run(1_000)
  t.is(core(0).kinds.filter(kind => kind === 'linkUp').length, 1)
  t.is(core(1).kinds.filter(kind => kind === 'linkUp').length, 1)
  t.is(world.tally.linksOpened, 1)
  ping(0, 1, 1)
  ping(1, 0, 2)
  world.run(2_000)
  t.is(core(1).kinds.at(-1), 'ping 1')
  t.is(core(0).kinds.at(-1), 'ping 2')
})

test('a host without the process refuses within a round trip', t => {
  const { world, core, dial } = stage(2)
  world.run(0)
  world.crash(1)
  dial(0, 1)
  world.run(10_000)
  t.is(core(0).firstAt('dialFailed refused'), 20)
})

test('a host without power lets the dial time out', t => {
  const { world, core, dial } = stage(2, { dialTimeoutMs: 5_000 })
  world.run(0)
  world.powerOff(1)
  dial(0, 1)
  world.run(10_000)
  t.is(core(0).firstAt('dialFailed timeout'), 5_000)
})

test('a cut, an address where nobody is, and a node behind NAT let the dial time out', t => {
  const { world, core, dial, order, idOf } = stage([{}, {}, { dialable: false }])
  world.run(0)
  world.cutOneWay(1, 0)
  dial(0, 1)
  dial(0, 2)
  order(0, { kind: 'dial', node: idOf(1), addresses: ['/ip4/192.0.2.1/tcp/1'] })
  world.run(10_000)
  t.is(core(0).kinds.filter(kind => kind === 'dialFailed timeout').length, 3)
})

test('a node behind NAT dials out and is a full peer', t => {
  const { world, core, dial, ping } = stage([{ dialable: false }, {}])
  world.run(0)
  dial(0, 1)
  world.run(1_000)
  ping(1, 0, 5)
  world.run(2_000)
  t.is(core(0).kinds.at(-1), 'ping 5')
})

test('another identity at the address is told apart, and so is oneself', t => {
  const { world, core, dial, order, idOf } = stage(3)
  world.run(0)
  world.bindAddress(world.node(1).address, 2)
  dial(0, 1)
  order(0, { kind: 'dial', node: null, addresses: [world.node(0).address] })
  world.run(1_000)
  t.true(core(0).kinds.includes('dialFailed identity'))
  t.true(core(0).kinds.includes('dialFailed self'))
  order(0, { kind: 'dial', node: null, addresses: [world.node(1).address] })
  world.run(2_000)
  t.like(core(0).heard.at(-1)?.event, { kind: 'linkUp', node: idOf(2) })
})

test('a dial that began before a cut of half a second ends after it', t => {
  const { world, core, dial } = stage(2)
  world.run(0)
  world.cut(0, 1)
  dial(0, 1)
  world.at(500, () => world.heal())
  world.run(3_000)
  t.is(core(0).firstAt('linkUp'), 1_060)
})

test('messages of a stream keep their order under jitter and loss', t => {
  const { world, core, ping } = pair({ jitterMs: 30 })
  world.loss(0.2)
  for (let nonce = 0; nonce < 200; nonce++) ping(0, 1, nonce)
  world.run(120_000)
  const pings = core(1).kinds.filter(kind => kind.startsWith('ping'))
  t.deepEqual(
    pings,
    Array.from({ length: 200 }, (_, nonce) => `ping ${nonce}`),
  )
})

test('loss shows as retransmission delay that doubles', t => {
  const { world, core, ping } = pair()
  world.loss(0.5)
  const delays = new Set<number>()
  for (let nonce = 0; nonce < 200; nonce++) {
    const atMs = 10_000 + nonce * 60_000
    world.run(atMs)
    ping(0, 1, nonce)
    world.run(atMs + 59_000)
    if (core(1).kinds.includes(`ping ${nonce}`)) {
      delays.add(Math.round(core(1).firstAt(`ping ${nonce}`) - atMs))
    }
  }
  t.true(delays.has(10))
  t.true(delays.has(210))
  t.true(delays.has(610))
  t.true(delays.has(1_410))
  for (const delay of delays) t.true(Number.isInteger(Math.log2((delay - 10) / 200 + 1)), `${delay} ms`)
})

test('a connection whose every packet is lost breaks at last', t => {
  const { world, core, ping } = pair({ retriesMax: 3 })
  world.loss(1)
  ping(0, 1, 1)
  world.run(60_000)
  t.is(core(0).firstAt('linkDown reset'), 1_000 + 200 + 400 + 800 + 1_600)
  t.false(core(1).kinds.includes('ping 1'))
})

test('a cut delays what is sent until the next retransmission after it', t => {
  const { world, core, ping } = pair()
  world.cut(0, 1)
  ping(0, 1, 1)
  ping(0, 1, 2)
  world.at(2_000, () => world.heal())
  world.run(5_000)
  // Sent at 1,000; repeated after 200, 600, 1,400 ms: the last is the first after the cut.
  t.is(core(1).firstAt('ping 1'), 2_410)
  t.deepEqual(core(1).kinds.slice(-2), ['ping 1', 'ping 2'])
})

test('a cut that lasts breaks the connection at the end that sends; the other finds out when it sends', t => {
  const { world, core, ping } = pair({ retriesMax: 3 })
  world.cut(0, 1)
  ping(0, 1, 1)
  world.run(20_000)
  t.is(core(0).firstAt('linkDown reset'), 4_000)
  t.false(core(1).kinds.includes('linkDown reset'))
  world.heal()
  ping(1, 0, 2)
  world.run(30_000)
  t.is(core(1).firstAt('linkDown reset'), 20_020)
  t.false(core(0).kinds.includes('ping 2'))
})

test('a one-way cut stops one direction and lets the other through, until the missing acknowledgements break it', t => {
  const { world, core, ping } = pair({ retriesMax: 3 })
  world.cutOneWay(0, 1)
  ping(0, 1, 1)
  ping(1, 0, 2)
  world.run(3_000)
  t.is(core(0).firstAt('ping 2'), 1_010)
  t.false(core(1).kinds.includes('ping 1'))
  world.run(20_000)
  t.is(core(1).firstAt('linkDown reset'), 4_000)
})

test('who is not heard is told nothing new after the first missing acknowledgement, and the rest once it is heard', t => {
  const { world, core, ping, order, idOf } = pair()
  world.cutOneWay(0, 1)
  ping(1, 0, 1)
  world.at(1_100, () => ping(1, 0, 2))
  world.at(1_300, () => ping(1, 0, 3))
  world.at(1_500, () => order(1, { kind: 'hangUp', node: idOf(0), why: 'test' }))
  world.run(2_000)
  t.deepEqual(
    core(0).kinds.filter(kind => kind.startsWith('ping')),
    ['ping 1', 'ping 2'],
  )
  t.false(core(0).kinds.includes('linkDown reset'))
  world.heal()
  world.run(4_000)
  // Held up at 1,300; repeated after 200 and 600 ms, and after 1,400: the first of them after the cut.
  t.deepEqual(core(0).kinds.slice(-2), ['ping 3', 'linkDown reset'])
  t.is(core(0).firstAt('linkDown reset'), 2_710)
})

test('the end of a connection that could not be told is given up at last', t => {
  const { world, core, ping, order, idOf } = pair({ retriesMax: 3 })
  world.cut(0, 1)
  ping(1, 0, 1)
  order(1, { kind: 'hangUp', node: idOf(0), why: 'test' })
  world.run(10_000)
  world.heal()
  world.run(20_000)
  t.false(core(0).kinds.includes('linkDown reset'))
})

test('a partition keeps groups apart and heals', t => {
  const { world, core, dial, ping } = stage(4)
  world.run(0)
  dial(0, 1)
  dial(2, 3)
  dial(0, 2)
  world.run(1_000)
  world.partition([0, 1])
  ping(0, 1, 1)
  ping(2, 3, 2)
  ping(0, 2, 3)
  world.run(3_000)
  t.true(core(1).kinds.includes('ping 1'))
  t.true(core(3).kinds.includes('ping 2'))
  t.false(core(2).kinds.includes('ping 3'))
  world.heal()
  world.run(10_000)
  t.true(core(2).kinds.includes('ping 3'))
})

test('kill -9: the peer sees a reset after one latency, and what was in flight to the dead is lost', t => {
  const { world, core, ping } = pair()
  ping(1, 0, 1)
  world.run(1_005)
  world.crash(0)
  world.run(2_000)
  t.is(core(1).firstAt('linkDown reset'), 1_015)
  t.is(world.tally.messagesLost, 1)
})

test('what a node sent just before it died is lost with the connection', t => {
  const { world, core, ping, idOf } = pair()
  world.conditions(0, 1, { latencyMs: 100 })
  ping(0, 1, 1)
  world.run(1_000)
  world.conditions(0, 1, { latencyMs: 10 })
  world.crash(idOf(0))
  world.run(2_000)
  t.is(core(1).firstAt('linkDown reset'), 1_010)
  t.false(core(1).kinds.includes('ping 1'))
})

test('power loss is silence: the peer notices only by its own retransmissions', t => {
  const { world, core, ping } = pair({ retriesMax: 3 })
  world.powerOff(0)
  world.run(10_000)
  t.false(core(1).kinds.includes('linkDown reset'))
  ping(1, 0, 1)
  world.run(20_000)
  t.is(core(1).firstAt('linkDown reset'), 13_000)
})

test('a host that came back answers an old connection with a reset', t => {
  const { world, core, ping } = pair()
  world.powerOff(0)
  world.run(2_000)
  world.restart(0)
  ping(1, 0, 1)
  world.run(3_000)
  t.is(core(1).firstAt('linkDown reset'), 2_020)
  t.is(core(0).env.bootCount, 2)
  t.false(core(0).kinds.includes('ping 1'))
})

test('a node that dials again replaces the connection that its peer still believed in', t => {
  const { world, core, dial } = pair()
  world.powerOff(0)
  world.run(2_000)
  world.restart(0)
  dial(0, 1)
  world.run(3_000)
  t.deepEqual(core(1).kinds.slice(-2), ['linkDown reset', 'linkUp'])
})

test('hanging up is seen as such at the near end, and as a broken link at the far end, after what was sent', t => {
  const { world, core, ping, order, idOf } = pair()
  ping(0, 1, 1)
  order(0, { kind: 'hangUp', node: idOf(1), why: 'test' })
  world.run(2_000)
  t.is(core(0).firstAt('linkDown own'), 1_000)
  t.deepEqual(core(1).kinds.slice(-2), ['ping 1', 'linkDown reset'])
})

test('a banned node is closed out for the time of its ban', t => {
  const { world, core, order, idOf, dial } = pair()
  const untilAt = world.node(1).localMs(world.nowUs) + 5_000
  order(1, { kind: 'ban', node: idOf(0), untilAt })
  world.run(2_000)
  dial(0, 1)
  world.run(3_000)
  t.is(core(0).kinds.at(-1), 'dialFailed failed')
  world.run(7_000)
  dial(0, 1)
  world.run(8_000)
  t.is(core(0).kinds.at(-1), 'linkUp')
})

test('a slow link delays bulk by its size, and small messages overtake it', t => {
  const { world, core, order, idOf, ping } = pair()
  world.conditions(0, 1, { bulkBytesPerSecond: 100_000 })
  const update = new Uint8Array(1_000_000)
  order(0, {
    kind: 'send',
    to: idOf(1),
    channel: 'bulk',
    message: { kind: 'stateUpdate', document: 'space/a', lineage: '', update },
  })
  ping(0, 1, 1)
  world.run(30_000)
  t.is(core(1).firstAt('ping 1'), 1_010)
  t.true(core(1).firstAt('stateUpdate') > 11_000)
  t.true(core(1).firstAt('stateUpdate') < 11_100)
})

test('a direct message reaches a node without a link, and is lost where there is no way', t => {
  const { world, core, ping } = stage(3)
  world.run(0)
  ping(0, 1, 1, 'direct')
  ping(0, 1, 2, 'link')
  world.run(1_000)
  t.deepEqual(
    core(1).kinds.filter(kind => kind.startsWith('ping')),
    ['ping 1'],
  )
  world.cut(0, 1)
  ping(0, 1, 3, 'direct')
  world.run(10_000)
  t.false(core(1).kinds.includes('ping 3'))
})

test('gossip floods along links to every subscriber but its publisher, once', t => {
  const { world, core, order, dial } = stage(5)
  world.run(0)
  for (const index of [0, 1, 2, 3, 4]) if (index !== 3) order(index, { kind: 'subscribe', topic: 'x' })
  // A triangle with a tail behind node 2, and node 3, which listens to nothing.
  dial(0, 1)
  dial(1, 2)
  dial(2, 0)
  dial(2, 4)
  dial(0, 3)
  world.run(1_000)
  order(0, { kind: 'publish', topic: 'x', message: { kind: 'ping', nonce: 7, meshTime: 0 } })
  world.run(2_000)
  const heard = [0, 1, 2, 3, 4].map(index => core(index).kinds.filter(kind => kind === 'ping 7').length)
  t.deepEqual(heard, [0, 1, 1, 0, 1])
  t.is(core(4).firstAt('ping 7'), 1_020)
})

test('gossip does not cross a cut, then or later', t => {
  const { world, core, order } = pair()
  order(0, { kind: 'subscribe', topic: 'x' })
  order(1, { kind: 'subscribe', topic: 'x' })
  world.cut(0, 1)
  world.run(1_100)
  order(0, { kind: 'publish', topic: 'x', message: { kind: 'ping', nonce: 7, meshTime: 0 } })
  world.run(1_200)
  world.heal()
  world.run(60_000)
  t.false(core(1).kinds.includes('ping 7'))
})

test('a dial that only verifies says who answers there, and leaves links as they are', t => {
  const { world, core, order, idOf } = pair()
  const addresses = [world.node(1).address]
  order(0, { kind: 'dial', node: idOf(1), addresses, verify: true })
  world.run(2_000)
  t.is(core(0).firstAt('verified'), 1_060)
  t.is(world.tally.linksOpened, 1)
  world.crash(1)
  order(0, { kind: 'dial', node: idOf(1), addresses, verify: true })
  world.run(3_000)
  t.is(core(0).firstAt('dialFailed refused'), 2_020)
})
