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

/** The deleted clocks within a range, neighbours joined: one after another, for there may be very many. */
export const deletedWithin = function* (store: Store, { client, from, to }: Range): Generator<Range> {
  const structs = (store.clients.get(client) ?? []) as Struct[]
  const end = Math.min(to, endOf(structs))
  if (from >= end) return
  let run: { client: number; from: number; to: number } | null = null
  for (let i = Y.findIndexSS(structs, from); i < structs.length; i++) {
    const struct = structs[i] as Struct
    const start = Math.max(struct.id.clock, from)
    if (start >= end) break
    if (!struct.deleted) continue
    const stop = Math.min(struct.id.clock + struct.length, end)
    if (run !== null && run.to === start) run.to = stop
    else {
      if (run !== null) yield run
      run = { client, from: start, to: stop }
    }
  }
  if (run !== null) yield run
}

/** Whether there is anything in it that is not deleted. */
export const hasLive = ({ clients }: Store): boolean => {
  for (const structs of clients.values())
    if ((structs as Struct[]).some(({ deleted }) => !deleted)) return true
  return false
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

/** A range less the holes in it, which come in order and apart from one another (`inOrder`). */
export const without = (range: Range, holes: readonly Range[]): Range[] => {
  const out: Range[] = []
  let { from } = range
  for (let i = firstBeyond(holes, from); i < holes.length; i++) {
    const hole = holes[i] as Range
    if (hole.from >= range.to) break
    if (from < hole.from) out.push({ ...range, from, to: hole.from })
    from = hole.to
  }
  if (from < range.to) out.push({ ...range, from })
  return out
}

/** The place of the first of such ranges that ends after a clock. */
export const firstBeyond = (ranges: readonly Range[], clock: number): number => {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ranges[middle] as Range).to > clock) high = middle
    else low = middle + 1
  }
  return low
}

/** Ranges by client, in order and apart from one another. */
export const inOrder = (ranges: readonly Range[]): Map<number, readonly Range[]> => {
  const out = new Map<number, { client: number; from: number; to: number }[]>()
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const list = out.get(range.client)
    const last = list?.[list.length - 1]
    if (list === undefined) out.set(range.client, [{ ...range }])
    else if (last !== undefined && range.from <= last.to) last.to = Math.max(last.to, range.to)
    else list.push({ ...range })
  }
  return out
}

/** Ranges come by client and in order: what one of them names is not looked through once more for the next. */
export const areApart = (ranges: readonly Range[]): boolean => {
  const ends = new Map<number, number>()
  return ranges.every(({ client, from, to }) => {
    const isAfter = from >= (ends.get(client) ?? 0)
    ends.set(client, to)
    return isAfter
  })
}
