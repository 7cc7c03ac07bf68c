// Whether it is this observer that is ill: most of its links are silent or lost at once.
// While it doubts itself it waits, but not for ever; and when one of those that it lost
// is back, it was cut off, and gives the others the time of a redial.
//
// Nobody may keep it from noticing silence by coming and going.

import type { Millis, NodeId } from '../ids.js'
import type { Awareness } from './awareness.js'
import type { MembershipConfig } from './config.js'

export class SelfDoubt {
  readonly #config: MembershipConfig
  readonly #awareness: Awareness
  #waitsUntil: Millis | null = null
  #isDoubting = false
  /** With whom it lost a link that had been silent, and when. */
  readonly #lost = new Map<NodeId, Millis>()
  #heardAgainAt: Millis = Number.NEGATIVE_INFINITY

  constructor(config: MembershipConfig, awareness: Awareness) {
    this.#config = config
    this.#awareness = awareness
  }

  /** Most are silent, or lost: it may be this node that is cut off. */
  begin(now: Millis): void {
    if (this.#isDoubting) return
    this.#isDoubting = true
    for (const [id, at] of this.#lost) if (now - at > this.#config.suspicionMaxMs) this.#lost.delete(id)
  }

  /** The same, of somebody who is to be accused: until when that has to wait. */
  wait(now: Millis): Millis {
    this.begin(now)
    this.#waitsUntil ??= now + this.#config.selfDoubtMs
    return this.#waitsUntil
  }

  end(): void {
    this.#waitsUntil = null
    this.#isDoubting = false
    this.#lost.clear()
  }

  /** Only of a link that broke after it had been silent: one that breaks in the midst of a talk was not cut. */
  linkDown(now: Millis, id: NodeId): void {
    this.#lost.set(id, now)
  }

  /** It was this node that was cut off. What is in the sockets of the others comes with TCP's next attempt only. */
  linkUp(now: Millis, id: NodeId, hasAccused: boolean): void {
    const wasLost = this.#lost.delete(id)
    if (!this.#isDoubting || !(hasAccused || wasLost)) return
    this.#isDoubting = false
    this.#lost.clear()
    // One whose link breaks again and again had kept this node quiet for as long as it liked.
    if (now - this.#heardAgainAt < this.#config.sweepPauseMs) return
    this.#heardAgainAt = now
    this.#awareness.quiet(now + this.#config.reachAgainMs)
  }
}
