// What the comparison of two nodes (exchange.ts) asks of the rest of shared state, and tells it.

import type { DeadlineQueue } from '../deadline-queue.js'
import type { Millis, NodeId } from '../ids.js'
import type { Rng } from '../rng.js'
import type { Effect } from '../step.js'
import type { StateConfig } from './config.js'
import type { Vector } from './digest.js'
import type { OverviewHost } from './overview.js'
import type { Replica } from './replica.js'

/** What the exchange needs of the core around it. */
export interface ExchangeHost extends OverviewHost {
  readonly self: NodeId
  readonly config: StateConfig
  readonly rng: Rng
  readonly deadlines: DeadlineQueue<string>
  emit(effect: Effect): void
  find(document: string): Replica | undefined
  /** Begins a document of which a peer sends the first; undefined where there is no place for it. */
  begin(now: Millis, from: NodeId, document: string, update: Uint8Array): Replica | undefined
  holds(document: string): boolean
  /** Whether it is here, or would be begun if this peer sent it. */
  isWanted(document: string, from: NodeId): boolean
  /** Whether not all is here that this vector names, and the rest may come. */
  lacks(document: string, vector: Vector, from: NodeId): boolean
  /** How many bytes of it others may still bring, up to what one update may have. */
  roomFor(document: string): number
  /** Checks and applies an update of a peer; true when it brought something new. */
  receive(now: Millis, from: NodeId, replica: Replica, update: Uint8Array): boolean
  /** What a comparison brought is passed on in a while. */
  tellSoon(now: Millis): void
  /** A peer told how far it knows this document's writers. */
  sawVector(now: Millis, from: NodeId, replica: Replica, vector: Vector): void
  /** To be called with what a peer sends before it is applied; whether it may be. */
  weigh(now: Millis, from: NodeId, replica: Replica, update: Uint8Array, isLast: boolean): boolean
  offence(now: Millis, from: NodeId, what: string): void
  dropped(reason: string): void
  /** Whether this node has booted and has not yet compared itself with anybody. */
  awaitsFirst(): boolean
  /** Whether what is written to it is kept from others until it has been compared. */
  isSilent(replica: Replica): boolean
  /** Whether it knows what the mesh knows, as far as anybody can. */
  isSure(): boolean
  /** Whether what each neighbor shows still decides when this node speaks. */
  isListening(): boolean
  /** A peer told how far it knows the writers of all documents, and of whom it has heard so. */
  heard(now: Millis, from: NodeId, isSure: boolean, met: readonly number[]): void
  /** A neighbor that has met nobody to rely on is to be told of whom this node has heard. */
  tellMetSoon(now: Millis): void
  /** It has compared itself: everything that one neighbor had is here. */
  firstDone(now: Millis, from: NodeId, isSure: boolean): void
}
