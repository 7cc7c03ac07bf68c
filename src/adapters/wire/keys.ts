// A node's id is its Ed25519 key: a libp2p PeerId is base58 of six fixed bytes and
// the 32 of the key. On the wire go the 32; both directions are remembered, bounded,
// because the same few thousand ids come again and again.

import { createPublicKey, type KeyObject } from 'node:crypto'
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id'
import { ShoalError } from '../../core/errors.js'
import type { NodeId } from '../../core/ids.js'
import { Recent } from './recent.js'

const KEYS_MAX = 16_384
const KEY_OBJECTS_MAX = 4_096
/** What stands before the 32 bytes of an Ed25519 public key in DER (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

const idByKey = new Recent<string, NodeId>(KEYS_MAX)
const keyById = new Recent<NodeId, Uint8Array>(KEYS_MAX)
const keyObjects = new Recent<NodeId, KeyObject>(KEY_OBJECTS_MAX)

export const nodeIdOfKey = (key: Uint8Array): NodeId => {
  const text = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
  const known = idByKey.get(text)
  if (known !== undefined) return known
  const id = peerIdFromPublicKey(publicKeyFromRaw(key)).toString() as NodeId
  idByKey.set(text, id)
  return id
}

export const keyOfNodeId = (id: NodeId): Uint8Array => {
  const known = keyById.get(id)
  if (known !== undefined) return known
  let key: Uint8Array | undefined
  try {
    const peer = peerIdFromString(id)
    if (peer.type === 'Ed25519') key = peer.publicKey.raw
  } catch {
    // Told below, with the value.
  }
  if (key === undefined) {
    throw new ShoalError(
      'NODE_ID_INVALID',
      `${JSON.stringify(id)} is no node id; accepted are Ed25519 PeerIds, 12D3Koo…`,
    )
  }
  keyById.set(id, key)
  return key
}

/** The key as `node:crypto` wants it. */
export const publicKeyOf = (id: NodeId): KeyObject => {
  const known = keyObjects.get(id)
  if (known !== undefined) return known
  const der = Buffer.concat([SPKI_PREFIX, keyOfNodeId(id)])
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
  keyObjects.set(id, key)
  return key
}
