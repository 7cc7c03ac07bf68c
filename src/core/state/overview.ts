// What two nodes tell each other of all that both hold: one hash of everything, or a hash of each
// document. Decides which documents that are.
//
// It never says more of a document than that; what differs in one is found by its digest (exchange.ts).

import type { NodeId } from '../ids.js'
import { rootOf } from './digest.js'
import type { StateMessage } from './message.js'
import type { Replica } from './replica.js'

export interface OverviewHost {
  /** Documents by name. */
  replicas(): readonly Replica[]
  isHeldBy(peer: NodeId, document: string): boolean
}

export class Overview {
  readonly #host: OverviewHost

  constructor(host: OverviewHost) {
    this.#host = host
  }

  /** What both hold, and this node has anything of. */
  sharedWith(peer: NodeId): Replica[] {
    return this.#host
      .replicas()
      .filter(
        replica => replica.visible.digest().vector.length > 0 && this.#host.isHeldBy(peer, replica.document),
      )
  }

  rootWith(peer: NodeId): Uint8Array {
    return rootOf(
      this.sharedWith(peer).map(replica => [replica.document, replica.visible.digest().hash] as const),
    )
  }

  summaryFor(peer: NodeId): StateMessage {
    const shared = this.sharedWith(peer)
    const hashes = new Uint8Array(8 * shared.length)
    shared.forEach((replica, i) => {
      hashes.set(replica.visible.digest().hash, 8 * i)
    })
    return { kind: 'stateSummary', documents: shared.map(({ document }) => document), hashes }
  }
}
