// How much a peer may ask. To answer costs time: vectors are read, hashes made, and whoever has just
// booted is told of all. Decides what of it is answered, and when it is too much.
//
// An honest node asks once for everything when it has booted, and of a document when it hears
// that there is something new; a thousand documents at once stay far below what is allowed.
//
// It never answers anything itself.

import type { Millis, NodeId } from '../ids.js'
import type { StateConfig } from './config.js'
import type { StateMessage } from './message.js'

interface Asker {
  /** What it may still ask, in bytes, and when that was counted. */
  room: number
  at: Millis
  /** When it last asked for everything, and how often too soon after that. */
  askedAllAt: Millis
  hurries: number
}

export class Asked {
  readonly #config: StateConfig
  /** Kept when a link closes: whoever opens a new one for each question asks as much. */
  readonly #askers = new Map<NodeId, Asker>()

  constructor(config: StateConfig) {
    this.#config = config
  }

  /** A new link begins with a question, and one that comes and goes is no offence. */
  linkUp(node: NodeId): void {
    const asker = this.#askers.get(node)
    if (asker !== undefined) asker.hurries = 0
  }

  /** Whether it is answered, if it is a question. */
  mayAsk(now: Millis, from: NodeId, message: StateMessage): boolean {
    const bytes = questionBytes(message)
    if (bytes === 0) return true
    const { askBytesPerSecond, askBytesMax } = this.#config
    const asker = this.#of(now, from)
    asker.room = Math.min(askBytesMax, asker.room + ((now - asker.at) * askBytesPerSecond) / 1_000)
    asker.at = now
    const cost = Math.max(bytes, QUESTION_BYTES_MIN)
    if (asker.room < cost) return false
    asker.room -= cost
    return true
  }

  /** Everything is asked for: answered at once, answered when others are, or too often. */
  mayAskAll(now: Millis, from: NodeId): 'at-once' | 'later' | 'never' {
    const asker = this.#of(now, from)
    if (now - asker.askedAllAt >= this.#config.askAllPauseMs) {
      asker.askedAllAt = now
      asker.hurries = 0
      return 'at-once'
    }
    return ++asker.hurries <= HURRIES_MAX ? 'later' : 'never'
  }

  #of(now: Millis, node: NodeId): Asker {
    const known = this.#askers.get(node)
    if (known !== undefined) return known
    // Who has asked for nothing in a while may begin anew.
    if (this.#askers.size >= ASKERS_MAX)
      for (const [each, { at, askedAllAt }] of this.#askers)
        if (now - Math.max(at, askedAllAt) > FORGOTTEN_MS) this.#askers.delete(each)
    const asker = {
      room: this.#config.askBytesMax,
      at: now,
      askedAllAt: Number.NEGATIVE_INFINITY,
      hurries: 0,
    }
    this.#askers.set(node, asker)
    return asker
  }
}

/** Of what has to be answered; 0 for what is an answer. */
const questionBytes = (message: StateMessage): number => {
  if (message.kind === 'stateHello') return message.root.length + 1
  if (message.kind === 'stateSummary') return message.hashes.length + 1
  if (message.kind === 'stateHeld') return message.vector.length + 1
  if (message.kind === 'stateDigest') return message.vector.length + message.deletes.length + 1
  return message.kind === 'stateWant' ? message.vector.length + message.ranges.length + 1 : 0
}

/** To answer the shortest question takes some 30 µs, as long as to read so much. */
const QUESTION_BYTES_MIN = 1_024
/** Twice when its link opens, and once more when all is read. */
const HURRIES_MAX = 5
const ASKERS_MAX = 1_000
const FORGOTTEN_MS = 60_000
