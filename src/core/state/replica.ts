// One document as this node holds it: a space or a raw document. Decides what becomes of a
// change to it, the application's own or what others wrote, and what is taken back when an
// update could not be applied or a clientID turns out to be used elsewhere.
//
// How an entry becomes a struct is lists.ts, what the store holds of it stored-log.ts, what
// others may see of it visible.ts, and what they can know of its own clocks own-clocks.ts.
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
import { encodePiece, UNLIMITED } from './encode.js'
import { Entries, type Entry } from './entries.js'
import type { Filling } from './filling.js'
import { leaveFormats } from './formats.js'
import { contentBytesIn } from './freed.js'
import { append, stampAbove, strike } from './lists.js'
import { builtOn, type Moves, moved } from './moved.js'
import { deletesIn, rangesDeletedBy } from './nested.js'
import { type Clocks, OwnClocks } from './own-clocks.js'
import { OwnCommits } from './own-commits.js'
import { Pace } from './pace.js'
import { applyOrStop, replay, type Stored } from './replay.js'
import { type Because, type FoundLog, StoredLog } from './stored-log.js'
import { cursorsOf, type Range } from './structs.js'
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
  /** What was taken out of it is under other ids now; an application's copy that is yet to be ended uses the old. */
  moves: Moves | null = null
  /** It has just begun here: until when what is written goes to all, and how many bytes of it may. */
  readonly news = { until: Number.NEGATIVE_INFINITY, bytesLeft: 0 }
  /** The application holds this raw document. */
  opened = false
  /** And its copy is still being filled. */
  filling: Filling | null = null
  readonly #commits = new OwnCommits()
  /** As others may see it. */
  readonly visible: Visible
  /** What of its own clocks others can know. */
  readonly own: OwnClocks
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
    this.own = new OwnClocks(this, this.#commits, this.#stored, this.visible)
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
      // What was deleted has its content as yet (replay.ts).
      if (this.kind === 'doc') this.#stored.deleted(contentBytesIn(this.doc.store, range))
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
    this.#stored.load({ ...found, snapshotBytes: sum(parts), logBytes: sum(log) })
    // While it was alone it logged whatever it deleted with what nobody has seen, and before that, what does no harm.
    this.own.begin(
      found.head !== null,
      (found.head?.aloneFrom ?? null) === null ? [] : log.flatMap(rangesDeletedBy),
    )
    return useless
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
  renew(lineage: string, because: Because): void {
    this.lineage = lineage
    this.client = clientOf(this.#self, lineage)
    // A broadcast under the new one may have nothing of the old: whoever compares will find it.
    this.outbox = this.outbox.map(() => null)
    this.own.begin(false)
    this.#stored.renew(because)
    this.visible.changed()
  }

  // ── changes ──

  /** Writes to a space; null when there was nothing to change. */
  write(changes: readonly LocalChange[], stamp: Stamp): Applied | null {
    const { store } = this.doc
    const list = listName(this.#self, this.lineage)
    this.doc.transact(transaction => {
      for (const { key, value } of changes) {
        const seen = this.entries.of(key)
        for (const entry of seen) strike(transaction, entry)
        if (value !== undefined)
          append(transaction, this.client, list, [key, stampAbove(stamp, seen[0]), value])
      }
    })
    this.own.clock = Y.getState(store, this.client)
    return this.#take()
  }

  /**
   * Removes entries that lost against a newer one of their key. The update has the newest own entry with it: who
   * lacks what this node wrote up to there may lack a winner, and holds it back rather than have neither.
   */
  strike(entries: readonly Entry[]): Applied | null {
    this.doc.transact(transaction => {
      for (const entry of entries) strike(transaction, entry)
    })
    const applied = this.#take()
    const { client } = this
    const to = this.own.clock
    if (applied === null || to === 0) return applied
    const { deletes } = applied
    const update = encodePiece(this.doc.store, [{ client, from: to - 1, to }], UNLIMITED, () => deletes)
    return { update, deletes }
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
    this.own.clock = this.clockOf(this.client)
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
    return this.#stored.foldStep(this.doc, this.lineage, this.#deletesAlone)
  }

  foldAll(): StoreWrite[] {
    return this.#stored.foldAll(this.doc, this.lineage, this.#deletesAlone)
  }

  get #deletesAlone(): readonly Range[] {
    return this.#commits.isAlone ? [...this.#commits.deletes().values()].flat() : []
  }

  /** An own change waits for its commit under this token. `update` null: never broadcast. */
  await(token: number, deletes: readonly Range[], update: Uint8Array | null): void {
    this.#commits.add({ token, clock: this.own.clock, deletes, update })
  }

  /** Everything up to this token is durable; returns whether it was one of ours. */
  settle(token: number): boolean {
    const updates = this.#commits.settle(token)
    if (updates === null) return false
    this.outbox.push(...updates)
    this.visible.changed()
    return true
  }

  /** The last own change is not to be broadcast. */
  keepQuiet(): void {
    this.#commits.keepQuiet()
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
        if (client === this.client && clock >= this.own.bootClock && clock < this.own.clock)
          entries.push(content)
    }
    this.#rebuild(client => (client === this.client ? this.own.bootClock : this.clockOf(client)))
    // A delete that left before the write which it made room for is durable would take the older value with it.
    const deletes = [...this.#commits.deletes().values()].flat()
    this.#commits.clear()
    this.outbox = []
    return { entries, deletes, moved: null, first: new Map() }
  }

  #forgetRaw(theirs: Vector): Forgotten {
    const { client, own } = this
    const { clock: ownClock } = own
    const { store } = this.doc
    const first = builtOn(store, client, own.bootClock)
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
    this.own.clock = this.clockOf(this.client)
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

const sum = (list: readonly Uint8Array[]): number => list.reduce((bytes, each) => bytes + each.length, 0)
