// The store of a simulated node: the same log of batches as on a disk, in memory,
// with a line between what was committed and what a crash may take.
//
// Two faces. The plain one is for the simulator: `apply` and `commit` return at once
// and the simulator decides, in virtual time, when a commit ends. `storeOver` puts the
// `Store` port on it, with the delays of the real one, for the contract suite and for
// anybody who needs a store and no disk. Neither ever reads a clock of its own.

import { ShoalError } from '../core/errors.js'
import type { Millis } from '../core/ids.js'
import type { Rng } from '../core/rng.js'
import type { StoreEntry, StoreWrite } from '../core/step.js'
import type { Clock, Store } from '../ports.js'

interface AppliedBatch {
  readonly number: number
  readonly flush: boolean
  readonly bytes: number
  /** What stood at the batch's keys before it, in the order of its writes. */
  readonly before: readonly (readonly [string, Uint8Array | undefined])[]
}

export class MemoryStore {
  readonly #entries = new Map<string, Uint8Array>()
  readonly #uncommitted: AppliedBatch[] = []
  #batchNumber = 0
  #commits = 0
  #bytesWritten = 0

  /** The number of the newest batch; batches count from 1. */
  get lastApplied(): number {
    return this.#batchNumber
  }

  /** The number of the newest batch that a crash leaves alone. */
  get lastCommitted(): number {
    return this.#batchNumber - this.#uncommitted.length
  }

  /** Whether a batch that asked for a flush waits for its commit. */
  get wantsFlush(): boolean {
    return this.#uncommitted.some(batch => batch.flush)
  }

  get commits(): number {
    return this.#commits
  }

  get bytesWritten(): number {
    return this.#bytesWritten
  }

  /** Applies a batch, readable at once and lost by a crash until it is committed; returns its number. */
  apply(writes: readonly StoreWrite[], flush: boolean): number {
    let bytes = 0
    const before = writes.map(({ key, value }) => {
      const held = this.#entries.get(key)
      bytes += key.length + (value?.byteLength ?? 0)
      if (value === null) this.#entries.delete(key)
      else this.#entries.set(key, value)
      return [key, held] as const
    })
    this.#uncommitted.push({ number: ++this.#batchNumber, flush, bytes, before })
    return this.#batchNumber
  }

  /** Makes every batch up to this number durable (all of them unless told); returns the newest that is. */
  commit(upTo: number = this.#batchNumber): number {
    const count = Math.min(Math.max(upTo - this.lastCommitted, 0), this.#uncommitted.length)
    if (count === 0) return this.lastCommitted
    for (const batch of this.#uncommitted.splice(0, count)) this.#bytesWritten += batch.bytes
    this.#commits++
    return this.lastCommitted
  }

  /** Power fails: some suffix of the uncommitted batches is gone, whole batches only. Returns how many. */
  crash(rng: Rng): number {
    const lost = rng.below(this.#uncommitted.length + 1)
    for (let i = 0; i < lost; i++) {
      const batch = this.#uncommitted.pop() as AppliedBatch
      for (const [key, held] of batch.before.toReversed()) {
        if (held === undefined) this.#entries.delete(key)
        else this.#entries.set(key, held)
      }
    }
    // What the next life finds on its disk stays there.
    this.#batchNumber -= lost
    this.#uncommitted.length = 0
    return lost
  }

  /** Every entry whose key begins with the prefix, in the order of the keys' UTF-8 bytes. */
  entries(prefix: string): StoreEntry[] {
    const found: StoreEntry[] = []
    for (const [key, value] of this.#entries) if (key.startsWith(prefix)) found.push({ key, value })
    return found.sort((a, b) => compareKeys(a.key, b.key))
  }
}

export interface MemoryStoreDelays {
  readonly groupCommitMs: Millis
  readonly lazyCommitMs: Millis
}

/** The `Store` port over a memory store; commits happen on the clock's time. */
export const storeOver = (
  memory: MemoryStore,
  clock: Pick<Clock, 'now' | 'setTimer'>,
  delays: MemoryStoreDelays = { groupCommitMs: 2, lazyCommitMs: 5_000 },
): Store => {
  const waiting: { readonly number: number; readonly resolve: () => void }[] = []
  let timer: { readonly at: Millis; readonly cancel: () => void } | null = null
  let isClosed = false

  const commit = (): void => {
    timer?.cancel()
    timer = null
    const durable = memory.commit()
    while ((waiting[0]?.number ?? Number.POSITIVE_INFINITY) <= durable) waiting.shift()?.resolve()
  }
  return {
    async write(writes, flush) {
      if (isClosed) throw new ShoalError('STORE_CLOSED', 'the store was closed before this write')
      const number = memory.apply(writes, flush)
      const at = clock.now() + (flush ? delays.groupCommitMs : delays.lazyCommitMs)
      if (timer === null || at < timer.at) {
        timer?.cancel()
        timer = { at, cancel: clock.setTimer(at, commit) }
      }
      await new Promise<void>(resolve => waiting.push({ number, resolve }))
    },
    read(prefix) {
      if (isClosed) throw new ShoalError('STORE_CLOSED', 'the store was closed before this read')
      return oneByOne(memory.entries(prefix))
    },
    async close() {
      isClosed = true
      commit()
    },
    stats: () => ({
      commits: memory.commits,
      bytesWritten: memory.bytesWritten,
      pendingWrites: memory.lastApplied - memory.lastCommitted,
    }),
  }
}

async function* oneByOne(entries: readonly StoreEntry[]): AsyncGenerator<StoreEntry> {
  yield* entries
}

/** As the bytes of their UTF-8 order them: a character beyond the basic plane comes after all others. */
const compareKeys = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rankOf(x) - rankOf(y)
  }
  return a.length - b.length
}

/** Moves the surrogates, which stand for what is beyond the basic plane, behind everything else. */
const rankOf = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x1_0000 : unit)
