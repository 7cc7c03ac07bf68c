// The store on a disk: LevelDB underneath, one ordered log of batches on top.
//
// LevelDB keeps a checksummed log that it replays when it opens, and drops a torn
// record whole, which is what "all or nothing" needs. It is used in one way only:
// every commit is flushed, and a batch stays in memory until its commit was. After
// a failed append LevelDB goes on behind the half-written record as if it were whole
// (measured: one refused write, room again, 232 flushed writes acknowledged, a kill,
// and all 232 were gone). So after any failure it is closed and opened again, which
// replays the log and begins a new one, before another batch is written.
//
// Nothing is ever dropped to make room, and nothing is repaired without a word.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { ShoalError } from '../../core/errors.js'
import type { Millis } from '../../core/ids.js'
import type { StoreEntry, StoreWrite } from '../../core/step.js'
import type { Clock, Log, Store } from '../../ports.js'
import { type CommitLimits, CommitQueue, type CommitTarget, type StoreTrouble } from './commit-queue.js'
import {
  explainFailure,
  inspectDirectory,
  isDamage,
  lacksPointer,
  levelDirectory,
  newestIn,
  prepareDirectory,
} from './directory.js'
import { lookAtLogs } from './log-tail.js'

export interface DiskStoreOptions extends Partial<CommitLimits> {
  readonly clock: Pick<Clock, 'now' | 'setTimer'>
  readonly log?: Log
  /** Told when the disk stops taking writes, when it breaks for good, and with null when all is well again. */
  readonly onTrouble?: (trouble: StoreTrouble | null) => void
  /** LevelDB's memory table; a log of at most this size is replayed at start. */
  readonly writeBufferBytes?: number
}

export interface DiskStore extends Store {
  /** What is wrong with the disk now, or null. */
  trouble(): StoreTrouble | null
  /** Bytes of the log that could not be read when it was opened, and may have been acknowledged: what they held is lost here. */
  readonly lostBytes: number
  /**
   * Whether what was acknowledged may be missing: there is damage before the end of the log, or all was
   * rebuilt. A record that is not whole at its very end was acknowledged to nobody (log-tail.ts).
   */
  readonly mayLack: boolean
  /** The latest that a clock has shown at a write to it before it was opened; 0 for a new store. */
  readonly lastWrittenMs: Millis
}

export const STORE_LIMITS: CommitLimits & { readonly writeBufferBytes: number } = {
  // Shorter than a person or a neighbor notices, longer than a burst of steps takes.
  groupCommitMs: 2,
  // What others told us can be fetched from them again, so five seconds of it may be lost.
  lazyCommitMs: 5_000,
  commitBytesMax: 1 << 20,
  pendingBytesMax: 32 << 20,
  retryMs: 250,
  retryMaxMs: 5_000,
  // Long enough for a log rotation or a person to make room; a node that cannot
  // write for longer holds promises that it cannot keep.
  giveUpAfterMs: 300_000,
  writeBufferBytes: 1 << 20,
}

type Level = ClassicLevel<string, Uint8Array>

/** Opens the store in a directory, making it when there is none, and recovers what a crash left. */
export const openDiskStore = async (directory: string, options: DiskStoreOptions): Promise<DiskStore> => {
  await inspectDirectory(directory)
  await prepareDirectory(directory)
  const { clock, log, onTrouble, writeBufferBytes = STORE_LIMITS.writeBufferBytes, ...given } = options
  const lastWrittenMs = await newestIn(levelDirectory(directory))
  const end = await lookAtLogs(levelDirectory(directory))
  let isRebuilt = false
  const open = (): Promise<Level> =>
    openLevel(directory, writeBufferBytes, log, () => {
      isRebuilt = true
    })
  let level = await open()
  const lostBytes = await bytesDropped(levelDirectory(directory))
  // LevelDB reports what it lost elsewhere too; what is at the very end was looked at.
  const mayLack = end.isDamage || isRebuilt || (lostBytes > 0 && end.unreadBytes === 0)
  if (mayLack && lostBytes + end.unreadBytes > 0) {
    log?.error('the log of the store was damaged; what could not be read is lost here', {
      directory,
      bytes: Math.max(lostBytes, end.unreadBytes),
    })
  } else if (end.unreadBytes > 0) {
    log?.warn('the log of the store ends in what is no whole record, as a kill or a power cut leaves it', {
      directory,
      bytes: end.unreadBytes,
    })
  }

  const target: CommitTarget = {
    commit: writes => level.batch(writes.map(toOperation), { sync: true }),
    async recover() {
      // A failed attempt to open leaves the old, closed handle in place; closing it again does nothing.
      await level.close()
      level = await open()
    },
    explain: error => explainFailure(directory, error),
  }
  const report = (trouble: StoreTrouble | null): void => {
    if (trouble === null) log?.info('the store writes again')
    else log?.error(trouble.message, { code: trouble.code, broken: trouble.broken })
    onTrouble?.(trouble)
  }
  const queue = new CommitQueue(target, clock, { ...STORE_LIMITS, ...definedOnly(given) }, report)
  let closed: Promise<void> | null = null

  return {
    write: (writes, flush) => queue.write(writes, flush),
    read(prefix) {
      if (closed !== null) throw new ShoalError('STORE_CLOSED', 'the store was closed before this read')
      // Both views are taken now, in one turn, so that together they hold every earlier write once.
      const waiting = queue.waiting(prefix)
      const explain = (error: unknown): ShoalError => explainFailure(directory, error)
      try {
        return overlay(prefix, level.iterator({ gte: prefix }), waiting, explain)
      } catch (error) {
        // Between a failed write and the next attempt the database is closed.
        throw explain(error)
      }
    },
    close() {
      closed ??= queue.close().then(() => level.close())
      return closed
    },
    stats: () => queue.stats(),
    trouble: () => queue.trouble,
    lostBytes: mayLack ? Math.max(lostBytes, end.unreadBytes) : 0,
    mayLack,
    lastWrittenMs,
  }
}

const openLevel = async (
  directory: string,
  writeBufferSize: number,
  log: Log | undefined,
  onRebuilt: () => void,
): Promise<Level> => {
  const location = levelDirectory(directory)
  const attempt = async (): Promise<Level> => {
    const level: Level = new ClassicLevel(location, {
      keyEncoding: 'utf8',
      valueEncoding: 'view',
      writeBufferSize,
      cacheSize: 1 << 20,
      maxOpenFiles: 64,
    })
    await level.open()
    return level
  }
  try {
    // Without its pointer LevelDB would begin anew and delete what it finds.
    if (await lacksPointer(location)) throw new Error('Corruption: CURRENT is missing')
    return await attempt()
  } catch (error) {
    if (!isDamage(error)) throw explainFailure(directory, error)
    log?.warn('the store was damaged and is rebuilt from its logs and tables', {
      directory,
      error: String(error instanceof Error ? (error.cause ?? error) : error),
    })
  }
  try {
    await ClassicLevel.repair(location)
    onRebuilt()
    return await attempt()
  } catch (error) {
    if (!isDamage(error)) throw explainFailure(directory, error)
    throw new ShoalError('STORE_DAMAGED', `the store in ${directory} is damaged beyond repair`, {
      cause: error,
    })
  }
}

/**
 * LevelDB leaves out what has a wrong checksum and goes on; it says so in its own notes alone, which it
 * begins anew whenever it opens. A record that a crash cut short at the end is none of these.
 */
const bytesDropped = async (location: string): Promise<number> => {
  const notes = await readFile(join(location, 'LOG'), 'utf8').catch(() => '')
  return [...notes.matchAll(/dropping (\d+) bytes; Corruption/g)].reduce((sum, [, n]) => sum + Number(n), 0)
}

const toOperation = ({ key, value }: StoreWrite) =>
  value === null ? ({ type: 'del', key } as const) : ({ type: 'put', key, value } as const)

/** Merges what is committed with what waits, by the bytes of the keys; what waits is newer. */
async function* overlay(
  prefix: string,
  committed: AsyncIterable<[string, Uint8Array]>,
  waiting: ReadonlyMap<string, Uint8Array | null>,
  explain: (error: unknown) => ShoalError,
): AsyncGenerator<StoreEntry> {
  const fresh = [...waiting].sort(([a], [b]) => compareBytes(a, b))
  let next = 0
  try {
    for await (const [key, value] of committed) {
      if (!key.startsWith(prefix)) break
      for (; next < fresh.length; next++) {
        const [freshKey, freshValue] = fresh[next] as (typeof fresh)[number]
        if (compareBytes(freshKey, key) >= 0) break
        if (freshValue !== null) yield { key: freshKey, value: freshValue }
      }
      if (!waiting.has(key)) yield { key, value: plain(value) }
    }
  } catch (error) {
    throw explain(error)
  }
  for (const [key, value] of fresh.slice(next)) if (value !== null) yield { key, value }
}

const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** LevelDB hands out Buffers; the port promises plain arrays of bytes. */
const plain = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const definedOnly = (limits: Partial<CommitLimits>): Partial<CommitLimits> =>
  Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined))
