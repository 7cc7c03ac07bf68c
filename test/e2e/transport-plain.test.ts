// A real transport and a node of plain libp2p parts, which is what a node of an older
// version is: it has its peers identify themselves before it gossips, and agrees on each
// stream as libp2p does.

import '../../src/polyfill.js'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { gossipsub, StrictSign } from '@chainsafe/libp2p-gossipsub'
import { RPC } from '@chainsafe/libp2p-gossipsub/message'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Stream } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import test, { type ExecutionContext } from 'ava'
import * as lp from 'it-length-prefixed'
import { createLibp2p } from 'libp2p'
import { createIdentity, type Identity } from '../../src/adapters/identity/identity.js'
import { Ends } from '../../src/adapters/libp2p/ends.js'
import { LINK_PROTOCOL } from '../../src/adapters/libp2p/links.js'
import { protector } from '../../src/adapters/libp2p/protector.js'
import { createLibp2pTransport } from '../../src/adapters/libp2p/transport.js'
import { type NodeId, nodeId } from '../../src/core/ids.js'
import { isMessage, isUp, type Seen, Witness } from '../contracts/transport.js'

const meshKey = randomBytes(32)
const TOPIC = 'a-topic'
const IDENTIFY_PROTOCOL = '/ipfs/id/1.0.0'

const startOurs = async (t: ExecutionContext, { seed } = createIdentity()): Promise<Witness> => {
  const witness = new Witness(
    await createLibp2pTransport({ seed, meshKey, listen: ['/ip4/127.0.0.1/tcp/0'] }),
  )
  await witness.transport.start(witness.listener)
  witness.transport.subscribe(TOPIC)
  t.teardown(() => witness.transport.stop())
  return witness
}

/** Of the streams that the other end opens nothing is answered. */
const muteYamux: typeof yamux = () => () => {
  const factory = yamux()()
  const createStreamMuxer: typeof factory.createStreamMuxer = socket => {
    const muxer = factory.createStreamMuxer(socket)
    const listen = muxer.addEventListener.bind(muxer)
    muxer.addEventListener = (type: string, ...rest: unknown[]) => {
      if (type !== 'stream') Reflect.apply(listen, muxer, [type, ...rest])
    }
    return muxer
  }
  return { protocol: factory.protocol, createStreamMuxer }
}

const startPlain = async (t: ExecutionContext, identifies: boolean, muxer = yamux) => {
  const host = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionProtector: protector(meshKey, { bytesSent: 0, bytesReceived: 0, refusedKeys: 0 }, new Ends()),
    connectionEncrypters: [noise()],
    streamMuxers: [muxer()],
    connectionMonitor: { enabled: false },
    services: {
      identify: identify({ runOnConnectionOpen: identifies }),
      gossip: gossipsub({ globalSignaturePolicy: StrictSign, allowPublishToZeroTopicPeers: true }),
    },
  })
  await host.handle(LINK_PROTOCOL, () => {})
  let asked = 0
  if (!identifies) await host.unhandle(IDENTIFY_PROTOCOL)
  if (!identifies) await host.handle(IDENTIFY_PROTOCOL, () => void asked++)
  const gossiped = new Promise<string>(resolve =>
    host.services.gossip.addEventListener('gossipsub:message', event =>
      resolve(Buffer.from(event.detail.msg.data).toString()),
    ),
  )
  host.services.gossip.subscribe(TOPIC)
  t.teardown(() => host.stop())
  return { host, gossiped, asked: () => asked, id: nodeId(host.peerId.toString()) }
}

/** Of two the one with the smaller id begins to gossip. */
const whoBeginsWith = (...others: readonly { readonly id: NodeId }[]): Identity => {
  while (true) {
    const identity = createIdentity()
    if (others.every(({ id }) => identity.id < id)) return identity
  }
}

type Plain = Awaited<ReturnType<typeof startPlain>>

const dialPlain = async (ours: Witness, { host, id }: Plain): Promise<void> => {
  const [address] = host.getMultiaddrs()
  ours.transport.dial(id, [String(address).replace(/\/p2p\/.*/, '')])
  await ours.see(isUp(id))
}

const isGossip = (seen: Seen): boolean => seen.what === 'gossip'

/** Each says something by gossip until the other has heard it: neither is told when gossip is ready. */
const gossipBothWays = async (ours: Witness, { host, gossiped }: Plain): Promise<string> => {
  const talking = setInterval(() => {
    ours.transport.publish(TOPIC, Buffer.from(`ours ${Math.random()}`))
    void host.services.gossip.publish(TOPIC, Buffer.from(`plain ${Math.random()}`))
  }, 50)
  try {
    await ours.see(isGossip)
    return await gossiped
  } finally {
    clearInterval(talking)
  }
}

test.serial('who is dialled by a plain node links, answers what it identifies, and gossips', async t => {
  t.timeout(20_000)
  const ours = await startOurs(t)
  const plain = await startPlain(t, true)
  const identified = new Promise<readonly string[]>(resolve =>
    plain.host.addEventListener('peer:identify', event => resolve(event.detail.protocols)),
  )
  const connection = await plain.host.dial(multiaddr(ours.addresses[0] as string))
  const stream = await connection.newStream(LINK_PROTOCOL)
  await ours.see(isUp(plain.id))
  stream.send(lp.encode.single(Buffer.from('hello')))
  await ours.see(isMessage('hello'))
  t.true((await identified).includes('/meshsub/1.2.0'))
  t.regex(await gossipBothWays(ours, plain), /^ours /)
})

test.serial('who dials a plain node links with it and gossips', async t => {
  t.timeout(20_000)
  const plain = await startPlain(t, true)
  const ours = await startOurs(t)
  await dialPlain(ours, plain)
  t.regex(await gossipBothWays(ours, plain), /^ours /)
})

test.serial('who begins to gossip has nobody identify himself first', async t => {
  t.timeout(20_000)
  const plain = await startPlain(t, false)
  const ours = await startOurs(t, whoBeginsWith(plain))
  await dialPlain(ours, plain)
  t.regex(await gossipBothWays(ours, plain), /^ours /)
  t.is(plain.asked(), 0)
})

test.serial('who begins to gossip with somebody who never answers lets nobody else wait for it', async t => {
  t.timeout(20_000)
  const [mute, plain] = [await startPlain(t, false, muteYamux), await startPlain(t, false)]
  const ours = await startOurs(t, whoBeginsWith(mute, plain))
  const connection = await mute.host.dial(multiaddr(ours.addresses[0] as string))
  await connection.newStream(LINK_PROTOCOL)
  await ours.see(isUp(mute.id))
  const begun = (): Stream | undefined => connection.streams.find(({ direction }) => direction === 'inbound')
  while (begun() === undefined) await turn()
  const begins = begun() as Stream
  await dialPlain(ours, plain)
  t.regex(await gossipBothWays(ours, plain), /^ours /)
  t.is(begins.status, 'open', 'the one that is mute was waited for')
})

test.serial(
  'what a plain node says goes on through ours to another plain one, signed by its author',
  async t => {
    t.timeout(20_000)
    const ours = await startOurs(t)
    const [speaker, hearer] = [await startPlain(t, true), await startPlain(t, true)]
    for (const { host } of [speaker, hearer]) {
      const connection = await host.dial(multiaddr(ours.addresses[0] as string))
      await connection.newStream(LINK_PROTOCOL)
    }
    let heard = ''
    void hearer.gossiped.then(text => {
      heard = text
    })
    while (heard === '') {
      void speaker.host.services.gossip.publish(TOPIC, Buffer.from('from afar'))
      await sleep(50)
    }
    t.is(heard, 'from afar')
  },
)

/** Says what it likes over gossip's stream. */
const speakRaw = async (t: ExecutionContext, ours: Witness) => {
  const { host } = await startPlain(t, false)
  const connection = await host.dial(multiaddr(ours.addresses[0] as string))
  await connection.newStream(LINK_PROTOCOL)
  const stream = await connection.newStream('/meshsub/1.2.0')
  const say = (message: RPC.Message): void => {
    stream.send(lp.encode.single(RPC.encode({ subscriptions: [], messages: [message] })))
  }
  return { stream, say }
}

const author = async () => {
  const key = await generateKeyPair('Ed25519')
  const from = peerIdFromPrivateKey(key).toMultihash().bytes
  let number = 0
  const sign = async (text: string, change: Partial<RPC.Message> = {}): Promise<RPC.Message> => {
    const seqno = Buffer.alloc(8)
    seqno.writeUInt32BE(++number)
    const unsigned = { from, data: Buffer.from(text), seqno, topic: TOPIC, ...change }
    const signed = Buffer.concat([Buffer.from('libp2p-pubsub:'), RPC.Message.encode(unsigned)])
    return { ...unsigned, signature: await key.sign(signed), key: from.slice(2) }
  }
  return { from, sign }
}

test.serial('what its author did not sign is heard by nobody, and what it did is heard once', async t => {
  t.timeout(20_000)
  const ours = await startOurs(t)
  const { say } = await speakRaw(t, ours)
  const [one, other] = [await author(), await author()]
  const good = await one.sign('good')
  const { key: _, ...keyless } = await one.sign('keyless')
  for (const message of [
    good,
    good,
    { ...(await one.sign('x')), data: Buffer.from('forged') },
    { ...(await one.sign('borrowed')), from: other.from },
    { ...(await one.sign('renamed')), from: other.from, key: other.from.slice(2) },
    { ...(await one.sign('blank')), signature: Buffer.alloc(64) },
    { ...(await one.sign('short')), signature: Buffer.alloc(3) },
    await one.sign('too long a number', { seqno: Buffer.alloc(9) }),
    await one.sign('of no interest', { topic: 'b-topic' }),
    good,
    keyless,
    await other.sign('last'),
  ])
    say(message)
  // Whose key is not sent along takes gossipsub's own way, which is longer.
  await ours.see(seen => seen.what === 'gossip' && seen.text === 'last')
  await ours.see(seen => seen.what === 'gossip' && seen.text === 'keyless')
  const heard = ours.seen.flatMap(seen => (seen.what === 'gossip' ? seen.text : []))
  t.deepEqual(heard.toSorted(), ['good', 'keyless', 'last'])
})

test.serial('gossip in pieces, and several messages at once, are all heard', async t => {
  t.timeout(20_000)
  const ours = await startOurs(t)
  const { stream } = await speakRaw(t, ours)
  const one = await author()
  const messages = await Promise.all(['a', 'b', 'c'].map(text => one.sign(text)))
  const bytes = Buffer.concat([
    lp.encode.single(RPC.encode({ subscriptions: [], messages })).subarray(),
    lp.encode.single(RPC.encode({ subscriptions: [], messages: [await one.sign('d')] })).subarray(),
  ])
  for (let at = 0; at < bytes.length; at += 100) {
    stream.send(bytes.subarray(at, at + 100))
    await turn()
  }
  await ours.see(seen => seen.what === 'gossip' && seen.text === 'd')
  t.is(ours.count(isGossip), 4)
})
