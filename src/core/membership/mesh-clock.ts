// Mesh time: what most of the clocks around say. A gateway without a battery
// wakes up in 1970, another was set a year ahead by hand: neither moves the rest,
// and both follow it, because each node takes the median of its neighbors' clocks
// and its own. Of two clocks the later counts, since the usual fault is being behind.

import type { Millis, NodeId } from '../ids.js'

/** Smaller differences are latency and drift, not a wrong clock. */
const INSIGNIFICANT_MS = 500

export class MeshClock {
  readonly #offsets = new Map<NodeId, Millis>()
  #wallOffset: Millis = 0
  #correction: Millis = 0

  setWallOffset(offsetMs: Millis): void {
    this.#wallOffset = offsetMs
  }

  wall(now: Millis): Millis {
    return Math.round(now + this.#wallOffset)
  }

  /** A neighbor's clock, as it came with one of its frames. */
  observe(now: Millis, neighbor: NodeId, theirWall: Millis): void {
    if (!Number.isFinite(theirWall)) return
    const offset = theirWall - this.wall(now)
    const held = this.#offsets.get(neighbor)
    if (held !== undefined && Math.abs(held - offset) < INSIGNIFICANT_MS / 4) return
    this.#offsets.set(neighbor, offset)
    this.#update()
  }

  forget(neighbor: NodeId): void {
    if (this.#offsets.delete(neighbor)) this.#update()
  }

  now(now: Millis): Millis {
    return this.wall(now) + this.#correction
  }

  #update(): void {
    const offsets = [0, ...this.#offsets.values()].sort((a, b) => a - b)
    const median = offsets[Math.floor(offsets.length / 2)] as Millis
    this.#correction = Math.abs(median) < INSIGNIFICANT_MS ? 0 : Math.round(median)
  }
}
