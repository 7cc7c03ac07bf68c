// How regular a link is, and from when its silence means something. A smoothed
// interval and its mean deviation, as TCP estimates its round trips (Jacobson and
// Karels, 1988): a link that loses packets earns itself a longer patience.

import type { Millis } from '../ids.js'
import type { MembershipConfig } from './config.js'

export class Pulse {
  #meanMs: number
  #deviationMs: number
  #rttMs: number | null = null
  #lastFrameAt: Millis
  /** When a frame came after a silence. */
  #heardAgainAt: Millis = Number.NEGATIVE_INFINITY
  #lastBeatAt: Millis | null = null
  #wokeAt: Millis = Number.NEGATIVE_INFINITY

  constructor(heartbeatMs: Millis, now: Millis) {
    this.#meanMs = heartbeatMs
    this.#deviationMs = heartbeatMs / 16
    this.#lastFrameAt = now
  }

  get lastFrameAt(): Millis {
    return this.#lastFrameAt
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
    // What waited in a socket while this node was frozen comes all at once: no interval begins with it.
    this.#lastBeatAt = now - this.#wokeAt < config.heartbeatMs / 2 ? null : now
    this.frame(now, config)
  }

  /** This node was frozen for so long: what did not come meanwhile was not late, and when it came nobody knows. */
  postpone(now: Millis, byMs: Millis): void {
    this.#lastFrameAt += byMs
    this.#lastBeatAt = null
    this.#wokeAt = now
  }

  /** Any other frame: a sign of life that says nothing about regularity. */
  frame(now: Millis, config: MembershipConfig): void {
    if (now - this.#lastFrameAt > config.lateFloorMs) this.#heardAgainAt = now
    this.#lastFrameAt = now
  }

  /** Whether it is silent, or was until a moment ago: what waited for the end of a cut comes before the end of the link. */
  wasSilent(now: Millis, config: MembershipConfig): boolean {
    return now - this.#lastFrameAt > config.lateFloorMs || now - this.#heardAgainAt < config.reachAgainMs
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
      this.#lastFrameAt +
      Math.round(
        clamp(patience, config.lateFloorMs, config.silentCeilingMs - config.probeTimeoutMs) * stretch,
      )
    )
  }

  silentAt(config: MembershipConfig, stretch: number): Millis {
    const patience = this.#meanMs + 5 * this.#deviationMs + config.probeTimeoutMs / 2
    return (
      this.#lastFrameAt + Math.round(clamp(patience, config.silentFloorMs, config.silentCeilingMs) * stretch)
    )
  }
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value))
