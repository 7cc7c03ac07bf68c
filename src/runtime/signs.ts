// When each member that is or was a neighbor last gave a sign of life: what stands
// beside a verdict, so that a reader sees how long a node was silent before it was held dead.

import type { Millis, NodeId } from '../core/ids.js'
import type { TransportListener } from '../ports.js'

const SIGNS_MAX = 10_000

export class Signs {
  readonly #now: () => Millis
  readonly #signs = new Map<NodeId, Millis>()

  constructor(now: () => Millis) {
    this.#now = now
  }

  /** A message, or the end of its connection. */
  lastOf(member: NodeId): Millis | null {
    return this.#signs.get(member) ?? null
  }

  forget(member: NodeId): void {
    this.#signs.delete(member)
  }

  /** The same listener, with its signs of life noted. */
  observing(listener: TransportListener): TransportListener {
    return {
      ...listener,
      onMessage: (from, channel, bytes) => {
        if (this.#signs.has(from) || this.#signs.size < SIGNS_MAX) this.#signs.set(from, this.#now())
        listener.onMessage(from, channel, bytes)
      },
      onLinkDown: (node, reset) => {
        // Only the other end's own doing tells of it.
        if (reset && this.#signs.has(node)) this.#signs.set(node, this.#now())
        listener.onLinkDown(node, reset)
      },
    }
  }
}
