// The lists that a space is made of: every writer appends its entries to one of its own, and
// a write removes the entries of its key that it has seen, in whichever list they stand.
// So a writer's dead entries are neighbours from one client, which Yjs merges into one struct.
//
// It never looks for an entry by a reference or an index: live neighbours merge as well.

import * as Y from 'yjs'
import type { Stamp } from '../hybrid-clock.js'
import type { EntryContent } from './check.js'
import type { Entry } from './entries.js'
import type { Struct } from './structs.js'

/** Adds an entry at the end of the list that this client alone writes. */
export const append = (
  transaction: Y.Transaction,
  client: number,
  list: string,
  content: EntryContent,
): void => {
  const { doc } = transaction
  const structs = doc.store.clients.get(client)
  const last = structs?.[structs.length - 1]
  const left = last instanceof Y.Item ? last : null
  const id = Y.createID(client, Y.getState(doc.store, client))
  const parent = doc.getArray(list)
  const embed = new Y.ContentEmbed(content as unknown as object)
  const item = new Y.Item(id, left, left === null ? null : left.lastId, null, null, parent, null, embed)
  item.integrate(transaction, 0)
}

/** Removes an entry from whichever list it stands in. */
export const strike = (transaction: Y.Transaction, { client, clock }: Entry): void => {
  const structs = transaction.doc.store.clients.get(client) as Struct[]
  const struct = structs[Y.findIndexSS(structs, clock)]
  if (struct instanceof Y.Item) struct.delete(transaction)
}

/**
 * A write comes after what it replaces even if that bears a stamp from the far future, which
 * the clock does not follow. Otherwise a node that gets the write before the delete that
 * belongs to it takes the write for a loser and removes it, and then both are gone.
 */
export const stampAbove = (stamp: Stamp, seen: Entry | undefined): Stamp =>
  seen === undefined ? stamp : Math.max(stamp, Math.min(seen.content[1] + 1, Number.MAX_SAFE_INTEGER))
