// Decides when batches go to the disk and in which company. One ordered log: a
// commit takes batches from the front, as one atomic write that is flushed, and
// a batch leaves the queue only when its commit is durable.
//
// Batching decides how fast a card wears out far more than the engine does, so a
// flushed batch waits `groupCommitMs` for others, and an unflushed one waits
// `lazyCommitMs` or for the next flush, whichever comes first.
//
// A commit that fails is tried again, with everything behind it still behind it,
// until the disk works or patience ends. Dropping the failed batch and accepting the
// next would leave a hole in the log, and a hole in a Yjs log hides all that follows
// it. So there are two outcomes only: every batch reaches the disk, in order, or the
// queue breaks for good and says so. It never reorders, skips or splits a batch.

import { ShoalError } from '../../core/errors.js'
import type { Millis } from '../../core/ids.js'
import type { StoreWrite } from '../../core/step.js'
import type { Clock, StoreStats } from '../../ports.js'

/** What the queue writes to. */
export interface CommitTarget {
  /** Applies the writes, all or nothing; resolves when they survive power loss. */
  commit(writes: readonly StoreWrite[]): Promise<void>
  /** Called after a failed commit and before the next: nothing of the failed one may be built on. */
  recover(): Promise<void>
  /** Puts a failure into words. */
  explain(error: unknown): ShoalError
}

export interface CommitLimits {
  /** How long a flushed batch waits for others to share its commit. */
  readonly groupCommitMs: Millis
  /** How long an unflushed batch may wait. */
  readonly lazyCommitMs: Millis
  /** Batches beyond this size in sum start another commit; a larger batch has one of its own. */
  readonly commitBytesMax: number
  /**
   * Waiting batches beyond this size in sum break the queue: memory is not a disk. The largest does not
   * count: a space that is written anew must be so in one batch, or a power cut would leave half of it.
   */
  readonly pendingBytesMax: number
  /** The first wait after a failed commit; it doubles up to `retryMaxMs`. */
  readonly retryMs: Millis
  readonly retryMaxMs: Millis
  /** A disk that fails for longer than this breaks the queue. */
  readonly giveUpAfterMs: Millis
}

/** A disk that does not take what it should: batches wait, or have been given up. */
export interface StoreTrouble {
  readonly code: string
  readonly message: string
  readonly since: Millis
  /** True when no later write can succeed: only opening the store anew helps. */
  readonly broken: boolean
}

interface Batch {
  readonly writes: readonly StoreWrite[]
  readonly flush: boolean
  readonly bytes: number
  readonly at: Millis
  resolve(): void
  reject(error: ShoalError): void
}

export class CommitQueue {
  readonly #target: CommitTarget
  readonly #clock: Pick<Clock, 'now' | 'setTimer'>
  readonly #limits: CommitLimits
  readonly #onTrouble: (trouble: StoreTrouble | null) => void
  readonly #batches: Batch[] = []
  #pendingBytes = 0
  /** When the oldest batch that asked for a flush came. */
  #flushAskedAt: Millis | null = null
  #commits = 0
  #bytesWritten = 0
  #committing = false
  #retries = 0
  #trouble: StoreTrouble | null = null
  #brokenBy: ShoalError | null = null
  #closing: (() => void) | null = null
  #isClosed = false
  #timer: { readonly at: Millis; readonly cancel: () => void } | null = null

  constructor(
    target: CommitTarget,
    clock: Pick<Clock, 'now' | 'setTimer'>,
    limits: CommitLimits,
    onTrouble: (trouble: StoreTrouble | null) => void,
  ) {
    this.#target = target
    this.#clock = clock
    this.#limits = limits
    this.#onTrouble = onTrouble
  }

  get trouble(): StoreTrouble | null {
    return this.#trouble
  }

  stats(): StoreStats {
    return {
      commits: this.#commits,
      bytesWritten: this.#bytesWritten,
      pendingWrites: this.#batches.length,
    }
  }

  write(writes: readonly StoreWrite[], flush: boolean): Promise<void> {
    if (this.#isClosed) return Promise.reject(closedError())
    if (this.#brokenBy !== null) return Promise.reject(this.#brokenBy)
    return new Promise((resolve, reject) => {
      const bytes = sizeOf(writes)
      const at = this.#clock.now()
      this.#batches.push({ writes, flush, bytes, at, resolve, reject })
      if (flush) this.#flushAskedAt ??= at
      this.#pendingBytes += bytes
      if (this.#isTooMuch()) {
        this.#break(
          new ShoalError(
            'STORE_BROKEN',
            `the store gave up: ${this.#pendingBytes} bytes wait for the disk, and beside the largest write ` +
              `at most ${this.#limits.pendingBytesMax} may${this.#trouble === null ? '' : ` (${this.#trouble.message})`}`,
          ),
        )
        return
      }
      this.#arm()
    })
  }

  /** The newest waiting value of every key that begins with the prefix; null is a delete. */
  waiting(prefix: string): Map<string, Uint8Array | null> {
    const found = new Map<string, Uint8Array | null>()
    for (const batch of this.#batches)
      for (const { key, value } of batch.writes) if (key.startsWith(prefix)) found.set(key, value)
    return found
  }

  /** Commits what waits (one attempt where the disk fails), then takes nothing more. */
  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    this.#isClosed = true
    return new Promise(resolve => {
      this.#closing = resolve
      this.#disarm()
      if (!this.#committing) this.#commitNext()
    })
  }

  #isTooMuch(): boolean {
    const { pendingBytesMax } = this.#limits
    if (this.#pendingBytes <= pendingBytesMax) return false
    const largest = this.#batches.reduce((most, { bytes }) => Math.max(most, bytes), 0)
    return this.#pendingBytes - largest > pendingBytesMax
  }

  #arm(): void {
    if (this.#committing || this.#trouble !== null || this.#batches.length === 0) return
    const at = this.#isClosed ? this.#clock.now() : this.#dueAt()
    if (at <= this.#clock.now()) {
      this.#disarm()
      this.#commitNext()
    } else if (this.#timer === null || at < this.#timer.at) {
      this.#disarm()
      this.#setTimer(at, () => this.#commitNext())
    }
  }

  #dueAt(): Millis {
    if (this.#pendingBytes >= this.#limits.commitBytesMax) return this.#clock.now()
    const first = this.#batches[0] as Batch
    const lazyAt = first.at + this.#limits.lazyCommitMs
    return this.#flushAskedAt === null
      ? lazyAt
      : Math.min(lazyAt, this.#flushAskedAt + this.#limits.groupCommitMs)
  }

  #commitNext(): void {
    if (this.#batches.length === 0) {
      this.#closing?.()
      return
    }
    const group = this.#nextGroup()
    const merged = mergeWrites(group)
    this.#committing = true
    this.#attempt(merged).then(
      () => this.#committed(group, sizeOf(merged)),
      error => this.#failed(this.#target.explain(error)),
    )
  }

  async #attempt(writes: readonly StoreWrite[]): Promise<void> {
    if (this.#trouble !== null) await this.#target.recover()
    if (writes.length > 0) await this.#target.commit(writes)
  }

  #nextGroup(): Batch[] {
    let bytes = 0
    const group: Batch[] = []
    for (const batch of this.#batches) {
      bytes += batch.bytes
      if (group.length > 0 && bytes > this.#limits.commitBytesMax) break
      group.push(batch)
    }
    return group
  }

  #committed(group: readonly Batch[], bytes: number): void {
    this.#committing = false
    // The queue may have broken under the commit: its batches are rejected already.
    if (this.#brokenBy !== null) {
      this.#closing?.()
      return
    }
    this.#batches.splice(0, group.length)
    for (const batch of group) this.#pendingBytes -= batch.bytes
    this.#flushAskedAt = this.#batches.find(batch => batch.flush)?.at ?? null
    if (bytes > 0) this.#commits++
    this.#bytesWritten += bytes
    this.#retries = 0
    if (this.#trouble !== null) {
      this.#trouble = null
      this.#onTrouble(null)
    }
    for (const batch of group) batch.resolve()
    if (this.#isClosed) this.#commitNext()
    else this.#arm()
  }

  #failed(error: ShoalError): void {
    this.#committing = false
    if (this.#brokenBy !== null) {
      this.#closing?.()
      return
    }
    const now = this.#clock.now()
    const since = this.#trouble?.since ?? now
    const isNews = this.#trouble?.code !== error.code
    this.#trouble = { code: error.code, message: error.message, since, broken: false }
    if (this.#isClosed || now - since >= this.#limits.giveUpAfterMs) {
      this.#break(
        new ShoalError('STORE_BROKEN', `the store gave up on its disk: ${error.message}`, { cause: error }),
      )
      return
    }
    if (isNews) this.#onTrouble(this.#trouble)
    const wait = Math.min(this.#limits.retryMs * 2 ** this.#retries, this.#limits.retryMaxMs)
    this.#retries++
    this.#setTimer(now + wait, () => this.#commitNext())
  }

  #break(error: ShoalError): void {
    this.#disarm()
    this.#brokenBy = error
    const since = this.#trouble?.since ?? this.#clock.now()
    this.#trouble = { code: error.code, message: error.message, since, broken: true }
    this.#pendingBytes = 0
    for (const batch of this.#batches.splice(0)) batch.reject(error)
    this.#onTrouble(this.#trouble)
    if (!this.#committing) this.#closing?.()
  }

  #setTimer(at: Millis, callback: () => void): void {
    const cancel = this.#clock.setTimer(at, () => {
      this.#timer = null
      callback()
    })
    this.#timer = { at, cancel }
  }

  #disarm(): void {
    this.#timer?.cancel()
    this.#timer = null
  }
}

/** Of several writes of one key in one commit only the last needs to be written. */
const mergeWrites = (batches: readonly Batch[]): StoreWrite[] => {
  const last = new Map<string, Uint8Array | null>()
  for (const batch of batches) for (const { key, value } of batch.writes) last.set(key, value)
  return Array.from(last, ([key, value]) => ({ key, value }))
}

const sizeOf = (writes: readonly StoreWrite[]): number =>
  writes.reduce((sum, { key, value }) => sum + key.length + (value?.byteLength ?? 0), 0)

const closedError = (): ShoalError => new ShoalError('STORE_CLOSED', 'the store was closed before this write')
