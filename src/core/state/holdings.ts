// The spaces and documents that this node holds. Decides which it begins to hold, when
// there are too many, and what it takes over from its store at a start.
//
// A space that is empty again is kept, so that nothing old comes back into it: its
// vector and its deletes are what tells a returning node that its entries are gone.
//
// It never writes to a replica and never sends one anywhere.

import { ShoalError } from '../errors.js'
import type { Stamp } from '../hybrid-clock.js'
import { compareText, type Millis, type NodeId } from '../ids.js'
import { OWN_SPACES } from '../own-spaces.js'
import type { StoreEntry } from '../step.js'
import type { Digest, Vector } from './digest.js'
import type { Frame } from './frame.js'
import type { Interest } from './interest.js'
import { refuseUnheld } from './limits.js'
import { readable } from './load.js'
import { recover } from './log.js'
import { nameOf } from './names.js'
import { NEWS_TOPIC, topicOf } from './outbox.js'
import { type Held, Places } from './places.js'
import { Replica } from './replica.js'
import { hasLive } from './structs.js'
import { newLineage, nodeOfList } from './writer.js'
import { WriterPlaces } from './writer-places.js'

export interface SpaceSummary {
  readonly space: string
  readonly keys: number
  readonly bytes: number
}

/** A document on its way from the store. */
interface Loading {
  readonly replica: Replica
  readonly steps: Generator<void, number>
  readonly bytes: number
  readonly useless: number
  /** How many openings wrote to it before it was filled. */
  readonly early: number
}

/** Of spaces that a later version may keep for itself no more is known than of anybody's. */
const OWN_DOCUMENTS: ReadonlySet<string> = new Set(Object.values(OWN_SPACES).map(name => `space/${name}`))

export class Holdings {
  readonly #frame: Frame
  readonly #interest: Interest
  readonly #onStamp: (stamp: Stamp) => void
  readonly #replicas = new Map<string, Replica>()
  /** Large raw documents that the store held, and that are not here yet. */
  readonly #loading = new Map<string, Loading>()
  readonly #places: Places
  readonly writers: WriterPlaces
  /** For which there was no place, and until when they are not asked for. */
  readonly #refused = new Map<string, Millis>()
  /** Whether anything is in a raw document of which others see this. */
  readonly #emptiness = new WeakMap<Digest, boolean>()
  #sorted: readonly Replica[] | null = null
  #isAnnounced = false
  /** Keys of the store that nobody needs any more. */
  #garbage: string[] = []

  constructor(frame: Frame, interest: Interest, onStamp: (stamp: Stamp) => void) {
    this.#frame = frame
    this.#interest = interest
    this.#onStamp = onStamp
    this.#places = new Places(frame.config.documentsMax, node => interest.isMember(node))
    this.writers = new WriterPlaces(frame.config, node => interest.isMember(node))
  }

  find(document: string): Replica | undefined {
    return this.#replicas.get(document)
  }

  holds(document: string): boolean {
    return this.#interest.holds(nameOf(document))
  }

  /** Finds or begins a document that the application, or Shoal itself, writes to or opens; undefined beyond the limits. */
  ensure(document: string): Replica | undefined {
    const found = this.#replicas.get(document)
    if (this.#loading.has(document) || !this.holds(document)) return found
    const hasPlace = OWN_DOCUMENTS.has(document) || this.#places.isUsed(document) || this.#hasOwnPlace()
    if (found !== undefined && hasPlace) this.#places.use(document)
    return found ?? (hasPlace ? this.#begin(document, null, true) : undefined)
  }

  /** Finds or begins one that others have, and this one sends; undefined where there is no place for it. */
  ensureOf(document: string, author: NodeId | null, from: NodeId): Replica | undefined {
    const found = this.#replicas.get(document)
    if (found !== undefined || this.#loading.has(document) || !this.holds(document)) return found
    if (OWN_DOCUMENTS.has(document) || this.#places.hasFor(document, author, this.#held()))
      return this.#begin(document, author, OWN_DOCUMENTS.has(document))
    this.#frame.count('shoal_state_dropped_total', { reason: 'full' })
    const { documentsMax, fullPauseMs } = this.#frame.config
    this.#refused.set(`${document} ${from}`, this.#frame.now + fullPauseMs)
    for (const first of this.#refused.keys()) {
      if (this.#refused.size <= documentsMax) break
      this.#refused.delete(first)
    }
    return undefined
  }

  /**
   * Whether it is here, or would be begun if this peer sent it, as far as that is known. One for which there was no place is
   * not asked for in a while; of this peer, for another may have it from another author.
   */
  isWanted(document: string, from: NodeId): boolean {
    if (this.#replicas.has(document)) return true
    if (!this.holds(document) || this.#loading.has(document)) return false
    const key = `${document} ${from}`
    const until = this.#refused.get(key)
    if (until === undefined || this.#places.isAsked(document)) return true
    if (this.#frame.now < until) return false
    this.#refused.delete(key)
    return true
  }

  /** The application has opened it while it was being read. */
  use(document: string): void {
    this.#places.use(document)
  }

  /** The application looks for something in it, and it is not here. */
  ask(document: string): void {
    this.#places.ask(document)
  }

  /** Bytes of all, with those added that others may not fill. */
  bytesFor({ document }: { readonly document: string }): number {
    const { remoteSlack, totalBytesMax } = this.#frame.config
    const kept = this.#places.isUsed(document) ? 0 : (remoteSlack - OTHERS_SHARE) * totalBytesMax
    return this.totalBytes + kept
  }

  /** How many bytes of it others may still bring; what is larger than an update is refused for that alone. */
  roomFor(document: string): number {
    const { remoteSlack, totalBytesMax, updateBytesMax } = this.#frame.config
    const left = remoteSlack * totalBytesMax - this.bytesFor({ document })
    return Math.max(0, Math.min(updateBytesMax, left))
  }

  /** Whether not all is here that this vector names, and the rest may come. */
  lacks(document: string, vector: Vector, from: NodeId): boolean {
    const replica = this.#replicas.get(document)
    if (replica === undefined) return vector.size > 0 && this.isWanted(document, from)
    return [...vector].some(([client, clock]) => replica.clockOf(client) < clock)
  }

  /** A raw document is looked through once after each change. */
  #isEmpty({ kind, entries, opened, bytes, doc, visible }: Replica): boolean {
    if (kind === 'space') return entries.size === 0
    if (opened || bytes > EMPTY_BYTES_MAX) return false
    const digest = visible.digest()
    const known = this.#emptiness.get(digest) ?? !hasLive(doc.store)
    this.#emptiness.set(digest, known)
    return known
  }

  #begin(document: string, author: NodeId | null, isUsed: boolean): Replica {
    const replica = this.#make(document, newLineage(this.#frame.rng))
    this.#keep(replica)
    this.#places.take(document, author, isUsed)
    const { config, now } = this.#frame
    replica.news.until = now + config.newsMs
    replica.news.bytesLeft = config.newsBytesMax
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

  get size(): number {
    return this.#replicas.size
  }

  summaries(): SpaceSummary[] {
    return this.byName()
      .filter(({ kind, entries }) => kind === 'space' && entries.size > 0)
      .map(({ name, entries }) => ({ space: name, keys: entries.size, bytes: entries.bytes }))
  }

  get totalBytes(): number {
    let bytes = 0
    for (const replica of this.#replicas.values()) bytes += replica.bytes
    for (const loading of this.#loading.values()) bytes += loading.bytes
    return bytes
  }

  /** Why no raw document of this name can be opened here, or null. */
  refuseDocument(name: string): ShoalError | null {
    const fault = refuseUnheld(name, this.#interest)
    const document = `doc/${name}`
    if (fault !== null || this.#replicas.has(document) || this.#loading.has(document)) return fault
    return !this.#hasOwnPlace() ? this.tooMany(`the document ${name}`) : null
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

  /** Takes over what the store holds, but for large raw documents, which come step by step. */
  load(entries: Iterable<StoreEntry>): void {
    for (const [document, recovered] of recover(entries)) {
      if (document === '') {
        this.#garbage.push(...recovered.strange)
        this.#lost(document, recovered.strange.length)
      } else if (!this.holds(document)) {
        // Kept on disk: whoever narrowed the patterns by mistake loses nothing.
        this.#frame.emit({
          kind: 'log',
          level: 'warn',
          text: 'stored but not held by this node',
          fields: { document },
        })
      } else {
        const { found, useless, garbage } = readable(document, recovered)
        this.#garbage.push(...garbage)
        const replica = this.#make(document, recovered.head?.lineage ?? newLineage(this.#frame.rng))
        const bytes = [...found.parts, ...found.log].reduce((sum, { length }) => sum + length, 0)
        const loading = {
          replica,
          steps: replica.load(found),
          bytes,
          useless,
          early: recovered.head?.early ?? 0,
        }
        this.#loading.set(document, loading)
        if (replica.kind === 'space' || bytes <= this.#frame.config.loadWholeBytes) this.#finish(loading)
      }
    }
  }

  get isLoading(): boolean {
    return this.#loading.size > 0
  }

  isOnItsWay(document: string): boolean {
    return this.#loading.has(document)
  }

  /** One step of what is still to be loaded: of this document, or of any. */
  loadStep(document?: string): void {
    const loading = document === undefined ? [...this.#loading.values()][0] : this.#loading.get(document)
    if (loading === undefined) return
    const { value, done } = loading.steps.next()
    if (done) this.#loaded(loading, value)
  }

  /** In how many openings it was written to before it was filled. */
  earlyOf(document: string): number {
    return this.#loading.get(document)?.early ?? this.#replicas.get(document)?.own.early ?? 0
  }

  /** Hears what is broadcast about all of it, and lets go of what the store need not keep. */
  announce(): void {
    this.#isAnnounced = true
    this.#frame.emit({ kind: 'subscribe', topic: NEWS_TOPIC })
    for (const { document } of this.byName())
      this.#frame.emit({ kind: 'subscribe', topic: topicOf(document) })
    if (this.#garbage.length === 0) return
    const writes = this.#garbage.map(key => ({ key, value: null }))
    this.#frame.emit({ kind: 'persist', writes, flush: false, token: null })
    this.#garbage = []
  }

  #hasOwnPlace(): boolean {
    return this.#places.hasOwn(this.#held())
  }

  #held(): Held[] {
    const held = [...this.#replicas.values()].map(replica => ({
      document: replica.document,
      isEmpty: this.#isEmpty(replica),
    }))
    for (const document of this.#loading.keys()) held.push({ document, isEmpty: false })
    return held
  }

  #make(document: string, lineage: string): Replica {
    const { self, config } = this.#frame
    return new Replica(document, self, lineage, config, this.#onStamp)
  }

  #keep(replica: Replica): void {
    this.#replicas.set(replica.document, replica)
    this.#sorted = null
  }

  #finish(loading: Loading): void {
    let step = loading.steps.next()
    while (!step.done) step = loading.steps.next()
    this.#loaded(loading, step.value)
  }

  #loaded({ replica, useless }: Loading, unapplied: number): void {
    const { document } = replica
    this.#loading.delete(document)
    this.#keep(replica)
    this.#places.take(document, authorOf(replica), replica.clockOf(replica.client) > 0)
    if (this.#isAnnounced) this.#frame.emit({ kind: 'subscribe', topic: topicOf(document) })
    // An own entry may be among what was lost: its clock must not be given out again.
    if (useless + unapplied > 0) replica.renew(newLineage(this.#frame.rng), 'known')
    this.#lost(document, useless + unapplied)
  }

  #lost(document: string, entries: number): void {
    if (entries === 0) return
    this.#frame.count('shoal_state_entries_lost_total', {}, entries)
    const fields = { document, entries }
    this.#frame.emit({ kind: 'log', level: 'error', text: 'stored state could not be read', fields })
  }
}

/** What others may fill of `totalBytesMax` with what is not used here, whatever the slack. */
const OTHERS_SHARE = 0.75
/** A raw document that is larger is not looked through, and counts as one that holds something. */
const EMPTY_BYTES_MAX = 32_768

/** Who wrote first to a space, as its lists say; whose a raw document is, nothing tells. */
const authorOf = ({ kind, doc }: Replica): NodeId | null => {
  if (kind === 'doc') return null
  for (const list of doc.share.keys()) {
    const node = nodeOfList(list)
    if (node !== null) return node
  }
  return null
}
