// What lies between two hosts: whether packets pass, how long they take, how many
// vanish. Directions are kept apart, because cables and firewalls fail one way.
// It knows nothing of connections; those feel it through `streams.ts`.

import type { Millis } from '../core/ids.js'
import type { Rng } from '../core/rng.js'
import { chanceOf } from './chance.js'
import type { SimConfig } from './config.js'

/** One direction between two nodes, where it differs from everybody's. */
export interface PathConditions {
  latencyMs?: Millis
  jitterMs?: Millis
  lossRate?: number
  linkBytesPerSecond?: number
  bulkBytesPerSecond?: number
}

export class Paths {
  lossRate: number
  latencyMs: Millis
  jitterMs: Millis
  readonly #config: SimConfig
  readonly #size: number
  readonly #latency: Rng
  readonly #loss: Rng
  readonly #groups: Int32Array
  readonly #off: Uint8Array
  readonly #lossOfNode: Float64Array
  readonly #cuts = new Set<number>()
  readonly #conditions = new Map<number, PathConditions>()
  #offCount = 0
  #isSplit = false
  #isLossy = false

  constructor(config: SimConfig, seed: number, size: number) {
    this.#config = config
    this.#size = size
    this.lossRate = config.lossRate
    this.latencyMs = config.latencyMs
    this.jitterMs = config.jitterMs
    this.#latency = chanceOf(seed, 'latency')
    this.#loss = chanceOf(seed, 'loss')
    this.#groups = new Int32Array(size)
    this.#off = new Uint8Array(size)
    this.#lossOfNode = new Float64Array(size)
  }

  /** Whether anything at all is cut, split or without power: the usual case skips every test. */
  get isTroubled(): boolean {
    return this.#isSplit || this.#offCount > 0 || this.#cuts.size > 0
  }

  isOpen(from: number, to: number): boolean {
    if (!this.isTroubled) return true
    if (this.#off[from] === 1 || this.#off[to] === 1) return false
    if (this.#isSplit && this.#groups[from] !== this.#groups[to]) return false
    return !this.#cuts.has(from * this.#size + to)
  }

  /** Whether what is sent arrives, and its acknowledgement comes back. */
  isOpenBothWays(a: number, b: number): boolean {
    return this.isOpen(a, b) && this.isOpen(b, a)
  }

  /** One way, jitter included. */
  latencyUs(from: number, to: number): number {
    let latencyMs = this.latencyMs
    let jitterMs = this.jitterMs
    if (this.#conditions.size > 0) {
      const own = this.#conditions.get(from * this.#size + to)
      if (own?.latencyMs !== undefined) latencyMs = own.latencyMs
      if (own?.jitterMs !== undefined) jitterMs = own.jitterMs
    }
    return latencyMs * 1000 + this.#latency.fraction() * jitterMs * 1000
  }

  /** No packet is faster than this, on any path. */
  get leastLatencyUs(): number {
    return this.#conditions.size > 0 ? 0 : this.latencyMs * 1000
  }

  bytesPerSecond(from: number, to: number, isBulk: boolean): number {
    const own = this.#conditions.size > 0 ? this.#conditions.get(from * this.#size + to) : undefined
    if (isBulk) return own?.bulkBytesPerSecond ?? this.#config.bulkBytesPerSecond
    return own?.linkBytesPerSecond ?? this.#config.linkBytesPerSecond
  }

  /**
   * What loss costs these packets: the wait for retransmissions, each twice as long
   * as the one before; infinity when the sender gives up.
   */
  lossDelayUs(from: number, to: number, packets: number): number {
    const rate = this.lossOf(from, to)
    if (rate <= 0) return 0
    let allArrive = 1
    for (let i = Math.min(packets, 64); i > 0; i--) allArrive *= 1 - rate
    if (this.#loss.fraction() < allArrive) return 0
    const { rtoMs, rtoCeilingMs, retriesMax } = this.#config
    let waitMs = rtoMs
    // Where other packets follow, their acknowledgements tell of the gap at once (fast retransmit).
    let delayMs = packets > 3 ? Math.min(rtoMs, 2 * this.latencyMs + this.jitterMs) : rtoMs
    for (let retries = 1; this.#loss.fraction() < rate; retries++) {
      if (retries >= retriesMax) return Number.POSITIVE_INFINITY
      waitMs = Math.min(waitMs * 2, rtoCeilingMs)
      delayMs += waitMs
    }
    return delayMs * 1000
  }

  /** Whether a single packet of a handshake vanishes. */
  losesPacket(from: number, to: number): boolean {
    const rate = this.lossOf(from, to)
    return rate > 0 && this.#loss.fraction() < rate
  }

  lossOf(from: number, to: number): number {
    if (!this.#isLossy) return this.lossRate
    const own = this.#conditions.get(from * this.#size + to)?.lossRate
    if (own !== undefined) return own
    return Math.max(this.lossRate, this.#lossOfNode[from] as number, this.#lossOfNode[to] as number)
  }

  cut(from: number, to: number): void {
    this.#cuts.add(from * this.#size + to)
  }

  mend(from: number, to: number): void {
    this.#cuts.delete(from * this.#size + to)
  }

  /** Splits by group number; nodes with equal numbers hear each other. */
  split(groupOf: (node: number) => number): void {
    this.#isSplit = true
    for (let node = 0; node < this.#size; node++) this.#groups[node] = groupOf(node)
  }

  unite(): void {
    this.#isSplit = false
  }

  /** Ends splits and cuts; what has no power stays without. */
  heal(): void {
    this.#isSplit = false
    this.#cuts.clear()
  }

  setPower(node: number, isOn: boolean): void {
    const off = isOn ? 0 : 1
    if (this.#off[node] === off) return
    this.#off[node] = off
    this.#offCount += isOn ? -1 : 1
  }

  setNodeLoss(node: number, rate: number): void {
    this.#lossOfNode[node] = rate
    this.#isLossy = true
  }

  /** Changes one direction; null puts it back to everybody's. */
  setConditions(from: number, to: number, conditions: PathConditions | null): void {
    const key = from * this.#size + to
    if (conditions === null) this.#conditions.delete(key)
    else this.#conditions.set(key, { ...this.#conditions.get(key), ...conditions })
    if (conditions?.lossRate !== undefined) this.#isLossy = true
  }
}
