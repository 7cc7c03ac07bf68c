// Where a cut has healed, many who are here are held dead on the other side, and each has
// to hear of it, to be able to answer. Everybody who compared views would visit each of
// them; one word to all does the same. It is a line that nobody signed, so it moves
// nobody but those whom it speaks of, and these only sign a new record of themselves.

import type { Millis, NodeId } from '../ids.js'
import type { MemberSummary } from './message.js'
import { MEMBERS_TOPIC, type Shared, soon } from './shared.js'

export class Warnings {
  readonly #shared: Shared
  /** Who has to be told still. */
  readonly #lines = new Map<NodeId, MemberSummary>()
  /** Who was told, by this node or another, and when. */
  readonly #told = new Map<NodeId, Millis>()

  constructor(shared: Shared) {
    this.#shared = shared
  }

  get size(): number {
    return this.#lines.size + this.#told.size
  }

  /** They are to be told, unless somebody else does so first. Returns who has not answered such a word. */
  warn(lines: readonly MemberSummary[]): MemberSummary[] {
    const { now, config, rng } = this.#shared
    const unanswered: MemberSummary[] = []
    for (const [id, at] of this.#told) if (now - at > config.warnMemoryMs) this.#told.delete(id)
    for (const line of lines) {
      const toldAt = this.#told.get(line.id)
      if (toldAt === undefined) this.#lines.set(line.id, line)
      else if (now - toldAt > config.warnPauseMs) unanswered.push(line)
    }
    for (const { id } of unanswered) this.#told.delete(id)
    if (this.#lines.size > 0) soon(this.#shared, 'warn', now + rng.below(config.warnWithinMs))
    return unanswered
  }

  heard(lines: readonly MemberSummary[]): void {
    const { now, config } = this.#shared
    for (const { id } of lines) {
      this.#lines.delete(id)
      if (this.#told.size < config.membersMax) this.#told.set(id, now)
    }
  }

  flush(): void {
    const { config, out } = this.#shared
    const lines = [...this.#lines.values()].slice(0, config.summaryLinesMax)
    if (lines.length === 0) return
    this.heard(lines)
    this.#lines.clear()
    out.push({ kind: 'publish', topic: MEMBERS_TOPIC, message: { kind: 'hearsay', lines } })
  }
}
