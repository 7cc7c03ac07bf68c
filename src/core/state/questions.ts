// What this node asks of others about a document: how it has it itself, and up to how much it takes from whom it asks
// (asking.ts). Where its own clocks are in doubt it takes all from everybody, since each has to show what it
// knows of them.
//
// It never decides whether something differs.

import type { Millis, NodeId } from '../ids.js'
import { Asking } from './asking.js'
import { decodeVector, EMPTY_DIGEST, sameBytes, type Vector } from './digest.js'
import type { ExchangeHost } from './exchange-host.js'
import type { StateMessage } from './message.js'
import type { Replica } from './replica.js'

export interface QuestionsHost {
  /** All neighbors are compared with. */
  compare(): void
  /** Whether a neighbor has still to show that this document is here as it has it. */
  isAwaited(from: NodeId, document: string): boolean
}

export class Questions {
  readonly #host: ExchangeHost
  readonly #asking: Asking

  constructor(host: ExchangeHost, { compare, isAwaited }: QuestionsHost) {
    this.#host = host
    this.#asking = new Asking({
      config: host.config,
      deadlines: host.deadlines,
      lacks: (document, vector, from) => host.lacks(document, vector, from),
      question: (to, document, bytesMax) => this.#send(to, document, { bytesMax }),
      caughtUp: (from, document) => {
        // What it has came from somebody else: it is asked whether that was all.
        if (isAwaited(from, document)) this.#send(from, document, { bytesMax: host.config.smallGapBytes })
      },
      compare,
    })
  }

  linkDown(now: Millis, node: NodeId): void {
    this.#asking.linkDown(now, node)
  }

  onDeadline(now: Millis, what: 'source' | 'ask', subject: string): void {
    if (what === 'source') this.#asking.look(now, subject as NodeId)
    else this.#asking.again(now, subject)
  }

  ask(now: Millis, to: NodeId, document: string): void {
    this.#send(to, document, this.bytesMaxOf(now, to, document, null))
  }

  /** As a part of a question; `vector`: of what it is known to have more. */
  bytesMaxOf(
    now: Millis,
    to: NodeId,
    document: string,
    vector: Vector | null,
  ): { readonly bytesMax?: number } {
    const replica = this.#host.find(document)
    if (replica !== undefined && (replica.own.doubt !== null || this.isInDoubt(replica))) return {}
    return { bytesMax: this.#asking.bytesMaxOf(now, to, document, vector) }
  }

  /**
   * A vector tells that a clock was used and not what for: where this node wrote since it booted, and nobody
   * can have heard of it, equal is no answer.
   */
  isInDoubt(replica: Replica): boolean {
    return replica.own.mayClash && this.#host.isSilent(replica)
  }

  received(
    now: Millis,
    from: NodeId,
    document: string,
    bytes: number,
    isNew: boolean,
    isLast: boolean,
  ): void {
    this.#asking.received(now, from, document, bytes, isNew, isLast)
  }

  onHeld(now: Millis, from: NodeId, message: StateMessage & { kind: 'stateHeld' }): void {
    const { document, hash } = message
    if (!this.#host.isWanted(document, from)) return
    let vector: Vector
    try {
      vector = decodeVector(message.vector)
    } catch {
      this.#host.offence(now, from, 'held')
      return
    }
    const digest = this.#host.find(document)?.visible.digest() ?? EMPTY_DIGEST
    this.#asking.onHeld(now, from, message, vector, sameBytes(digest.hash, hash))
  }

  #send(to: NodeId, document: string, most: { readonly bytesMax?: number }): void {
    const { vector, deletes } = this.#host.find(document)?.visible.digest() ?? EMPTY_DIGEST
    const message: StateMessage = { kind: 'stateDigest', document, vector, deletes, ...most }
    this.#host.emit({ kind: 'send', to, channel: 'bulk', message })
  }
}
