// Opens gossip's stream to each neighbor, in place of gossipsub's queue for all of them: there
// each waits for those before it, and one that never answers, because it hangs, its host is
// gone or it means harm, kept all that came after it from hearing anything for the 5 s that
// agreeing on a stream may take, again and again.
//
// To one neighbor they are still opened one after the other: gossipsub looks whether there is
// one before it opens another, and not again when it has it.

import { setImmediate as turn } from 'node:timers/promises'
import type { Connection, PeerId } from '@libp2p/interface'

interface Wish {
  readonly peerId: PeerId
  readonly connection: Connection
}

export class GossipStreams {
  readonly #open: (peer: PeerId, connection: Connection) => Promise<void>
  /** To whom one is being opened, and over which connection it is tried again after that. */
  readonly #next = new Map<string, Connection | null>()

  /** Opens one unless there is one, and never throws. */
  constructor(open: (peer: PeerId, connection: Connection) => Promise<void>) {
    this.#open = open
  }

  push({ peerId, connection }: Wish): void {
    const id = peerId.toString()
    if (this.#next.has(id)) this.#next.set(id, connection)
    else void this.#run(id, peerId, connection)
  }

  /** What is under way ends with its connection. */
  end(): void {}

  async #run(id: string, peer: PeerId, first: Connection): Promise<void> {
    for (let connection: Connection | null = first; connection !== null; ) {
      this.#next.set(id, null)
      // The end of a connection is told before the gossip stream over it has ended.
      await turn()
      await this.#open(peer, connection)
      connection = this.#next.get(id) ?? null
    }
    this.#next.delete(id)
  }
}
