// Who this node is: an Ed25519 key in its data directory. It is made once, written
// whole or not at all, readable by its owner alone, and never written over, because
// whoever lost it is a stranger to the mesh and whoever copies it is a clone.

import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { ShoalError } from '../../core/errors.js'
import { type NodeId, nodeId } from '../../core/ids.js'
import { checkMode, createFile, isMissing } from './key-file.js'
import { makeFolder } from './make-folder.js'

export interface Identity {
  readonly id: NodeId
  /** The 32 bytes that the key is made of. Never logged, never sent. */
  readonly seed: Uint8Array
  /** What a careful owner should know of the file, or null. */
  readonly warning: string | null
}

const FILE = 'identity.key'

/** Reads the identity in this directory, or makes one there. */
export const loadIdentity = async (dataDir: string): Promise<Identity> => {
  try {
    return await readOrMake(dataDir)
  } catch (error) {
    if (error instanceof ShoalError) throw error
    const { code, message } = error as NodeJS.ErrnoException
    throw new ShoalError(
      'DATA_DIR_UNUSABLE',
      `the data directory is ${dataDir} and cannot be used (${code ?? message}); it must be a directory, there already or to be made, in which this user may read and write`,
      { cause: error },
    )
  }
}

const readOrMake = async (dataDir: string): Promise<Identity> => {
  const file = join(dataDir, FILE)
  try {
    return await readIdentity(file)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  await makeFolder(dataDir)
  const { privateKey } = generateKeyPairSync('ed25519')
  // If another process made one meanwhile, that one counts.
  await createFile(file, privateKey.export({ format: 'pem', type: 'pkcs8' }).toString())
  return readIdentity(file)
}

/** An identity that lives as long as its process, for a node without a data directory. */
export const createIdentity = (): Identity => {
  const { privateKey } = generateKeyPairSync('ed25519')
  return fromPem(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), null)
}

const readIdentity = async (file: string): Promise<Identity> => {
  const pem = await readFile(file, 'utf8')
  const warning = await checkMode('the identity', file)
  try {
    return fromPem(pem, warning)
  } catch (error) {
    throw new ShoalError(
      'IDENTITY_INVALID',
      `${file} is no Ed25519 key in PEM (PKCS #8); restore it from a backup, or move it away to become a new node`,
      { cause: error },
    )
  }
}

const fromPem = (pem: string, warning: string | null): Identity => {
  const { kty, crv, d, x } = createPrivateKey(pem).export({ format: 'jwk' })
  if (kty !== 'OKP' || crv !== 'Ed25519' || d === undefined || x === undefined)
    throw new Error('not an Ed25519 key')
  const seed = Buffer.from(d, 'base64url')
  const peer = peerIdFromPrivateKey(privateKeyFromRaw(Buffer.concat([seed, Buffer.from(x, 'base64url')])))
  return { id: nodeId(peer.toString()), seed: Uint8Array.from(seed), warning }
}
