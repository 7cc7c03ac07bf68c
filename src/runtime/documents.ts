// The raw documents that the application holds. A Y.Doc changes outside of any step,
// so it lives here; the core keeps a replica of its own, hears what the application
// did as events, and says what others did as effects. Updates that came from the core
// carry an origin of ours, by which they are told from the application's own.

import * as Y from 'yjs'
import { ShoalError } from '../core/errors.js'
import type { Json } from '../core/json.js'
import type { CoreEvent, Effect } from '../core/step.js'

const FROM_CORE = Symbol('shoal')

export interface DocumentsHost {
  ask(event: CoreEvent): boolean
  make(event: (request: number) => CoreEvent): Promise<Json>
  /** Why no document of this name can be opened here, or null. */
  refuse(name: string): ShoalError | null
  onRefused(document: string, error: ShoalError): void
}

export class Documents {
  readonly #documents = new Map<string, Y.Doc>()
  readonly #host: DocumentsHost

  constructor(host: DocumentsHost) {
    this.#host = host
  }

  open(name: string): Y.Doc {
    const known = this.#documents.get(name)
    if (known !== undefined) return known
    const fault = this.#host.refuse(name)
    if (fault !== null) throw fault
    const document = new Y.Doc({ gc: true })
    this.#documents.set(name, document)
    document.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== FROM_CORE) this.#updated(name, document, update)
    })
    document.on('destroy', () => {
      if (this.#documents.get(name) === document) this.#documents.delete(name)
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
        if (this.#documents.get(name) !== document) return
        this.#host.onRefused(name, error)
        document.destroy()
      })
  }

  changed(effect: Extract<Effect, { kind: 'documentChanged' }>): void {
    const document = this.#documents.get(effect.name)
    if (document === undefined) return
    try {
      Y.applyUpdate(document, effect.update, FROM_CORE)
    } finally {
      // Yjs throws what an observer of the application threw, after it has applied the update.
      if (effect.clientId !== null) document.clientID = effect.clientId
    }
  }
}
