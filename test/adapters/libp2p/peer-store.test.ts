// What libp2p is told where it asks its peer store.

import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerStore } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import test from 'ava'
import { answerFromMemory } from '../../../src/adapters/libp2p/peer-store.js'

const someone = async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519'))

test('every peer speaks what this node speaks, and nothing is kept of it', async t => {
  const [self, other] = [await someone(), await someone()]
  const store = {} as PeerStore
  answerFromMemory(store, self)
  await store.merge(self, { protocols: ['/a/1'] })
  await store.merge(self, { protocols: ['/b/1', '/a/1'] })
  await store.merge(other, { protocols: ['/c/1'] })
  t.deepEqual((await store.get(other)).protocols, ['/a/1', '/b/1'])
  t.true((await store.get(other)).id.equals(other))
  await store.patch(other, { protocols: [] })
  await store.patch(self, { protocols: ['/b/1'], metadata: {} })
  t.deepEqual((await store.get(self)).protocols, ['/b/1'])
  t.deepEqual(await store.all(), [])
})
