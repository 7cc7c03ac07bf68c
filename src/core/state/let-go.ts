// What was deleted lets go of its contents: of every document here, the core's and the application's.
//
// Yjs does it by recursion, in the midst of ending a transaction. Where nesting is too deep it throws
// there, and the document never tells of a change again. So it is done after that, and one after another
// where Yjs fails: whoever nests deeply enough must not end a document of others.
//
// It never touches what is alive, nor what an undo manager keeps.

import * as Y from 'yjs'
import type { Struct } from './structs.js'

type Deletes = Y.Transaction['deleteSet']

export const letGo = (doc: Y.Doc, deletes: Deletes, filter: Y.Doc['gcFilter']): void => {
  try {
    Y.tryGc(deletes, doc.store, filter)
  } catch {
    dropContents(doc, deletes)
  }
}

/** One after another, without a look at what is nested: a struct that has its content is stored and told as one that is alive. */
const dropContents = ({ store }: Y.Doc, deleted: Deletes): void => {
  for (const [client, ranges] of deleted.clients) {
    const structs = (store.clients.get(client) ?? []) as Struct[]
    for (const { clock, len } of ranges) {
      for (let i = Y.findIndexSS(structs, clock); i < structs.length; i++) {
        const struct = structs[i] as Struct
        if (struct.id.clock >= clock + len) break
        if (struct instanceof Y.Item && struct.deleted && !struct.keep)
          struct.content = new Y.ContentDeleted(struct.length)
      }
    }
  }
}
