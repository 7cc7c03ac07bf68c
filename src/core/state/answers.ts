// When a neighbor whose hello shows a difference gets this node's summary: at once, or after
// a pause that grows while something differs. What differed a moment ago is on its way, and
// to compare it again finds the same.
//
// Whoever has just booted asks for everything, waits for that with all that it does, and is
// answered at once; whoever only says so waits like others (asked.ts).
//
// It never decides what an answer says.

import type { DeadlineQueue } from '../deadline-queue.js'
import type { Millis, NodeId } from '../ids.js'
import type { Asked } from './asked.js'
import type { StateConfig } from './config.js'

export interface AnswersHost {
  readonly config: StateConfig
  readonly deadlines: DeadlineQueue<string>
  readonly asked: Asked
  sendSummary(to: NodeId): void
  offence(now: Millis, from: NodeId, what: string): void
}

interface Pause {
  /** No comparison that it begins is answered before. */
  until: Millis
  /** How long the last one was; 0 while nothing differs. */
  ms: Millis
}

export class Answers {
  readonly #host: AnswersHost
  readonly #pauses = new Map<NodeId, Pause>()

  constructor(host: AnswersHost) {
    this.#host = host
  }

  linkUp(node: NodeId): void {
    this.#pauses.set(node, { until: Number.NEGATIVE_INFINITY, ms: 0 })
  }

  linkDown(node: NodeId): void {
    this.#pauses.delete(node)
    this.#host.deadlines.delete(`summary ${node}`)
  }

  /** It has what this node has. */
  isEqual(node: NodeId): void {
    const pause = this.#pauses.get(node)
    if (pause !== undefined) pause.ms = 0
  }

  /** It asks for everything. */
  askedAll(now: Millis, from: NodeId): void {
    const when = this.#host.asked.mayAskAll(now, from)
    if (when === 'at-once') this.#answer(now, from, true)
    else if (when === 'never') this.#host.offence(now, from, 'asks-too-often')
    else {
      const { config, deadlines } = this.#host
      const key = `summary ${from}`
      if (deadlines.get(key) === null) deadlines.set(key, now + config.askAllPauseMs)
    }
  }

  /** Something differs; whether that is all is asked a little later. */
  askedWhether(now: Millis, from: NodeId): void {
    this.#answer(now, from, false)
  }

  /** Everything was asked for a moment ago. */
  late(to: NodeId): void {
    if (this.#pauses.has(to)) this.#host.sendSummary(to)
  }

  #answer(now: Millis, to: NodeId, atOnce: boolean): void {
    const pause = this.#pauses.get(to)
    if (pause === undefined) return
    const { config, deadlines } = this.#host
    if (now < pause.until && !atOnce) {
      if (deadlines.get(`again ${to}`) === null) deadlines.set(`again ${to}`, pause.until)
      return
    }
    pause.ms = Math.min(Math.max(2 * pause.ms, config.answerPauseMs), config.answerPauseMaxMs)
    pause.until = now + pause.ms
    this.#host.sendSummary(to)
  }
}
