// A clock that a test moves by hand: timers fire in the order of their times, and
// then of their setting, while `advance` passes over them.

import type { Millis } from '../../src/core/ids.js'
import type { Clock } from '../../src/ports.js'

export class VirtualClock implements Clock {
  readonly #timers: { readonly at: Millis; readonly callback: () => void }[] = []
  #now: Millis
  #wallOffset: Millis = 0

  constructor(startAt: Millis = 1_000_000) {
    this.#now = startAt
  }

  get timers(): number {
    return this.#timers.length
  }

  now(): Millis {
    return this.#now
  }

  wall(): Millis {
    return this.#now + this.#wallOffset
  }

  setTimer(at: Millis, callback: () => void): () => void {
    const timer = { at, callback }
    const behind = this.#timers.findIndex(other => other.at > at)
    this.#timers.splice(behind < 0 ? this.#timers.length : behind, 0, timer)
    return () => {
      const index = this.#timers.indexOf(timer)
      if (index >= 0) this.#timers.splice(index, 1)
    }
  }

  /** Passes this much time, timer by timer. */
  advance(ms: Millis): void {
    const until = this.#now + ms
    for (let first = this.#timers[0]; first !== undefined && first.at <= until; first = this.#timers[0]) {
      this.#timers.shift()
      this.#now = Math.max(this.#now, first.at)
      first.callback()
    }
    this.#now = until
  }

  /** Passes time in which nothing ran, then lets what is overdue run: a frozen process. */
  freeze(ms: Millis): void {
    this.#now += ms
    this.advance(0)
  }

  /** The machine's clock is set. */
  setWall(offsetMs: Millis): void {
    this.#wallOffset = offsetMs
  }
}
