// What of LevelDB's log cannot be read, and whether it can have been acknowledged. LevelDB passes
// over a record that is cut short, and over zeros, without a word: both are what a power cut leaves of
// a write under way, and a node that took them for damage would begin new lineages at every power cut.
//
// Only one write is ever under way: the next begins when the disk has said that it has the one
// before. So what is unreadable was acknowledged if a whole record stands behind it, or if it is
// whole itself but for its length, which leads past the end. Otherwise it was the last, and nobody
// was told that it is there.
//
// A disk that forgets what it has said leaves no more than a shorter log; nothing here can see that.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The format of LevelDB's log: blocks, and in them records of checksum, length and kind. */
const BLOCK_BYTES = 32_768
const HEADER_BYTES = 7
const LENGTH_AT = 4
const KIND_AT = 6
const FULL = 1
const FIRST = 2
const MIDDLE = 3
const LAST = 4

export interface LogEnd {
  /** Bytes that cannot be read. */
  readonly unreadBytes: number
  /** Whether what was acknowledged is among them. */
  readonly isDamage: boolean
}

/** The same of all logs in this directory. To be asked before LevelDB opens it. */
export const lookAtLogs = async (level: string): Promise<LogEnd> => {
  const names = await readdir(level).catch(() => [])
  let unreadBytes = 0
  let isDamage = false
  // The number of a log is part of its name: what follows in a later one was written later.
  for (const name of names.filter(each => each.endsWith('.log')).sort(byNumber)) {
    const log = await readFile(join(level, name))
    if (unreadBytes > 0 && log.length > 0) isDamage = true
    const end = lookAtLog(log)
    unreadBytes += end.unreadBytes
    isDamage ||= end.isDamage
  }
  return { unreadBytes, isDamage }
}

const byNumber = (a: string, b: string): number => Number.parseInt(a, 10) - Number.parseInt(b, 10)

export const lookAtLog = (log: Buffer): LogEnd => {
  let unreadBytes = 0
  let isDamage = false
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
    const length = wholeRecordAt(log, at, end)
    if (length === null) {
      isDamage ||= hidesRecord(log, at, end)
      unreadBytes += end - (begunAt ?? at)
      begunAt = null
      at = end
      continue
    }
    const kind = log[at + KIND_AT]
    // A record begins: what could not be read before it was not the last.
    if (unreadBytes > 0 && (kind === FULL || kind === FIRST)) isDamage = true
    if (kind === FIRST || kind === MIDDLE) begunAt ??= at
    else begunAt = null
    at += HEADER_BYTES + length
  }
  if (begunAt !== null) unreadBytes += log.length - begunAt
  return { unreadBytes, isDamage }
}

/** The length of the record there, or null when none is whole. */
const wholeRecordAt = (log: Buffer, at: number, end: number): number | null => {
  if (end - at < HEADER_BYTES) return null
  const length = log.readUInt16LE(at + LENGTH_AT)
  const kind = log[at + KIND_AT] as number
  if (kind < FULL || kind > LAST || at + HEADER_BYTES + length > end) return null
  const crc = checksum(log, at + KIND_AT, at + HEADER_BYTES + length)
  return crc === log.readUInt32LE(at) ? length : null
}

/** Whether a record is whole but for its length, or begins further on in its block. */
const hidesRecord = (log: Buffer, at: number, end: number): boolean => {
  for (let from = at + 1; from + HEADER_BYTES < end; from++) {
    const kind = log[from + KIND_AT]
    if ((kind === FULL || kind === FIRST) && wholeRecordAt(log, from, end) !== null) return true
  }
  if (end - at < HEADER_BYTES) return false
  const stored = log.readUInt32LE(at)
  let crc = NOTHING_READ
  for (let i = at + KIND_AT; i < end; i++) {
    crc = readByte(crc, log[i] as number)
    // An empty one would be found by chance once in four billion times, like all others.
    if (i > at + KIND_AT && masked(crc) === stored) return true
  }
  return false
}

// ── CRC-32C, as LevelDB stores it ──

const NOTHING_READ = 0xffffffff
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc
})

const readByte = (crc: number, byte: number): number => (TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8)

const masked = (read: number): number => {
  const crc = ~read
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

export const checksum = (bytes: Uint8Array, from: number, to: number): number => {
  let crc = NOTHING_READ
  for (let i = from; i < to; i++) crc = readByte(crc, bytes[i] as number)
  return masked(crc)
}
