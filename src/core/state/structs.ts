// How the contents of a document are spoken of: clocks of clients. Yjs keeps each
// client's structs in the order of their clocks, without holes, and joins neighbours; so
// nothing here refers to a struct itself, only to the clocks that it stands for.

import * as Y from 'yjs'

export type Store = Y.Doc['store']
export type Struct = Y.Item | Y.GC

/** Clocks `from` ≤ clock < `to` of a client. */
export interface Range {
  readonly client: number
  readonly from: number
  readonly to: number
}

/** What is still to be sent of a client's structs. */
export interface Cursor {
  readonly client: number
  from: number
  to: number
}

/** The deleted clocks within a range, neighbours joined. */
export const deletedWithin = (store: Store, { client, from, to }: Range): Range[] => {
  const structs = (store.clients.get(client) ?? []) as Struct[]
  const end = Math.min(to, endOf(structs))
  const out: Range[] = []
  if (from >= end) return out
  let run: { client: number; from: number; to: number } | null = null
  for (let i = Y.findIndexSS(structs, from); i < structs.length; i++) {
    const struct = structs[i] as Struct
    const start = Math.max(struct.id.clock, from)
    if (start >= end) break
    if (!struct.deleted) continue
    const stop = Math.min(struct.id.clock + struct.length, end)
    if (run !== null && run.to === start) run.to = stop
    else {
      run = { client, from: start, to: stop }
      out.push(run)
    }
  }
  return out
}

/** The clock after a client's last struct. */
export const endOf = (structs: readonly Struct[]): number => {
  const last = structs[structs.length - 1]
  return last === undefined ? 0 : last.id.clock + last.length
}

/** All that there is of a document, or of its clients as far as `clockOf` says. */
export const cursorsOf = (
  store: Store,
  clockOf = (client: number): number => Y.getState(store, client),
): Cursor[] => [...store.clients.keys()].map(client => ({ client, from: 0, to: clockOf(client) }))

/** A range less the holes in it. */
export const without = (range: Range, holes: readonly Range[]): Range[] => {
  let rest: Range[] = [range]
  for (const hole of holes) {
    rest = rest.flatMap(each => {
      if (hole.to <= each.from || hole.from >= each.to) return [each]
      const out: Range[] = []
      if (each.from < hole.from) out.push({ ...each, to: hole.from })
      if (hole.to < each.to) out.push({ ...each, from: hole.to })
      return out
    })
  }
  return rest
}
