// Whom this node talks to while it is still reading large documents from its store:
// nobody. What it does not have yet it would be sent once more, and in its absence a
// neighbor would be found equal that is not.
//
// So links wait here, and what their other ends begin with, until all is loaded. A step
// of loading takes some milliseconds; in between the node does all else that it does.

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
  /** Links that wait, with the question that came over each. */
  readonly #waiting = new Map<NodeId, StateMessage | null>()
  #isOpen = true

  constructor(frame: Frame, holdings: Holdings, exchange: Exchange, voice: Voice) {
    this.#frame = frame
    this.#holdings = holdings
    this.#exchange = exchange
    this.#voice = voice
  }

  begin(now: Millis): void {
    this.#isOpen = !this.#holdings.isLoading
    if (this.#isOpen) this.#voice.begin(now)
    else this.#loadSoon(now)
  }

  /** Reads a little more; opens when that was all. */
  load(now: Millis): void {
    this.#holdings.loadStep()
    if (this.#holdings.isLoading) {
      this.#loadSoon(now)
      return
    }
    this.#isOpen = true
    this.#voice.begin(now)
    for (const node of this.#waiting.keys()) this.#join(now, node)
    for (const [node, question] of this.#waiting)
      if (question !== null) this.#exchange.handle(now, node, question)
    this.#waiting.clear()
  }

  linkUp(now: Millis, node: NodeId): void {
    if (this.#isOpen) this.#join(now, node)
    else this.#waiting.set(node, null)
  }

  linkDown(node: NodeId): void {
    this.#waiting.delete(node)
    this.#exchange.linkDown(node)
    this.#voice.linkDown()
  }

  handle(now: Millis, from: NodeId, message: StateMessage): void {
    if (this.#isOpen) this.#exchange.handle(now, from, message)
    else if (message.kind === 'stateHello' && this.#waiting.has(from)) this.#waiting.set(from, message)
  }

  #join(now: Millis, node: NodeId): void {
    this.#exchange.linkUp(node)
    this.#voice.linkUp(now)
  }

  #loadSoon(now: Millis): void {
    this.#frame.deadlines.set('load', now + LOAD_GAP_MS)
  }
}

/** Between two steps of loading: the next turn. */
const LOAD_GAP_MS = 1
