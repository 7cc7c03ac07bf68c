// The raw documents that the application holds. A Y.Doc changes outside of any step,
// so it lives here; the core keeps a replica of its own, hears what the application
// did as events, and says what others did as effects. Updates that came from the core
// carry an origin of ours, by which they are told from the application's own.

import * as Y from 'yjs'
import { ShoalError } from '../core/errors.js'
import { isName } from '../core/ids.js'
import type { CoreEvent, Effect } from '../core/step.js'

const FROM_CORE = Symbol('shoal')

export class Documents {
  readonly #documents = new Map<string, Y.Doc>()
  readonly #ask: (event: CoreEvent) => boolean
  readonly #holds: (name: string) => boolean

  constructor(ask: (event: CoreEvent) => boolean, holds: (name: string) => boolean) {
    this.#ask = ask
    this.#holds = holds
  }

  /** A name that the core would not take is refused here: what is written to such a document would be lost without a word. */
  open(name: string): Y.Doc {
    if (typeof name !== 'string' || !isName(name) || name.startsWith('shoal.')) {
      throw new ShoalError(
        'DOCUMENT_INVALID',
        `the name of a document is ${JSON.stringify(name)}; it must be 1 to 63 of a-z, 0-9, dot, underscore and dash, beginning with a letter or digit, and not with "shoal."`,
      )
    }
    if (!this.#holds(name)) {
      throw new ShoalError(
        'SPACE_NOT_HELD',
        `the document is ${name}; it must be among the spaces that this node holds (its setting spaces)`,
      )
    }
    const known = this.#documents.get(name)
    if (known !== undefined) return known
    const document = new Y.Doc({ gc: true })
    this.#documents.set(name, document)
    document.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== FROM_CORE) this.#ask({ kind: 'documentUpdated', name, update, request: null })
    })
    document.on('destroy', () => {
      if (this.#documents.get(name) === document) this.#documents.delete(name)
    })
    this.#ask({ kind: 'documentOpened', name })
    return document
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
