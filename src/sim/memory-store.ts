// The simulator's disk behind the `Store` port, with the delays of the real store on
// whatever clock it is given. The contract suite runs on it, so that what is promised
// of a disk is promised of the simulated one; it also serves anybody who needs a store
// and no disk. What a crash takes is the disk's affair (`SimDisk.crash`).

import { ShoalError } from '../core/errors.js'
import type { Millis } from '../core/ids.js'
import type { StoreEntry, StoreWrite } from '../core/step.js'
import type { Clock, Store } from '../ports.js'
import type { SimDisk } from './disk.js'

export interface MemoryStoreDelays {
  readonly groupCommitMs: Millis
  readonly lazyCommitMs: Millis
}

export const createMemoryStore = (
  disk: SimDisk,
  clock: Pick<Clock, 'now' | 'setTimer'>,
  delays: MemoryStoreDelays = { groupCommitMs: 2, lazyCommitMs: 5_000 },
): Store => {
  const waiting = new Map<number, () => void>()
  let token = 0
  let bytesWritten = 0
  let timer: { readonly at: Millis; readonly cancel: () => void } | null = null
  let isClosed = false

  const commit = (): void => {
    timer?.cancel()
    timer = null
    if (disk.pendingBatches === 0) return
    for (const durable of disk.commit()) {
      waiting.get(durable)?.()
      waiting.delete(durable)
    }
  }
  const commitBy = (at: Millis): void => {
    if (timer !== null && timer.at <= at) return
    timer?.cancel()
    timer = { at, cancel: clock.setTimer(at, commit) }
  }
  return {
    async write(writes, flush) {
      if (isClosed) throw new ShoalError('STORE_CLOSED', 'the store was closed before this write')
      const own = ++token
      disk.apply(writes, flush, own)
      bytesWritten += sizeOf(writes)
      commitBy(clock.now() + (flush ? delays.groupCommitMs : delays.lazyCommitMs))
      await new Promise<void>(resolve => waiting.set(own, resolve))
    },
    read(prefix) {
      if (isClosed) throw new ShoalError('STORE_CLOSED', 'the store was closed before this read')
      return oneByOne(disk.entries(prefix))
    },
    async close() {
      isClosed = true
      commit()
    },
    stats: () => ({ commits: disk.commits, bytesWritten, pendingWrites: disk.pendingBatches }),
  }
}

async function* oneByOne(entries: readonly StoreEntry[]): AsyncGenerator<StoreEntry> {
  yield* entries
}

const sizeOf = (writes: readonly StoreWrite[]): number =>
  writes.reduce((sum, { key, value }) => sum + key.length + (value?.byteLength ?? 0), 0)
