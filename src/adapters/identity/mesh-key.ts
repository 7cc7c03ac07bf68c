// The secret that makes a mesh: a libp2p pre-shared key in a file of three lines.
// The meshId names a mesh without telling its key: the first 16 hex digits of the
// SHA-256 of "shoal-mesh\n" and the 32 bytes of the key (the bytes, not their hex).

import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { ShoalError } from '../../core/errors.js'
import { checkMode, createFile, isMissing } from './key-file.js'

export interface MeshKey {
  /** 32 bytes. Never logged, never sent. */
  readonly key: Uint8Array
  readonly meshId: string
  /** What a careful owner should know of the file, or null. */
  readonly warning: string | null
}

const HEADER = '/key/swarm/psk/1.0.0/'
const ENCODING = '/base16/'
const KEY = /^[0-9a-f]{64}$/i
const FILE_BYTES_MAX = 4_096

export const meshIdOf = (key: Uint8Array): string =>
  createHash('sha256').update('shoal-mesh\n').update(key).digest('hex').slice(0, 16)

/** A new mesh key as the text of its file. */
export const newMeshKey = (): string => `${HEADER}\n${ENCODING}\n${randomBytes(32).toString('hex')}\n`

/** Writes a new mesh key, mode 0600, never over another file. */
export const createMeshKey = async (file: string): Promise<MeshKey> => {
  const text = newMeshKey()
  if (!(await createFile(file, text))) {
    throw new ShoalError(
      'KEY_EXISTS',
      `${file} exists already; a mesh key is never written over another file`,
    )
  }
  return parseMeshKey(text, file, null)
}

export const readMeshKey = async (file: string): Promise<MeshKey> => {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    // Over a file that is there and cannot be read no new key should be made.
    const why = isMissing(error)
      ? `does not exist; "shoal key ${file}" makes a new one`
      : `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'it is no file'}); it must be a file that this user may read`
    throw new ShoalError('KEY_FILE_MISSING', `the mesh key file ${file} ${why}`, { cause: error })
  }
  return parseMeshKey(text, file, await checkMode('the mesh key', file))
}

const parseMeshKey = (text: string, file: string, warning: string | null): MeshKey => {
  const [header, encoding, hex, ...rest] = text.slice(0, FILE_BYTES_MAX).split(/\r?\n/)
  const isWhole =
    header === HEADER && encoding === ENCODING && KEY.test(hex ?? '') && rest.join('').trim() === ''
  if (!isWhole) {
    throw new ShoalError(
      'KEY_FILE_INVALID',
      `${file} is no mesh key; accepted is ${HEADER}, then ${ENCODING}, then 64 hex digits, each on a line`,
    )
  }
  const key = Uint8Array.from(Buffer.from(hex as string, 'hex'))
  return { key, meshId: meshIdOf(key), warning }
}
