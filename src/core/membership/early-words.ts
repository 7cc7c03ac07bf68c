// Accusations that overtook the word they speak of. Gossip keeps no order between two
// authors: of a member that is killed as soon as it is back, one observer's accusation
// comes before the member's own return, and was dropped; the other one's, alone, is a
// suspicion and no verdict. They are kept for a moment, and judge nothing meanwhile.

import type { Millis, NodeId } from '../ids.js'
import type { Accusation, Sealed } from '../member.js'
import type { MembershipConfig } from './config.js'

interface EarlyWord {
  readonly accusation: Sealed<Accusation>
  readonly heardAt: Millis
}

export class EarlyWords {
  readonly #config: MembershipConfig
  #words: EarlyWord[] = []

  constructor(config: MembershipConfig) {
    this.#config = config
  }

  get size(): number {
    return this.#words.length
  }

  /** Beyond the bound the oldest is let go: who floods delays a verdict by a digest, no more. */
  keep(now: Millis, accusation: Sealed<Accusation>): void {
    this.expire(now)
    if (this.#words.length >= this.#config.earlyWordsMax) this.#words.shift()
    this.#words.push({ accusation, heardAt: now })
  }

  /** What was said of this member too early; it is handed out once. */
  take(now: Millis, subject: NodeId): readonly Sealed<Accusation>[] {
    if (this.#words.length === 0) return []
    this.expire(now)
    const taken = this.#words.filter(({ accusation }) => accusation.body.subject === subject)
    if (taken.length > 0)
      this.#words = this.#words.filter(({ accusation }) => accusation.body.subject !== subject)
    return taken.map(({ accusation }) => accusation)
  }

  expire(now: Millis): void {
    this.#words = this.#words.filter(({ heardAt }) => now - heardAt <= this.#config.earlyWordMs)
  }
}
