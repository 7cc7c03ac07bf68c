// What runs over a link beside its own stream is moved when connections end. With connections of
// no substance: which of two ends first is decided here, and not by sockets.

import '../../../src/polyfill.js'
import type { Connection, Stream } from '@libp2p/interface'
import test from 'ava'
import { Ends } from '../../../src/adapters/libp2p/ends.js'
import { Guard } from '../../../src/adapters/libp2p/guard.js'
import { Links } from '../../../src/adapters/libp2p/links.js'
import type { NodeId } from '../../../src/core/ids.js'
import type { TransportListener } from '../../../src/ports.js'

const SMALLER = 'a' as NodeId
const LARGER = 'b' as NodeId

const fakeStream = (): Stream =>
  Object.assign(new EventTarget(), { status: 'open', abort: () => {} }) as unknown as Stream

class FakeConnection extends EventTarget {
  readonly timeline = {}
  readonly streams = []
  readonly remoteAddr = '/ip4/127.0.0.1/tcp/1'
  readonly remotePeer: NodeId
  status = 'open'

  constructor(remotePeer: NodeId) {
    super()
    this.remotePeer = remotePeer
  }

  async newStream(): Promise<Stream> {
    return fakeStream()
  }

  abort(): void {
    this.status = 'closed'
    this.dispatchEvent(new Event('close'))
  }

  get asConnection(): Connection {
    return this as unknown as Connection
  }
}

/** A node that has been dialled by its neighbor, which it dialled at the same time. */
const crossing = async (self: NodeId, node: NodeId) => {
  const chosen: Connection[] = []
  const told: string[] = []
  const links = new Links({
    self,
    guard: new Guard(
      () => {},
      () => 0,
    ),
    listener: {
      onLinkUp: () => told.push('up'),
      onLinkDown: () => told.push('down'),
    } as unknown as TransportListener,
    ends: new Ends(),
    now: () => 0,
    onChosen: connection => chosen.push(connection),
  })
  const [ours, theirs] = [new FakeConnection(node), new FakeConnection(node)]
  const dialled = links.dialled(ours.asConnection, node, '/ip4/127.0.0.1/tcp/2')
  links.accepted(fakeStream(), theirs.asConnection)
  await dialled
  return { chosen, told, ours, theirs }
}

test('of two that dial each other, who keeps its own connection moves gossip there when the other one has ended', async t => {
  const { chosen, told, ours, theirs } = await crossing(SMALLER, LARGER)
  // Over theirs gossip has begun, for it was there first.
  t.deepEqual(chosen, [theirs.asConnection, ours.asConnection])
  theirs.abort()
  t.deepEqual(chosen.slice(2), [ours.asConnection])
  t.deepEqual(told, ['up'])
})

test('of two that dial each other, who keeps the connection of the other moves gossip there when its own has ended', async t => {
  const { chosen, told, ours, theirs } = await crossing(LARGER, SMALLER)
  ours.abort()
  t.deepEqual(chosen, [theirs.asConnection])
  t.deepEqual(told, ['up'])
})
