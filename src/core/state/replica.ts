// One document as this node holds it: a space or a raw document, its log, and what
// of it may leave.
//
// Nothing of this node's own leaves before it is durable. So a replica remembers
// which of its own structs and deletes still wait for their commit, and cuts them
// out of everything that it encodes for others. (A leaked overwrite that is then
// lost would take the older, acknowledged value with it.)

import * as Y from 'yjs'
import type { Stamp } from '../hybrid-clock.js'
import type { NodeId } from '../ids.js'
import type { Json } from '../json.js'
import type { StoreWrite } from '../step.js'
import type { Checked, EntryContent } from './check.js'
import type { StateConfig } from './config.js'
import { DeleteHashes } from './delete-hashes.js'
import { type Digest, digestOf } from './digest.js'
import { encodePiece, joinPieces } from './encode.js'
import { Entries, type Entry } from './entries.js'
import { entryKey, type Head, partKey, seal, writeHead } from './log.js'
import { Pace } from './pace.js'
import { type Cursor, deletedWithin, endOf, type Range, type Struct } from './structs.js'
import { clientOf, listName, nodeOfList } from './writer.js'

export type DocumentKind = 'space' | 'doc'

export interface LocalChange {
  readonly key: string
  readonly value: Json | undefined
}

/** An own update on its way to the disk. */
interface Commit {
  readonly token: number
  /** Own clock after it. */
  readonly clock: number
  readonly deletes: readonly Range[]
  readonly update: Uint8Array | null
}

interface Fold {
  readonly snapshot: number
  readonly firstEntry: number
  readonly cursors: Cursor[]
  /** Bytes of the log that it takes in: they count until it does. */
  readonly logBytes: number
  parts: number
  bytes: number
}

export interface Applied {
  readonly update: Uint8Array
  readonly deletes: readonly Range[]
}

export class Replica {
  readonly document: string
  readonly kind: DocumentKind
  readonly name: string
  readonly #self: NodeId
  readonly #config: StateConfig
  readonly #onStamp: (stamp: Stamp) => void
  doc: Y.Doc
  entries: Entries
  deleteHashes!: DeleteHashes
  lineage: string
  /** Own clientID. */
  client: number
  /** What the own clock must be; if it is higher, somebody else used it. */
  ownClock = 0
  /** The own clock when this boot began. */
  bootClock = 0
  /** Whether anything written since boot may have reached another node. */
  exposed = false
  /** Nobody listens to the topic of a document that is new to the mesh: neighbors must be told. */
  isNews = false
  /** The application holds this raw document. */
  opened = false
  #durableClock = 0
  readonly #commits: Commit[] = []
  #captured: Applied[] = []
  #digest: Digest | null = null
  #lists = new Map<number, NodeId | null>()
  // The log.
  #headStored = false
  #snapshot = 0
  #parts = 0
  #snapshotBytes = 0
  #firstEntry = 0
  #nextEntry = 0
  #logBytes = 0
  #fold: Fold | null = null
  /** By how much `bytes` overstates a raw document, as found when `bytes` was last so many. */
  #overstated = 0
  #measuredAt = -1
  /** Parts without a head, to go with the next snapshot. */
  #orphans: readonly string[] = []
  // What waits to be broadcast; null stands for what is too large for it.
  outbox: (Uint8Array | null)[] = []
  publishedAt = Number.NEGATIVE_INFINITY
  readonly pace: Pace

  constructor(
    document: string,
    self: NodeId,
    lineage: string,
    config: StateConfig,
    onStamp: (stamp: Stamp) => void,
  ) {
    this.document = document
    this.kind = document.startsWith('space/') ? 'space' : 'doc'
    this.name = document.slice(document.indexOf('/') + 1)
    this.#self = self
    this.#config = config
    this.#onStamp = onStamp
    this.lineage = lineage
    this.pace = new Pace(config.broadcastShareMs)
    this.client = clientOf(self, lineage)
    this.doc = new Y.Doc({ guid: document })
    this.entries = this.#attach()
  }

  #attach(): Entries {
    this.#digest = null
    this.deleteHashes = new DeleteHashes(this.doc.store)
    this.doc.on('update', this.#capture)
    return new Entries(this.doc, this.#config, this.#onStamp)
  }

  readonly #capture = (
    update: Uint8Array,
    _origin: unknown,
    _doc: Y.Doc,
    transaction: Y.Transaction,
  ): void => {
    const deletes: Range[] = []
    for (const [client, items] of transaction.deleteSet.clients)
      for (const { clock, len } of items) deletes.push({ client, from: clock, to: clock + len })
    for (const range of deletes) this.deleteHashes.deleted(range)
    this.#captured.push({ update, deletes })
    this.#digest = null
  }

  /** Takes over what the store held; returns how many entries were of no use. */
  load(
    head: Head | null,
    parts: readonly Uint8Array[],
    log: readonly Uint8Array[],
    nextEntry: number,
    lastSnapshot: number,
    orphans: readonly string[],
  ): number {
    let useless = 0
    // Parts of a raw document refer to each other: one by one, Yjs would hold them back.
    const snapshot =
      this.kind === 'doc' && parts.length > 1 && orphans.length === 0 ? [joinPieces(parts)] : parts
    // Nobody needs all of it once more as one update.
    this.doc.off('update', this.#capture)
    this.doc.transact(() => {
      for (const update of [...snapshot, ...log]) {
        try {
          Y.applyUpdate(this.doc, update)
        } catch {
          useless++
        }
      }
    })
    this.doc.on('update', this.#capture)
    this.entries.takeChanged()
    if (head !== null) {
      this.#headStored = true
      this.#snapshot = head.snapshot
      this.#parts = head.parts
      this.#firstEntry = head.firstEntry
    } else this.#snapshot = lastSnapshot
    this.#orphans = orphans
    this.#nextEntry = Math.max(nextEntry, this.#firstEntry)
    this.#snapshotBytes = sum(parts)
    this.#logBytes = sum(log)
    this.ownClock = this.clockOf(this.client)
    this.bootClock = this.ownClock
    this.#durableClock = this.ownClock
    return useless
  }

  clockOf(client: number): number {
    return Y.getState(this.doc.store, client)
  }

  /** Live bytes of a space; about the encoded bytes of a raw document. */
  get bytes(): number {
    if (this.kind === 'space') return this.entries.bytes
    return this.#snapshotBytes + this.#logBytes + (this.#fold?.logBytes ?? 0)
  }

  /**
   * Whether a raw document has room for so many bytes. The log says how much it may have grown
   * at most; only what would exceed the limit by that is looked at closely, and once: after
   * that the log counts from there.
   */
  fits(bytes: number, bytesMax: number): boolean {
    const logged = this.bytes
    if (logged - this.#overstated + bytes <= bytesMax) return true
    if (logged === this.#measuredAt) return false
    this.#overstated = Math.max(0, logged - this.encode().length)
    this.#measuredAt = logged
    return logged - this.#overstated + bytes <= bytesMax
  }

  /** Takes a new lineage, and with it a new clientID. */
  renew(lineage: string): void {
    this.lineage = lineage
    this.client = clientOf(this.#self, lineage)
    this.ownClock = this.clockOf(this.client)
    this.bootClock = this.ownClock
    this.#durableClock = this.ownClock
    this.#headStored = false
    this.#digest = null
  }

  // ── changes ──

  /** Writes to a space; null when there was nothing to change. */
  write(changes: readonly LocalChange[], stamp: Stamp): Applied | null {
    const { store } = this.doc
    this.doc.transact(transaction => {
      for (const { key, value } of changes) {
        const seen = this.entries.of(key)
        for (const entry of seen) this.#strike(transaction, entry)
        if (value !== undefined) this.#append(transaction, [key, stampAbove(stamp, seen[0]), value])
      }
    })
    this.ownClock = Y.getState(store, this.client)
    return this.#take()
  }

  /** Removes entries that lost against a newer one of their key. */
  strike(entries: readonly Entry[]): Applied | null {
    this.doc.transact(transaction => {
      for (const entry of entries) this.#strike(transaction, entry)
    })
    return this.#take()
  }

  /** Applies an update of the application's own copy of a raw document. */
  applyLocal(update: Uint8Array): Applied | null {
    Y.applyUpdate(this.doc, update)
    this.ownClock = this.clockOf(this.client)
    return this.#take()
  }

  /** Applies a checked update of others; null when it brought nothing. Either all of it or, if Yjs fails, nothing. */
  applyRemote(update: Uint8Array): Applied | null | 'unappliable' {
    // A raw document may hold anything that Yjs can express, so a small one is tried on a copy.
    if (this.kind === 'doc' && this.bytes <= TRIAL_BYTES_MAX && !applies(this.encode(), update))
      return 'unappliable'
    try {
      Y.applyUpdate(this.doc, update)
    } catch {
      this.#repair()
      return 'unappliable'
    }
    const { store } = this.doc
    // What Yjs holds back is not the document, and must not grow past a bound: it comes again in order.
    if (store.pendingStructs !== null && store.pendingStructs.update.length > this.#config.pendingBytesMax)
      store.pendingStructs = null
    if (store.pendingDs !== null && store.pendingDs.length > this.#config.pendingBytesMax)
      store.pendingDs = null
    return this.#take()
  }

  get hasGap(): boolean {
    return this.doc.store.pendingStructs !== null || this.doc.store.pendingDs !== null
  }

  /** The writers whose earlier structs Yjs misses. */
  get gapWriters(): readonly number[] {
    return [...(this.doc.store.pendingStructs?.missing.keys() ?? [])]
  }

  /** The whole document, for this node's own application. */
  encode(): Uint8Array {
    return this.#encodeUpTo(client => this.clockOf(client))
  }

  /** Not by Yjs itself, which would put in what it holds back. */
  #encodeUpTo(clockOf: (client: number) => number): Uint8Array {
    const cursors = [...this.doc.store.clients.keys()].map(client => ({
      client,
      from: 0,
      to: clockOf(client),
    }))
    return encodePiece(this.doc.store, cursors, [], Number.POSITIVE_INFINITY)
  }

  /** Whether an update keeps the document within what others may bring it to. */
  hasRoomFor(checked: Checked & { ok: true }, updateBytes: number, totalBytes: number): boolean {
    const { remoteSlack, spaceKeysMax, spaceBytesMax, documentBytesMax, totalBytesMax } = this.#config
    if (this.kind === 'doc') {
      if (totalBytes + updateBytes > totalBytesMax * remoteSlack) return false
      return this.fits(updateBytes, documentBytesMax * remoteSlack)
    }
    const fits = (bytes: number, keys: number): boolean =>
      this.entries.bytes + bytes <= spaceBytesMax * remoteSlack &&
      this.entries.size + keys <= spaceKeysMax * remoteSlack &&
      totalBytes + bytes <= totalBytesMax * remoteSlack
    if (checked.entries === 0 || fits(checked.bytes, checked.entries)) return true
    const freed = this.freedBy(checked.deletes)
    return fits(checked.bytes - freed.bytes, checked.entries - freed.keys)
  }

  /** What a transaction changed, as one update. */
  #take(): Applied | null {
    const [first, ...more] = this.#captured
    this.#captured = []
    if (first === undefined) return null
    if (more.length === 0) return first
    return {
      update: Y.mergeUpdates([first.update, ...more.map(each => each.update)]),
      deletes: [...first.deletes, ...more.flatMap(each => each.deletes)],
    }
  }

  #strike(transaction: Y.Transaction, { client, clock }: Entry): void {
    const structs = this.doc.store.clients.get(client) as Struct[]
    const struct = structs[Y.findIndexSS(structs, clock)]
    if (struct instanceof Y.Item) struct.delete(transaction)
  }

  #append(transaction: Y.Transaction, content: EntryContent): void {
    const { store } = this.doc
    const structs = store.clients.get(this.client)
    const last = structs?.[structs.length - 1]
    const left = last instanceof Y.Item ? last : null
    const id = Y.createID(this.client, Y.getState(store, this.client))
    const list = this.doc.getArray(listName(this.#self, this.lineage))
    const embed = new Y.ContentEmbed(content as unknown as object)
    new Y.Item(id, left, left === null ? null : left.lastId, null, null, list, null, embed).integrate(
      transaction,
      0,
    )
  }

  /** The live bytes that an update's deletes would free. */
  freedBy(deletes: (Checked & { ok: true })['deletes']): { bytes: number; keys: number } {
    let bytes = 0
    let keys = 0
    for (const [client, ranges] of deletes) {
      const structs = (this.doc.store.clients.get(client) ?? []) as Struct[]
      const end = endOf(structs)
      for (const { clock, len } of ranges) {
        if (clock >= end) continue
        for (let i = Y.findIndexSS(structs, clock); i < structs.length; i++) {
          const struct = structs[i] as Struct
          if (struct.id.clock >= clock + len) break
          if (!(struct instanceof Y.Item) || !(struct.content instanceof Y.ContentEmbed)) continue
          const key = (struct.content.embed as EntryContent)[0]
          const entry = this.entries
            .of(key)
            .find(each => each.client === client && each.clock === struct.id.clock)
          bytes += entry?.bytes ?? 0
          keys++
        }
      }
    }
    return { bytes, keys }
  }

  /** The node that writes under a clientID, or null if unknown. */
  writerOf(client: number): NodeId | null {
    if (client === this.client) return this.#self
    if (!this.#lists.has(client)) {
      for (const name of this.doc.share.keys()) {
        const node = nodeOfList(name)
        if (node !== null) this.#lists.set(clientOf(node, name.slice(name.lastIndexOf('/') + 1)), node)
      }
    }
    return this.#lists.get(client) ?? null
  }

  // ── durability ──

  /** The store's writes for an update; its entry of the log comes after all before. */
  log(update: Uint8Array, own: boolean): StoreWrite[] {
    const writes: StoreWrite[] = []
    if (own && !this.#headStored) {
      this.#headStored = true
      writes.push(writeHead(this.document, this.#head()))
    }
    writes.push({ key: entryKey(this.document, this.#nextEntry++), value: seal(update) })
    this.#logBytes += update.length
    return writes
  }

  /** An own change waits for its commit under this token. `update` null: never broadcast. */
  await(token: number, deletes: readonly Range[], update: Uint8Array | null): void {
    this.#commits.push({ token, clock: this.ownClock, deletes, update })
  }

  /** Everything up to this token is durable; returns whether it was one of ours. */
  settle(token: number): boolean {
    const index = this.#commits.findIndex(commit => commit.token === token)
    if (index < 0) return false
    // The log is ordered: what came before is durable too, whatever became of its event.
    for (const commit of this.#commits.splice(0, index + 1)) {
      this.#durableClock = Math.max(this.#durableClock, commit.clock)
      this.outbox.push(commit.update)
    }
    this.#digest = null
    return true
  }

  /** The last own change is not to be broadcast. */
  keepQuiet(): void {
    const last = this.#commits[this.#commits.length - 1]
    if (last !== undefined) this.#commits[this.#commits.length - 1] = { ...last, update: null }
  }

  // ── what others may see ──

  /** The state vector without what is not yet durable. */
  vector(): Map<number, number> {
    const out = new Map<number, number>()
    for (const [client, structs] of this.doc.store.clients) out.set(client, endOf(structs as Struct[]))
    if (out.has(this.client)) out.set(this.client, this.#visibleOwn())
    return out
  }

  #visibleOwn(): number {
    return this.#commits.length === 0 ? this.clockOf(this.client) : this.#durableClock
  }

  digest(): Digest {
    this.#digest ??= digestOf(this.deleteHashes, this.vector())
    return this.#digest
  }

  /** What a node with this vector lacks. */
  cursorsBeyond(theirs: ReadonlyMap<number, number>): Cursor[] {
    const out: Cursor[] = []
    for (const [client, clock] of this.vector()) {
      const from = theirs.get(client) ?? 0
      if (clock > from) out.push({ client, from, to: clock })
    }
    return out.sort((a, b) => a.client - b.client)
  }

  /** The deletes within ranges, less those that are not yet durable. */
  deletesWithin(ranges: readonly Range[]): Range[] {
    const held = new Map<number, Range[]>()
    for (const { deletes } of this.#commits)
      for (const range of deletes) held.set(range.client, [...(held.get(range.client) ?? []), range])
    const own = this.#visibleOwn()
    return ranges.flatMap(range => {
      const to = range.client === this.client ? Math.min(range.to, own) : range.to
      const found = deletedWithin(this.doc.store, { client: range.client, from: range.from, to })
      const holes = held.get(range.client)
      return holes === undefined ? found : found.flatMap(each => without(each, holes))
    })
  }

  /** Whether what is not yet durable would be cut out of the midst of these. */
  cutsInto(cursors: readonly Cursor[]): boolean {
    return cursors.some(cursor => this.#limitOf(cursor) < cursor.to)
  }

  /** How far a cursor may go now: not to own structs, nor to any whose delete, before they are durable. */
  #limitOf({ client, from, to }: Cursor): number {
    let limit = client === this.client ? Math.min(to, this.#visibleOwn()) : to
    for (const { deletes } of this.#commits) {
      for (const range of deletes)
        if (range.client === client && range.to > from) limit = Math.min(limit, Math.max(range.from, from))
    }
    return limit
  }

  /**
   * The next piece of a series for others; moves the cursors. What is not durable now is
   * cut off even if it was when the series began; says so, for it has to be asked for again.
   */
  piece(cursors: Cursor[], ranges: Range[], bytesMax: number): { update: Uint8Array; cut: boolean } {
    let cut = false
    for (const cursor of cursors) {
      const limit = this.#limitOf(cursor)
      if (limit >= cursor.to) continue
      cursor.to = limit
      cut = true
    }
    const deletes = this.deletesWithin(ranges)
    const before = deletes.length
    const update = encodePiece(this.doc.store, cursors, deletes, bytesMax, this.#config.pieceStructsMax)
    if (deletes.length < before || before === 0) ranges.splice(0, ranges.length, ...deletes)
    return { update, cut }
  }

  // ── the snapshot ──

  get wantsFold(): boolean {
    if (this.#fold !== null) return true
    const { foldBytes, foldEntries } = this.#config
    const entries = this.#nextEntry - this.#firstEntry
    // What is held back for lack of something before it stands in the log alone.
    if (this.doc.store.pendingStructs !== null) return false
    return entries > foldEntries || this.#logBytes > Math.max(foldBytes, this.#snapshotBytes)
  }

  /** The next part of a snapshot; the last one makes it count and takes the old one away. */
  foldStep(): StoreWrite[] {
    if (this.#fold === null) {
      const cursors = [...this.doc.store.clients.keys()].map(client => ({
        client,
        from: 0,
        to: this.clockOf(client),
      }))
      this.#fold = {
        snapshot: this.#snapshot + 1,
        firstEntry: this.#nextEntry,
        cursors,
        logBytes: this.#logBytes,
        parts: 0,
        bytes: 0,
      }
      this.#logBytes = 0
    }
    const fold = this.#fold
    const writes: StoreWrite[] = []
    if (fold.cursors.length > 0) {
      const { foldStepBytes, pieceStructsMax } = this.#config
      const value = encodePiece(this.doc.store, fold.cursors, [], foldStepBytes, pieceStructsMax)
      writes.push({ key: partKey(this.document, fold.snapshot, fold.parts++), value: seal(value) })
      fold.bytes += value.length
      if (fold.cursors.length > 0) return writes
    }
    for (let part = 0; part < this.#parts; part++)
      writes.push({ key: partKey(this.document, this.#snapshot, part), value: null })
    for (const key of this.#orphans) writes.push({ key, value: null })
    this.#orphans = []
    for (let entry = this.#firstEntry; entry < fold.firstEntry; entry++)
      writes.push({ key: entryKey(this.document, entry), value: null })
    this.#snapshot = fold.snapshot
    this.#parts = fold.parts
    this.#firstEntry = fold.firstEntry
    this.#snapshotBytes = fold.bytes
    this.#fold = null
    // The snapshot was measured as it was written.
    this.#overstated = 0
    this.#measuredAt = -1
    this.#headStored = true
    writes.push(writeHead(this.document, this.#head()))
    return writes
  }

  /** A whole snapshot at once, for the rare case that the log must not be read again. */
  foldAll(): StoreWrite[] {
    this.#dropFold()
    const writes: StoreWrite[] = []
    do writes.push(...this.foldStep())
    while (this.#fold !== null)
    return writes
  }

  #dropFold(): void {
    this.#logBytes += this.#fold?.logBytes ?? 0
    this.#fold = null
  }

  #head(): Head {
    return {
      lineage: this.lineage,
      snapshot: this.#snapshot,
      parts: this.#parts,
      firstEntry: this.#firstEntry,
    }
  }

  /**
   * Another node has used this clientID beyond what was loaded, and so did this one since:
   * the same clocks, other contents. Forgets the own structs of this boot and returns the
   * entries that lived in them, to be written again under another lineage.
   */
  forgetThisBoot(): EntryContent[] {
    const lost: EntryContent[] = []
    for (const key of this.entries.keys()) {
      for (const { client, clock, content } of this.entries.of(key))
        if (client === this.client && clock >= this.bootClock && clock < this.ownClock) lost.push(content)
    }
    this.#rebuild(client => (client === this.client ? this.bootClock : this.clockOf(client)))
    this.#commits.length = 0
    this.outbox = []
    return lost
  }

  /** Yjs failed halfway through an update: what it had is put into a new document. */
  #repair(): void {
    this.#rebuild(client => this.clockOf(client))
  }

  #rebuild(clockOf: (client: number) => number): void {
    const cursors = [...this.doc.store.clients.keys()].map(client => ({
      client,
      from: 0,
      to: clockOf(client),
    }))
    const update = encodePiece(this.doc.store, cursors, [], Number.POSITIVE_INFINITY)
    this.doc = new Y.Doc({ guid: this.document })
    this.entries = this.#attach()
    this.#dropFold()
    Y.applyUpdate(this.doc, update)
    this.#captured = []
  }
}

/** Up to this size an update of a raw document is tried on a copy first: a millisecond or two. */
const TRIAL_BYTES_MAX = 8_192

const applies = (base: Uint8Array, update: Uint8Array): boolean => {
  const trial = new Y.Doc()
  try {
    Y.applyUpdate(trial, base)
    Y.applyUpdate(trial, update)
    return true
  } catch {
    return false
  }
}

/**
 * A write comes after what it replaces even if that bears a stamp from the far future, which
 * the clock does not follow. Otherwise a node that gets the write before the delete that
 * belongs to it takes the write for a loser and removes it, and then both are gone.
 */
const stampAbove = (stamp: Stamp, seen: Entry | undefined): Stamp =>
  seen === undefined ? stamp : Math.max(stamp, Math.min(seen.content[1] + 1, Number.MAX_SAFE_INTEGER))

const sum = (list: readonly Uint8Array[]): number => list.reduce((bytes, each) => bytes + each.length, 0)

/** A range less the holes in it. */
const without = (range: Range, holes: readonly Range[]): Range[] => {
  let rest: Range[] = [range]
  for (const hole of holes) {
    rest = rest.flatMap(each => {
      if (hole.to <= each.from || hole.from >= each.to) return [each]
      const out: Range[] = []
      if (each.from < hole.from) out.push({ ...each, to: hole.from })
      if (hole.to < each.to) out.push({ ...each, from: hole.to })
      return out
    })
  }
  return rest
}
