// What of LevelDB's log stands at an end of it and is passed over without a word. LevelDB takes
// a record that is cut short, or zeros, for the last moment of a crash, and is right most of the
// time. But a damaged length looks the same, and hides every record behind it that was flushed and
// acknowledged. Which of the two it was nobody can tell, so this only says how many bytes there are.
//
// Records that end whole and have a wrong checksum are LevelDB's business: it reports those.
// A log that lost its end between two records looks like a shorter one; nothing here can see that.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The format of LevelDB's log: blocks, and in them records of checksum, length and kind. */
const BLOCK_BYTES = 32_768
const HEADER_BYTES = 7
const LENGTH_AT = 4
const KIND_AT = 6
const FIRST = 2
const MIDDLE = 3

/** Bytes of all logs in this directory that LevelDB will pass over in silence. To be asked before it opens. */
export const bytesPassedOver = async (level: string): Promise<number> => {
  const names = await readdir(level).catch(() => [])
  let bytes = 0
  for (const name of names.filter(each => each.endsWith('.log')))
    bytes += bytesWithoutRecord(await readFile(join(level, name)))
  return bytes
}

export const bytesWithoutRecord = (log: Buffer): number => {
  let lost = 0
  /** Where a record of several pieces began, while its last piece is awaited. */
  let begunAt: number | null = null
  let at = 0
  while (at < log.length) {
    const blockEnd = at - (at % BLOCK_BYTES) + BLOCK_BYTES
    const end = Math.min(blockEnd, log.length)
    if (blockEnd - at < HEADER_BYTES) {
      // The filling of a block.
      at = blockEnd
      continue
    }
    const isLast = end < blockEnd
    const length = end - at < HEADER_BYTES ? null : log.readUInt16LE(at + LENGTH_AT)
    const kind = length === null ? null : log[at + KIND_AT]
    if (length === null || (length === 0 && kind === 0) || at + HEADER_BYTES + length > end) {
      // In a block that is whole LevelDB reports a length that leads out of it.
      if (isLast || (length === 0 && kind === 0)) lost += end - (begunAt ?? at)
      begunAt = null
      at = end
      continue
    }
    if (kind === FIRST || kind === MIDDLE) begunAt ??= at
    else begunAt = null
    at += HEADER_BYTES + length
  }
  return begunAt === null ? lost : lost + log.length - begunAt
}
