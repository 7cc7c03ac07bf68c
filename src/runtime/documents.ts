// The raw documents that the application holds. A Y.Doc changes outside of any step,
// so it lives here; the core keeps a replica of its own, hears what the application
// did as events, and says what others did as effects. Updates that came from the core
// carry an origin of ours, by which they are told from the application's own.
//
// A small document stands filled when it is opened; a large one is filled over turns, and says
// so as Yjs has it: `isLoaded`, `whenLoaded`, and the same of `synced`. Nobody knows of a document
// as the mesh has it, so what a copy is synchronised with is its node.

import * as Y from 'yjs'
import { ShoalError } from '../core/errors.js'
import type { Json } from '../core/json.js'
import { leaveFormats } from '../core/state/formats.js'
import { letGo } from '../core/state/let-go.js'
import { deleteNested, deletesIn } from '../core/state/nested.js'
import type { CoreEvent, Effect } from '../core/step.js'
import { DocumentFiller, type FillerHost } from './document-filler.js'

const FROM_CORE = Symbol('shoal')

export interface DocumentsHost extends Pick<FillerHost, 'now' | 'nextTurn'> {
  ask(event: CoreEvent): boolean
  make(event: (request: number) => CoreEvent): Promise<Json>
  /** Why no document of this name can be opened here, or null. */
  refuse(name: string): ShoalError | null
  /** It was written to before it was loaded, and all that was left of it had to be filled in first. */
  onHurried(document: string): void
  /** A change was refused, of the application or by its copy, which is ended. */
  onRefused(document: string, error: Error): void
}

interface Copy {
  readonly document: Y.Doc
  /** Whether the core has begun to fill it; what comes before was meant for an earlier copy. */
  isBegun: boolean
  /** The application may write only to a whole one: it has written too often to others. */
  beforeWrites: boolean
  /** What is being applied may set free what Yjs held back of the application's own. */
  heldBack: boolean
}

export class Documents {
  readonly #copies = new Map<string, Copy>()
  readonly #host: DocumentsHost
  readonly #filler: DocumentFiller
  /** How many pieces were filled in, of all copies. */
  #pieces = 0

  constructor(host: DocumentsHost) {
    this.#host = host
    this.#filler = new DocumentFiller({
      now: () => host.now(),
      nextTurn: callback => host.nextTurn(callback),
      more: name => host.ask({ kind: 'documentFill', name }),
    })
  }

  open(name: string): Y.Doc {
    const known = this.#copies.get(name)
    if (known !== undefined) return known.document
    const fault = this.#host.refuse(name) ?? refuseReserved(name)
    if (fault !== null) throw fault
    // Yjs is to let go of nothing itself: where that fails, the copy would be silent from then on.
    const document = new Y.Doc({ gc: true, gcFilter: () => false })
    const copy: Copy = { document, isBegun: false, beforeWrites: false, heldBack: false }
    this.#copies.set(name, copy)
    document.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== FROM_CORE || copy.heldBack) this.#updated(name, document, update)
    })
    document.on('beforeTransaction', transaction => {
      if (copy.beforeWrites && transaction.origin !== FROM_CORE) this.#hurry(name, copy, transaction)
    })
    document.on('afterTransaction', transaction => {
      if (transaction.origin === FROM_CORE) leaveFormats(transaction)
    })
    document.on('afterTransactionCleanup', ({ deleteSet }) => letGo(document, deleteSet, () => true))
    document.on('destroy', () => {
      if (this.#copies.get(name) !== copy) return
      this.#copies.delete(name)
      this.#filler.delete(name)
      this.#host.ask({ kind: 'documentClosed', name })
    })
    this.#host.ask({ kind: 'documentOpened', name })
    return document
  }

  /**
   * What is refused (too large, unsound) stands in the application's copy all the same, and
   * whatever it writes after that builds on it and would reach nobody. So the copy is ended:
   * opened again, the document is as the mesh has it.
   */
  #updated(name: string, document: Y.Doc, update: Uint8Array): void {
    this.#host
      .make(request => ({ kind: 'documentUpdated', name, update, request }))
      .catch((error: unknown) => {
        if (!(error instanceof ShoalError) || error.code === 'NODE_STOPPED') return
        if (this.#copies.get(name)?.document !== document) return
        this.#host.onRefused(name, error)
        document.destroy()
      })
  }

  /** Throws what an observer of the application threw, once all is done. */
  changed({ name, update, clientId, fill }: Extract<Effect, { kind: 'documentChanged' }>): void {
    const copy = this.#copies.get(name)
    if (copy === undefined || (fill?.isFirst === false && !copy.isBegun)) return
    const { document } = copy
    if (fill?.isFirst) {
      copy.isBegun = true
      copy.beforeWrites = fill.beforeWrites === true
    }
    if (fill !== null) this.#pieces++
    if (fill?.isLast) copy.beforeWrites = false
    try {
      this.#apply(name, copy, update)
    } finally {
      // Yjs throws what an observer of the application threw, after it has applied the update.
      if (clientId !== null) document.clientID = clientId
      // And what it threw may be a copy that it destroyed.
      if (fill !== null && this.#copies.get(name) === copy) this.#filled(name, copy, fill.isLast)
    }
  }

  /** What the application has is no longer the document: opened again, it is. */
  ended(name: string): void {
    this.#copies.get(name)?.document.destroy()
  }

  #apply(name: string, copy: Copy, update: Uint8Array): void {
    if (update.length <= EMPTY_BYTES) return
    const { document } = copy
    const { store } = document
    copy.heldBack = store.pendingStructs !== null || store.pendingDs !== null
    let fault: Error | null = null
    try {
      // In a transaction around it, what Yjs throws is told from what an observer throws.
      Y.transact(
        document,
        transaction => {
          fault = faultOf(transaction, update)
        },
        FROM_CORE,
        false,
      )
    } finally {
      copy.heldBack = false
      if (fault !== null && this.#copies.get(name) === copy) {
        // It lacks something, and what builds on that would be held back for ever. Opened again, it is whole.
        this.#host.onRefused(name, fault)
        document.destroy()
      }
    }
  }

  /**
   * Fills in all that is left, before the application's transaction does anything. Yjs has begun it already, so it is
   * put aside for transactions of the pieces, and begins again where they end. In the midst of a step, where the node
   * cannot be asked, it goes on as it is.
   */
  #hurry(name: string, { document }: Copy, transaction: Y.Transaction): void {
    const { store, _transactionCleanups: transactions } = document
    document._transaction = null
    document._transactionCleanups = []
    try {
      for (let before = -1; before < this.#pieces && this.#copies.get(name)?.beforeWrites; ) {
        before = this.#pieces
        this.#host.ask({ kind: 'documentFill', name })
      }
    } finally {
      document._transaction = transaction
      document._transactionCleanups = transactions
      transaction.beforeState = new Map(
        [...store.clients.keys()].map(client => [client, Y.getState(store, client)]),
      )
    }
    if (document.isLoaded) this.#host.onHurried(name)
  }

  #filled(name: string, copy: Copy, isLast: boolean): void {
    if (!isLast) {
      this.#filler.add(name)
      return
    }
    // Yjs itself makes of this that it is loaded.
    copy.document.emit('sync', [true, copy.document])
  }
}

/** Why an update could not be applied, or null. What is too deeply nested for Yjs can be once that is deleted. */
const faultOf = (transaction: Y.Transaction, update: Uint8Array): Error | null => {
  const apply = (): void => Y.applyUpdate(transaction.doc, update, FROM_CORE)
  try {
    apply()
    return null
  } catch {
    // It may be too deep; what is told in the end is why it failed once it was not.
  }
  try {
    deleteNested(transaction, deletesIn(update))
    apply()
    return null
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

const refuseReserved = (name: string): ShoalError | null =>
  name.startsWith('shoal.')
    ? new ShoalError(
        'SPACE_RESERVED',
        `the document is ${name}; names that begin with shoal. are kept for Shoal itself`,
      )
    : null

/** Of an update without structs and deletes. */
const EMPTY_BYTES = 2
