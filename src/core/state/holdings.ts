// The spaces and documents that this node holds. Decides which it begins to hold, when
// there are too many, and what it takes over from its store at a start.
//
// A space that is empty again is kept, so that nothing old comes back into it: its
// vector and its deletes are what tells a returning node that its entries are gone.
//
// It never writes to a replica and never sends one anywhere.

import { ShoalError } from '../errors.js'
import type { Stamp } from '../hybrid-clock.js'
import { compareText } from '../ids.js'
import type { StoreEntry } from '../step.js'
import type { Frame } from './frame.js'
import type { Interest } from './interest.js'
import { refuseUnheld } from './limits.js'
import { loadReplica } from './load.js'
import { recover } from './log.js'
import { nameOf } from './names.js'
import { topicOf } from './outbox.js'
import { Replica } from './replica.js'
import { newLineage } from './writer.js'

export interface SpaceSummary {
  readonly space: string
  readonly keys: number
  readonly bytes: number
}

export class Holdings {
  readonly #frame: Frame
  readonly #interest: Interest
  readonly #onStamp: (stamp: Stamp) => void
  readonly #replicas = new Map<string, Replica>()
  #sorted: readonly Replica[] | null = null
  /** Keys of the store that nobody needs any more. */
  #garbage: string[] = []

  constructor(frame: Frame, interest: Interest, onStamp: (stamp: Stamp) => void) {
    this.#frame = frame
    this.#interest = interest
    this.#onStamp = onStamp
  }

  find(document: string): Replica | undefined {
    return this.#replicas.get(document)
  }

  holds(document: string): boolean {
    return this.#interest.holds(nameOf(document))
  }

  /** Finds or begins a document that this node holds; undefined beyond the limits. */
  ensure(document: string): Replica | undefined {
    const found = this.#replicas.get(document)
    if (found !== undefined || !this.holds(document)) return found
    // Shoal's own spaces are few, and nothing works without them.
    if (!document.startsWith('space/shoal.') && this.#isFull()) return undefined
    const replica = this.#begin(document, newLineage(this.#frame.rng))
    replica.isNews = true
    this.#frame.emit({ kind: 'subscribe', topic: topicOf(document) })
    return replica
  }

  all(): Iterable<Replica> {
    return this.#replicas.values()
  }

  byName(): readonly Replica[] {
    this.#sorted ??= [...this.#replicas.values()].sort((a, b) => compareText(a.document, b.document))
    return this.#sorted
  }

  summaries(): SpaceSummary[] {
    return this.byName()
      .filter(({ kind, entries }) => kind === 'space' && entries.size > 0)
      .map(({ name, entries }) => ({ space: name, keys: entries.size, bytes: entries.bytes }))
  }

  get totalBytes(): number {
    let bytes = 0
    for (const replica of this.#replicas.values()) bytes += replica.bytes
    return bytes
  }

  /** Why no raw document of this name can be opened here, or null. */
  refuseDocument(name: string): ShoalError | null {
    const fault = refuseUnheld(name, this.#interest)
    if (fault !== null || this.#replicas.has(`doc/${name}`)) return fault
    return this.#isFull() ? this.tooMany(`the document ${name}`) : null
  }

  tooMany(what: string): ShoalError {
    const { documentsMax } = this.#frame.config
    return new ShoalError(
      'STATE_LIMIT',
      `${what} would be one more than documentsMax (${documentsMax}) spaces and documents`,
    )
  }

  mustHold(space: string): void {
    const fault = refuseUnheld(space, this.#interest)
    if (fault !== null) throw fault
  }

  /** Takes over what the store holds. */
  load(entries: Iterable<StoreEntry>): void {
    const { rng } = this.#frame
    for (const [document, recovered] of recover(entries)) {
      let useless = document === '' ? recovered.strange.length : 0
      if (document === '') this.#garbage.push(...recovered.strange)
      else if (!this.holds(document)) {
        // Kept on disk: whoever narrowed the patterns by mistake loses nothing.
        this.#frame.emit({
          kind: 'log',
          level: 'warn',
          text: 'stored but not held by this node',
          fields: { document },
        })
      } else {
        const lineage = recovered.head?.lineage ?? newLineage(rng)
        const replica = this.#begin(document, lineage)
        const loaded = loadReplica(replica, recovered)
        useless += loaded.useless
        this.#garbage.push(...loaded.garbage)
        // An own entry may be among what was lost: its clock must not be given out again.
        if (loaded.useless > 0) replica.renew(newLineage(rng))
      }
      if (useless === 0) continue
      this.#frame.count('shoal_state_entries_lost_total', {}, useless)
      const fields = { document, entries: useless }
      this.#frame.emit({ kind: 'log', level: 'error', text: 'stored state could not be read', fields })
    }
  }

  /** Hears what is broadcast about all of it, and lets go of what the store need not keep. */
  announce(): void {
    for (const { document } of this.byName())
      this.#frame.emit({ kind: 'subscribe', topic: topicOf(document) })
    if (this.#garbage.length === 0) return
    const writes = this.#garbage.map(key => ({ key, value: null }))
    this.#frame.emit({ kind: 'persist', writes, flush: false, token: null })
    this.#garbage = []
  }

  #isFull(): boolean {
    const { documentsMax } = this.#frame.config
    if (this.#replicas.size < documentsMax) return false
    if (this.#replicas.size >= 4 * documentsMax) return true
    let inUse = 0
    for (const { kind, entries } of this.#replicas.values()) if (kind === 'doc' || entries.size > 0) inUse++
    return inUse >= documentsMax
  }

  #begin(document: string, lineage: string): Replica {
    const { self, config } = this.#frame
    const replica = new Replica(document, self, lineage, config, this.#onStamp)
    this.#replicas.set(document, replica)
    this.#sorted = null
    return replica
  }
}
