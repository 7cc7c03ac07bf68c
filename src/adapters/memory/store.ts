// The store of a node that keeps nothing: embedded in a test or a short-lived program.
// It commits with the delays of a disk, so that nobody can come to rely on a store that
// answers sooner; what it holds is gone with the process. It never models a crash: the
// simulator's store does.

import { ShoalError } from '../../core/errors.js'
import type { Millis } from '../../core/ids.js'
import type { StoreEntry } from '../../core/step.js'
import type { Clock, Store } from '../../ports.js'

export interface MemoryStoreOptions {
  readonly clock: Pick<Clock, 'now' | 'setTimer'>
  /** What the store holds. Given to a later store, it is found there. */
  readonly entries?: Map<string, Uint8Array>
  readonly groupCommitMs?: Millis
  readonly lazyCommitMs?: Millis
}

export const createMemoryStore = (options: MemoryStoreOptions): Store => {
  const { clock, entries = new Map(), groupCommitMs = 2, lazyCommitMs = 5_000 } = options
  let waiting: (() => void)[] = []
  let timer: { readonly at: Millis; readonly cancel: () => void } | null = null
  let commits = 0
  let bytesWritten = 0
  let isClosed = false

  const commit = (): void => {
    timer?.cancel()
    timer = null
    if (waiting.length === 0) return
    const done = waiting
    waiting = []
    commits += 1
    for (const resolve of done) resolve()
  }

  const commitBy = (at: Millis): void => {
    if (timer !== null && timer.at <= at) return
    timer?.cancel()
    timer = { at, cancel: clock.setTimer(at, commit) }
  }

  const refuseClosed = (what: string): void => {
    if (isClosed) throw new ShoalError('STORE_CLOSED', `the store was closed before this ${what}`)
  }

  return {
    async write(writes, flush) {
      refuseClosed('write')
      // Nothing is lost short of the process, so what waits for its commit is kept here already.
      for (const { key, value } of writes) {
        if (value === null) entries.delete(key)
        else entries.set(key, value.slice())
        bytesWritten += key.length + (value?.byteLength ?? 0)
      }
      commitBy(clock.now() + (flush ? groupCommitMs : lazyCommitMs))
      await new Promise<void>(resolve => waiting.push(resolve))
    },
    read(prefix) {
      refuseClosed('read')
      // Taken now, not when the first entry is asked for.
      const found = [...entries].filter(([key]) => key.startsWith(prefix)).sort(byKey)
      return oneByOne(found.map(([key, value]) => ({ key, value: value.slice() })))
    },
    async close() {
      isClosed = true
      commit()
    },
    stats: () => ({ commits, bytesWritten, pendingWrites: waiting.length }),
  }
}

/** By the bytes of their UTF-8, as a disk orders them. */
const byKey = ([a]: readonly [string, Uint8Array], [b]: readonly [string, Uint8Array]): number =>
  Buffer.compare(Buffer.from(a), Buffer.from(b))

async function* oneByOne(entries: readonly StoreEntry[]): AsyncGenerator<StoreEntry> {
  yield* entries
}
