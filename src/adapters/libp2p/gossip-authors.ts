// Who wrote a gossip message, and whether it did. As it comes, gossipsub parses the author's
// id and key for each message anew, has OpenSSL read the key from JSON, and derives the id's
// text from its bytes. Here that is done once for each author; each message's signature is
// verified by the same function, over the same bytes.
//
// Only what all nodes of a mesh are is judged here: an Ed25519 key that stands in the id, and
// is sent along. Anybody else is left to gossipsub, which refuses whose key is not its own.

import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { publicKeyFromProtobuf } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey, PeerId, PublicKey } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { join, toLatin1 } from './bytes.js'
import { GossipMessage, toSigned } from './gossip-message.js'

/** An identity multihash of 36 bytes: the protobuf of an Ed25519 key of 32 bytes. */
const ID_PREFIX = Buffer.from([0x00, 0x24, 0x08, 0x01, 0x12, 0x20])
const ID_BYTES = ID_PREFIX.length + 32
const PROTOBUF_AT = 2
const SIGNATURE_BYTES = 64
/** So many authors are remembered; of more, those known longest are parsed again. */
const AUTHORS_MAX = 1_024

export interface Author {
  readonly peer: PeerId
  readonly publicKey: PublicKey
  readonly key: KeyObject
}

export class Authors {
  readonly #known = new Map<string, Author>()

  /** Null where only gossipsub can tell. */
  of({ from, key }: GossipMessage): Author | null {
    if (from.length !== ID_BYTES || Buffer.compare(from.subarray(PROTOBUF_AT), key) !== 0) return null
    const id = toLatin1(from)
    const known = this.#known.get(id)
    if (known !== undefined) return known
    if (Buffer.compare(from.subarray(0, ID_PREFIX.length), ID_PREFIX) !== 0) return null
    const author = toAuthor(key)
    if (this.#known.size >= AUTHORS_MAX) this.#known.delete(this.#known.keys().next().value as string)
    this.#known.set(id, author)
    return author
  }
}

const toAuthor = (protobuf: Uint8Array): Author => {
  const publicKey = publicKeyFromProtobuf(protobuf.slice())
  const x = Buffer.from(publicKey.raw).toString('base64url')
  return {
    peer: peerIdFromPublicKey(publicKey),
    publicKey,
    key: createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
  }
}

export const isSignedBy = (message: GossipMessage, { key }: Author): boolean =>
  message.signature.length === SIGNATURE_BYTES && verify(null, message.signed(), key, message.signature)

/** What gossipsub calls a message: its author's key and its number. */
export const messageId = ({ key, seqno }: GossipMessage): Uint8Array => join(key, seqno)

/** Writes the messages of this node. */
export class OwnMessages {
  readonly #key: KeyObject
  readonly #from: Uint8Array
  readonly #protobuf: Uint8Array
  /** Grows from one life to the next as well, as receivers may demand: nanoseconds of the clock at first, as gossipsub's. */
  #number = BigInt(Date.now()) * 1_000_000n

  constructor(self: PeerId, privateKey: Ed25519PrivateKey) {
    const { raw, publicKey } = privateKey
    const d = Buffer.from(raw.subarray(0, 32)).toString('base64url')
    const x = Buffer.from(publicKey.raw).toString('base64url')
    this.#key = createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', d, x }, format: 'jwk' })
    this.#from = self.toMultihash().bytes
    this.#protobuf = this.#from.subarray(PROTOBUF_AT)
  }

  write(topic: string, data: Uint8Array): GossipMessage {
    const seqno = new Uint8Array(8)
    new DataView(seqno.buffer).setBigUint64(0, ++this.#number)
    const signed = toSigned(this.#from, data, seqno, topic)
    const unsigned = [this.#from, data, seqno, NOTHING, this.#protobuf] as const
    const signature = sign(null, new GossipMessage(unsigned, topic, signed).signed(), this.#key)
    return new GossipMessage([this.#from, data, seqno, signature, this.#protobuf], topic, signed)
  }
}

const NOTHING = new Uint8Array(0)
