// What the store holds of one document: the entries of its log, and the snapshot that
// they are folded into when they have become many. Decides under which keys an update is
// kept, when a fold begins, and how large the document is for its limits.
//
// The log is what makes a write durable, so its entries are in order and none goes before
// the snapshot that takes it in counts. A fold goes part by part, with writes in between:
// what comes meanwhile is an entry after it.
//
// It never changes the document, and never writes: it returns what is to be written.

import * as Y from 'yjs'
import type { Stamp } from '../hybrid-clock.js'
import type { StoreWrite } from '../step.js'
import type { StateConfig } from './config.js'
import { encodePiece, encodeSections, UNLIMITED } from './encode.js'
import { entryKey, type Head, partKey, seal, writeHead } from './log.js'
import { type Cursor, cursorsOf, type Range } from './structs.js'

interface Fold {
  readonly snapshot: number
  readonly firstEntry: number
  readonly cursors: Cursor[]
  /** Bytes of the log that it takes in: they count until it does. */
  readonly logBytes: number
  parts: number
  bytes: number
}

/** What of the log was found in the store. */
export interface FoundLog {
  readonly head: Head | null
  readonly nextEntry: number
  readonly lastSnapshot: number
  /** Parts without a head, to go with the next snapshot. */
  readonly orphans: readonly string[]
  readonly snapshotBytes: number
  readonly logBytes: number
}

/**
 * Why a lineage is given up: nobody showed in time what is known of it, somebody said that he knows more of it than is
 * here, or that is certain.
 */
export type Because = 'left' | 'claimed' | 'known'

export class StoredLog {
  readonly #document: string
  readonly #isRaw: boolean
  readonly #config: StateConfig
  readonly #newestStamp: () => Stamp
  #isHeadStored = false
  /** The head could not be read. Until there is a new snapshot no other may stand: it would name one of several whose parts are all there is. */
  #isHeadLost = false
  #snapshot = 0
  /** The highest number that a part in the store may bear. */
  #lastSnapshot = 0
  #parts = 0
  #snapshotBytes = 0
  #firstEntry = 0
  #nextEntry = 0
  #logBytes = 0
  #fold: Fold | null = null
  #left = 0
  #claimed = 0
  #early = 0
  #aloneFrom: number | null = null
  #aloneBoots: readonly number[] = []
  #aloneOthers: Head['aloneOthers'] = []
  #orphans: string[] = []
  /** By how much `bytes` overstates the document, as found when `bytes` was last so many. */
  #overstated = 0
  #measuredAt = -1
  /** Bytes that were deleted since it was measured, */
  #deleted = 0
  /** and since it was last folded. */
  #unfolded = 0

  constructor(document: string, config: StateConfig, newestStamp: () => Stamp = () => 0) {
    this.#document = document
    this.#isRaw = document.startsWith('doc/')
    this.#config = config
    this.#newestStamp = newestStamp
  }

  load({ head, nextEntry, lastSnapshot, orphans, snapshotBytes, logBytes }: FoundLog): void {
    if (head !== null) {
      this.#isHeadStored = true
      this.#snapshot = head.snapshot
      this.#parts = head.parts
      this.#firstEntry = head.firstEntry
      this.#left = head.left
      this.#claimed = head.claimed
      this.#early = head.early
      this.#aloneFrom = head.aloneFrom
      this.#aloneBoots = head.aloneBoots
      this.#aloneOthers = head.aloneOthers
    } else this.#isHeadLost = orphans.length > 0
    this.#lastSnapshot = Math.max(this.#snapshot, lastSnapshot)
    this.#orphans = [...orphans]
    this.#nextEntry = Math.max(nextEntry, this.#firstEntry)
    this.#snapshotBytes = snapshotBytes
    this.#logBytes = logBytes
  }

  /** The document's encoded bytes, or more: what the log repeats or takes back counts too. */
  get bytes(): number {
    return this.#snapshotBytes + this.#logBytes + (this.#fold?.logBytes ?? 0)
  }

  /**
   * Whether there is room for so many bytes. The log says how much the document may have grown
   * at most; only what would exceed the limit by that is looked at closely, which takes long,
   * and not again before a hundredth of the limit has been written: so near to it, it is full.
   */
  fits(bytes: number, bytesMax: number, measure: () => number): boolean {
    const logged = this.bytes
    if (logged - this.#overstated + bytes <= bytesMax) return true
    if (this.#measuredAt >= 0 && logged - this.#measuredAt < bytesMax / 100) return false
    this.#overstated = Math.max(0, logged - measure())
    this.#measuredAt = logged
    return logged - this.#overstated + bytes <= bytesMax
  }

  /** So much was deleted of it: once that is a hundredth of the limit, it is worth another look. */
  deleted(bytes: number): void {
    this.#unfolded += bytes
    this.#deleted += bytes
    if (this.#deleted < this.#config.documentBytesMax / 100) return
    this.#deleted = 0
    this.#measuredAt = -1
  }

  /** The lineage has changed: the next own entry needs a new head before it. */
  renew(because: Because): void {
    this.#isHeadStored = false
    if (because === 'left') this.#left++
    if (because === 'claimed') this.#claimed++
    this.#forgetAlone()
  }

  /** One of them was true; the next head that is written for another reason says so. */
  claimShown(): void {
    this.#claimed = Math.max(0, this.#claimed - 1)
  }

  get claimed(): number {
    return this.#claimed
  }

  get left(): number {
    return this.#left
  }

  get early(): number {
    return this.#early
  }

  /** An opening is about to write under a clientID of its own: the head goes with that. */
  noteEarly(): void {
    this.#early++
    this.#isHeadStored = false
  }

  get aloneFrom(): number | null {
    return this.#aloneFrom
  }

  get aloneOthers(): Head['aloneOthers'] {
    return this.#aloneOthers
  }

  #forgetAlone(): void {
    this.#aloneFrom = null
    this.#aloneBoots = []
    this.#aloneOthers = []
  }

  /** Own clocks from here on, or from an earlier boot's on, are told to nobody, nor those of `others`; the next own entry says so. */
  beginAlone(clock: number, others: ReadonlyMap<number, number>): void {
    this.#aloneFrom ??= clock
    for (const [client, from] of others) {
      if (this.#aloneOthers.some(([each]) => each === client)) continue
      this.#aloneOthers = [...this.#aloneOthers, [client, from]]
      this.#isHeadStored = false
    }
    const boots = this.#aloneBoots
    if (boots.length >= ALONE_BOOTS_MAX || boots[boots.length - 1] === clock) return
    this.#aloneBoots = [...boots, clock]
    this.#isHeadStored = false
  }

  /** The clocks of the boot that wrote this one and told nobody; this one alone when it is not known which was that. */
  aloneWith(clock: number, loadedClock: number): { readonly from: number; readonly to: number } {
    const boots = this.#aloneBoots
    const from = boots.findLast(boot => boot <= clock)
    const to = boots.find(boot => boot > clock) ?? (boots.length < ALONE_BOOTS_MAX ? loadedClock : undefined)
    return from === undefined || to === undefined ? { from: clock, to: clock + 1 } : { from, to }
  }

  /** They are going to be told; once this is stored, they may be. */
  endAlone(lineage: string): StoreWrite[] {
    this.#forgetAlone()
    return this.#isHeadStored ? [writeHead(this.#document, this.#head(lineage))] : []
  }

  /** The store's writes for an update; its entry of the log comes after all before. */
  append(update: Uint8Array, isOwn: boolean, lineage: string): StoreWrite[] {
    const writes: StoreWrite[] = []
    if (isOwn && !this.#isHeadStored && !this.#isHeadLost) {
      this.#isHeadStored = true
      writes.push(writeHead(this.#document, this.#head(lineage)))
    }
    writes.push({ key: entryKey(this.#document, this.#nextEntry++), value: seal(update) })
    this.#logBytes += update.length
    return writes
  }

  get wantsFold(): boolean {
    if (this.#fold !== null || this.#isHeadLost) return true
    const { foldBytes, foldEntries } = this.#config
    // Until it is folded, what was deleted counts among the bytes of all documents, and stays on the disk.
    if (this.#unfolded > FOLD_DELETED_MIN && this.#unfolded > this.bytes / 2) return true
    const entries = this.#nextEntry - this.#firstEntry
    return entries > foldEntries || this.#logBytes > Math.max(foldBytes, this.#foldBytesWanted())
  }

  /** As much as it costs to fold; a raw document that nears its limit earlier, since that measures it over many turns. */
  #foldBytesWanted(): number {
    const left = this.#config.documentBytesMax - this.#snapshotBytes
    return this.#isRaw ? Math.min(this.#snapshotBytes, left / 2) : this.#snapshotBytes
  }

  /**
   * The next part of a snapshot; the last one makes it count and takes the old one away. A snapshot does not say
   * which of its deletes nobody is to hear of: these begin the log that follows it.
   */
  foldStep({ store }: Y.Doc, lineage: string, deletesAlone: readonly Range[] = []): StoreWrite[] {
    const writes: StoreWrite[] = []
    if (this.#fold === null) {
      this.#fold = {
        snapshot: ++this.#lastSnapshot,
        firstEntry: this.#nextEntry,
        cursors: cursorsOf(store),
        logBytes: this.#logBytes,
        parts: 0,
        bytes: 0,
      }
      this.#logBytes = 0
      this.#unfolded = 0
      if (deletesAlone.length > 0)
        writes.push({
          key: entryKey(this.#document, this.#nextEntry++),
          value: seal(encodeSections([], deletesAlone)),
        })
      // What is held back for lack of something before it is in no snapshot, and may wait for ever: it stays in the log.
      for (const held of [store.pendingStructs?.update, store.pendingDs])
        if (held) {
          const value = seal(Y.convertUpdateFormatV2ToV1(held))
          writes.push({ key: entryKey(this.#document, this.#nextEntry++), value })
        }
    }
    const fold = this.#fold
    if (fold.cursors.length > 0) {
      const { foldStepBytes: bytes, pieceStructsMax: structs } = this.#config
      const value = encodePiece(store, fold.cursors, { ...UNLIMITED, bytes, structs })
      writes.push({ key: partKey(this.#document, fold.snapshot, fold.parts++), value: seal(value) })
      fold.bytes += value.length
      if (fold.cursors.length > 0) return writes
    }
    for (const write of this.#takeAwayOld(fold)) writes.push(write)
    this.#snapshot = fold.snapshot
    this.#parts = fold.parts
    this.#firstEntry = fold.firstEntry
    this.#snapshotBytes = fold.bytes
    this.#fold = null
    // The snapshot was measured as it was written.
    this.#overstated = 0
    this.#measuredAt = -1
    this.#isHeadStored = true
    this.#isHeadLost = false
    writes.push(writeHead(this.#document, this.#head(lineage)))
    return writes
  }

  /** A whole snapshot at once, for the rare case that the log must not be read again. */
  foldAll(doc: Y.Doc, lineage: string, deletesAlone: readonly Range[] = []): StoreWrite[] {
    this.dropFold()
    const writes: StoreWrite[] = []
    do writes.push(...this.foldStep(doc, lineage, deletesAlone))
    while (this.#fold !== null)
    return writes
  }

  /** What a fold under way has read is no longer so. Its parts must not pass for some of the next one. */
  dropFold(): void {
    if (this.#fold === null) return
    const { logBytes, parts, snapshot } = this.#fold
    this.#logBytes += logBytes
    for (let part = 0; part < parts; part++) this.#orphans.push(partKey(this.#document, snapshot, part))
    this.#fold = null
  }

  #takeAwayOld(fold: Fold): StoreWrite[] {
    const writes: StoreWrite[] = []
    for (let part = 0; part < this.#parts; part++)
      writes.push({ key: partKey(this.#document, this.#snapshot, part), value: null })
    for (const key of this.#orphans) writes.push({ key, value: null })
    this.#orphans = []
    for (let entry = this.#firstEntry; entry < fold.firstEntry; entry++)
      writes.push({ key: entryKey(this.#document, entry), value: null })
    return writes
  }

  #head(lineage: string): Head {
    return {
      lineage,
      snapshot: this.#snapshot,
      parts: this.#parts,
      firstEntry: this.#firstEntry,
      left: this.#left,
      claimed: this.#claimed,
      early: this.#early,
      aloneFrom: this.#aloneFrom,
      aloneBoots: this.#aloneBoots,
      aloneOthers: this.#aloneOthers,
      stamp: this.#newestStamp(),
    }
  }
}

/** Bytes of a raw document that are deleted before it is folded because of that; half of it in any case. 16 KB. */
const FOLD_DELETED_MIN = 16_384
/** Boots that wrote alone, one after another, of which it is remembered where they began. */
const ALONE_BOOTS_MAX = 64
