// The noise handshake, with its arithmetic done by OpenSSL alone. As it comes, each of its
// Diffie-Hellman steps writes the private key out and has OpenSSL read it again, ten times
// as dear as the step itself, and the keys are derived in JavaScript, which a process that
// shakes hands now and then runs cold. What goes over the wire, and what is checked, is the same.

import { createHmac, createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { type NoiseComponents, noise } from '@chainsafe/libp2p-noise'
import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface'
import { quickenNoise } from './quick-layers.js'

interface KeyPair {
  readonly publicKey: Uint8Array
  /** Only stands for the key, which never leaves OpenSSL: see `keys`. */
  readonly privateKey: Uint8Array
}

/** What noise calculates with, beside its interface. The ciphers and the hash stay as they are. */
interface Arithmetic {
  generateKeypair(): KeyPair
  dh(own: KeyPair, theirs: { subarray(): Uint8Array }): Uint8Array
  hkdf(chainingKey: Uint8Array, input: Uint8Array): readonly [Uint8Array, Uint8Array, Uint8Array]
}

interface Insides {
  crypto: Arithmetic
  staticKey: KeyPair
}

const keys = new WeakMap<Uint8Array, KeyObject>()

const generateKeypair = (): KeyPair => {
  const { publicKey, privateKey } = generateKeyPairSync('x25519')
  const standIn = new Uint8Array(0)
  keys.set(standIn, privateKey)
  return {
    publicKey: Buffer.from(publicKey.export({ format: 'jwk' }).x as string, 'base64url'),
    privateKey: standIn,
  }
}

const dh = (own: KeyPair, theirs: { subarray(): Uint8Array }): Uint8Array => {
  const x = toBase64url(theirs.subarray())
  return diffieHellman({
    privateKey: keys.get(own.privateKey) as KeyObject,
    // Of a key that is not 32 bytes long OpenSSL makes none.
    publicKey: createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' }),
  })
}

/** HKDF of the noise specification, section 4.3: three outputs, the first two of which are ever used. */
const hkdf = (chainingKey: Uint8Array, input: Uint8Array): readonly [Uint8Array, Uint8Array, Uint8Array] => {
  const key = hmac(chainingKey, input)
  const first = hmac(key, Uint8Array.of(1))
  const second = hmac(key, first, Uint8Array.of(2))
  return [first, second, hmac(key, second, Uint8Array.of(3))]
}

const hmac = (key: Uint8Array, ...data: readonly Uint8Array[]): Uint8Array => {
  const hmac = createHmac('sha256', key)
  for (const each of data) hmac.update(each)
  return hmac.digest()
}

const toBase64url = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')

/** From here on each message takes the short way, too. */
const quickened = <Secured extends { readonly connection: MessageStream }>(secured: Secured): Secured => {
  quickenNoise(secured.connection)
  return secured
}

export const quickNoise = (): ((components: NoiseComponents) => ConnectionEncrypter) => components => {
  const encrypter = noise()(components)
  const insides = encrypter as unknown as Insides
  insides.crypto = { ...insides.crypto, generateKeypair, dh, hkdf }
  insides.staticKey = generateKeypair()
  const { secureInbound, secureOutbound } = encrypter
  encrypter.secureInbound = async (...asked) => quickened(await secureInbound.apply(encrypter, asked))
  encrypter.secureOutbound = async (...asked) => quickened(await secureOutbound.apply(encrypter, asked))
  return encrypter
}
