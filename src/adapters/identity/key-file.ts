// How a secret is kept in a file: made whole or not at all, never over another
// file, for its owner only; refused when others may change it, and remarked on
// when they may read it.

import { randomBytes } from 'node:crypto'
import { type FileHandle, link, open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ShoalError } from '../../core/errors.js'

const PRIVATE = 0o600
const OTHERS_WRITE = 0o002
const OTHERS_READ = 0o004

/**
 * Creates a file with this content, mode 0600. Says false if there is one already,
 * which is left as it is. A crash leaves the whole file or none: the content is
 * durable under another name before the name that counts is linked to it.
 */
export const createFile = async (file: string, content: string): Promise<boolean> => {
  const draft = `${file}.${randomBytes(6).toString('hex')}.tmp`
  await writeWhole(draft, content)
  try {
    await link(draft, file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    // FAT, as on some SD cards, has no links: there a crash in this very moment leaves a torn file, which is refused by name.
    if (code === undefined || !NO_LINKS.has(code)) throw error
    if (!(await writeWhole(file, content))) return false
  } finally {
    await rm(draft, { force: true })
  }
  const directory = await open(dirname(file), 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
  return true
}

const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/** Writes a new file through to the disk; says false if there is one already. */
const writeWhole = async (file: string, content: string): Promise<boolean> => {
  let handle: FileHandle
  try {
    handle = await open(file, 'wx', PRIVATE)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
  try {
    await handle.writeFile(content)
    await handle.chmod(PRIVATE)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return true
}

/** Refuses a key file that others may write; returns a warning if others may read it. */
export const checkMode = async (what: string, file: string): Promise<string | null> => {
  const { mode } = await stat(file)
  const octal = (mode & 0o777).toString(8).padStart(3, '0')
  if ((mode & OTHERS_WRITE) !== 0) {
    throw new ShoalError(
      'KEY_FILE_WRITABLE',
      `${file} has mode ${octal}, so that everybody can change ${what}; make it 600 (chmod 600 ${file})`,
    )
  }
  if ((mode & OTHERS_READ) === 0) return null
  return `${file} has mode ${octal}, so that everybody can read ${what}; make it 600 (chmod 600 ${file})`
}

export const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'
