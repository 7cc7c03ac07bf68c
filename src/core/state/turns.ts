// To whom what this node wrote itself goes first. After a cut has healed all neighbors lack the same, and to send
// it over each link at once is as many times its bytes; so one of them gets it, the others are told "not now", and
// get it from there or ask again.
//
// Nobody is put off for longer than `turnMs`: the one whose turn it is may be slow, may never pass it on, and may lie.
//
// It never decides what is sent.

import type { Millis, NodeId } from '../ids.js'
import type { StateConfig } from './config.js'

interface Turn {
  readonly to: NodeId
  /** Infinite while it is being sent. */
  until: Millis
  /** Since when each of the others was put off. */
  readonly putOff: Map<NodeId, Millis>
}

export class Turns {
  readonly #config: StateConfig
  readonly #turns = new Map<string, Turn>()

  constructor(config: StateConfig) {
    this.#config = config
  }

  /** Whether it is sent to this neighbor now; if so, and it was nobody's turn, it is this one's. */
  mayGo(now: Millis, to: NodeId, document: string): boolean {
    const turn = this.#turns.get(document)
    if (turn === undefined || now >= turn.until) {
      this.#turns.set(document, { to, until: Number.POSITIVE_INFINITY, putOff: new Map() })
      return true
    }
    if (turn.to === to) return true
    const since = turn.putOff.get(to) ?? now
    turn.putOff.set(to, since)
    return now - since >= this.#config.turnMs
  }

  /** All of it has been sent: whoever has it now tells the others. */
  sent(now: Millis, to: NodeId, document: string): void {
    const turn = this.#turns.get(document)
    if (turn?.to === to) turn.until = now + this.#config.turnRestMs
  }

  /** It came to nothing. */
  ended(to: NodeId, document: string): void {
    if (this.#turns.get(document)?.to === to) this.#turns.delete(document)
  }

  linkDown(node: NodeId): void {
    for (const [document, turn] of this.#turns) {
      turn.putOff.delete(node)
      if (turn.to === node) this.#turns.delete(document)
    }
  }
}
