// How often a node may broadcast what it writes to one document: the more nodes write
// to it just now, the less often each, so that the mesh carries about as many
// broadcasts of it whoever writes. A lone write after a quiet moment never waits.
//
// Every broadcast is a message that every node receives several times over. Twenty
// nodes that each wrote ten times a second kept two cores so busy that the writes were
// 47 s late; gathered, they are one tenth of the messages.

import type { Millis, NodeId } from '../ids.js'

/** How long a node counts as writing after its last broadcast. */
const WINDOW_MS = 1_000

export class Pace {
  readonly #shareMs: Millis
  /** When each was heard last, the longest ago first. */
  readonly #heardAt = new Map<NodeId, Millis>()

  constructor(shareMs: Millis) {
    this.#shareMs = shareMs
  }

  heard(now: Millis, from: NodeId): void {
    this.#heardAt.delete(from)
    this.#heardAt.set(from, now)
    this.#forget(now)
  }

  /** The least time between two broadcasts of this node, which is one of those that write. */
  intervalMs(now: Millis): Millis {
    this.#forget(now)
    return (this.#heardAt.size + 1) * this.#shareMs
  }

  #forget(now: Millis): void {
    for (const [from, at] of this.#heardAt) {
      if (now - at <= WINDOW_MS) return
      this.#heardAt.delete(from)
    }
  }
}
