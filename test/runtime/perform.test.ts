// Every effect, once, against ports that write down what they were asked.

import anyTest, { type TestFn } from 'ava'
import { ShoalError } from '../../src/core/errors.js'
import { nodeId, taskId } from '../../src/core/ids.js'
import type { MeshEvent } from '../../src/core/mesh-event.js'
import type { Message } from '../../src/core/message.js'
import type { CoreEvent, Effect } from '../../src/core/step.js'
import type { TaskSpec } from '../../src/core/tasks/spec.js'
import type { Codec, CopyListener, Executor, Transport } from '../../src/ports.js'
import { createPerformer, type Performer } from '../../src/runtime/perform.js'
import { Bench } from './bench.js'

const peer = nodeId('peer')
const copy = { task: taskId('task'), slot: 0, epoch: '1' }
const spec = { id: 'task' } as unknown as TaskSpec
const ping: Message = { kind: 'ping', nonce: 1, meshTime: 0 }
const encoded = new Uint8Array([1, 2, 3])

/** An object whose every method writes down its name and what it was given. */
const recorder = <Port extends object>(calls: unknown[][], own: Partial<Port> = {}): Port =>
  new Proxy(own as Port, {
    get: (target, name) =>
      Reflect.get(target, name) ??
      ((...given: unknown[]) => {
        calls.push([name, ...given.filter(value => value !== undefined)])
      }),
  })

interface Context {
  readonly bench: Bench
  readonly calls: unknown[][]
  readonly performer: Performer
  readonly codec: { fails: boolean; message: Message } & Codec
  copyListener: CopyListener | null
  /** Runs a step that gives these effects. */
  readonly effects: (...effects: Effect[]) => void
}

const test = anyTest as TestFn<Context>

test.beforeEach(t => {
  const bench = new Bench()
  const calls: unknown[][] = []
  const codec = {
    fails: false,
    message: ping as Message,
    encode(): Uint8Array {
      if (this.fails) throw new Error('too large')
      return encoded
    },
    decode(): Message {
      if (this.fails) throw new Error('bad seal'.repeat(100))
      return this.message
    },
  }
  const executor = recorder<Executor>(calls, {
    start(order, listener) {
      calls.push(['start', order])
      t.context.copyListener = listener
    },
  })
  const hooks = {
    ...Object.fromEntries(
      ['onEvent', 'onReply', 'onRefuse', 'onDocumentChanged', 'onCount', 'onCopyLog'].map(name => [
        name,
        (...given: unknown[]) => calls.push([name, ...given.filter(value => value !== undefined)]),
      ]),
    ),
    onRequest: async () => encoded,
    addressesOf: () => ['/ip4/1.2.3.4'],
    isHeld: (document: string) => document === 'space/ours',
  } as unknown as Parameters<typeof createPerformer>[1]
  const transport = recorder<Transport>(calls)
  const ports = { transport, codec, executor, store: bench.store, log: bench.log, clock: bench.clock }
  const performer = createPerformer(ports, hooks, bench.loop)
  bench.run(performer.perform)
  const effects = (...given: Effect[]): void => {
    bench.core.react = event => (event.kind === 'drain' ? given : [])
    bench.loop.ask({ kind: 'drain', on: true, request: 1 })
  }
  t.context = { bench, calls, performer, codec, copyListener: null, effects }
})

test('every effect on the mesh becomes one call of the transport, in order', t => {
  const { calls, effects, bench } = t.context
  effects(
    { kind: 'dial', node: null, addresses: ['a'] },
    { kind: 'dial', node: peer, addresses: ['a'], verify: true },
    { kind: 'hangUp', node: peer, why: 'surplus' },
    { kind: 'ban', node: peer, untilAt: bench.clock.now() + 500 },
    { kind: 'ban', node: peer, untilAt: bench.clock.now() - 500 },
    { kind: 'send', to: peer, channel: 'link', message: ping },
    { kind: 'send', to: peer, channel: 'direct', message: ping },
    { kind: 'publish', topic: 'members', message: ping },
    { kind: 'subscribe', topic: 'a' },
    { kind: 'unsubscribe', topic: 'a' },
    { kind: 'discovery', on: true },
  )
  t.deepEqual(calls, [
    ['dial', null, ['a']],
    ['dial', peer, ['a'], true],
    ['hangUp', peer],
    ['ban', peer, 500],
    ['ban', peer, 0],
    ['send', peer, 'link', encoded],
    ['send', peer, 'direct', encoded, ['/ip4/1.2.3.4']],
    ['publish', 'members', encoded],
    ['subscribe', 'a'],
    ['unsubscribe', 'a'],
    ['discover', true],
  ])
})

test('the application hears of events, answers and documents when the step is over', t => {
  const { calls, effects } = t.context
  const event: MeshEvent = { kind: 'node.isolated', at: 1 }
  const changed = { kind: 'documentChanged', name: 'd', update: encoded, clientId: null } as Effect
  effects(
    { kind: 'notify', event },
    { kind: 'reply', request: 3, value: 'yes' },
    { kind: 'refuse', request: 4, code: 'NO', message: 'no' },
    changed,
    { kind: 'count', metric: 'm', by: 2, labels: { a: 'b' } },
    { kind: 'subscribe', topic: 'a' },
  )
  t.deepEqual(calls, [
    ['onCount', 'm', 2, { a: 'b' }],
    ['subscribe', 'a'],
    ['onEvent', event],
    ['onReply', 3, 'yes'],
    ['onRefuse', 4, 'NO', 'no'],
    ['onDocumentChanged', changed],
  ])
})

test('logs go to the log, wake-ups to the loop, and a stand-down ends it', t => {
  const { bench, effects } = t.context
  effects({ kind: 'log', level: 'warn', text: 'careful' }, { kind: 'wake', at: bench.clock.now() + 5 })
  t.is(bench.clock.timers, 1)
  effects({ kind: 'standDown', reason: 'twins' }, { kind: 'log', level: 'warn', text: 'never' })
  t.deepEqual(bench.stoodDown, ['twins'])
  t.deepEqual(bench.logged, ['warn: careful', 'error: standing down'])
})

test('durable comes once the batch and all before it are committed, and only where asked for', async t => {
  const { bench, effects } = t.context
  const writes = [{ key: 'a', value: encoded }]
  effects(
    { kind: 'persist', writes, flush: false, token: 1 },
    { kind: 'persist', writes, flush: true, token: null },
    { kind: 'persist', writes, flush: true, token: 2 },
  )
  await bench.breathe()
  bench.settle()
  t.false(bench.core.kinds.includes('durable'))
  bench.clock.advance(2)
  await bench.breathe()
  bench.settle()
  const durable = bench.core.seen.map(({ event }) => event).filter(event => event.kind === 'durable')
  t.deepEqual(durable, [
    { kind: 'durable', token: 1 },
    { kind: 'durable', token: 2 },
  ])
})

test('a persist that fails stands the node down: nothing may be said that will not survive', async t => {
  const { bench, calls, effects } = t.context
  bench.store.write = async () => {
    throw new ShoalError('STORE_BROKEN', 'the store gave up')
  }
  effects({ kind: 'persist', writes: [], flush: true, token: 1 })
  await bench.breathe()
  t.deepEqual(bench.stoodDown, ['the store failed: the store gave up'])
  t.deepEqual(calls, [['onCount', 'store_errors', 1]])
  bench.settle()
  t.false(bench.core.kinds.includes('durable'))
})

test('a message that cannot be encoded is dropped and counted, and the step goes on', t => {
  const { calls, codec, effects, bench } = t.context
  codec.fails = true
  effects({ kind: 'send', to: peer, channel: 'link', message: ping }, { kind: 'subscribe', topic: 'a' })
  t.deepEqual(calls, [
    ['onCount', 'encode_errors', 1, { message: 'ping' }],
    ['subscribe', 'a'],
  ])
  t.deepEqual(bench.stoodDown, [])
})

test('everything that the transport tells becomes an event', async t => {
  const { bench, performer } = t.context
  const { listener } = performer
  listener.onLinkUp(peer, 'a', true)
  listener.onLinkDown(peer, false)
  listener.onVerified?.(peer, 'a')
  listener.onDialAccepted(peer, 'a')
  listener.onDialFailed(null, 'a', 'refused')
  listener.onMessage(peer, 'bulk', encoded)
  t.is(listener.onGossip(peer, 'members', encoded), 'accept')
  listener.onDiscovered(['a'])
  listener.onAddresses(['a'], true)
  listener.onMisbehaved(peer, 'flood')
  bench.settle()
  const expected: CoreEvent[] = [
    { kind: 'started' },
    { kind: 'linkUp', node: peer, address: 'a', outbound: true },
    { kind: 'linkDown', node: peer, reset: false },
    { kind: 'verified', node: peer, address: 'a' },
    { kind: 'dialAccepted', node: peer, address: 'a' },
    { kind: 'dialFailed', node: null, address: 'a', reason: 'refused' },
    { kind: 'message', from: peer, channel: 'bulk', message: ping, bytes: 3 },
    { kind: 'gossip', from: peer, topic: 'members', message: ping, bytes: 3 },
    { kind: 'discovered', addresses: ['a'] },
    { kind: 'addresses', addresses: ['a'], dialable: true },
    { kind: 'misbehaved', node: peer, offence: 'flood' },
  ]
  t.deepEqual(
    bench.core.seen.map(({ event }) => event),
    expected,
  )
  t.is(await listener.onRequest(peer, encoded), encoded)
})

test('what is new in a space that the node does not keep is neither taken in nor passed on', t => {
  const { bench, codec, performer } = t.context
  const update = { kind: 'stateUpdate', lineage: 'l', update: new Uint8Array(1) } as const
  codec.message = { ...update, document: 'space/theirs' }
  t.is(performer.listener.onGossip(peer, 'state/new', encoded), 'ignore')
  bench.settle()
  t.is(bench.core.seen.length, 1)
  codec.message = { ...update, document: 'space/ours' }
  t.is(performer.listener.onGossip(peer, 'state/new', encoded), 'accept')
  bench.settle()
  t.is(bench.core.seen.length, 2)
})

test('what cannot be decoded is held against its sender, in few words, and not passed on', t => {
  const { bench, calls, codec, performer } = t.context
  codec.fails = true
  performer.listener.onMessage(peer, 'link', encoded)
  t.is(performer.listener.onGossip(peer, 'members', encoded), 'reject')
  bench.settle()
  const events = bench.core.seen.slice(1).map(({ event }) => event)
  t.is(events.length, 2)
  for (const event of events) {
    t.is(event.kind, 'misbehaved')
    if (event.kind === 'misbehaved') t.true(event.offence.length < 250)
  }
  t.deepEqual(calls, [
    ['onCount', 'decode_errors', 1],
    ['onCount', 'decode_errors', 1],
  ])
})

test('a copy is started with its order, and what it tells becomes events', t => {
  const { bench, calls, effects, context } = { ...t.context, context: t.context }
  effects(
    { kind: 'startCopy', copy, spec, checkpoint: { n: 1 }, period: 9 },
    { kind: 'stopCopy', copy, graceMs: 5 },
  )
  t.deepEqual(calls, [
    ['start', { copy, spec, checkpoint: { n: 1 }, period: 9 }],
    ['stop', copy, 5],
  ])
  context.copyListener?.started()
  context.copyListener?.logged('out', 'hello')
  context.copyListener?.exited({ error: null, result: 42 })
  bench.settle()
  t.deepEqual(calls.at(-1), ['onCopyLog', copy, 'out', 'hello'])
  t.deepEqual(
    bench.core.seen.slice(2).map(({ event }) => event),
    [
      { kind: 'copyStarted', copy },
      { kind: 'copyExited', copy, error: null, result: 42 },
    ],
  )
})

test('a checkpoint is saved when the core says so, and its answer is not the application’s', async t => {
  const { bench, calls, effects } = t.context
  effects({ kind: 'startCopy', copy, spec, checkpoint: null, period: null })
  calls.length = 0
  bench.core.react = event => {
    if (event.kind !== 'copySaved') return []
    t.true(event.request < 0)
    return event.checkpoint === 'good'
      ? [{ kind: 'reply', request: event.request, value: null }]
      : [{ kind: 'refuse', request: event.request, code: 'FENCED', message: 'another owner' }]
  }
  const good = t.context.copyListener?.saved('good')
  const bad = t.context.copyListener?.saved('bad')
  const refused = t.throwsAsync(bad as Promise<void>, { code: 'FENCED' })
  bench.settle()
  await good
  await refused
  t.deepEqual(calls, [])
})

test('a copy that waits for its checkpoint when the node stops learns that it was not saved', async t => {
  const { bench, performer, effects } = t.context
  effects({ kind: 'startCopy', copy, spec, checkpoint: null, period: null })
  const waiting = t.throwsAsync(t.context.copyListener?.saved('x') as Promise<void>, { code: 'NODE_STOPPED' })
  bench.loop.standDown('over')
  performer.close()
  await waiting
  await t.throwsAsync(t.context.copyListener?.saved('y') as Promise<void>, { code: 'NODE_STOPPED' })
})
