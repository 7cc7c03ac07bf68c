// What every part of shared state has in common while a step goes on: who this node is,
// its configuration and chance, the deadlines, the effects so far, and what time it is.
//
// It decides one thing only: how long what can wait is left by a node that is behind.

import { DeadlineQueue } from '../deadline-queue.js'
import type { Millis, NodeId } from '../ids.js'
import { Lag } from '../lag.js'
import type { Rng } from '../rng.js'
import type { Effect } from '../step.js'
import type { StateConfig } from './config.js'

export interface FrameParts {
  readonly self: NodeId
  readonly config: StateConfig
  readonly rng: Rng
  /** Tokens of `persist`, unique in the whole core. */
  readonly nextToken: () => number
}

export class Frame {
  readonly self: NodeId
  readonly config: StateConfig
  readonly rng: Rng
  readonly nextToken: () => number
  readonly deadlines = new DeadlineQueue<string>()
  /** What takes milliseconds each time and nobody waits for: one of them when a timer comes. */
  readonly chores = new DeadlineQueue<string>()
  /** How far the wall clock is from the clock of `now`. */
  wallOffsetMs = 0
  isWallKnown = false
  readonly #lag: Lag
  #now: Millis = 0
  #effects: Effect[] = []

  constructor({ self, config, rng, nextToken }: FrameParts) {
    this.self = self
    this.config = config
    this.rng = rng
    this.nextToken = nextToken
    this.#lag = new Lag(config.lagMemoryMs)
  }

  /** The time of this step. */
  get now(): Millis {
    return this.#now
  }

  /** When this part of the core wants to be woken. */
  get nextAt(): Millis | null {
    const { chores, deadlines } = this
    if (chores.nextAt === null || deadlines.nextAt === null) return chores.nextAt ?? deadlines.nextAt
    return Math.min(chores.nextAt, deadlines.nextAt)
  }

  /** A step begins; what is due is late by as much as the node is behind. */
  begin(now: Millis): void {
    this.#now = now
    const lateMs = now - (this.deadlines.nextAt ?? now)
    if (lateMs > this.config.lagNotedMs) this.#lag.note(now, lateMs)
  }

  /** Something is asked for outside of a step. */
  ask(now: Millis): void {
    this.#now = now
  }

  /** How long what can wait is left: longer than usual by a node that is behind. */
  unhurried(now: Millis, usualMs: Millis): Millis {
    const { lagFactor, patienceMsMax } = this.config
    return Math.max(usualMs, Math.min(patienceMsMax, lagFactor * this.#lag.at(now)))
  }

  wall(now: Millis = this.#now): Millis {
    return now + this.wallOffsetMs
  }

  emit(effect: Effect): void {
    this.#effects.push(effect)
  }

  count(metric: string, labels: Readonly<Record<string, string>>, by = 1): void {
    this.emit({ kind: 'count', metric, by, labels })
  }

  /** The effects so far. */
  take(): readonly Effect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }
}
