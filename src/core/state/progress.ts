// How far a long catch-up is, for whoever reads the log: said while it goes on, and at its end
// if it was said before. A short one is not worth a line.

import type { Millis, NodeId } from '../ids.js'
import type { Effect } from '../step.js'

export interface ProgressHost {
  readonly config: { readonly progressIntervalMs: Millis }
  emit(effect: Effect): void
}

/** A series of pieces under way. */
interface Series {
  bytes: number
  toldAt: Millis
  told: boolean
}

export class Progress {
  readonly #host: ProgressHost
  readonly #peers = new Map<NodeId, Map<string, Series>>()

  constructor(host: ProgressHost) {
    this.#host = host
  }

  linkUp(node: NodeId): void {
    this.#peers.set(node, new Map())
  }

  linkDown(node: NodeId): void {
    this.#peers.delete(node)
  }

  /** A piece of a document came. */
  received(now: Millis, from: NodeId, document: string, bytes: number, isLast: boolean): void {
    const underway = this.#peers.get(from)
    if (underway === undefined) return
    const series = underway.get(document) ?? { bytes: 0, toldAt: now, told: false }
    series.bytes += bytes
    if (isLast) underway.delete(document)
    else underway.set(document, series)
    const isDue = now - series.toldAt >= this.#host.config.progressIntervalMs
    if (isLast ? !series.told : !isDue) return
    series.toldAt = now
    series.told = true
    this.#host.emit({
      kind: 'log',
      level: 'info',
      text: isLast ? 'state caught up' : 'state is catching up',
      fields: { document, from, bytes: series.bytes },
    })
  }
}
