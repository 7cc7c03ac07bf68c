// The end of a link, and what comes right after it, over real sockets on loopback.
// Libp2p hears of an end later than the core does; nobody may notice.

import '../../src/polyfill.js'
import { randomBytes } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { createIdentity } from '../../src/adapters/identity/identity.js'
import { limits } from '../../src/adapters/libp2p/limits.js'
import { createLibp2pTransport } from '../../src/adapters/libp2p/transport.js'
import { isDown, isMessage, isUp, link, type Seen, Witness } from '../contracts/transport.js'
import { Relay } from './relay.js'

// Nobody tidies up here: what would heal only then is an error.
Object.assign(limits, { idleDialledMs: 10 ** 9 })

const meshKey = randomBytes(32)

const start = async (t: ExecutionContext, seed = createIdentity().seed): Promise<Witness> => {
  const witness = new Witness(
    await createLibp2pTransport({ seed, meshKey, listen: ['/ip4/127.0.0.1/tcp/0'] }),
  )
  await witness.transport.start(witness.listener)
  witness.transport.subscribe('news')
  t.teardown(() => witness.transport.stop())
  return witness
}

const pair = async (t: ExecutionContext): Promise<[Witness, Witness]> => [await start(t), await start(t)]

const bytes = (text: string): Uint8Array => Buffer.from(text)
const times = (witness: Witness, what: Seen['what'], count: number): Promise<Seen> =>
  witness.see(() => witness.count(seen => seen.what === what) >= count)
const isHeard = (text: string) => (seen: Seen) => seen.what === 'gossip' && seen.text.startsWith(text)

/** Gossip is a hint: it is said again until it was heard. */
const hear = async (from: Witness, to: Witness, text: string): Promise<void> => {
  let count = 0
  const timer = setInterval(() => from.transport.publish('news', bytes(`${text} ${count++}`)), 20)
  await to.see(isHeard(text)).finally(() => clearInterval(timer))
}

const hearEachOther = async (a: Witness, b: Witness, text: string): Promise<void> => {
  await Promise.all([hear(a, b, `${text} of a`), hear(b, a, `${text} of b`)])
}

const ends = (witness: Witness): string[] =>
  witness.seen.flatMap(({ what }) => (what === 'up' || what === 'down' ? [what] : []))

const alternating = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => (i % 2 === 0 ? 'up' : 'down'))

for (const how of ['end', 'reset'] as const) {
  test.serial(
    `who comes back at once after a ${how} is a neighbor again, and gossip goes both ways`,
    async t => {
      t.timeout(20_000)
      const [a, b] = await pair(t)
      const [toA, toB] = [
        await Relay.to(t, a.addresses[0] as string),
        await Relay.to(t, b.addresses[0] as string),
      ]
      a.transport.dial(b.id, [toB.address])
      const dials = [
        () => a.transport.dial(b.id, [toB.address]),
        () => b.transport.dial(a.id, [toA.address]),
        () => {
          a.transport.dial(b.id, [toB.address])
          b.transport.dial(a.id, [toA.address])
        },
      ]
      for (let round = 0; round < 9; round++) {
        await Promise.all([times(a, 'up', round + 1), times(b, 'up', round + 1)])
        if (round % 2 === 0) await hearEachOther(a, b, `round ${round}`)
        toA.cut(how)
        toB.cut(how)
        await Promise.all([times(a, 'down', round + 1), times(b, 'down', round + 1)])
        dials[round % dials.length]?.()
      }
      await Promise.all([times(a, 'up', 10), times(b, 'up', 10)])
      await hearEachOther(a, b, 'last')
      a.transport.send(b.id, 'link', bytes('to b'))
      b.transport.send(a.id, 'bulk', bytes('to a'))
      await Promise.all([b.see(isMessage('to b')), a.see(isMessage('to a'))])
      for (const each of [a, b]) t.deepEqual(ends(each), alternating(19))
    },
  )
}

test.serial(
  'a link that ends while its successor is being made leaves gossip nothing to trip over',
  async t => {
    t.timeout(20_000)
    const { seed } = createIdentity()
    const [a, before, after] = [await start(t), await start(t, seed), await start(t, seed)]
    const [first, second] = [
      await Relay.to(t, a.addresses[0] as string),
      await Relay.to(t, a.addresses[0] as string),
    ]
    before.transport.dial(a.id, [first.address])
    await a.see(isUp(before.id))
    await hearEachOther(a, before, 'before')
    second.hold()
    after.transport.dial(a.id, [second.address])
    // Its socket is accepted, and all that it says is held.
    await new Promise(resolve => setTimeout(resolve, 50))
    first.cut()
    await a.see(isDown(before.id))
    second.release()
    await Promise.all([times(a, 'up', 2), after.see(isUp(a.id))])
    await hearEachOther(a, after, 'after')
    t.deepEqual(ends(a), ['up', 'down', 'up'])
  },
)

const frames = Array.from({ length: 100 }, (_, i) => `frame ${i}`)
const framesOf = (witness: Witness): string[] =>
  witness.seen.flatMap(seen => (seen.what === 'message' && seen.channel === 'link' ? [seen.text] : []))

for (const how of ['hang up', 'stop', 'end'] as const) {
  test.serial(`what was sent before a goodbye (${how}) arrives before the link is down`, async t => {
    t.timeout(30_000)
    const [a, b] = await pair(t)
    const wire = await Relay.to(t, b.addresses[0] as string)
    a.transport.dial(b.id, [wire.address])
    await Promise.all([a.see(isUp(b.id)), b.see(isUp(a.id))])
    b.transport.send(a.id, 'bulk', bytes('the bulk stream is open'))
    await a.see(isMessage('the bulk stream is open'))
    // All comes in one piece, and the end right after it.
    wire.hold()
    const chunk = randomBytes(60_000)
    for (const frame of frames) b.transport.send(a.id, 'link', bytes(frame))
    b.transport.send(a.id, 'bulk', chunk)
    while (wire.heldBytes < chunk.length + 1_000) await turn()
    if (how === 'hang up') b.transport.hangUp(a.id)
    if (how === 'stop') void b.transport.stop()
    wire.release()
    if (how === 'end') wire.cut()
    await a.see(isDown(b.id))
    t.deepEqual(framesOf(a), frames)
    // Who hangs up does not wait for what is under way on the bulk stream.
    if (how !== 'hang up') {
      t.is(
        a.count(seen => seen.what === 'message' && seen.length === chunk.length),
        1,
      )
    }
    t.is(a.seen.findIndex(isDown(b.id)), a.seen.length - 1)
  })
}

test.serial('who waits for an answer over a link that ends need not wait longer', async t => {
  t.timeout(20_000)
  const [a, b] = await pair(t)
  const toB = await Relay.to(t, b.addresses[0] as string)
  a.transport.dial(b.id, [toB.address])
  await Promise.all([a.see(isUp(b.id)), b.see(isUp(a.id))])
  const asked = new Promise<void>(resolve => {
    b.answer = () => {
      resolve()
      return new Promise(() => {})
    }
  })
  let failed = false
  const asking = a.transport.request(b.id, [], bytes('?'), 30_000).catch(error => {
    failed = true
    return error
  })
  await asked
  toB.cut()
  await a.see(isDown(b.id))
  await turn()
  await turn()
  t.true(failed)
  t.is((await asking).code, 'PEER_UNREACHABLE')
})

test.serial('who stops right after a link has ended has stopped, and is told nothing more', async t => {
  t.timeout(20_000)
  const [a, b] = await pair(t)
  const c = await start(t)
  await link(a, c)
  const toB = await Relay.to(t, b.addresses[0] as string)
  a.transport.dial(b.id, [toB.address])
  await Promise.all([a.see(isUp(b.id)), b.see(isUp(a.id))])
  toB.cut()
  await a.see(isDown(b.id))
  await a.transport.stop()
  const told = a.seen.length
  await c.see(isDown(a.id))
  t.is(a.seen.length, told)
})
