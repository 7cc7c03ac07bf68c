// How often a neighbor is asked about a document that differs and does not move: what one of the two refuses for want of
// a place or of room stays different for ever, and each comparison would bring all of it again. As long as
// neither of the two has got anything since it was asked about, it is asked ever more seldom. Room that is given back
// elsewhere changes neither, so more room than there was at any question is a reason to ask at once.
//
// It never decides what differs, and is not asked where a node that has booted waits for an answer.

import type { Millis, NodeId } from '../ids.js'
import type { StateConfig } from './config.js'
import { sameBytes } from './digest.js'

/** How the two had a document when it was last asked about, since when it has been so, and the most room that there was at a question. */
interface Stand {
  readonly mine: Uint8Array
  readonly theirs: Uint8Array
  readonly room: number
  readonly since: Millis
  readonly askedAt: Millis
}

export interface Differing {
  readonly document: string
  readonly mine: Uint8Array
  readonly theirs: Uint8Array
  /** Bytes that there is room for here, as far as a refusal can depend on it. */
  readonly room: number
}

export class Standstill {
  readonly #config: StateConfig
  readonly #stands = new Map<NodeId, ReadonlyMap<string, Stand>>()

  constructor(config: StateConfig) {
    this.#config = config
  }

  linkDown(node: NodeId): void {
    this.#stands.delete(node)
  }

  /** Of all that differs from what a neighbor has, what it is to be asked about. */
  toAsk(now: Millis, node: NodeId, differing: readonly Differing[]): string[] {
    const before = this.#stands.get(node)
    const after = new Map<string, Stand>()
    const out: string[] = []
    for (const { document, mine, theirs, room } of differing) {
      const known = before?.get(document)
      const isSame = known !== undefined && sameBytes(known.mine, mine) && sameBytes(known.theirs, theirs)
      const mayAsk = !isSame || room > known.room || now >= known.askedAt + this.#pauseMs(known)
      if (mayAsk) out.push(document)
      const since = isSame ? known.since : now
      const most = isSame ? Math.max(room, known.room) : room
      after.set(document, mayAsk ? { mine, theirs, room: most, since, askedAt: now } : known)
    }
    this.#stands.set(node, after)
    return out
  }

  #pauseMs({ since, askedAt }: Stand): Millis {
    const { standstillMs, standstillMaxMs } = this.#config
    const stoodMs = askedAt - since
    return stoodMs < standstillMs ? 0 : Math.min(stoodMs, standstillMaxMs)
  }
}
