// Peers that hold the mesh key and break the rules, and strangers that do not hold
// it, against a real transport over loopback.

import '../../src/polyfill.js'
import { randomBytes } from 'node:crypto'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import test, { type ExecutionContext } from 'ava'
import * as lp from 'it-length-prefixed'
import { createLibp2p } from 'libp2p'
import { createIdentity } from '../../src/adapters/identity/identity.js'
import { Ends } from '../../src/adapters/libp2p/ends.js'
import { LINK_PROTOCOL } from '../../src/adapters/libp2p/links.js'
import { protector } from '../../src/adapters/libp2p/protector.js'
import { createLibp2pTransport } from '../../src/adapters/libp2p/transport.js'
import { DIRECT_PROTOCOL } from '../../src/adapters/libp2p/visits.js'
import { nodeId } from '../../src/core/ids.js'
import { isDown, isFailure, isMessage, isUp, link, type Seen, Witness } from '../contracts/transport.js'

const meshKey = randomBytes(32)

const start = async (t: ExecutionContext, key: Uint8Array | null = meshKey): Promise<Witness> => {
  const witness = new Witness(
    await createLibp2pTransport({
      seed: createIdentity().seed,
      meshKey: key,
      listen: ['/ip4/127.0.0.1/tcp/0'],
    }),
  )
  await witness.transport.start(witness.listener)
  t.teardown(() => witness.transport.stop())
  return witness
}

/** A libp2p node of plain parts: it speaks the protocols and keeps none of the manners. */
const startRogue = async (t: ExecutionContext) => {
  const host = await createLibp2p({
    transports: [tcp()],
    connectionProtector: protector(meshKey, { bytesSent: 0, bytesReceived: 0, refusedKeys: 0 }, new Ends()),
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
  })
  t.teardown(() => host.stop())
  return host
}

/** A victim, and a rogue that has a link to it: `stream`, over `connection`. */
const startLinked = async (t: ExecutionContext) => {
  const victim = await start(t)
  const rogue = await startRogue(t)
  const id = nodeId(rogue.peerId.toString())
  const connection = await rogue.dial(multiaddr(victim.addresses[0] as string))
  const stream = await connection.newStream(LINK_PROTOCOL)
  await victim.see(isUp(id))
  return { victim, rogue, id, connection, stream }
}

/** A server of no protocol at all; where it listens. */
const serve = async (t: ExecutionContext, onSocket: (socket: Socket) => void): Promise<string> => {
  const server = createServer(onSocket)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const isNamed = (seen: Seen): seen is Extract<Seen, { what: 'misbehaved' }> => seen.what === 'misbehaved'

test.serial('a frame that is too large cuts its sender off and names it', async t => {
  t.timeout(20_000)
  const { victim, id, stream } = await startLinked(t)
  stream.send(lp.encode.single(Buffer.from('fine')))
  await victim.see(isMessage('fine'))
  stream.send(Buffer.from([0xff, 0xff, 0xff, 0x7f]))
  t.is((await victim.see(isNamed)).offence, 'link-frame-invalid')
  await victim.see(isDown(id))
})

test.serial('a flood is read slowly, then named, and its neighbors are served meanwhile', async t => {
  t.timeout(40_000)
  const { victim, rogue, id, stream } = await startLinked(t)
  const friend = await start(t)
  await link(friend, victim)
  const frame = lp.encode.single(Buffer.alloc(20)).subarray()
  const many = Buffer.concat(Array.from({ length: 1_000 }, () => frame))
  const flooding = flood(stream, many)
  const named = victim.see(isNamed)
  friend.transport.send(victim.id, 'link', Buffer.from('still there?'))
  await victim.see(isMessage('still there?'))
  t.is((await named).offence, 'flood')
  t.is((await named).node, id)
  victim.transport.ban(id, 60_000)
  await flooding
  await t.throwsAsync(rogue.dialProtocol(multiaddr(victim.addresses[0] as string), LINK_PROTOCOL))
  friend.transport.send(victim.id, 'link', Buffer.from('and now?'))
  await victim.see(isMessage('and now?'))
})

test.serial(
  'a second link over one connection counts for nothing, and the first ends with its socket',
  async t => {
    t.timeout(20_000)
    const { victim, id, connection, stream: first } = await startLinked(t)
    const second = await connection.newStream(LINK_PROTOCOL)
    if (second.status === 'open') await new Promise(resolve => second.addEventListener('close', resolve))
    first.send(lp.encode.single(Buffer.from('over the first')))
    await victim.see(isMessage('over the first'))
    await connection.close()
    await victim.see(isDown(id))
    t.deepEqual(
      victim.seen.map(({ what }) => what),
      ['up', 'message', 'down'],
    )
  },
)

test.serial('who ends its half of a socket and reads no more keeps nothing of it', async t => {
  t.timeout(20_000)
  const { victim, id, connection, stream } = await startLinked(t)
  stream.send(lp.encode.single(Buffer.from('hello')))
  await victim.see(isMessage('hello'))
  const { socket } = (connection as unknown as { maConn: { socket: Socket } }).maConn
  // It lets the victim send without end.
  const { muxer } = connection as unknown as { muxer: { sendFrame(header: object): void } }
  muxer.sendFrame({ type: 1, flag: 0, streamID: Number(stream.id), length: 2 ** 28 })
  stream.send(lp.encode.single(Buffer.from('go on')))
  await victim.see(isMessage('go on'))
  t.teardown(() => socket.destroy())
  const both = openSockets()
  socket.pause()
  socket.allowHalfOpen = true
  // Until even the kernel takes no more: the rest waits for the other end to read.
  const { dropped } = victim.transport.traffic()
  while (victim.transport.traffic().dropped === dropped) {
    await new Promise(resolve => setImmediate(resolve))
    victim.transport.send(id, 'link', Buffer.alloc(60_000))
  }
  socket.end()
  await victim.see(isDown(id))
  while (openSockets() >= both) await new Promise(resolve => setTimeout(resolve, 20))
  t.pass()
})

test.serial('a direct message that is too large names its sender', async t => {
  t.timeout(20_000)
  const victim = await start(t)
  const rogue = await startRogue(t)
  const stream = await rogue.dialProtocol(multiaddr(victim.addresses[0] as string), DIRECT_PROTOCOL)
  stream.send(Buffer.from([0xff, 0xff, 0xff, 0x7f]))
  t.is((await victim.see(isNamed)).offence, 'frame-invalid')
})

test.serial('who holds another mesh key, or none, is refused, counted and told why', async t => {
  t.timeout(20_000)
  const [insider, outsider, keyless] = [await start(t), await start(t, randomBytes(32)), await start(t, null)]
  for (const each of [outsider, keyless]) {
    each.transport.dial(null, insider.addresses)
    t.is((await each.see(isFailure)).reason, 'key')
  }
  insider.transport.dial(outsider.id, outsider.addresses)
  t.is((await insider.see(isFailure)).reason, 'key')
  t.is(insider.transport.traffic().refusedKeys, 3)
  t.is(
    insider.count(seen => seen.what === 'up'),
    0,
  )
})

test.serial(
  'a stranger that connects and says nothing is let go, and a door that closes is not a refusal',
  async t => {
    t.timeout(20_000)
    const victim = await start(t)
    const socket = connect(Number((victim.addresses[0] as string).split('/').pop()), '127.0.0.1')
    await new Promise(resolve =>
      socket
        .once('close', resolve)
        .on('error', () => {})
        .resume(),
    )
    t.is(victim.transport.traffic().refusedKeys, 1)

    victim.transport.dial(null, [await serve(t, each => each.destroy())])
    t.is((await victim.see(isFailure)).reason, 'failed')
  },
)

test.serial('a listener that accepts and is silent is a timeout', async t => {
  t.timeout(20_000)
  const victim = await start(t)
  victim.transport.dial(null, [await serve(t, each => each.on('error', () => {}).resume())])
  t.is((await victim.see(isFailure)).reason, 'timeout')
})

const openSockets = (): number =>
  process.getActiveResourcesInfo().filter(each => each === 'TCPSocketWrap').length

const flood = async (stream: Stream, bytes: Uint8Array): Promise<void> => {
  try {
    while (stream.status === 'open') {
      if (!stream.send(bytes)) await stream.onDrain({ signal: AbortSignal.timeout(10_000) })
      await new Promise(resolve => setImmediate(resolve))
    }
  } catch {
    // It was cut off, which is what the test waits for.
  }
}
