// How many bytes of a raw document are given back by what is deleted of it: its contents. That something stood
// there is kept for good, some bytes for each run of one writer's clocks; so whoever is to fill a
// document must delete at least as much as that brings.
//
// An estimate: text counts its letters, and nothing is looked at twice.

import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import type { DecodedDeletes } from './check.js'
import { endOf, type Range, type Store, type Struct } from './structs.js'

/** What an update's deletes would give back. */
export const bytesFreedBy = (store: Store, deletes: DecodedDeletes): number => {
  let bytes = 0
  for (const [client, ranges] of deletes)
    for (const { clock, len } of ranges)
      bytes += contentBytesIn(store, { client, from: clock, to: clock + len }, true)
  return bytes
}

/** The contents of a range, deleted or not, or of what is alive in it. */
export const contentBytesIn = (store: Store, { client, from, to }: Range, isAlive = false): number => {
  const structs = (store.clients.get(client) ?? []) as Struct[]
  if (from >= endOf(structs)) return 0
  let bytes = 0
  for (let i = Y.findIndexSS(structs, from); i < structs.length; i++) {
    const struct = structs[i] as Struct
    const { clock } = struct.id
    if (clock >= to) break
    if (!(struct instanceof Y.Item) || (isAlive && struct.deleted)) continue
    const share = Math.min(to, clock + struct.length) - Math.max(from, clock)
    bytes += (contentBytes(struct.content) * share) / struct.length
  }
  return Math.floor(bytes)
}

const contentBytes = (content: Y.Item['content']): number => {
  if (content instanceof Y.ContentDeleted) return 0
  if (content instanceof Y.ContentString) return content.str.length
  if (content instanceof Y.ContentBinary) return content.content.length
  const encoder = new Y.UpdateEncoderV1()
  content.write(encoder, 0)
  return encoding.length(encoder.restEncoder)
}
