// One document as this node holds it: a space or a raw document. Decides how a change
// becomes structs of it, the application's own and what others wrote, and what is taken
// back when an update could not be applied or a clientID turns out to be used elsewhere.
//
// What the store holds of it is stored-log.ts, what others may see of it visible.ts.
//
// It never sends or writes anything, and never applies what was not checked (check.ts).

import * as Y from 'yjs'
import { invariant } from '../errors.js'
import type { Stamp } from '../hybrid-clock.js'
import type { NodeId } from '../ids.js'
import type { Json } from '../json.js'
import type { StoreWrite } from '../step.js'
import type { DecodedDeletes, EntryContent } from './check.js'
import type { StateConfig } from './config.js'
import { DeleteHashes } from './delete-hashes.js'
import type { Vector } from './digest.js'
import { both, type Evidence, evidenceOf } from './doubt.js'
import { encodePiece, UNLIMITED } from './encode.js'
import { Entries, type Entry } from './entries.js'
import type { Filling } from './filling.js'
import { leaveFormats } from './formats.js'
import { builtOn, type Moves, moved } from './moved.js'
import { deletesIn } from './nested.js'
import { OwnCommits } from './own-commits.js'
import { Pace } from './pace.js'
import { applyOrStop, replay, type Stored } from './replay.js'
import { type FoundLog, StoredLog } from './stored-log.js'
import { cursorsOf, type Range, type Struct } from './structs.js'
import { Visible } from './visible.js'
import { clientOf, listName, nodeOfList } from './writer.js'

export type DocumentKind = 'space' | 'doc'

export interface LocalChange {
  readonly key: string
  readonly value: Json | undefined
}

/** What the store held of it. */
export interface Found extends Stored, Omit<FoundLog, 'snapshotBytes' | 'logBytes'> {}

export interface Applied {
  readonly update: Uint8Array
  readonly deletes: readonly Range[]
}

/** What is written again under another lineage, and the deletes that were on their way to the disk with it. */
export interface Forgotten {
  readonly entries: readonly EntryContent[]
  readonly deletes: Range[]
  /** What of a raw document was taken out, under the ids that it has from now on, once it is known whose. */
  readonly moved: ((moves: Moves) => Uint8Array) | null
  /** The first clock of each client that is to bear another id. */
  readonly first: Clocks
}

/** By client. */
export type Clocks = ReadonlyMap<number, number>

/** Others know own clocks of which this disk says that nobody can. */
export interface Doubt {
  readonly from: NodeId
  readonly theirs: Vector
  /** What was shown so far. */
  evidence: Evidence
}

export class Replica {
  readonly document: string
  readonly kind: DocumentKind
  readonly name: string
  readonly #self: NodeId
  readonly #config: StateConfig
  readonly #onStamp: (stamp: Stamp) => void
  doc!: Y.Doc
  entries!: Entries
  deleteHashes!: DeleteHashes
  lineage: string
  /** Own clientID. */
  client: number
  /** What the own clock must be; if it is higher, somebody else used it. */
  ownClock = 0
  /** The own clock when this boot began, or the first one before it in which somebody was met. */
  bootClock = 0
  /** The own clock when this boot began. */
  #loadedClock = 0
  /** The lineage was when this boot began, though perhaps nothing was written under it in the copy that is here. */
  #isLineageStored = false
  /** Whether others know what earlier boots wrote alone, or something else, is about to be seen. */
  doubt: Doubt | null = null
  /** What was taken out of it is under other ids now; an application's copy that is yet to be ended uses the old. */
  moves: Moves | null = null
  /** Whether anything written since boot may have reached another node. */
  exposed = false
  /** Nobody listens to the topic of a document that is new to the mesh: neighbors must be told. */
  isNews = false
  /** The application holds this raw document. */
  opened = false
  /** And its copy is still being filled. */
  filling: Filling | null = null
  readonly #commits = new OwnCommits()
  /** As others may see it. */
  readonly visible: Visible
  readonly #stored: StoredLog
  #captured: Applied[] = []
  #lists = new Map<number, NodeId | null>()
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
    this.#stored = new StoredLog(document, config, () => this.entries.newest)
    this.visible = new Visible(this, this.#commits, config)
    this.pace = new Pace(config.broadcastShareMs)
    this.client = clientOf(self, lineage)
    this.#begin()
  }

  /** With an empty document, for the first time or anew. */
  #begin(): void {
    this.doc = new Y.Doc({ guid: this.document })
    this.visible.changed()
    this.deleteHashes = new DeleteHashes(this.doc.store)
    this.doc.on('update', this.#capture)
    this.doc.on('afterTransaction', leaveFormats)
    this.entries = new Entries(this.doc, this.#config, this.#onStamp)
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
    for (const range of deletes) {
      this.deleteHashes.deleted(range)
      this.#stored.deleted(range.to - range.from)
    }
    this.#captured.push({ update, deletes })
    this.visible.changed()
  };

  /** Takes over what the store held, a raw document part by part; returns how many entries were of no use. */
  *load({ parts, log, isWhole, ...found }: Found): Generator<void, number> {
    const begin = (): Y.Doc => {
      this.#begin()
      // Nobody needs all of it once more as one update.
      this.doc.off('update', this.#capture)
      return this.doc
    }
    const useless = yield* replay(begin, this.kind, { parts, log, isWhole }, this.#config.loadStepBytes)
    this.doc.on('update', this.#capture)
    this.entries.takeChanged()
    this.entries.sawStamp(found.head?.stamp ?? 0)
    this.#isLineageStored = found.head !== null
    this.#stored.load({ ...found, snapshotBytes: sum(parts), logBytes: sum(log) })
    this.#beginLife()
    return useless
  }

  /** It was written to since boot, and none of that can be known elsewhere: if its clocks are, they mean something else. */
  get mayClash(): boolean {
    return !this.exposed && this.ownClock > this.bootClock
  }

  /** Its lineage is of an earlier boot, and nobody can have heard of what this boot wrote. */
  get mayBeOld(): boolean {
    return !this.exposed && this.#isLineageStored
  }

  clockOf(client: number): number {
    return Y.getState(this.doc.store, client)
  }

  /** Live bytes of a space; about the encoded bytes of a raw document. */
  get bytes(): number {
    return this.kind === 'space' ? this.entries.bytes : this.#stored.bytes
  }

  /** Whether a raw document has room for so many bytes. */
  fits(bytes: number, bytesMax: number): boolean {
    return this.#stored.fits(bytes, bytesMax, () => this.encode().length)
  }

  /** Takes a new lineage, and with it a new clientID. */
  renew(lineage: string): void {
    this.lineage = lineage
    this.#isLineageStored = false
    this.client = clientOf(this.#self, lineage)
    // A broadcast under the new one may have nothing of the old: whoever compares will find it.
    this.outbox = this.outbox.map(() => null)
    this.#beginLife()
    this.#stored.renew()
    this.visible.changed()
  }

  #beginLife(): void {
    this.doubt = null
    this.ownClock = this.clockOf(this.client)
    this.#loadedClock = this.ownClock
    this.bootClock = Math.min(this.ownClock, this.#stored.aloneFrom ?? this.ownClock)
    this.#commits.reset(this.ownClock)
    if (this.bootClock < this.ownClock)
      this.#commits.beginAlone([[this.client, this.bootClock], ...this.#stored.aloneOthers])
  }

  /** Whether these are of own clocks since boot, or of some that are yet to be given out. */
  deletesOfThisBoot(deletes: DecodedDeletes): boolean {
    return (deletes.get(this.client) ?? []).some(({ clock, len }) => clock + len > this.bootClock)
  }

  /** Others are sent what they may see of it. */
  expose(): void {
    if (this.#commits.visible(this.client, this.ownClock) > this.bootClock) this.exposed = true
  }

  /** What it wrote since boot, and in earlier lives that met nobody, is kept from others. */
  get isAlone(): boolean {
    return this.#commits.isAlone
  }

  /** What was written since boot is kept from others until `met`, also after another boot; and what `others` write on top of it. */
  beginAlone(others: Clocks = NO_CLOCKS): void {
    this.#stored.beginAlone(this.#loadedClock, others)
    if (this.#commits.isAlone) return
    this.#commits.beginAlone([[this.client, this.bootClock]])
    this.visible.changed()
  }

  /** Whether earlier boots wrote something of which the disk says that nobody can know it. */
  get wasAlone(): boolean {
    return this.isAlone && this.bootClock < this.#loadedClock
  }

  /**
   * Looks at what another sent of the own clocks that are in doubt, before it is applied.
   * Returns whether all was shown that decides.
   */
  weigh(update: Uint8Array, doubt: Doubt): boolean {
    const { bootClock, client, doc, kind } = this
    const loaded = this.#loadedClock
    const shown = evidenceOf(doc.store, kind, update, client, bootClock, loaded)
    doubt.evidence = both(doubt.evidence, shown)
    const { differsAt, end } = doubt.evidence
    return differsAt !== null || end >= Math.min(loaded, doubt.theirs.get(client) ?? 0)
  }

  /** No more is shown. What has proved to be known elsewhere is in doubt no longer, with all that the same boot wrote. */
  decide({ evidence: { differsAt, sameUpTo } }: Doubt): void {
    const loaded = this.#loadedClock
    this.doubt = null
    if (sameUpTo === null) return
    // A disk is copied as a whole, and its log is in order: what one boot wrote is all known, or none of it.
    const same = this.#stored.aloneWith(sameUpTo - 1, loaded).to
    const other = differsAt === null ? loaded : this.#stored.aloneWith(differsAt, loaded).from
    this.bootClock = Math.max(this.bootClock, Math.min(same, other))
  }

  /** The store's writes before it may be told. */
  endAlone(): StoreWrite[] {
    return this.#stored.endAlone(this.lineage)
  }

  /** These are durable. */
  met(): void {
    this.#commits.endAlone()
    this.visible.changed()
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
    const before = applyOrStop(this.doc, update)
    if (before !== null) {
      // Deleted from what is too deeply nested for Yjs: to look for that each time would take as long as to apply it.
      this.#rebuild(client => before.get(client) ?? 0)
      const again = applyOrStop(this.doc, update, deletesIn(update))
      invariant(again === null, 'what the application did to its copy can be done here')
    }
    this.ownClock = this.clockOf(this.client)
    return this.#take()
  }

  /**
   * Applies a checked update of others, with what it deletes; null when it brought nothing. Either all of it or, if Yjs
   * fails, nothing.
   */
  applyRemote(update: Uint8Array, deletes: DecodedDeletes): Applied | null | 'unappliable' {
    const before = applyOrStop(this.doc, update, deletes)
    if (before !== null) {
      this.#rebuild(client => before.get(client) ?? 0)
      this.entries.takeChanged()
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

  /** The whole document, for this node's own application. Not by Yjs itself, which would put in what it holds back. */
  encode(): Uint8Array {
    return encodePiece(this.doc.store, cursorsOf(this.doc.store), UNLIMITED)
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

  /** The store's writes for an update. */
  log(update: Uint8Array, own: boolean): StoreWrite[] {
    return this.#stored.append(update, own, this.lineage)
  }

  get wantsFold(): boolean {
    return this.#stored.wantsFold
  }

  foldStep(): StoreWrite[] {
    return this.#stored.foldStep(this.doc, this.lineage)
  }

  foldAll(): StoreWrite[] {
    return this.#stored.foldAll(this.doc, this.lineage)
  }

  /** An own change waits for its commit under this token. `update` null: never broadcast. */
  await(token: number, deletes: readonly Range[], update: Uint8Array | null): void {
    this.#commits.add({ token, clock: this.ownClock, deletes, update })
  }

  /** Everything up to this token is durable; returns whether it was one of ours. */
  settle(token: number): boolean {
    const updates = this.#commits.settle(token)
    if (updates === null) return false
    this.outbox.push(...updates)
    this.visible.changed()
    return true
  }

  /** Under which other clientIDs an update of the application's copy writes, and from which clocks on. */
  othersIn(update: Uint8Array): Clocks {
    const others = new Map<number, number>()
    for (const [client, clock] of Y.parseUpdateMeta(update).from)
      if (client !== this.client) others.set(client, Math.max(clock, this.clockOf(client)))
    return others
  }

  /** The last own change is not to be broadcast, and what builds on own clocks that nobody may see is not to be seen. */
  keepQuiet(others: Clocks): void {
    this.#commits.keepQuiet()
    for (const [client, clock] of others) this.#commits.addAlone(client, clock)
    this.visible.changed()
  }

  // ── when things have gone wrong ──

  /**
   * Another node has used this clientID beyond what was loaded, and so did this one since:
   * the same clocks, other contents. Forgets the own structs of this boot and returns the
   * entries that lived in them, or all of a raw document that builds on them and that the other does not
   * know, to be written again under another lineage.
   */
  forgetThisBoot(theirs: Vector): Forgotten {
    if (this.kind === 'doc') return this.#forgetRaw(theirs)
    const entries: EntryContent[] = []
    for (const key of this.entries.keys()) {
      for (const { client, clock, content } of this.entries.of(key))
        if (client === this.client && clock >= this.bootClock && clock < this.ownClock) entries.push(content)
    }
    this.#rebuild(client => (client === this.client ? this.bootClock : this.clockOf(client)))
    // A delete that left before the write which it made room for is durable would take the older value with it.
    const deletes = [...this.#commits.deletes().values()].flat()
    this.#commits.clear()
    this.outbox = []
    return { entries, deletes, moved: null, first: new Map() }
  }

  #forgetRaw(theirs: Vector): Forgotten {
    const { client, ownClock } = this
    const { store } = this.doc
    const first = builtOn(store, client, this.bootClock)
    const deletes = [...this.#commits.deletes().values()].flat()
    this.#rebuild(each => first.get(each) ?? Y.getState(store, each))
    this.#commits.clear()
    this.outbox = []
    // What others wrote and builds on what they mean by these clocks comes again.
    for (const [each, clock] of first)
      if (each !== client && (theirs.get(each) ?? 0) > clock) first.delete(each)
    return { entries: [], deletes, moved: moves => moved(store, moves, client, ownClock), first }
  }

  /** Takes in what was taken out, under the ids that it has now. */
  moveIn(update: Uint8Array, moves: Moves): void {
    Y.applyUpdate(this.doc, update)
    this.#captured = []
    this.ownClock = this.clockOf(this.client)
    this.moves = this.opened ? moves : null
  }

  #rebuild(clockOf: (client: number) => number): void {
    const cursors = cursorsOf(this.doc.store, clockOf)
    const update = encodePiece(this.doc.store, cursors, UNLIMITED)
    const { newest } = this.entries
    this.#begin()
    this.entries.sawStamp(newest)
    this.#stored.dropFold()
    Y.applyUpdate(this.doc, update)
    this.#captured = []
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

const NO_CLOCKS: Clocks = new Map()
