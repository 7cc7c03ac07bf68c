// The token of a node's HTTP interface: a file that its owner alone can read, made at the
// first start. Whoever can read it may do everything that the interface offers.

import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ShoalError } from '../../core/errors.js'
import { checkMode, createFile, isMissing } from './key-file.js'
import { makeFolder } from './make-folder.js'

const FILE = 'api.token'
const TOKEN_BYTES = 32

export interface ApiToken {
  readonly token: string
  readonly warning: string | null
}

/** A token that lives as long as the process, for a node that keeps nothing. */
export const createApiToken = (): string => randomBytes(TOKEN_BYTES).toString('base64url')

/** Reads the token of this data folder, or makes one. */
export const loadApiToken = async (dataDir: string): Promise<ApiToken> => {
  const file = join(dataDir, FILE)
  const found = await read(file)
  if (found !== null) return found
  await makeFolder(dataDir)
  await createFile(file, `${createApiToken()}\n`)
  // Another process may have been quicker: what stands there now is what counts.
  const made = await read(file)
  if (made === null) throw new ShoalError('TOKEN_FILE', `${file} could not be made`)
  return made
}

const read = async (file: string): Promise<ApiToken | null> => {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
  const warning = await checkMode('the API token', file)
  const token = text.trim()
  if (!/^[A-Za-z0-9_-]{43,}$/.test(token)) {
    throw new ShoalError(
      'TOKEN_FILE',
      `${file} holds no token; it must be 43 or more of A-Z a-z 0-9 - _ (delete the file for a new one)`,
    )
  }
  return { token, warning }
}
