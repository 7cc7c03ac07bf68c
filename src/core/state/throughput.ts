// How fast the way to a neighbor carries pieces, and so how large the next one is: about as much as arrives in half a second.
// Whoever is left for another source cannot take back what is under way; with pieces of one size, four of them
// kept a way of 1 KB a second busy for minutes, and nobody saw whether it moved.
//
// A piece is timed from when the one before it was confirmed, so a long way there and back does not count as a slow one.
// It never decides what is sent.

import type { Millis } from '../ids.js'
import type { StateConfig } from './config.js'

interface UnderWay {
  readonly bytes: number
  readonly sentAt: Millis
}

export class Throughput {
  readonly #config: StateConfig
  readonly #underWay = new Map<number, UnderWay>()
  #confirmedAt: Millis = Number.NEGATIVE_INFINITY
  /** Bytes a second of the last pieces. The best of them counts: a busy machine is late now and then. */
  #rates: number[] = []

  constructor(config: StateConfig) {
    this.#config = config
  }

  get isIdle(): boolean {
    return this.#underWay.size === 0
  }

  /** Enough waits to be confirmed: as much as arrives while one piece after another does. */
  get isFull(): boolean {
    const { pieceWindow } = this.#config
    if (this.#underWay.size >= pieceWindow) return true
    const bytes = [...this.#underWay.values()].reduce((sum, each) => sum + each.bytes, 0)
    return bytes > 0 && bytes >= pieceWindow * this.#bytesInTime
  }

  /** How large the next piece is. */
  get pieceBytes(): number {
    const { firstPieceBytes, pieceBytes } = this.#config
    return Math.floor(Math.min(pieceBytes, Math.max(firstPieceBytes, this.#bytesInTime)))
  }

  get #bytesInTime(): number {
    return (Math.max(0, ...this.#rates) * this.#config.pieceMs) / 1_000
  }

  sent(now: Millis, number: number, bytes: number): void {
    this.#underWay.set(number, { bytes, sentAt: now })
  }

  /** False for what was not under way. */
  confirmed(now: Millis, number: number): boolean {
    const piece = this.#underWay.get(number)
    if (piece === undefined) return false
    this.#underWay.delete(number)
    const tookMs = Math.max(1, now - Math.max(piece.sentAt, this.#confirmedAt))
    this.#confirmedAt = now
    this.#rates = [(1_000 * piece.bytes) / tookMs, ...this.#rates].slice(0, this.#config.pieceWindow)
    return true
  }

  /** Nothing was confirmed for too long. */
  giveUp(): void {
    this.#underWay.clear()
    this.#rates = []
  }
}
