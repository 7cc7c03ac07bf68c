// When a node that came back calls itself settled, and so takes tasks: at once at
// its first start, otherwise after it has been stable for a while, longer each time
// that it flaps. Everybody reads the word; nobody judges it.

import type { Millis } from '../ids.js'
import type { MembershipConfig } from './config.js'
import type { Memory } from './memory.js'

export class Settling {
  readonly isFirstStart: boolean
  readonly #config: MembershipConfig
  readonly #memory: Memory
  #since: Millis | null = null

  constructor(config: MembershipConfig, memory: Memory) {
    this.#config = config
    this.#memory = memory
    this.isFirstStart = memory.generationNumber === 0
  }

  /** When it may call itself settled, counted from the first time that it was asked. */
  dueAt(now: Millis): Millis {
    this.#since ??= now
    const returns = Math.max(0, this.#memory.recentReturns(now) - 1)
    const { settleMs, settleMaxMs } = this.#config
    return this.#since + Math.min(settleMaxMs, settleMs * 2 ** Math.min(returns, 10))
  }

  /** It was frozen for long: others took its tasks, and it has to prove itself again. */
  flapped(now: Millis): boolean {
    this.#memory.noteReturn(now)
    this.#since = now
    return true
  }
}
