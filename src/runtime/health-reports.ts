// What this node says of its own health, by source: the application's word, and that a
// handler kept the event loop to itself, which is said until it has been over for a while.

import type { Millis, TaskId } from '../core/ids.js'
import type { Health } from '../core/member.js'
import type { CoreEvent } from '../core/step.js'
import type { Clock } from '../ports.js'

/** Blocking for this long is worth a word on the node's health, which then stands for so long. */
const BLOCKED_MS = 250
const BLOCKED_SHOWN_MS = 30_000

/** Both travel in this node's record, which others refuse whole when a text in it is beyond 512 characters. */
const SOURCE_CHARS_MAX = 100
const REASON_CHARS_MAX = 400

export class HealthReports {
  readonly #clock: Clock
  readonly #ask: (event: CoreEvent) => boolean
  readonly #blocked = new Map<string, () => void>()

  constructor(clock: Clock, ask: (event: CoreEvent) => boolean) {
    this.#clock = clock
    this.#ask = ask
  }

  report(source: string, level: Health, reason: string): void {
    this.#ask({
      kind: 'health',
      source: clip(source, SOURCE_CHARS_MAX),
      level,
      reason: clip(reason, REASON_CHARS_MAX),
    })
  }

  /** A handler kept the event loop for so long: with the task's name, until it is over. */
  handlerBlocked(task: TaskId, ms: Millis): void {
    if (ms < BLOCKED_MS) return
    const source = `task ${task}`
    this.report(source, 'strained', `its handler kept the event loop for ${Math.round(ms)} ms`)
    this.#blocked.get(source)?.()
    const over = this.#clock.setTimer(this.#clock.now() + BLOCKED_SHOWN_MS, () => {
      this.#blocked.delete(source)
      this.report(source, 'ok', '')
    })
    this.#blocked.set(source, over)
  }

  close(): void {
    for (const cancel of this.#blocked.values()) cancel()
  }
}

const clip = (text: string, charsMax: number): string =>
  text.length <= charsMax ? text : `${text.slice(0, charsMax - 1)}…`
