// A whole node in one process, on a clock that the test moves: the core and the loop are
// the real ones, network and store are those in memory.

import test from 'ava'
import { createIdentity } from '../../src/adapters/identity/identity.js'
import { silentLog } from '../../src/adapters/log/pino.js'
import { createMemoryStore } from '../../src/adapters/memory/store.js'
import { MemoryNetwork } from '../../src/adapters/memory/transport.js'
import { createCodec } from '../../src/adapters/wire/codec.js'
import { createSealer } from '../../src/adapters/wire/seals.js'
import { type NodeId, nodeId, taskId } from '../../src/core/ids.js'
import type { Store } from '../../src/ports.js'
import { type NodeExecutor, RunningNode } from '../../src/runtime/running-node.js'
import { VirtualClock } from './virtual-clock.js'

interface Options {
  readonly name?: string
  readonly store?: (store: Store) => Store
  readonly executor?: Partial<NodeExecutor>
  readonly mdns?: boolean
}

/** A few nodes on one clock and one network. */
class Bench {
  readonly clock = new VirtualClock()
  readonly network = new MemoryNetwork()
  readonly logged: string[] = []
  readonly logs = new Map<NodeId, readonly unknown[]>()

  node(options: Options = {}): RunningNode {
    const identity = createIdentity()
    const id = nodeId(identity.id)
    const store = createMemoryStore({ clock: this.clock })
    const note = (level: string) => (text: string) => void this.logged.push(`${level}: ${text}`)
    return new RunningNode(
      {
        clock: this.clock,
        entropy: { bytes: length => new Uint8Array(length).fill(7) },
        sealer: createSealer(identity.seed),
        codec: createCodec(),
        transport: this.network.transport(id),
        store: options.store?.(store) ?? store,
        log: { ...silentLog, warn: note('warn'), error: note('error') },
        executor: () => ({
          start: () => {},
          stop: () => {},
          close: async () => {},
          abilities: () => ['exec'],
          logs: () => this.logs.get(id) ?? [],
          running: () => 0,
          ...options.executor,
        }),
      },
      {
        name: options.name ?? 'gate',
        labels: { zone: 'hall-2' },
        capacity: 3,
        spaces: ['*'],
        version: '9.9.9',
        meshId: 'abcd',
        mdns: options.mdns ?? false,
        awaitMs: 0,
      },
      new Map(),
    )
  }

  /** Lets time pass in small steps, with turns of the event loop in between. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 10) {
      this.clock.advance(10)
      for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve))
    }
  }

  /** Passes time until the promise is settled; a bound in place of for ever. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const settled = () => {
      isSettled = true
    }
    promise.then(settled, settled)
    for (let i = 0; i < 1_500 && !isSettled; i++) await this.pass(10)
    if (!isSettled) throw new Error('15 s passed, and it is not settled')
    return promise
  }

  async start(options: Options = {}, join: readonly RunningNode[] = []): Promise<RunningNode> {
    const node = this.node(options)
    await this.until(node.start(join.map(({ id }) => `memory/${id}`)))
    return node
  }

  /** Two nodes that hold each other alive. */
  async pair(): Promise<[RunningNode, RunningNode]> {
    const a = await this.start({ name: 'a' })
    const b = await this.start({ name: 'b' }, [a])
    for (let i = 0; i < 500 && (a.members().length < 2 || b.members().length < 2); i++) await this.pass(10)
    return [a, b]
  }
}

test('a node is ready when its generation is durable and its addresses are known', async t => {
  const it = new Bench()
  const node = it.node()
  t.is(node.status, 'starting')
  const started = node.start([])
  await it.pass(0)
  t.is(node.status, 'starting', 'nothing is durable yet')
  await it.until(started)
  t.is(node.status, 'ready')
  const info = node.info()
  t.like(info, { id: node.id, name: 'gate', meshId: 'abcd', labels: { zone: 'hall-2' }, capacity: 3 })
  t.like(info, { runs: ['exec'], version: '9.9.9', generation: 1, draining: false, health: 'ok' })
  t.deepEqual(info.addrs, [`memory/${node.id}`])
  t.deepEqual(
    node.members().map(({ id, verdict }) => [id, verdict]),
    [[node.id, 'alive']],
  )
  t.is(node.viewAgeMs(), null)
  await it.until(node.close())
  t.is(node.status, 'closed')
})

test('two nodes find each other, agree, and hear of each other', async t => {
  const it = new Bench()
  const [a, b] = await it.pair()
  t.deepEqual(
    a
      .members()
      .map(({ id }) => id)
      .sort(),
    [a.id, b.id].sort(),
  )
  t.is(a.member(b.id)?.verdict, 'alive')
  t.is(a.member(nodeId('nobody')), undefined)
  await it.pass(1_000)
  t.true((a.viewAgeMs() ?? Infinity) <= 1_000)
  t.true((a.lastSignOf(b.id) ?? 0) > a.startedAt)
  t.is(a.lastSignOf(nodeId('nobody')), null)
  const joined = a.journal.since(0).filter(({ kind }) => kind === 'member.alive')
  t.true(joined.some(event => 'member' in event && event.member === b.id))
  await it.until(Promise.all([a.close(), b.close()]))
})

test('a member is found by its id, the beginning of it, or its name; what is not one is said', async t => {
  const it = new Bench()
  const [a, b] = await it.pair()
  t.is(a.resolve(b.id), b.id)
  t.is(a.resolve('b'), b.id)
  t.is(a.resolve(b.id.slice(0, 20)), b.id)
  t.throws(() => a.resolve('c'), { code: 'NOT_FOUND', message: /no member is called c; .* accepted/ })
  t.throws(() => a.resolve(b.id.slice(0, 7)), { code: 'NOT_FOUND' })
  // All Ed25519 ids begin alike.
  t.throws(() => a.resolve('12D3KooW'), { code: 'AMBIGUOUS' })
  t.throws(() => a.tasks.plan(['c']), { code: 'NOT_FOUND' })
  await it.until(Promise.all([a.close(), b.close()]))
})

test('two members with one name are told apart by their ids', async t => {
  const it = new Bench()
  const a = await it.start({ name: 'twin' })
  const b = await it.start({ name: 'twin' }, [a])
  for (let i = 0; i < 500 && a.members().length < 2; i++) await it.pass(10)
  const ids = [a.id, b.id].sort().join(', ')
  t.throws(() => a.resolve('twin'), {
    code: 'AMBIGUOUS',
    message: `twin means 2 members: ${ids}; say which by its id`,
  })
  await it.until(Promise.all([a.close(), b.close()]))
})

test('a value is readable at once, durable later, seen elsewhere, and an observer that throws hides nothing', async t => {
  const it = new Bench()
  const [a, b] = await it.pair()
  const heard: string[] = []
  b.space('plc').observe(() => {
    throw new Error('mine')
  })
  b.space('plc').observe(changes => heard.push(...changes.map(({ key }) => key)))
  const written = a.space('plc').set('line', { speed: 3 })
  t.deepEqual(a.space('plc').get('line'), { speed: 3 })
  await it.until(written)
  for (let i = 0; i < 500 && heard.length === 0; i++) await it.pass(10)
  t.deepEqual(b.space('plc').get('line'), { speed: 3 })
  t.deepEqual(heard, ['line'])
  t.true(b.journal.since(0).some(event => event.kind === 'state.changed' && event.space === 'plc'))
  t.is([...b.counters()].find(({ metric }) => metric === 'listener_errors')?.value, 1)
  await it.until(Promise.all([a.close(), b.close()]))
})

test('tasks are checked before the first is stored', async t => {
  const it = new Bench()
  const node = await it.start()
  const good = { id: 'good', run: { exec: ['true'] } }
  await t.throwsAsync(node.tasks.putAll([good, { id: 'bad' }]), { instanceOf: Error })
  t.deepEqual(node.tasks.list(), [])
  const [stored] = await it.until(node.tasks.putAll([good]))
  t.is(stored?.id, taskId('good'))
  t.not(node.tasks.get('good'), null)
  await it.until(node.tasks.delete('good'))
  t.is(node.tasks.get('good'), null)
  await it.until(node.close())
})

test('the lines of a log come from all who run the task, and what is no line is left out', async t => {
  const it = new Bench()
  const [a, b] = await it.pair()
  await t.throwsAsync(a.tasks.logs('none', 5), { code: 'NOT_FOUND' })
  await it.until(a.tasks.put({ id: 'work', run: { exec: ['true'] }, replicas: 'all' }))
  const owners = (): unknown[] =>
    ((a.tasks.get('work')?.copies ?? []) as readonly { node: NodeId | null }[]).flatMap(
      ({ node }) => node ?? [],
    )
  for (let i = 0; i < 800 && !owners().includes(b.id); i++) await it.pass(10)
  t.true(owners().includes(b.id))
  it.logs.set(a.id, [
    { at: 1, line: 'first' },
    { at: 4, line: 'fourth' },
  ])
  it.logs.set(b.id, [{ at: 3, line: 'third' }, null, 'no line', { at: 'soon' }, { at: 2, line: 'second' }])
  const lines = await it.until(a.tasks.logs('work', 3))
  t.deepEqual(
    lines.map(each => (each as { line: string }).line),
    ['second', 'third', 'fourth'],
  )
  await it.until(Promise.all([a.close(), b.close()]))
})

test('who asks a leaving node to leave again waits for the same goodbye', async t => {
  const it = new Bench()
  const [a, b] = await it.pair()
  const both = Promise.all([b.leave(), b.leave()])
  t.is(b.status, 'leaving')
  await it.until(both)
  t.is(b.status, 'closed')
  for (let i = 0; i < 500 && a.member(b.id)?.verdict !== 'left'; i++) await it.pass(10)
  t.is(a.member(b.id)?.verdict, 'left')
  await it.until(a.close())
})

test('a closed node refuses what is asked of it, and its listeners hear of the end once', async t => {
  const it = new Bench()
  const node = await it.start()
  const ends: (string | null)[] = []
  node.onStopped(reason => ends.push(reason))
  const waiting = node.space('plc').set('a', 1)
  const closing = [node.close(), node.close(), node.leave()]
  await it.until(Promise.all(closing))
  await t.notThrowsAsync(waiting, 'what was written before the end is durable at the end')
  await t.throwsAsync(node.space('plc').set('b', 1), { code: 'NODE_STOPPED' })
  await t.throwsAsync(node.drain(true), { code: 'NODE_STOPPED' })
  t.deepEqual(ends, [null])
})

test('a node whose disk fails stands down with the reason, though its store does not even close', async t => {
  const it = new Bench()
  let isBroken = false
  const node = await it.start({
    store: store => ({
      ...store,
      write: (writes, flush) =>
        isBroken ? Promise.reject(new Error('no space left')) : store.write(writes, flush),
      close: () => Promise.reject(new Error('cannot close')),
    }),
  })
  const ended = new Promise<string | null>(resolve => node.onStopped(resolve))
  isBroken = true
  const written = node.space('plc').set('a', 1)
  const refused = t.throwsAsync(written, { code: 'NODE_STOPPED' })
  t.is(await it.until(ended), 'the store failed: no space left')
  await it.until(refused)
  await it.pass(100)
  t.is(node.status, 'closed')
  t.true(it.logged.includes('error: the node stood down and did not stop cleanly'))
})

test('whoever closes a node hears that a part of it could not stop, and the rest has stopped', async t => {
  const it = new Bench()
  const [a, b] = await it.pair()
  const c = await it.start({ name: 'c', executor: { close: () => Promise.reject(new Error('stuck')) } }, [a])
  const ends: unknown[] = []
  c.onStopped(reason => ends.push(reason))
  await t.throwsAsync(it.until(c.close()), { message: 'stuck' })
  t.deepEqual(ends, [null])
  t.is(it.network.find(c.id), undefined)
  await it.until(Promise.all([a.close(), b.close()]))
})

test('a handler that blocked is on the health of its node for a while', async t => {
  const it = new Bench()
  const node = await it.start()
  node.handlerBlocked(taskId('poll'), 200)
  await it.pass(100)
  t.deepEqual(node.info().reasons, [])
  node.handlerBlocked(taskId('poll'), 300)
  for (let i = 0; i < 1_000 && node.info().reasons.length === 0; i++) await it.pass(10)
  t.true(node.info().reasons.some(reason => reason.includes('poll') && reason.includes('300 ms')))
  it.clock.advance(31_000)
  for (let i = 0; i < 1_500 && node.info().reasons.length > 0; i++) await it.pass(10)
  t.deepEqual(node.info().reasons, [])
  const [blocked] = [...node.counters()].filter(({ metric }) => metric === 'handler_blocked_ms')
  t.is(blocked?.value, 500)
  await it.until(node.close())
})

test('a reason of any length reaches the others, cut to what a record may bear', async t => {
  const it = new Bench()
  const [a, b] = await it.pair()
  b.report('s'.repeat(5_000), 'failing', 'r'.repeat(5_000))
  for (let i = 0; i < 1_000 && a.member(b.id)?.health !== 'failing'; i++) await it.pass(10)
  t.is(a.member(b.id)?.health, 'failing')
  const [reason = ''] = a.member(b.id)?.reasons ?? []
  t.true(reason.length > 100 && reason.length <= 512, `${reason.length}`)
  t.is(a.member(b.id)?.verdict, 'alive')
  await it.until(Promise.all([a.close(), b.close()]))
})
