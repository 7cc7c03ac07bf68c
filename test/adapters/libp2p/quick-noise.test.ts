// The handshake with OpenSSL's arithmetic against libp2p's own, at either end.

import '../../../src/polyfill.js'
import { type NoiseComponents, noise, pureJsCrypto } from '@chainsafe/libp2p-noise'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { streamPair } from '@libp2p/utils'
import test from 'ava'
import { quickNoise } from '../../../src/adapters/libp2p/quick-noise.js'
import { silentLogger } from '../../../src/adapters/libp2p/silent-logger.js'

type Make = (components: NoiseComponents) => ConnectionEncrypter

const end = async (make: Make) => {
  const privateKey = await generateKeyPair('Ed25519')
  const upgrader = { getStreamMuxers: () => new Map() }
  const encrypter = make({ privateKey, logger: silentLogger(), upgrader } as unknown as NoiseComponents)
  return { encrypter, id: peerIdFromPrivateKey(privateKey) }
}

const told = (stream: MessageStream): Promise<string> =>
  new Promise(resolve =>
    stream.addEventListener('message', event => resolve(Buffer.from(event.data.subarray()).toString()), {
      once: true,
    }),
  )

const plain: Make = noise()
for (const [title, dialing, called] of [
  ['with itself', quickNoise(), quickNoise()],
  ['with the plain one that dials', plain, quickNoise()],
  ['with the plain one that it dials', quickNoise(), plain],
] as const) {
  test(`it shakes hands ${title}, each end knows the other, and both can read`, async t => {
    const [outbound, inbound] = await streamPair()
    const [a, b] = [await end(dialing), await end(called)]
    const [seenByA, seenByB] = await Promise.all([
      a.encrypter.secureOutbound(outbound as never),
      b.encrypter.secureInbound(inbound as never),
    ])
    t.true(seenByA.remotePeer.equals(b.id))
    t.true(seenByB.remotePeer.equals(a.id))
    const [heardByA, heardByB] = [told(seenByA.connection), told(seenByB.connection)]
    seenByA.connection.send(Buffer.from('from a'))
    seenByB.connection.send(Buffer.from('from b'))
    t.deepEqual([await heardByA, await heardByB], ['from b', 'from a'])
  })
}

interface Insides {
  readonly crypto: {
    hkdf(key: Uint8Array, input: Uint8Array): readonly Uint8Array[]
    dh(own: object, theirs: Uint8Array): Uint8Array
    generateKeypair(): { readonly publicKey: Uint8Array; readonly privateKey: Uint8Array }
  }
}

test('its keys are derived as the plain one derives them', async t => {
  const { crypto } = (await end(quickNoise())).encrypter as unknown as Insides
  const [key, input] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
  t.deepEqual(
    crypto.hkdf(key, input).map(each => Buffer.from(each).toString('hex')),
    pureJsCrypto.getHKDF(key, input).map(each => Buffer.from(each).toString('hex')),
  )
  t.deepEqual(
    crypto.hkdf(key, new Uint8Array(0)).map(each => Buffer.from(each).toString('hex')),
    pureJsCrypto.getHKDF(key, new Uint8Array(0)).map(each => Buffer.from(each).toString('hex')),
  )
})

test('it has no private key to show, and shares a secret with nobody whose key is none', async t => {
  const { crypto } = (await end(quickNoise())).encrypter as unknown as Insides
  const own = crypto.generateKeypair()
  t.is(own.privateKey.byteLength, 0)
  t.is(own.publicKey.byteLength, 32)
  t.throws(() => crypto.dh(own, new Uint8Array(31).fill(9)))
  // Of low order: the secret would be zero, whatever the own key is.
  t.throws(() => crypto.dh(own, new Uint8Array(32)))
})
