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
  /** With whom it lost a link since it began to doubt. */
  #lost: Set<NodeId> | null = null
  #heardAgainAt: Millis = Number.NEGATIVE_INFINITY

  constructor(config: MembershipConfig, awareness: Awareness) {
    this.#config = config
    this.#awareness = awareness
  }

  /** Most are silent, or lost: it may be this node that is cut off. */
  begin(): void {
    this.#lost ??= new Set()
  }

  /** The same, of somebody who is to be accused: until when that has to wait. */
  wait(now: Millis): Millis {
    this.begin()
    this.#waitsUntil ??= now + this.#config.selfDoubtMs
    return this.#waitsUntil
  }

  end(): void {
    this.#waitsUntil = null
    this.#lost = null
  }

  linkDown(id: NodeId): void {
    this.#lost?.add(id)
  }

  /** It was this node that was cut off. What is in the sockets of the others comes with TCP's next attempt only. */
  linkUp(now: Millis, id: NodeId, hasAccused: boolean): void {
    if (this.#lost === null || !(hasAccused || this.#lost.has(id))) return
    this.#lost = null
    // One whose link breaks again and again had kept this node quiet for as long as it liked.
    if (now - this.#heardAgainAt < this.#config.sweepPauseMs) return
    this.#heardAgainAt = now
    this.#awareness.quiet(now + this.#config.reachAgainMs)
  }
}
