// How regular a link is, and from when its silence means something. A smoothed
// interval and its mean deviation, as TCP estimates its round trips (Jacobson and
// Karels, 1988): a link that loses packets earns itself a longer patience.

import type { Millis } from '../ids.js'
import type { MembershipConfig } from './config.js'

export class Pulse {
  #meanMs: number
  #deviationMs: number
  #rttMs: number | null = null
  lastFrameAt: Millis

  constructor(heartbeatMs: Millis, now: Millis) {
    this.#meanMs = heartbeatMs
    this.#deviationMs = heartbeatMs / 16
    this.lastFrameAt = now
  }

  /** A heartbeat came: learn from how long it took. */
  beat(now: Millis): void {
    const interval = now - this.lastFrameAt
    const error = interval - this.#meanMs
    this.#meanMs += error / 8
    this.#deviationMs += (Math.abs(error) - this.#deviationMs) / 4
    this.lastFrameAt = now
  }

  /** Any other frame: a sign of life that says nothing about regularity. */
  frame(now: Millis): void {
    this.lastFrameAt = now
  }

  roundTrip(ms: Millis): void {
    this.#rttMs = this.#rttMs === null ? ms : this.#rttMs + (ms - this.#rttMs) / 8
  }

  get rttMs(): Millis | null {
    return this.#rttMs === null ? null : Math.round(this.#rttMs * 10) / 10
  }

  lateAt(config: MembershipConfig, stretch: number): Millis {
    const patience = this.#meanMs + 3 * this.#deviationMs
    return (
      this.lastFrameAt +
      Math.round(
        clamp(patience, config.lateFloorMs, config.silentCeilingMs - config.probeTimeoutMs) * stretch,
      )
    )
  }

  silentAt(config: MembershipConfig, stretch: number): Millis {
    const patience = this.#meanMs + 5 * this.#deviationMs + config.probeTimeoutMs / 2
    return (
      this.lastFrameAt + Math.round(clamp(patience, config.silentFloorMs, config.silentCeilingMs) * stretch)
    )
  }
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value))
