// What is nested in what is deleted, however deep. Yjs deletes it by recursion, and where that ends
// depends on the machine, on the version of Node.js and on what was compiled so far: one node would
// take a delete and the next one not, and their replicas would stay different.
//
// So the types in it are deleted one by one, the innermost first, before Yjs looks at them.

import * as Y from 'yjs'
import type { DecodedDeletes } from './check.js'
import { endOf, type Range, type Struct } from './structs.js'

/** Deletes the types that are among these, with all that they hold, as far as they are here. */
export const deleteNested = (transaction: Y.Transaction, deletes: DecodedDeletes): void => {
  for (const [client, ranges] of deletes) {
    const structs = (transaction.doc.store.clients.get(client) ?? []) as Struct[]
    for (const { clock, len } of ranges) {
      if (clock >= endOf(structs)) continue
      for (let i = Y.findIndexSS(structs, clock); i < structs.length; i++) {
        const struct = structs[i] as Struct
        if (struct.id.clock >= clock + len) break
        if (isLiveType(struct)) deleteWhole(transaction, struct)
      }
    }
  }
}

/** All that an update deletes; of one that cannot be read, nothing. */
export const deletesIn = (update: Uint8Array): DecodedDeletes => {
  try {
    return Y.decodeUpdate(update).ds.clients
  } catch {
    return new Map()
  }
}

/** The same as ranges. */
export const rangesDeletedBy = (update: Uint8Array): Range[] =>
  [...deletesIn(update)].flatMap(([client, ranges]) =>
    ranges.map(({ clock, len }) => ({ client, from: clock, to: clock + len })),
  )

const deleteWhole = (transaction: Y.Transaction, outermost: Y.Item): void => {
  const types = [outermost]
  // Grows while it is gone through: each after what it stands in.
  for (const { content } of types) {
    const { type } = content as Y.ContentType
    for (let item = type._start; item !== null; item = item.right) if (isLiveType(item)) types.push(item)
    for (const item of type._map.values()) if (isLiveType(item)) types.push(item)
  }
  for (let i = types.length - 1; i >= 0; i--) (types[i] as Y.Item).delete(transaction)
}

const isLiveType = (struct: Struct): struct is Y.Item =>
  struct instanceof Y.Item && !struct.deleted && struct.content instanceof Y.ContentType
