// What nodes that have booted tell each other of those whom they have met. One whose disk may be old has to hear
// of its own writing from everybody (footing.ts), and not everybody is its neighbor: so each says of
// whom it has heard, after it has told how far it knows the writers of each document.
//
// Who hears that has heard of them as well once all of it is here, and not before: it is going
// to be asked itself, and can show others only what it has.
//
// It never decides who can be relied on.

import type { Millis, NodeId } from '../ids.js'
import { sameBytes, type Vector } from './digest.js'
import type { Replica } from './replica.js'

export interface HearsayHost {
  /** Whether not all is here that this vector names. */
  lacks(document: string, vector: Vector, from: NodeId): boolean
  /** Whether it knows what the mesh knows, as far as anybody can. */
  isSure(): boolean
  heard(now: Millis, from: NodeId, isSure: boolean, met: readonly number[]): void
}

interface Peer {
  /** The vector of each document as it was last told. */
  readonly told: Map<string, Uint8Array>
  /** How far it knows those of which not all is here. */
  readonly shown: Map<string, Vector>
  said: { readonly isSure: boolean; readonly met: readonly number[] } | null
}

export class Hearsay {
  readonly #host: HearsayHost
  readonly #peers = new Map<NodeId, Peer>()

  constructor(host: HearsayHost) {
    this.#host = host
  }

  linkUp(node: NodeId): void {
    this.#peers.set(node, { told: new Map(), shown: new Map(), said: null })
  }

  linkDown(node: NodeId): void {
    this.#peers.delete(node)
  }

  /** It has booted, or has read more since: what it was told before may have been dropped. */
  begin(node: NodeId): void {
    this.#peers.get(node)?.told.clear()
  }

  /** It has told that this document is there as it is here. */
  knows(node: NodeId, { document, visible }: Replica): void {
    if (!this.#host.isSure()) this.#peers.get(node)?.told.set(document, visible.digest().vector)
  }

  /** Of these documents, those that are to be told before it is said who was met. */
  takeUntold(to: NodeId, replicas: readonly Replica[]): Replica[] {
    const told = this.#peers.get(to)?.told
    if (told === undefined) return []
    return replicas.filter(({ document, visible }) => {
      const { vector } = visible.digest()
      const before = told.get(document)
      if (before !== undefined && sameBytes(before, vector)) return false
      told.set(document, vector)
      return true
    })
  }

  /** A peer told how far it knows a document's writers. */
  shows(from: NodeId, document: string, vector: Vector): void {
    if (!this.#host.isSure()) this.#peers.get(from)?.shown.set(document, vector)
  }

  /** And, after that, of whom it has heard. */
  says(from: NodeId, isSure: boolean, met: readonly number[] | null): void {
    const peer = this.#peers.get(from)
    if (peer !== undefined && met !== null) peer.said = { isSure, met }
  }

  /** More of what it has may be here, and all that it had when it was last asked for everything is. */
  look(now: Millis, from: NodeId): void {
    const peer = this.#peers.get(from)
    const said = peer?.said ?? null
    if (peer === undefined || said === null) return
    for (const [document, vector] of peer.shown) {
      if (this.#host.lacks(document, vector, from)) return
      peer.shown.delete(document)
    }
    peer.said = null
    peer.shown.clear()
    this.#host.heard(now, from, said.isSure, said.met)
  }
}
