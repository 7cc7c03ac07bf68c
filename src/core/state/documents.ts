// The raw documents that the application holds: a copy of its own of each (runtime/documents.ts).
// Decides how a copy is filled when it is opened, under which clientID it writes, and what of
// its changes is taken over.
//
// A small document is there at once. The copy of a large one asks for piece after piece, when it
// has the time (filling.ts); if the document is still being read from the store, that goes on
// first. A copy that writes before it is filled does so under a clientID of that opening alone:
// the node's own clocks may be among what it does not have yet, and none is given out twice. Each such clientID
// stays in the document for good, so there is a bound on them: where it is reached, a copy is whole before it is written to.
//
// It never keeps a copy: what became of it, the application's side knows.

import * as Y from 'yjs'
import { invariant, ShoalError } from '../errors.js'
import type { CoreEvent, DocumentFill } from '../step.js'
import { EMPTY_UPDATE, Filling } from './filling.js'
import type { Frame } from './frame.js'
import type { Holdings } from './holdings.js'
import { checkDocumentUpdate } from './limits.js'
import { renamed } from './moved.js'
import type { OwnWrites } from './own-writes.js'
import type { Replica } from './replica.js'
import { clientOf, newLineage } from './writer.js'

type Updated = CoreEvent & { kind: 'documentUpdated' }

/** A document that was opened while it is being read from the store, and what was written to it meanwhile. */
interface Early {
  isOpen: boolean
  readonly updates: Updated[]
  bytes: number
}

export class Documents {
  readonly #frame: Frame
  readonly #holdings: Holdings
  readonly #own: OwnWrites
  readonly #early = new Map<string, Early>()
  /** The clientIDs of openings, by document, under which nothing is written yet. */
  readonly #passing = new Map<string, Set<number>>()

  constructor(frame: Frame, holdings: Holdings, own: OwnWrites) {
    this.#frame = frame
    this.#holdings = holdings
    this.#own = own
  }

  onOpened(name: string): void {
    const document = `doc/${name}`
    const beforeWrites = this.#holdings.earlyOf(document) >= this.#frame.config.earlyWriters
    if (this.#holdings.isOnItsWay(document)) {
      const early = this.#early.get(name) ?? { isOpen: true, updates: [], bytes: 0 }
      early.isOpen = true
      this.#early.set(name, early)
      this.#fill(name, EMPTY_UPDATE, this.#passingClient(name), {
        isFirst: true,
        isLast: false,
        beforeWrites,
      })
      return
    }
    const fault = this.#holdings.refuseDocument(name)
    const replica = fault === null ? this.#holdings.ensure(document) : undefined
    if (replica === undefined) {
      const text = fault?.message ?? `the document ${name} cannot be opened`
      this.#frame.emit({ kind: 'log', level: 'error', text })
      return
    }
    replica.opened = true
    if (this.#isSmall(replica)) {
      replica.filling = null
      this.#fill(name, replica.encode(), replica.client, { isFirst: true, isLast: true })
      return
    }
    replica.filling = this.#filling(replica)
    const client = replica.clockOf(replica.client) === 0 ? replica.client : this.#passingClient(name)
    this.#fill(name, EMPTY_UPDATE, client, { isFirst: true, isLast: false, beforeWrites })
  }

  /** The next piece; or, while it is being read from the store, none yet. */
  onFill(name: string): void {
    const document = `doc/${name}`
    if (this.#holdings.isOnItsWay(document)) {
      this.#holdings.loadStep(document)
      this.onLoaded()
      this.#fill(name, EMPTY_UPDATE, null, { isFirst: false, isLast: false })
      return
    }
    const replica = this.#holdings.find(document)
    const piece = replica?.filling?.next()
    if (replica === undefined || piece === undefined) return
    if (piece.isLast) {
      replica.filling = null
      this.#passing.delete(name)
    }
    const client = piece.isLast ? replica.client : null
    this.#fill(name, piece.update, client, { isFirst: false, isLast: piece.isLast })
  }

  onClosed(name: string): void {
    const early = this.#early.get(name)
    if (early !== undefined) early.isOpen = false
    else this.#passing.delete(name)
    const replica = this.#holdings.find(`doc/${name}`)
    if (replica === undefined) return
    replica.opened = false
    replica.filling = null
    replica.moves = null
  }

  /** To be called when something may have been read to its end. */
  onLoaded(): void {
    for (const [name, { isOpen, updates }] of this.#early) {
      const replica = this.#holdings.find(`doc/${name}`)
      if (replica === undefined) continue
      this.#early.delete(name)
      if (isOpen) {
        this.#holdings.use(replica.document)
        replica.opened = true
        replica.filling = this.#filling(replica)
      }
      for (const event of updates) this.onUpdated(event)
    }
  }

  onUpdated(event: Updated): void {
    const { name, update, request } = event
    const replica = this.#holdings.find(`doc/${name}`)
    const early = replica === undefined ? this.#early.get(name) : undefined
    const { config } = this.#frame
    const fault =
      early === undefined
        ? this.#refusal(name, update, replica)
        : tooEarly(early, update, config.documentBytesMax)
    if (fault !== null) {
      const { code, message } = fault
      if (request !== null) this.#frame.emit({ kind: 'refuse', request, code, message })
      else this.#frame.emit({ kind: 'log', level: 'error', text: message })
      return
    }
    if (early !== undefined) {
      early.updates.push(event)
      early.bytes += update.length
      return
    }
    invariant(replica !== undefined, 'a checked update has its document')
    this.#countEarly(name, replica, update)
    const { moves } = replica
    if (moves === null) replica.filling?.changed(update)
    this.#own.byCopy(replica, moves === null ? update : renamed(update, moves), request)
  }

  #refusal(name: string, update: Uint8Array, replica: Replica | undefined): ShoalError | null {
    const { totalBytes } = this.#holdings
    const check = (bytes: Uint8Array): ShoalError | null =>
      checkDocumentUpdate(name, bytes, replica, totalBytes, this.#frame.config)
    const fault = check(update)
    if (fault?.code !== 'STATE_LIMIT' || replica === undefined) return fault
    // What is here already takes no room: a copy that is being filled repeats it, and so does what it brings in.
    const fresh = Y.diffUpdate(update, Y.encodeStateVector(replica.doc))
    return fresh.length < update.length ? check(fresh) : fault
  }

  #isSmall({ bytes, doc }: Replica): boolean {
    const { openWholeStructs, openWholeBytes } = this.#frame.config
    let structs = 0
    for (const list of doc.store.clients.values()) structs += list.length
    return structs <= openWholeStructs && bytes <= openWholeBytes
  }

  #filling(replica: Replica): Filling {
    const { openPieceStructs, pieceBytes } = this.#frame.config
    return new Filling(replica, openPieceStructs, pieceBytes)
  }

  #passingClient(name: string): number {
    const client = clientOf(this.#frame.self, newLineage(this.#frame.rng))
    this.#passing.set(name, (this.#passing.get(name) ?? new Set()).add(client))
    return client
  }

  /** The first that is written under the clientID of an opening. */
  #countEarly(name: string, replica: Replica, update: Uint8Array): void {
    const passing = this.#passing.get(name)
    if (passing === undefined) return
    for (const client of Y.parseUpdateMeta(update).from.keys())
      if (passing.delete(client)) replica.own.noteEarly()
  }

  #fill(name: string, update: Uint8Array, clientId: number | null, fill: DocumentFill): void {
    this.#frame.emit({ kind: 'documentChanged', name, update, clientId, fill })
  }
}

const tooEarly = (early: Early, update: Uint8Array, bytesMax: number): ShoalError | null => {
  const bytes = early.bytes + update.length
  if (bytes <= bytesMax) return null
  return new ShoalError(
    'STATE_LIMIT',
    `changes of ${bytes} bytes before the document is loaded; documentBytesMax is ${bytesMax}`,
  )
}
