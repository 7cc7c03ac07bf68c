// How late this node comes to what is due. On a machine that has too little for all of
// its processes it is late all the time, and does well to ask less of itself and others.

import type { Millis } from './ids.js'

export class Lag {
  readonly #memoryMs: Millis
  #ms = 0
  #notedAt: Millis = 0

  /** Half of what was noted is forgotten after each `memoryMs`. */
  constructor(memoryMs: Millis) {
    this.#memoryMs = memoryMs
  }

  note(now: Millis, ms: Millis): void {
    this.#ms = Math.max(this.at(now), ms)
    this.#notedAt = now
  }

  at(now: Millis): Millis {
    return this.#ms / 2 ** Math.min(30, Math.floor((now - this.#notedAt) / this.#memoryMs))
  }
}
