// What was written to a raw document under clocks that mean something else elsewhere, under
// others. Decides which structs have to be written anew, and under which ids.
//
// Nobody has seen them, so to call them by other names changes nothing for anybody: they keep
// their contents, their places and what they deleted. What refers to them is called by another
// name as well, or, where the others have it, left out: it comes again as the others know it.
//
// It never changes the document.

import * as Y from 'yjs'
import type { DecodedDeletes } from './check.js'
import { encodePiece, encodeSections, UNLIMITED } from './encode.js'
import type { Range, Store, Struct } from './structs.js'

/** Clocks of a client from one on, as those of another client from 0 on. */
export interface Move {
  readonly from: number
  readonly to: number
}

export type Moves = ReadonlyMap<number, Move>

/** The first clock of each client that is among those of `client` from `from` on, or builds on one that is. */
export const builtOn = (store: Store, client: number, from: number): Map<number, number> => {
  const links = linksOf(store)
  const first = new Map([[client, from]])
  const queue = [client]
  // The last first: each is followed once, however often the first clock of its client turns out to be an earlier one.
  for (const list of links.values()) list.sort((a, b) => a.at - b.at)
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const begin = first.get(next) as number
    const list = links.get(next) ?? []
    for (let link = list.at(-1); link !== undefined && link.at >= begin; link = list.at(-1)) {
      const { id } = link
      list.pop()
      if (id.clock >= (first.get(id.client) ?? Number.POSITIVE_INFINITY)) continue
      first.set(id.client, id.clock)
      queue.push(id.client)
    }
  }
  return first
}

/** By client, who of others builds on which of its clocks. What follows within a client is taken along anyway. */
const linksOf = (store: Store): Map<number, { readonly at: number; readonly id: Y.ID }[]> => {
  const links = new Map<number, { at: number; id: Y.ID }[]>()
  for (const [client, structs] of store.clients) {
    for (const struct of structs as Struct[]) {
      if (!(struct instanceof Y.Item)) continue
      const { id, origin, rightOrigin } = struct
      const parent: unknown = struct.parent
      const within = parent instanceof Y.AbstractType ? (parent._item?.id ?? null) : null
      for (const on of [origin, rightOrigin, within]) {
        if (on === null || on.client === client) continue
        const list = links.get(on.client)
        if (list === undefined) links.set(on.client, [{ at: on.clock, id }])
        else list.push({ at: on.clock, id })
      }
    }
  }
  return links
}

/** These clocks of a document, under their new names. `end`: where those of `client` end. */
export const moved = (store: Store, moves: Moves, client: number, end: number): Uint8Array => {
  const cursors = [...moves].map(([each, { from }]) => ({
    client: each,
    from,
    to: each === client ? end : Y.getState(store, each),
  }))
  return renamed(encodePiece(store, cursors, UNLIMITED), moves)
}

/** An update in which those clocks, and what refers to them, bear their new names. */
export const renamed = (update: Uint8Array, moves: Moves): Uint8Array => {
  const idOf = (id: Y.ID): Y.ID => {
    const move = moves.get(id.client)
    return move === undefined || id.clock < move.from ? id : Y.createID(move.to, id.clock - move.from)
  }
  const { ds, structs } = Y.decodeUpdate(update)
  const sections: Struct[][] = []
  for (const struct of structs as Struct[]) {
    struct.id = idOf(struct.id)
    if (struct instanceof Y.Item) {
      const parent: unknown = struct.parent
      if (struct.origin !== null) struct.origin = idOf(struct.origin)
      if (struct.rightOrigin !== null) struct.rightOrigin = idOf(struct.rightOrigin)
      if (parent instanceof Y.ID) struct.parent = idOf(parent)
    }
    const section = sections[sections.length - 1]
    if (section?.[0]?.id.client === struct.id.client) section.push(struct)
    else sections.push([struct])
  }
  return encodeSections(sections, renamedDeletes(ds.clients, moves))
}

const renamedDeletes = (deletes: DecodedDeletes, moves: Moves): Range[] => {
  const named: Range[] = []
  const add = (client: number, from: number, to: number): void => {
    if (from < to) named.push({ client, from, to })
  }
  for (const [client, ranges] of deletes) {
    const move = moves.get(client)
    for (const { clock, len } of ranges) {
      const end = clock + len
      const cut = move === undefined ? end : Math.min(end, Math.max(clock, move.from))
      add(client, clock, cut)
      if (move !== undefined) add(move.to, cut - move.from, end - move.from)
    }
  }
  return named
}
