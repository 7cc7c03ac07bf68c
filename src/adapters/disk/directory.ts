// Decides whether a directory may be opened as a store, before anything in it is
// touched: LevelDB renames its log file and may write before it finds out that it
// must not. Every refusal is one sentence with a stable code.
//
// A store is `FORMAT` (one line that names the version) and `level/` (LevelDB's own
// files). The version stands outside of LevelDB because opening LevelDB already
// changes what is there. This file never deletes anything.

import { constants } from 'node:fs'
import { access, chmod, mkdir, open, readdir, readFile, rename, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ShoalError } from '../../core/errors.js'
import type { Millis } from '../../core/ids.js'

/** The version that this code writes, and the newest that it reads. */
export const STORE_FORMAT = 1

const FORMAT_FILE = 'FORMAT'
const FORMAT_LINE = /^shoal-store (\d{1,9})\n$/
/** Room that recovery needs beside a copy of the log: a table and a manifest. */
const SPARE_BYTES = 1 << 20

export const levelDirectory = (directory: string): string => join(directory, 'level')

/** Throws the one sentence that says why this directory cannot be opened; changes nothing. */
export const inspectDirectory = async (directory: string): Promise<void> => {
  try {
    const names = await listing(directory)
    await checkFormat(directory, names)
    await checkWritable(directory)
    await checkLock(directory)
    await checkRoom(directory)
  } catch (error) {
    throw explainFailure(directory, error)
  }
}

/** Makes the directory a store of this format, if it is not one yet. */
export const prepareDirectory = async (directory: string): Promise<void> => {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    // What nodes share may be secret, whoever made the directory.
    if (((await stat(directory)).mode & 0o077) !== 0) await chmod(directory, 0o700)
    const names = await listing(directory)
    if (!names.includes(FORMAT_FILE)) await writeFormat(directory)
    await mkdir(levelDirectory(directory), { recursive: true, mode: 0o700 })
  } catch (error) {
    throw explainFailure(directory, error)
  }
}

/** Puts a failure of the file system or of LevelDB into one sentence. */
export const explainFailure = (directory: string, error: unknown): ShoalError => {
  if (error instanceof ShoalError) return error
  const text = messagesOf(error)
  const options = { cause: error }
  if (/LEVEL_LOCKED/.test(text)) return lockedError(directory, null)
  if (/ENOSPC|EDQUOT|EFBIG|No space left|quota exceeded|File too large/i.test(text))
    return new ShoalError('STORE_FULL', `there is no room on the disk for the store in ${directory}`, options)
  if (/EROFS|EACCES|EPERM|Read-only file system|Permission denied|Operation not permitted/i.test(text))
    return new ShoalError('STORE_READ_ONLY', `the store in ${directory} cannot be written to`, options)
  if (/ENOTDIR|EEXIST|Not a directory/i.test(text))
    return new ShoalError('STORE_PATH', `${directory} is not a directory; the store needs one`, options)
  return new ShoalError('STORE_FAILED', `the store in ${directory} failed: ${lastMessageOf(error)}`, options)
}

/** Whether what LevelDB says means that its files contradict each other. */
export const isDamage = (error: unknown): boolean => /LEVEL_CORRUPTION|Corruption/.test(messagesOf(error))

/** Whether LevelDB would take a directory that has data for an empty one: its pointer is gone. */
export const lacksPointer = async (level: string): Promise<boolean> => {
  const names = await listing(level)
  if (names.includes('CURRENT')) return false
  if (names.some(name => name.endsWith('.ldb') || name.endsWith('.sst'))) return true
  for (const name of names.filter(name => name.endsWith('.log')))
    if ((await stat(join(level, name))).size > 0) return true
  return false
}

/** When any file of it was written last, as the clock was then. */
export const newestIn = async (level: string): Promise<Millis> => {
  const times = await Promise.all(
    (await listing(level)).map(async name => (await stat(join(level, name))).mtimeMs),
  )
  return Math.floor(times.reduce((newest, time) => Math.max(newest, time), 0))
}

const listing = async (directory: string): Promise<string[]> => {
  try {
    return await readdir(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

const checkFormat = async (directory: string, names: readonly string[]): Promise<void> => {
  if (!names.includes(FORMAT_FILE)) {
    const foreign = names.find(name => name !== 'lost+found' && name !== `${FORMAT_FILE}.new`)
    if (foreign === undefined) return
    throw new ShoalError(
      'STORE_FOREIGN',
      `${directory} holds ${foreign} and no ${FORMAT_FILE}, so it is not a store of Shoal; give an empty directory`,
    )
  }
  const line = await readFile(join(directory, FORMAT_FILE), 'utf8')
  const version = Number(FORMAT_LINE.exec(line)?.[1] ?? Number.NaN)
  if (Number.isNaN(version))
    throw new ShoalError(
      'STORE_FOREIGN',
      `${join(directory, FORMAT_FILE)} does not read "shoal-store ${STORE_FORMAT}", so this is not a store of Shoal`,
    )
  if (version > STORE_FORMAT)
    throw new ShoalError(
      'STORE_NEWER',
      `the store in ${directory} has format ${version}; this version of Shoal reads formats up to ${STORE_FORMAT}`,
    )
}

const checkWritable = async (directory: string): Promise<void> => {
  for (const path of [levelDirectory(directory), directory]) {
    if (await exists(path)) await access(path, constants.R_OK | constants.W_OK | constants.X_OK)
  }
  if (!(await exists(directory))) await access(await existingAncestor(directory), constants.W_OK)
}

/**
 * LevelDB's own lock is the one that counts; it is taken when the database opens. This looks
 * first, where the system tells, so that a refusal leaves even LevelDB's log file alone. The lock
 * file must never be opened here: closing it would release the lock of this very process.
 */
const checkLock = async (directory: string): Promise<void> => {
  let file: string
  let table: string
  try {
    const { dev, ino } = await stat(join(levelDirectory(directory), 'LOCK'), { bigint: true })
    file = `${deviceText(dev)}:${ino}`
    table = await readFile('/proc/locks', 'utf8')
  } catch {
    return
  }
  for (const line of table.split('\n')) {
    const fields = line.trim().split(/\s+/)
    if (fields[5] === file) throw lockedError(directory, Number(fields[4]))
  }
}

/** A device as the kernel's lock table writes it: major and minor number in hexadecimal. */
const deviceText = (dev: bigint): string => {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn)
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xfff00n)
  return [major, minor].map(part => part.toString(16).padStart(2, '0')).join(':')
}

const checkRoom = async (directory: string): Promise<void> => {
  let needed = SPARE_BYTES
  const level = levelDirectory(directory)
  for (const name of (await listing(level)).filter(name => name.endsWith('.log')))
    needed += (await stat(join(level, name))).size
  const disk = await statfs(await existingAncestor(directory))
  const blocks = process.getuid?.() === 0 ? disk.bfree : disk.bavail
  const free = blocks * disk.bsize
  if (free < needed || (disk.files > 0 && disk.ffree === 0))
    throw new ShoalError(
      'STORE_FULL',
      `there is no room on the disk for the store in ${directory}: ${free} bytes are free and ${needed} are needed`,
    )
}

const writeFormat = async (directory: string): Promise<void> => {
  const path = join(directory, FORMAT_FILE)
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.writeFile(`shoal-store ${STORE_FORMAT}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
  const parent = await open(directory, constants.O_RDONLY)
  try {
    await parent.sync()
  } finally {
    await parent.close()
  }
}

const lockedError = (directory: string, pid: number | null): ShoalError =>
  new ShoalError(
    'STORE_LOCKED',
    `the store in ${directory} is in use by ${pid === null || pid < 1 ? 'another process' : `process ${pid}`}; ` +
      'stop it or give another directory',
  )

const exists = async (path: string): Promise<boolean> => {
  try {
    await stat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

const existingAncestor = async (path: string): Promise<string> => {
  const parent = dirname(path)
  return parent === path || (await exists(path)) ? path : existingAncestor(parent)
}

/** The codes and messages of an error and of its causes, in one text. */
const messagesOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const own = `${(error as NodeJS.ErrnoException).code ?? ''} ${error.message}`
  return error.cause === undefined ? own : `${own} ${messagesOf(error.cause)}`
}

const lastMessageOf = (error: unknown): string =>
  error instanceof Error
    ? error.cause === undefined
      ? error.message
      : lastMessageOf(error.cause)
    : String(error)
