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
  #lastBeatAt: Millis | null = null

  constructor(heartbeatMs: Millis, now: Millis) {
    this.#meanMs = heartbeatMs
    this.#deviationMs = heartbeatMs / 16
    this.lastFrameAt = now
  }

  /** A heartbeat came: learn from how long after the last one. Other frames between them would look like haste. */
  beat(now: Millis, config: MembershipConfig): void {
    const interval = this.#lastBeatAt === null ? null : now - this.#lastBeatAt
    // A longer pause was no pause between two beats: this node was not asked for them meanwhile.
    if (interval !== null && interval <= config.silentCeilingMs) {
      const error = interval - this.#meanMs
      this.#meanMs += error / 8
      this.#deviationMs += (Math.abs(error) - this.#deviationMs) / 4
    }
    this.#lastBeatAt = now
    this.lastFrameAt = now
  }

  /** This node was frozen for so long: what did not come meanwhile was not late. */
  postpone(byMs: Millis): void {
    this.lastFrameAt += byMs
    if (this.#lastBeatAt !== null) this.#lastBeatAt += byMs
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
