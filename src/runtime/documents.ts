// The raw documents that the application holds. A Y.Doc changes outside of any step,
// so it lives here; the core keeps a replica of its own, hears what the application
// did as events, and says what others did as effects. Updates that came from the core
// carry an origin of ours, by which they are told from the application's own.

import * as Y from 'yjs'
import type { CoreEvent, Effect } from '../core/step.js'

const FROM_CORE = Symbol('shoal')

export class Documents {
  readonly #documents = new Map<string, Y.Doc>()
  readonly #ask: (event: CoreEvent) => boolean

  constructor(ask: (event: CoreEvent) => boolean) {
    this.#ask = ask
  }

  open(name: string): Y.Doc {
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
