// The demo's folder under the system's own for what is temporary. It says who made it,
// so that the next demo can tell what was left behind from what is in use.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beganAt } from './processes.js'

export const FOLDER_PREFIX = 'shoal-demo-'
const OWNER = 'owner'
/** A folder without a word of its owner may be one that is being made. */
const YOUNG_MS = 60_000

export const makeFolder = (): string => {
  removeLeftovers()
  const folder = mkdtempSync(join(tmpdir(), FOLDER_PREFIX))
  writeFileSync(join(folder, OWNER), `${process.pid} ${beganAt(process.pid) ?? ''}\n`)
  return folder
}

/** What demos left that were killed together with their wardens. */
const removeLeftovers = (): void => {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(FOLDER_PREFIX)) continue
    const folder = join(tmpdir(), name)
    try {
      const { uid, mtimeMs } = statSync(folder)
      if (uid !== process.getuid?.() || isOwned(folder, mtimeMs)) continue
      rmSync(folder, { recursive: true, force: true })
    } catch {
      // Another demo removed it first, or it is not ours to touch.
    }
  }
}

const isOwned = (folder: string, mtimeMs: number): boolean => {
  try {
    const [pid, began] = readFileSync(join(folder, OWNER), 'utf8').trim().split(' ')
    return beganAt(Number(pid)) === (began ?? '')
  } catch {
    return Date.now() - mtimeMs < YOUNG_MS
  }
}
