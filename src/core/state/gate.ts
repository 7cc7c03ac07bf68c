// Whom this node talks to about what while it is still reading large documents from its
// store. Of a document that is not here yet it says and asks nothing: what it has on disk
// it would be sent once more, and in its absence a neighbor would be found equal that is
// not. All else is compared at once: what the mesh has of the tasks cannot wait for it.
//
// When all is read, every neighbor is asked once more. A step of reading takes some
// milliseconds; in between the node does all else that it does.

import type { Millis, NodeId } from '../ids.js'
import type { Exchange } from './exchange.js'
import type { Frame } from './frame.js'
import type { Holdings } from './holdings.js'
import type { StateMessage } from './message.js'
import type { Voice } from './voice.js'

export class Gate {
  readonly #frame: Frame
  readonly #holdings: Holdings
  readonly #exchange: Exchange
  readonly #voice: Voice

  constructor(frame: Frame, holdings: Holdings, exchange: Exchange, voice: Voice) {
    this.#frame = frame
    this.#holdings = holdings
    this.#exchange = exchange
    this.#voice = voice
  }

  begin(now: Millis): void {
    this.#voice.begin(now)
    if (this.#holdings.isLoading) this.#loadSoon(now)
  }

  /** Reads a little more; asks all neighbors when that was all. */
  load(now: Millis): void {
    this.#holdings.loadStep()
    if (this.#holdings.isLoading) {
      this.#loadSoon(now)
      return
    }
    this.#voice.loaded(now)
    for (const node of this.#exchange.links) this.#exchange.question(node)
  }

  linkUp(now: Millis, node: NodeId): void {
    this.#exchange.linkUp(node)
    this.#voice.linkUp(now)
  }

  linkDown(now: Millis, node: NodeId): void {
    this.#exchange.linkDown(now, node)
    this.#voice.linkDown(now)
  }

  handle(now: Millis, from: NodeId, message: StateMessage): void {
    this.#exchange.handle(now, from, message)
  }

  #loadSoon(now: Millis): void {
    this.#frame.chores.set('load', now + LOAD_GAP_MS)
  }
}

/** Between two steps of loading: the next turn. */
const LOAD_GAP_MS = 1
