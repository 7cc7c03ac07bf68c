// A disk in virtual time: an ordered log of batches over a sorted map, committed
// in groups. A batch asked to be flushed is committed together with everything
// before it some milliseconds later; others may lie in memory for seconds. A
// crash keeps a prefix of the log: all that was committed, and by chance some
// batches of the rest, never a part of one and never one without those before it.

import type { Rng } from '../core/rng.js'
import type { StoreEntry, StoreWrite } from '../core/step.js'

interface Batch {
  readonly writes: readonly StoreWrite[]
  readonly flush: boolean
  readonly token: number | null
}

export class SimDisk {
  /** Multiplies the length of every commit: a worn card, a busy bus. */
  slowness = 1
  /** While true nothing is ever committed. */
  failing = false
  commits = 0
  readonly #committed = new Map<string, Uint8Array>()
  #pending: Batch[] = []

  /** Appends a batch; it is readable at once and durable when a later commit has ended. */
  apply(writes: readonly StoreWrite[], flush: boolean, token: number | null = null): void {
    this.#pending.push({ writes, flush, token })
  }

  get pendingBatches(): number {
    return this.#pending.length
  }

  /** Whether somebody waits for a flush among the batches from `from` on. */
  wantsFlush(from = 0): boolean {
    for (let i = from; i < this.#pending.length; i++) if (this.#pending[i]?.flush === true) return true
    return false
  }

  /** Makes the oldest `batches` durable and returns their tokens in order. */
  commit(batches = this.#pending.length): number[] {
    const tokens: number[] = []
    for (const batch of this.#pending.splice(0, batches)) {
      put(this.#committed, batch.writes)
      if (batch.token !== null) tokens.push(batch.token)
    }
    this.commits++
    return tokens
  }

  /** The process or the power is gone: the uncommitted tail is lost from a random place on. */
  crash(rng: Rng): void {
    const survivors = rng.below(this.#pending.length + 1)
    for (const batch of this.#pending.slice(0, survivors)) put(this.#committed, batch.writes)
    this.#pending = []
  }

  /** Everything is gone: a new card. */
  erase(): void {
    this.#committed.clear()
    this.#pending = []
  }

  /** Every entry whose key begins with the prefix, by key; sees all earlier writes. */
  entries(prefix: string): StoreEntry[] {
    const seen = new Map(this.#committed)
    for (const batch of this.#pending) put(seen, batch.writes)
    return [...seen]
      .filter(([key]) => key.startsWith(prefix))
      .sort(([a], [b]) => compareKeys(a, b))
      .map(([key, value]) => ({ key, value }))
  }
}

/** By the bytes of their UTF-8, as a real disk orders them. */
const compareKeys = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

const put = (map: Map<string, Uint8Array>, writes: readonly StoreWrite[]): void => {
  for (const { key, value } of writes) {
    if (value === null) map.delete(key)
    else map.set(key, value)
  }
}
