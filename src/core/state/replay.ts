// How updates become a document: those that the store held, a large one part by part, and
// those of others, of which either all or nothing may be in it afterwards.
//
// It never decides whether an update is welcome (check.ts, room.ts), and never encodes one.

import * as Y from 'yjs'
import type { DecodedDeletes } from './check.js'
import { joinPieces } from './encode.js'
import { letGo } from './let-go.js'
import { deleteNested, deletesIn } from './nested.js'

export interface Stored {
  readonly parts: readonly Uint8Array[]
  readonly log: readonly Uint8Array[]
  /** Nothing of the snapshot is missing, and it is one snapshot. */
  readonly isWhole: boolean
}

/** Puts what was stored into an empty document, which `begin` makes; returns how many entries were of no use. */
export const replay = function* (
  begin: () => Y.Doc,
  kind: 'space' | 'doc',
  { parts, log, isWhole }: Stored,
  stepBytes: number,
): Generator<void, number> {
  let useless = 0
  let doc = begin()
  const apply = (updates: readonly Uint8Array[]): void =>
    change(doc, transaction => {
      for (const update of updates) {
        if (!applyStored(transaction, update)) useless++
      }
      return true
    })
  if (kind === 'space') {
    apply([...parts, ...log])
    return useless
  }
  // A part of a snapshot is a step's work as it is.
  for (const part of parts) {
    apply([part])
    yield
    if (isWhole && doc.store.pendingStructs !== null) break
  }
  // Parts that were stored before they came in order refer to later ones, and Yjs would hold them back.
  if (isWhole && doc.store.pendingStructs !== null) {
    doc = begin()
    apply([joinPieces(parts)])
    yield
  }
  // In the log there are deletes, which take longer than what they delete (visible.ts).
  for (const batch of batches(log, stepBytes)) {
    apply(batch)
    yield
  }
  return useless
}

/** Whether it could be applied; what is too deeply nested for Yjs only once that is deleted. */
const applyStored = (transaction: Y.Transaction, update: Uint8Array): boolean => {
  for (const isLast of [false, true]) {
    try {
      Y.applyUpdate(transaction.doc, update)
      return true
    } catch {
      if (!isLast) deleteNested(transaction, deletesIn(update))
    }
  }
  return false
}

/**
 * Applies an update, of which it is known what it deletes. When Yjs fails on its way (deep nesting is too much for its recursion), nothing that was
 * deleted meanwhile loses its content, so that a new document can be made of all up to the clocks before;
 * these are returned, and null when all went well.
 */
export const applyOrStop = (
  doc: Y.Doc,
  update: Uint8Array,
  deletes: DecodedDeletes = NO_DELETES,
): ReadonlyMap<number, number> | null => {
  let before: ReadonlyMap<number, number> = new Map()
  let isDone = false
  change(doc, transaction => {
    before = transaction.beforeState
    try {
      deleteNested(transaction, deletes)
      Y.applyUpdate(doc, update)
      isDone = true
    } catch {
      // Its caller takes it back.
    }
    return isDone
  })
  return isDone ? null : before
}

/**
 * One transaction, and when `work` says that it was done, the contents of what it deleted go. Yjs does that
 * before it has ended the transaction; where nesting is too deep it would throw, and never tell what changed.
 */
const change = (doc: Y.Doc, work: (transaction: Y.Transaction) => boolean): void => {
  const ended: Y.Transaction[] = []
  const note = (transaction: Y.Transaction): void => void ended.push(transaction)
  let isDone = false
  doc.gc = false
  doc.on('afterTransactionCleanup', note)
  Y.transact(
    doc,
    transaction => {
      isDone = work(transaction)
    },
    null,
    false,
  )
  doc.off('afterTransactionCleanup', note)
  if (!isDone) return
  doc.gc = true
  for (const { deleteSet } of ended) letGo(doc, deleteSet, doc.gcFilter)
}

const NO_DELETES: DecodedDeletes = new Map()

/** Updates in order, about so many bytes at a time. */
const batches = function* (
  updates: readonly Uint8Array[],
  bytesMax: number,
): Generator<readonly Uint8Array[]> {
  let batch: Uint8Array[] = []
  let bytes = 0
  for (const update of updates) {
    batch.push(update)
    bytes += update.length
    if (bytes < bytesMax) continue
    yield batch
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield batch
}
