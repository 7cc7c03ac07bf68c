// The library's door: what a program gets wrong is one sentence with the name, the value
// and what is accepted, and never reaches the node.

import test from 'ava'
import { createNode, ShoalError } from '../../src/index.js'
import { configOf } from '../../src/runtime/compose.js'
import { settingsOf } from '../../src/runtime/options.js'

const loopback = { listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false }

const REFUSED: readonly [options: unknown, sentence: RegExp][] = [
  [null, /^createNode: options is null; it must be an object/],
  ['x', /^createNode: options is "x"; it must be an object/],
  [[], /^createNode: options is \[\]; it must be an object/],
  [{ nmae: 'x' }, /^nmae is not an option; known are name, dataDir, /],
  [{ constructor: 1 }, /^constructor is not an option; known are /],
  [{ name: 'Gate 1' }, /^name is "Gate 1"; it must be lower-case letters/],
  [{ capacity: -1 }, /^capacity is -1; it must be a whole number of at least 0/],
  [{ capacity: Number.NaN }, /^capacity is NaN; it must be a whole number/],
  [{ capacity: '5s' }, /^capacity is "5s"; it must be a whole number/],
  [{ listen: ['/ip4/127.0.0.1/udp/1'] }, /^listen is "\/ip4\/127.0.0.1\/udp\/1"; it must be a multiaddr/],
  [{ join: ['gw:99999'] }, /^join is "gw:99999"; it must be HOST, HOST:PORT or a multiaddr/],
  [{ labels: { zone: 1 } }, /^labels.zone is 1; it must be a text/],
  [{ api: '127.0.0.1' }, /^api is "127.0.0.1"; it must be HOST:PORT/],
  [{ api: '0.0.0.0:4780' }, /^api is "0.0.0.0:4780" and there is no mesh key; .* only loopback/],
  [{ allow: ['module'] }, /^allow names module, and modules is not set; it must be/],
  [{ meshKey: '/nonexistent-mesh.key' }, /^the mesh key file \/nonexistent-mesh.key does not exist; /],
  [{ dataDir: '/dev/null' }, /^the data directory is \/dev\/null and cannot be used \(ENOTDIR\); it must be/],
  [{ forgetLeft: 60 }, /^forgetLeft is 60; it must be a whole number with a unit/],
  [{ forgetDead: '1s' }, /^forgetDead is "1s"; it must be a duration of at least 1m/],
  [{ preset: 'wan' }, /^preset is "wan"; it must be lan/],
  [{ modules: '/nonexistent' }, /^modules is \/nonexistent, which does not exist; it must be a folder/],
  [{ modules: '/dev/null' }, /^modules is \/dev\/null, which is no folder; it must be a folder/],
]

for (const [options, sentence] of REFUSED) {
  test(`createNode(${JSON.stringify(options)}) is refused in a sentence: ${sentence}`, async t => {
    const error = await t.throwsAsync(createNode(options as object), { instanceOf: ShoalError })
    t.regex(error?.message ?? '', sentence)
    t.false(error?.message.includes('\n'))
  })
}

test('a wrong call is refused with its name and value, and the node goes on', async t => {
  const node = await createNode(loopback)
  t.teardown(() => node.close())
  const wrong: readonly [work: (given: never) => unknown, given: unknown, sentence: RegExp][] = [
    [given => node.join(given), undefined, /^join is undefined; it must be a list of HOST/],
    [given => node.join(given), 'gw-1', /^join is "gw-1"; it must be a list of HOST/],
    [given => node.join(given), ['a b'], /^join is "a b"; it must be HOST, HOST:PORT/],
    [given => node.drain(given), 'yes', /^drain is "yes"; it must be true or false/],
    [
      given => node.report('plc', given, ''),
      'bad',
      /^report: level is "bad"; it must be ok, strained, failing/,
    ],
    [given => node.report(given, 'ok', ''), 5, /^report: source is 5; it must be a text/],
    [given => node.report('plc', 'ok', given), undefined, /^report: reason is undefined; it must be a text/],
    [given => node.on(given, () => {}), 'members', /^on: kind is "members"; it must be member, task, state/],
    [given => node.on('member', given), null, /^on: listener is null; it must be a function/],
    [given => node.plan(given), undefined, /^plan: without is undefined; it must be a list/],
    [given => node.plan(given), { without: 'gw-1' }, /^plan: without is "gw-1"; it must be a list/],
    [given => node.plan(given), { without: [], who: 1 }, /^plan: who is not an option; known is without/],
    [given => node.events(given), 'a', /^events: since is "a"; it must be a whole number of at least 0/],
    [given => node.events(given), -1, /^events: since is -1; it must be a whole number/],
    [given => node.space(given), 'Bad Name', /^the name is "Bad Name"; it must be 1 to 63 of a-z/],
    [given => node.space(given), 5, /^the name of a space is 5; it must be a text/],
    [given => node.document(given), 'Bad Name', /^the name is "Bad Name"; it must be 1 to 63 of a-z/],
  ]
  for (const [work, given, sentence] of wrong) {
    const error = await t.throwsAsync(async () => work(given as never), { instanceOf: ShoalError })
    t.regex(error?.message ?? '', sentence)
  }
  await node.space('plc').set('a', 1)
  t.is(node.space('plc').get('a'), 1)
  t.is(node.self().health, 'ok')
})

test('a space that this node does not hold is refused when it is asked for', async t => {
  const node = await createNode({ ...loopback, spaces: ['plc*'] })
  t.teardown(() => node.close())
  t.throws(() => node.space('hall'), { instanceOf: ShoalError, code: 'SPACE_NOT_HELD' })
  t.is(node.space('plc-1').get('a'), undefined)
})

test.serial('what a listener throws is a warning of the process, once, where nothing is logged', async t => {
  const node = await createNode(loopback)
  t.teardown(() => node.close())
  const thrown = new Error('this listener is broken')
  const heard: unknown[] = []
  const documents: unknown[] = []
  const warnings: Error[] = []
  const onWarning = (warning: Error): void => {
    if (warning.message.includes(thrown.message)) warnings.push(warning)
  }
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))
  node.on('state', () => {
    throw thrown
  })
  node.on('state', event => heard.push(event.keys))
  node.space('plc').observe(changes => documents.push(changes.map(({ key }) => key)))
  await node.space('plc').set('a', 1)
  await node.space('plc').set('b', 2)
  await new Promise(resolve => setImmediate(resolve))
  t.deepEqual(heard, [['a'], ['b']])
  t.deepEqual(documents, [['a'], ['b']])
  t.is(warnings.length, 1)
  t.is(warnings[0]?.name, 'ShoalWarning')
  t.regex(warnings[0]?.message ?? '', /a listener of a Shoal node threw: Error: this listener is broken/)
})

test('a node that has stopped takes no more orders', async t => {
  const node = await createNode(loopback)
  await node.close()
  const orders = [
    () => node.join(['127.0.0.1:1']),
    () => node.drain(true),
    () => node.space('plc').set('a', 1),
    () => node.tasks.put({ id: 'a', run: { handler: 'a' } }),
  ]
  for (const order of orders) await t.throwsAsync(order, { instanceOf: ShoalError, code: 'NODE_STOPPED' })
  await t.notThrowsAsync(node.leave())
})

test('how long members are remembered is 24 hours and 30 days, unless a node is told otherwise', t => {
  const { membership } = configOf(settingsOf({}))
  t.is(membership.forgetLeftMs, 24 * 3_600_000)
  t.is(membership.forgetDeadMs, 30 * 86_400_000)
  const told = configOf(settingsOf({ forgetLeft: '10m', forgetDead: '7d' }))
  t.is(told.membership.forgetLeftMs, 600_000)
  t.is(told.membership.forgetDeadMs, 7 * 86_400_000)
})
