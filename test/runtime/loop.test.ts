import test from 'ava'
import { nodeId } from '../../src/core/ids.js'
import type { CoreEvent, Effect } from '../../src/core/step.js'
import { Bench } from './bench.js'

const peer = nodeId('peer')
const notify = (text: string): Effect => ({ kind: 'log', level: 'info', text })
const join = (address: string): CoreEvent => ({ kind: 'join', addresses: [address] })
const heartbeat: CoreEvent = {
  kind: 'message',
  from: peer,
  channel: 'link',
  message: { kind: 'heartbeat', meshTime: 0, view: null },
  bytes: 8,
}
const ping: CoreEvent = {
  kind: 'message',
  from: peer,
  channel: 'link',
  message: { kind: 'ping', nonce: 1, meshTime: 0 },
  bytes: 50,
}
const hint: CoreEvent = {
  kind: 'gossip',
  from: peer,
  topic: 'members',
  message: { kind: 'rumor', records: [], accusations: [], strikes: [] },
  bytes: 30,
}
const linkUp: CoreEvent = { kind: 'linkUp', node: peer, address: 'a', outbound: true }

test('the core hears that it has started before anything else', t => {
  const bench = new Bench()
  bench.loop.post(linkUp)
  bench.run()
  bench.settle()
  t.deepEqual(bench.core.kinds, ['started', 'linkUp'])
})

test('events are stepped in the order of their arrival, and effects performed in theirs', t => {
  const bench = new Bench()
  bench.core.react = event =>
    event.kind === 'join' ? [notify(`${event.addresses[0]}1`), notify(`${event.addresses[0]}2`)] : []
  bench.run()
  for (const name of ['a', 'b', 'c']) bench.loop.post(join(name))
  t.deepEqual(bench.performed, [])
  bench.settle()
  t.deepEqual(bench.performed, ['a1', 'a2', 'b1', 'b2', 'c1', 'c2'].map(notify))
})

test('what an effect causes at once is stepped after all effects of its step', t => {
  const bench = new Bench()
  const order: string[] = []
  bench.core.react = event => {
    order.push(event.kind)
    return event.kind === 'join' ? [notify('first'), notify('second')] : []
  }
  bench.run(effect => {
    order.push(effect.kind === 'log' ? effect.text : effect.kind)
    if (effect.kind === 'log' && effect.text === 'first') bench.loop.ask(linkUp)
  })
  bench.loop.ask(join('a'))
  bench.settle()
  t.deepEqual(order, ['started', 'join', 'first', 'second', 'linkUp'])
})

test('a request of the application is stepped at once, before what is queued', t => {
  const bench = new Bench().run()
  bench.loop.post(heartbeat)
  bench.loop.ask(join('a'))
  t.deepEqual(bench.core.kinds, ['started', 'join'])
  bench.settle()
  t.deepEqual(bench.core.kinds, ['started', 'join', 'message'])
})

test('a listener that asks for something has it at once, and hears of it in order', t => {
  const bench = new Bench()
  const heard: string[] = []
  bench.core.react = event => (event.kind === 'join' ? event.addresses.map(notify) : [])
  bench.run(effect => {
    if (effect.kind !== 'log') return
    bench.loop.later(() => {
      heard.push(effect.text)
      if (effect.text !== 'a') return
      bench.loop.ask(join('c'))
      t.is(bench.core.seen.at(-1)?.event.kind, 'join')
      t.is(bench.core.seen.length, 3)
    })
  })
  bench.loop.ask({ kind: 'join', addresses: ['a', 'b'] })
  t.deepEqual(heard, ['a', 'b', 'c'])
})

test('a listener that throws is reported, and the next is told all the same', t => {
  const bench = new Bench()
  let told = 0
  bench.run(() => {
    bench.loop.later(() => {
      throw new Error('theirs')
    })
    bench.loop.later(() => told++)
  })
  bench.core.react = () => [notify('x')]
  bench.loop.ask(join('a'))
  t.is(told, 1)
  t.deepEqual(bench.counted, [['listener_errors', 1, undefined]])
  t.deepEqual(bench.stoodDown, [])
})

test('a timer comes at the earliest of the deadline and the wake-ups, once', t => {
  const bench = new Bench()
  const { core, clock, loop } = bench
  const begin = clock.now()
  core.nextDeadlineAt = begin + 500
  core.react = event => {
    if (event.kind === 'timer') core.nextDeadlineAt = null
    return event.kind === 'started' ? [{ kind: 'wake', at: begin + 300 }] : []
  }
  bench.run(effect => {
    if (effect.kind === 'wake') loop.wake(effect.at)
  })
  t.is(clock.timers, 1)
  clock.advance(299)
  bench.settle()
  t.deepEqual(core.kinds, ['started'])
  clock.advance(1)
  bench.settle()
  t.deepEqual(core.seen.at(-1), { now: begin + 300, event: { kind: 'timer' } })
  t.is(core.seen.length, 2)
  t.is(clock.timers, 0)
})

test('a deadline that moves takes the timer along', t => {
  const bench = new Bench()
  const { core, clock } = bench
  core.nextDeadlineAt = clock.now() + 100
  bench.run()
  core.nextDeadlineAt = clock.now() + 200
  bench.loop.ask(join('a'))
  clock.advance(150)
  bench.settle()
  t.deepEqual(core.kinds, ['started', 'join'])
  clock.advance(50)
  bench.settle()
  t.deepEqual(core.kinds, ['started', 'join', 'timer'])
})

test('after a freeze the timer comes first, with the true time', t => {
  const bench = new Bench()
  const { core, clock } = bench
  core.nextDeadlineAt = clock.now() + 100
  bench.run()
  clock.freeze(60_000)
  bench.loop.post(heartbeat)
  core.react = event => {
    if (event.kind === 'timer') core.nextDeadlineAt = null
    return []
  }
  bench.settle()
  t.deepEqual(core.kinds, ['started', 'timer', 'message'])
  t.is(core.seen[1]?.now, clock.now())
})

test('a turn ends when its time is over, and the rest follows in the next', t => {
  const bench = new Bench({ turnMs: 10, turnEventsMin: 1 }).run()
  bench.core.react = () => {
    bench.clock.freeze(4)
    return []
  }
  for (let i = 0; i < 5; i++) bench.loop.post(linkUp)
  bench.turn()
  t.is(bench.core.seen.length, 1 + 3)
  bench.turn()
  t.is(bench.core.seen.length, 1 + 5)
})

test('a node that waits for its core does some events in every turn, and large ones count for more', t => {
  const bench = new Bench({ turnMs: 10, turnEventsMin: 4, turnBytesMin: 100 }).run()
  bench.core.react = () => {
    bench.clock.freeze(20)
    return []
  }
  const stepsOfOneTurn = (event: CoreEvent): number => {
    for (let i = 0; i < 6; i++) bench.loop.post(event)
    const before = bench.core.seen.length
    bench.turn()
    const steps = bench.core.seen.length - before
    bench.settle()
    return steps
  }
  t.is(stepsOfOneTurn(linkUp), 4)
  t.is(stepsOfOneTurn(ping), 2)
})

test('a full queue drops hints first, then what peers sent, and never what this node waits for', t => {
  const bench = new Bench({ hintEventsMax: 4, peerEventsMax: 8 }).run()
  for (let i = 0; i < 6; i++) bench.loop.post(i % 2 === 0 ? hint : heartbeat)
  t.is(bench.loop.stats().droppedHints, 2)
  for (let i = 0; i < 6; i++) bench.loop.post(ping)
  t.is(bench.loop.stats().droppedMessages, 2)
  const own: CoreEvent[] = [
    linkUp,
    { kind: 'linkDown', node: peer, reset: true },
    { kind: 'durable', token: 1 },
    { kind: 'timer' },
    { kind: 'dialFailed', node: peer, address: 'a', reason: 'refused' },
    { kind: 'copyStarted', copy: { task: 'a', slot: 0, epoch: '1' } as never },
    join('a'),
  ]
  for (const event of own) t.true(bench.loop.post(event), event.kind)
  t.is(bench.loop.stats().queued, 8 + own.length)
  t.deepEqual(bench.counted, [
    ['queue_dropped', 1, { what: 'hint' }],
    ['queue_dropped', 1, { what: 'hint' }],
    ['queue_dropped', 1, { what: 'peer' }],
    ['queue_dropped', 1, { what: 'peer' }],
  ])
  bench.settle()
  t.deepEqual(bench.logged, [
    'warn: more comes in than this node can do; hints are dropped first',
    'info: the queue is empty again',
  ])
  t.true(bench.loop.post(hint))
})

test('messages are bounded by their bytes too', t => {
  const bench = new Bench({ peerBytesMax: 100 }).run()
  t.deepEqual(
    [1, 2, 3].map(() => bench.loop.post(ping)),
    [true, true, false],
  )
  bench.settle()
  t.true(bench.loop.post(ping))
})

test('a wall clock that moved by more than 100 ms is told, and looked at once a second', t => {
  const bench = new Bench().run()
  const { clock, core, loop } = bench
  const stepAfter = (ms: number): void => {
    clock.advance(ms)
    loop.post(linkUp)
    bench.settle()
  }
  clock.setWall(100)
  stepAfter(1_000)
  clock.setWall(-3_600_000)
  stepAfter(999)
  t.false(core.kinds.includes('wall'))
  stepAfter(1)
  t.deepEqual(core.seen.at(-1)?.event, { kind: 'wall', offsetMs: -3_600_000 })
  stepAfter(5_000)
  t.is(core.kinds.filter(kind => kind === 'wall').length, 1)
})

test('a core that throws stands the node down, and nothing happens after that', t => {
  const bench = new Bench().run()
  bench.core.nextDeadlineAt = bench.clock.now() + 100
  bench.core.react = () => {
    throw new Error('defect')
  }
  bench.loop.post(linkUp)
  bench.loop.post(linkUp)
  bench.settle()
  t.deepEqual(bench.stoodDown, ["a step failed at 'linkUp': defect"])
  t.is(bench.core.seen.length, 2)
  t.false(bench.loop.post(linkUp))
  t.false(bench.loop.ask(linkUp))
  t.is(bench.clock.timers, 0)
})

test('an effect that stands the node down is the last of its step', t => {
  const bench = new Bench()
  bench.core.react = event =>
    event.kind === 'join' ? [notify('a'), { kind: 'standDown', reason: 'twins' }, notify('b')] : []
  bench.run(effect => {
    if (effect.kind === 'standDown') bench.loop.standDown(effect.reason)
    else bench.performed.push(effect)
  })
  bench.loop.ask(join('a'))
  t.deepEqual(bench.performed, [notify('a')])
  t.deepEqual(bench.stoodDown, ['twins'])
})

test('stop works off the queue, waits for the disk, hears what became durable, and is silent then', async t => {
  const bench = new Bench()
  const { core, clock, disk, store, loop } = bench
  core.nextDeadlineAt = clock.now() + 100
  core.react = event => {
    const writes = [{ key: 'k', value: new Uint8Array(1) }]
    if (event.kind === 'linkUp') return [{ kind: 'persist', writes, flush: true, token: 7 }]
    return event.kind === 'durable' ? [notify('answered')] : []
  }
  bench.run(effect => {
    if (effect.kind === 'persist')
      void store
        .write(effect.writes, effect.flush)
        .then(() => loop.post({ kind: 'durable', token: effect.token ?? 0 }))
    else bench.performed.push(effect)
  })
  loop.post(linkUp)
  const stopped = loop.stop()
  await bench.breathe()
  t.false(loop.post(linkUp))
  for (let i = 0; i < 3; i++) {
    clock.advance(10)
    await bench.breathe()
  }
  await stopped
  t.deepEqual(core.kinds, ['started', 'linkUp', 'durable'])
  t.deepEqual(bench.performed, [notify('answered')])
  t.is(disk.pendingBatches, 0)
  t.is(clock.timers, 0)
  t.false(loop.post({ kind: 'durable', token: 8 }))
  await t.throwsAsync(store.write([], true), { code: 'STORE_CLOSED' })
})

test('stop does not wait for ever for a disk that does not answer', async t => {
  const bench = new Bench({ stopMs: 2_000 })
  bench.store.write = () => new Promise(() => {})
  bench.run()
  const stopped = bench.loop.stop()
  await bench.breathe()
  bench.clock.advance(2_000)
  await stopped
  t.deepEqual(bench.logged, ['warn: the disk does not answer; the last writes may be lost'])
})
