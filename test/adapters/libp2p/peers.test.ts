import test from 'ava'
import { Bucket } from '../../../src/adapters/libp2p/bucket.js'
import { Guard } from '../../../src/adapters/libp2p/guard.js'
import { limits } from '../../../src/adapters/libp2p/limits.js'
import { listenAddresses, ownAddresses } from '../../../src/adapters/libp2p/own-addresses.js'
import { type Line, type LineDecision, Peers } from '../../../src/adapters/libp2p/peers.js'
import { nodeId } from '../../../src/core/ids.js'

const SMALL = nodeId('a')
const LARGE = nodeId('b')

const line = (node: typeof SMALL, outbound: boolean, readyAt: number): Line => ({
  node,
  outbound,
  address: '',
  readyAt,
})

const take = (peers: Peers<Line>, each: Line): LineDecision => {
  const decision = peers.decide(each)
  if (decision === 'replace') for (const old of [...peers.lines(each.node)]) peers.remove(old)
  peers.add(each, decision)
  return decision
}

test('of two crossing connections both ends write to the one that the smaller id dialled, in whatever order they come', t => {
  for (const smallFirst of [true, false]) {
    for (const largeFirst of [true, false]) {
      const small = new Peers<Line>(SMALL)
      const large = new Peers<Line>(LARGE)
      const bySmall = { small: line(LARGE, true, 1), large: line(SMALL, false, 1) }
      const byLarge = { small: line(LARGE, false, 1), large: line(SMALL, true, 1) }
      for (const each of smallFirst ? [bySmall, byLarge] : [byLarge, bySmall]) take(small, each.small)
      for (const each of largeFirst ? [bySmall, byLarge] : [byLarge, bySmall]) take(large, each.large)
      t.is(small.current(LARGE), bySmall.small)
      t.is(large.current(SMALL), bySmall.large)
      t.false(small.remove(byLarge.small))
      t.true(small.remove(bySmall.small))
    }
  }
})

test('a link stream that comes long after, or from the same dialer, replaces a dead line', t => {
  const peers = new Peers<Line>(SMALL)
  t.is(take(peers, line(LARGE, true, 0)), 'up')
  t.is(take(peers, line(LARGE, false, limits.crossingMs + 1)), 'replace')
  t.is(take(peers, line(LARGE, false, limits.crossingMs + 2)), 'replace')
  t.is(peers.lines(LARGE).length, 1)
})

test('a bucket lets a burst pass and then holds its rate', t => {
  const bucket = new Bucket(
    { framesPerSecond: 10, framesBurst: 5, bytesPerSecond: 1_000, bytesBurst: 500 },
    0,
  )
  for (let i = 0; i < 5; i++) t.is(bucket.take(0, 1), 0)
  t.is(bucket.take(0, 1), 100)
  t.is(bucket.take(1_000, 1_000), 500)
})

test('a peer that floods on is named once in a window; one that bursts and rests is not', t => {
  const named: string[] = []
  let now = 0
  const guard = new Guard(
    (node, offence) => named.push(`${node} ${offence}`),
    () => now,
  )
  /** Sends without end for so long, and is read as the guard says. */
  const flood = (node: typeof SMALL, untilMs: number): void => {
    while (now < untilMs) now += guard.frame(node, 10)
  }
  flood(SMALL, 1_000)
  t.deepEqual(named, [])
  now += limits.throttledWindowMs
  flood(LARGE, now + limits.throttledReportMs * 2)
  t.deepEqual(named, ['b flood'])
})

test('large synchronisations are slowed down and never named', t => {
  const named: string[] = []
  const guard = new Guard(
    (_node, offence) => named.push(offence),
    () => 0,
  )
  let waitMs = 0
  for (let i = 0; i < 1_000; i++) waitMs = guard.bulk(SMALL, limits.bulkFrameBytesMax)
  t.true(waitMs > 0)
  t.deepEqual(named, [])
})

test('without a mesh key a node listens on loopback only', t => {
  t.throws(() => listenAddresses(['/ip4/0.0.0.0/tcp/4701'], false), { code: 'LISTEN_NEEDS_KEY' })
  t.deepEqual(listenAddresses(undefined, false), ['/ip4/127.0.0.1/tcp/4701'])
  t.deepEqual(listenAddresses(['/ip6/::1/tcp/1'], false), ['/ip6/::1/tcp/1'])
  t.deepEqual(listenAddresses(['/ip4/0.0.0.0/tcp/4701'], true), ['/ip4/0.0.0.0/tcp/4701'])
})

test('others are told no address that means themselves, unless there is no other', t => {
  const id = '12D3KooWGBPjD8XK4CJHoLM2L698C4DzAJhxZAJUt2DoPyZmUx2i'
  t.deepEqual(
    ownAddresses([`/ip4/127.0.0.1/tcp/1/p2p/${id}`, `/ip4/10.0.0.7/tcp/1/p2p/${id}`, '/ip6/fe80::1/tcp/1']),
    ['/ip4/10.0.0.7/tcp/1'],
  )
  t.deepEqual(ownAddresses([`/ip4/127.0.0.1/tcp/1/p2p/${id}`]), ['/ip4/127.0.0.1/tcp/1'])
})
