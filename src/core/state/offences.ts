// Peers that break the rules of shared state: counted one by one, ignored for a
// while once there are too many, and told to whoever may hang up on them.

import type { Millis, NodeId } from '../ids.js'

export interface Offence {
  readonly node: NodeId
  readonly offence: string
  readonly at: Millis
}

const WINDOW_MS = 60_000
/** Nobody may have asked for them yet; older ones say the same. */
const KEPT_MAX = 1_000

export class Offences {
  readonly #max: number
  readonly #throttleMs: Millis
  readonly #recent = new Map<NodeId, { since: Millis; count: number; ignoredUntil: Millis }>()
  #fresh: Offence[] = []

  constructor(max: number, throttleMs: Millis) {
    this.#max = max
    this.#throttleMs = throttleMs
  }

  /** Returns true when it is the one too many. */
  add(node: NodeId, offence: string, at: Millis): boolean {
    if (this.#fresh.length < KEPT_MAX) this.#fresh.push({ node, offence, at })
    let entry = this.#recent.get(node)
    if (entry === undefined || at - entry.since > WINDOW_MS) {
      entry = { since: at, count: 0, ignoredUntil: entry?.ignoredUntil ?? Number.NEGATIVE_INFINITY }
      this.#recent.set(node, entry)
    }
    if (++entry.count < this.#max || at < entry.ignoredUntil) return false
    entry.ignoredUntil = at + this.#throttleMs
    entry.count = 0
    return true
  }

  isIgnored(node: NodeId, now: Millis): boolean {
    const entry = this.#recent.get(node)
    if (entry === undefined) return false
    if (now < entry.ignoredUntil) return true
    if (now - entry.since > WINDOW_MS) this.#recent.delete(node)
    return false
  }

  /** Offences since this was last asked. */
  take(): Offence[] {
    const taken = this.#fresh
    this.#fresh = []
    return taken
  }
}
