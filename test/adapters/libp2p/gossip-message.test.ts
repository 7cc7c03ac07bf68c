// Messages as they stand on the wire, against gossipsub's own reader and writer.

import { RPC } from '@chainsafe/libp2p-gossipsub/message'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import test from 'ava'
import fc from 'fast-check'
import { toFrame } from '../../../src/adapters/libp2p/frames.js'
import { Authors, isSignedBy, messageId, OwnMessages } from '../../../src/adapters/libp2p/gossip-authors.js'
import { type GossipMessage, readMessages } from '../../../src/adapters/libp2p/gossip-message.js'

const bytes = (most: number) => fc.uint8Array({ minLength: 0, maxLength: most })
const message = fc.record({
  from: bytes(50),
  data: fc.oneof(bytes(300), bytes(20_000)),
  seqno: fc.uint8Array({ minLength: 8, maxLength: 8 }),
  topic: fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 200 }),
  signature: bytes(80),
  key: bytes(200),
})

const fields = ({ from, data, seqno, topic, signature, key }: RPC.Message | GossipMessage) => ({
  from: Buffer.from(from ?? []),
  data: Buffer.from(data ?? []),
  seqno: Buffer.from(seqno ?? []),
  topic,
  signature: Buffer.from(signature ?? []),
  key: Buffer.from(key ?? []),
})

test('what gossipsub writes is read as it was meant, and written as gossipsub writes it', t => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 4 }), messages => {
      const rpc = RPC.encode({ subscriptions: [], messages })
      const read = readMessages(rpc, 4) as GossipMessage[]
      t.deepEqual(read.map(fields), messages.map(fields))
      for (const [i, each] of read.entries()) {
        const meant = messages[i] as RPC.Message
        const alone = RPC.encode({ subscriptions: [], messages: [meant] })
        t.deepEqual(Buffer.from(each.frame()), Buffer.from(toFrame(alone)))
        const { from, data, seqno, topic } = fields(meant)
        const signed = Buffer.from(RPC.Message.encode({ from, data, seqno, topic }))
        t.deepEqual(Buffer.from(each.signed()), Buffer.concat([Buffer.from('libp2p-pubsub:'), signed]))
      }
    }),
  )
  t.pass()
})

test('bytes that mean anything else, or could be read in two ways, are left to gossipsub', t => {
  let left = 0
  let wasRead = 0
  const change = fc.record({ at: fc.nat(), remove: fc.nat(2), insert: bytes(2) })
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 2 }),
      change,
      (messages, { at, remove, insert }) => {
        const rpc = Buffer.from(RPC.encode({ subscriptions: [], messages }))
        const where = at % rpc.length
        const changed = Buffer.concat([rpc.subarray(0, where), insert, rpc.subarray(where + remove)])
        const read = readMessages(changed, 10)
        if (read === null) {
          left++
          return
        }
        wasRead++
        const meant = RPC.decode(changed)
        t.deepEqual(read.map(fields), meant.messages.map(fields))
        t.deepEqual(Buffer.from(RPC.encode(meant)), changed)
      },
    ),
    { numRuns: 2_000 },
  )
  t.true(left > 100)
  t.true(wasRead > 100)
})

test('other fields, another order, a topic beyond ASCII and more messages than allowed are left to gossipsub', t => {
  const plain = {
    from: Buffer.from('someone'),
    data: Buffer.from('something'),
    seqno: Buffer.alloc(8),
    topic: 'a-topic',
    signature: Buffer.alloc(64),
    key: Buffer.alloc(36),
  }
  const rpc = { subscriptions: [], messages: [plain] }
  t.is(readMessages(RPC.encode(rpc), 1)?.length, 1)
  t.is(readMessages(RPC.encode({ ...rpc, messages: [plain, plain] }), 1), null)
  t.is(readMessages(RPC.encode({ ...rpc, subscriptions: [{ subscribe: true, topic: 'b' }] }), 9), null)
  const control = { ihave: [], iwant: [], graft: [{ topicID: 'b' }], prune: [], idontwant: [] }
  t.is(readMessages(RPC.encode({ ...rpc, control }), 9), null)
  t.is(readMessages(RPC.encode({ ...rpc, messages: [{ ...plain, topic: 'caf\u00e9' }] }), 9), null)
  t.is(readMessages(RPC.encode({ ...rpc, messages: [{ ...plain, topic: '' }] }), 9), null)
  t.is(readMessages(RPC.encode({ ...rpc, messages: [{ ...plain, seqno: Buffer.alloc(7) }] }), 9), null)
  const { key: _, ...keyless } = plain
  t.is(readMessages(RPC.encode({ ...rpc, messages: [keyless] }), 9), null)
})

const author = async () => {
  const key = await generateKeyPair('Ed25519')
  const peer = peerIdFromPrivateKey(key)
  return { key, peer, own: new OwnMessages(peer, key) }
}

const reread = (message: GossipMessage, change: Partial<RPC.Message> = {}): GossipMessage => {
  const rpc = RPC.encode({ subscriptions: [], messages: [{ ...fields(message), ...change }] })
  return readMessages(rpc, 1)?.[0] as GossipMessage
}

test('what a node writes is signed by it, for gossipsub as for itself', async t => {
  const { key, peer, own } = await author()
  const authors = new Authors()
  const message = reread(own.write('a-topic', Buffer.from('something')))
  const found = authors.of(message)
  if (found === null) return t.fail()
  t.true(found.peer.equals(peer))
  t.true(isSignedBy(message, found))
  t.true(await key.publicKey.verify(message.signed(), message.signature))
  t.is(authors.of(reread(own.write('a-topic', Buffer.from('more')))), found)
  const other = await author()
  for (const change of [
    { data: Buffer.from('Something') },
    { topic: 'b-topic' },
    { seqno: Buffer.alloc(8) },
    { signature: Buffer.alloc(64) },
    { signature: message.signature.subarray(1) },
    { signature: other.own.write('a-topic', Buffer.from('something')).signature },
  ]) {
    t.false(isSignedBy(reread(message, change), found))
  }
})

test('whose key is not the one in its id, or is of another kind, is left to gossipsub', async t => {
  const [{ own }, other] = [await author(), await author()]
  const authors = new Authors()
  const message = own.write('a-topic', Buffer.from('something'))
  const theirs = other.own.write('a-topic', Buffer.from('something'))
  t.is(authors.of(reread(message, { from: theirs.from })), null)
  t.is(authors.of(reread(message, { key: theirs.key })), null)
  const secp256k1 = await generateKeyPair('secp256k1')
  const from = peerIdFromPrivateKey(secp256k1).toMultihash().bytes
  t.is(authors.of(reread(message, { from, key: from.subarray(2) })), null)
})

test('each message of a node has a name of its own, and a higher number than those before', async t => {
  const { own } = await author()
  const [first, second] = [own.write('a', Buffer.from('x')), own.write('a', Buffer.from('x'))]
  t.true(Buffer.compare(first.seqno, second.seqno) < 0)
  t.deepEqual(Buffer.from(messageId(first)), Buffer.concat([first.key, first.seqno]))
})
