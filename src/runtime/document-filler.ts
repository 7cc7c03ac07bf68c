// When the application's copies of large documents are filled: a little in each turn of the
// event loop, however many copies there are, so that sockets and timers get their turns between.
//
// It never looks at a document: the core says what comes next, and when that was all.

import type { Millis } from '../core/ids.js'

/** A turn ends after the piece that exceeds this: with a piece of some milliseconds, well below 30 ms. */
const FILL_TURN_MS = 10

export interface FillerHost {
  now(): Millis
  /** Calls back on the next turn of the event loop. */
  nextTurn(callback: () => void): void
  /** Asks for the next piece of a document; false when the node has stopped. */
  more(name: string): boolean
}

export class DocumentFiller {
  readonly #host: FillerHost
  /** The copies that can take another piece, the longest waiting first. */
  readonly #waiting = new Set<string>()
  #isPlanned = false

  constructor(host: FillerHost) {
    this.#host = host
  }

  add(name: string): void {
    this.#waiting.add(name)
    this.#plan()
  }

  delete(name: string): void {
    this.#waiting.delete(name)
  }

  #plan(): void {
    if (this.#isPlanned) return
    this.#isPlanned = true
    this.#host.nextTurn(() => this.#turn())
  }

  #turn(): void {
    const until = this.#host.now() + FILL_TURN_MS
    // Whoever has taken in its piece meanwhile stands at the end of the line again.
    for (const name of this.#waiting) {
      this.#waiting.delete(name)
      if (!this.#host.more(name)) this.#waiting.clear()
      if (this.#host.now() >= until) break
    }
    this.#isPlanned = false
    if (this.#waiting.size > 0) this.#plan()
  }
}
