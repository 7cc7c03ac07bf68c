// Who is known to have more of a document than is here, and in which order they are tried: as they became known,
// and last those who were left because they did not deliver, of these the quickest first.
//
// That somebody did not deliver holds for all documents and for a minute, also when its link has come and gone: who
// promises and never sends must not be tried first again and again.
//
// It never asks anybody.

import type { Millis, NodeId } from '../ids.js'
import type { StateConfig } from './config.js'
import type { Vector } from './digest.js'

export interface Source {
  /** How it has the document. */
  readonly vector: Vector
  /** It is not asked before. */
  readonly notBefore: Millis
}

interface Left {
  readonly until: Millis
  /** How long it is tried last; as long again it is known that it was. */
  readonly forMs: Millis
  /** What it delivered in a mean window before it was left. */
  readonly bytes: number
}

export class Sources {
  readonly #config: StateConfig
  readonly #byDocument = new Map<string, Map<NodeId, Source>>()
  readonly #left = new Map<NodeId, Left>()

  constructor(config: StateConfig) {
    this.#config = config
  }

  add(document: string, node: NodeId, vector: Vector, notBefore: Millis): void {
    const sources = this.#byDocument.get(document) ?? new Map<NodeId, Source>()
    sources.set(node, { vector, notBefore })
    this.#byDocument.set(document, sources)
  }

  drop(document: string, node: NodeId): void {
    const sources = this.#byDocument.get(document)
    sources?.delete(node)
    if (sources?.size === 0) this.#byDocument.delete(document)
  }

  linkDown(node: NodeId): void {
    for (const document of [...this.#byDocument.keys()]) this.drop(document, node)
  }

  inOrder(now: Millis, document: string): (Source & { readonly node: NodeId })[] {
    const known = [...(this.#byDocument.get(document) ?? [])].map(([node, source]) => ({ node, ...source }))
    const bytes = (node: NodeId): number => (this.isLast(now, node) ? this.#bytesOf(node) : Infinity)
    return known.sort((a, b) => (bytes(a.node) === bytes(b.node) ? 0 : bytes(b.node) - bytes(a.node)))
  }

  /** Whether it did not deliver a while ago. */
  isLast(now: Millis, node: NodeId): boolean {
    return now < (this.#left.get(node)?.until ?? now)
  }

  /** It delivered so little in a window. */
  leave(now: Millis, node: NodeId, bytes: number): void {
    const { sourceLastMs, sourceLastMaxMs } = this.#config
    for (const [each, { until, forMs }] of this.#left) if (now >= until + forMs) this.#left.delete(each)
    const before = this.#left.get(node)
    const isAgain = before !== undefined && now >= before.until
    const forMs = isAgain ? Math.min(2 * before.forMs, sourceLastMaxMs) : (before?.forMs ?? sourceLastMs)
    this.#left.set(node, { until: now + forMs, forMs, bytes })
  }

  delivers(node: NodeId): void {
    this.#left.delete(node)
  }

  /**
   * Somebody else who is to be tried rather than this one, which delivers so little in a mean window. One piece more or
   * less is no difference, unless it was looked at for long (`isSettled`).
   */
  isBetter(now: Millis, other: NodeId, bytes: number, isSettled: boolean): boolean {
    const margin = isSettled ? 0 : 2 * this.#config.firstPieceBytes
    return !this.isLast(now, other) || this.#bytesOf(other) > 2 * bytes + margin
  }

  #bytesOf(node: NodeId): number {
    return this.#left.get(node)?.bytes ?? 0
  }
}
