// A token bucket with two measures, frames and bytes. It may go into debt by one
// frame, so that a large frame is not refused for ever; the debt is time to wait.

import type { Millis } from '../../core/ids.js'

export interface BucketRates {
  readonly framesPerSecond: number
  readonly framesBurst: number
  readonly bytesPerSecond: number
  readonly bytesBurst: number
}

export class Bucket {
  readonly #rates: BucketRates
  #frames: number
  #bytes: number
  #at: Millis

  constructor(rates: BucketRates, now: Millis) {
    this.#rates = rates
    this.#frames = rates.framesBurst
    this.#bytes = rates.bytesBurst
    this.#at = now
  }

  /** Takes a frame; says how long the sender has to be left waiting, 0 if not at all. */
  take(now: Millis, bytes: number): Millis {
    const { framesPerSecond, framesBurst, bytesPerSecond, bytesBurst } = this.#rates
    const seconds = Math.max(0, now - this.#at) / 1_000
    this.#at = now
    this.#frames = Math.min(framesBurst, this.#frames + seconds * framesPerSecond) - 1
    this.#bytes = Math.min(bytesBurst, this.#bytes + seconds * bytesPerSecond) - bytes
    const debt = Math.max(-this.#frames / framesPerSecond, -this.#bytes / bytesPerSecond, 0)
    return Math.ceil(debt * 1_000)
  }
}
