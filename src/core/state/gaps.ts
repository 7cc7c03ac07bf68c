// What came before that which it builds on: held back, and asked for.
//
// Gossip delivers late and in any order. A broadcast of a space whose writer has an
// earlier one still on the way is kept here as it came, and not given to Yjs: that
// would hold back the new entries but carry out the deletes, and a key that is being
// overwritten would be gone for a moment. Raw documents are left to Yjs, whose own
// rules their users know.

import type { DeadlineQueue } from '../deadline-queue.js'
import type { Millis, NodeId } from '../ids.js'
import type { Rng } from '../rng.js'
import type { StateConfig } from './config.js'
import type { Replica } from './replica.js'

/** A broadcast that cannot be applied yet. */
export interface Early {
  readonly from: NodeId
  readonly update: Uint8Array
  /** Its writer, and the first clock that it brings. */
  readonly client: number
  readonly clock: number
}

export interface GapsHost {
  readonly config: StateConfig
  readonly rng: Rng
  readonly deadlines: DeadlineQueue<string>
  links(): readonly NodeId[]
  ask(now: Millis, document: string, preferred: NodeId): void
  /** How long what can wait is left: longer than usual by a node that is behind. */
  unhurried(now: Millis, usualMs: Millis): Millis
}

/** Who is asked next, how long after the last question, where the gap was then, and since when. */
interface Search {
  readonly from: NodeId
  readonly waitMs: Millis
  readonly mark: string
  readonly since: Millis
}

export class Gaps {
  readonly #host: GapsHost
  readonly #early = new Map<string, { bytes: number; readonly list: Early[] }>()
  #bytes = 0
  readonly #searches = new Map<string, Search>()

  constructor(host: GapsHost) {
    this.#host = host
  }

  /** Keeps a broadcast until what is before it is here; false when there is no more room for it. */
  hold({ document }: Replica, early: Early): boolean {
    const held = this.#early.get(document) ?? { bytes: 0, list: [] }
    if (held.list.some(({ client, clock }) => client === early.client && clock === early.clock)) return true
    // It comes again, in order, from whoever is asked for what is missing.
    const { pendingBytesMax, pendingTotalBytesMax } = this.#host.config
    const bytes = weightOf(early)
    if (held.bytes + bytes > pendingBytesMax || this.#bytes + bytes > pendingTotalBytesMax) return false
    held.bytes += bytes
    this.#bytes += bytes
    held.list.push(early)
    this.#early.set(document, held)
    return true
  }

  /** A held broadcast whose time has come, which is held no more. */
  takeReady(replica: Replica): Early | undefined {
    const held = this.#early.get(replica.document)
    if (held === undefined) return undefined
    const index = held.list.findIndex(({ client, clock }) => clock <= replica.clockOf(client))
    const [ready] = index < 0 ? [] : held.list.splice(index, 1)
    const weight = ready === undefined ? 0 : weightOf(ready)
    held.bytes -= weight
    this.#bytes -= weight
    if (held.list.length === 0) this.#early.delete(replica.document)
    return ready
  }

  /** To be called when something came for a replica: begins to ask, or needs to no more. */
  look(now: Millis, replica: Replica, from: NodeId): void {
    const { document } = replica
    const key = `gap ${document}`
    const { config, deadlines } = this.#host
    if (!this.#isOpen(replica)) {
      // The next gap is another one: it must not inherit how long this one was waited for.
      if (this.#searches.delete(document)) deadlines.delete(key)
      return
    }
    const search = this.#searches.get(document)
    // What nobody has is asked for seldom; another gap is not to wait for that.
    const isSeldom = search !== undefined && search.waitMs > config.compareIntervalMs
    if (deadlines.get(key) !== null && !(isSeldom && this.#markOf(replica) !== search.mark)) return
    const waitMs = this.#host.unhurried(now, config.gapDelayMs)
    this.#searches.set(document, { from, waitMs, mark: '', since: now })
    deadlines.set(key, now + waitMs)
  }

  onDeadline(now: Millis, replica: Replica): void {
    const { document } = replica
    const search = this.#searches.get(document)
    if (search === undefined || !this.#isOpen(replica)) {
      this.#searches.delete(document)
      return
    }
    const { config, deadlines, rng } = this.#host
    this.#host.ask(now, document, search.from)
    // If that did not help, somebody else may, later and later. Under a steady stream of
    // writes one gap follows another without a pause: where it has moved, asking helps.
    const links = this.#host.links()
    const mark = this.#markOf(replica)
    const since = mark === search.mark ? search.since : now
    // Nobody may have it but who has no place here (standstill.ts).
    const most = now - since < config.standstillMs ? config.compareIntervalMs : config.standstillMaxMs
    const waitMs =
      mark === search.mark
        ? Math.min(4 * search.waitMs + 200, most)
        : this.#host.unhurried(now, 4 * config.gapDelayMs)
    const next = links.length > 0 ? rng.pick(links) : search.from
    this.#searches.set(document, { from: next, waitMs, mark, since })
    deadlines.set(`gap ${document}`, now + waitMs)
  }

  #isOpen(replica: Replica): boolean {
    return replica.hasGap || this.#early.has(replica.document)
  }

  /** Where the gap is: changes as soon as anything of it is filled. */
  #markOf(replica: Replica): string {
    const writers = new Set(replica.gapWriters)
    for (const { client } of this.#early.get(replica.document)?.list ?? []) writers.add(client)
    const clocks = [...writers].map(client => `${client}:${replica.clockOf(client)}`)
    return `${clocks.join(' ')} ${replica.doc.store.pendingDs?.length ?? 0}`
  }
}

/** What it takes of the room: very many small ones would take longer to look through than large ones. */
const weightOf = ({ update }: Early): number => Math.max(update.length, EARLY_BYTES_MIN)
const EARLY_BYTES_MIN = 1_024
