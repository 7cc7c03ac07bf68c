// Whether what a peer wrote still fits: others may take a space or a document a little
// past this node's limits (`remoteSlack` says why), and no further. What takes away more
// than it brings is always welcome.
//
// The limits of the node's own application are in limits.ts, who may begin to write is writer-places.ts.

import * as Y from 'yjs'
import type { Checked, EntryContent } from './check.js'
import type { StateConfig } from './config.js'
import { bytesFreedBy } from './freed.js'
import type { Replica } from './replica.js'
import { endOf, type Struct } from './structs.js'

/** Whether an update keeps the document within what others may bring it to. */
export const hasRoomFor = (
  replica: Replica,
  checked: Checked & { ok: true },
  updateBytes: number,
  totalBytes: number,
  config: StateConfig,
): boolean => {
  const { remoteSlack, spaceKeysMax, spaceBytesMax, totalBytesMax } = config
  if (replica.kind === 'doc')
    return limitExceededBy(replica, checked, updateBytes, totalBytes, config, remoteSlack) === null
  const fits = (bytes: number, keys: number): boolean =>
    replica.entries.bytes + bytes <= spaceBytesMax * remoteSlack &&
    replica.entries.size + keys <= spaceKeysMax * remoteSlack &&
    totalBytes + bytes <= totalBytesMax * remoteSlack
  if (checked.entries === 0 || fits(checked.bytes, checked.entries)) return true
  const freed = freedBy(replica, checked.deletes)
  return fits(checked.bytes - freed.bytes, checked.entries - freed.keys)
}

/**
 * Which limit an update of a raw document would exceed, with what it deletes given back; null when none. Whoever filled
 * it, it can be made smaller: to delete takes some bytes as well, but no more than there is to delete.
 */
export const limitExceededBy = (
  replica: Replica,
  { deletes, writers }: Checked & { ok: true },
  updateBytes: number,
  totalBytes: number,
  { documentBytesMax, totalBytesMax }: StateConfig,
  slack: number,
): 'documentBytesMax' | 'totalBytesMax' | null => {
  if (writers.size === 0) return null
  const exceededBy = (bytes: number): 'documentBytesMax' | 'totalBytesMax' | null => {
    if (bytes <= 0) return null
    if (!replica.fits(bytes, documentBytesMax * slack)) return 'documentBytesMax'
    return totalBytes + bytes > totalBytesMax * slack ? 'totalBytesMax' : null
  }
  return exceededBy(updateBytes) && exceededBy(updateBytes - bytesFreedBy(replica.doc.store, deletes))
}

/** How many clients will have written to it. */
export const writersWith = ({ doc }: Replica, writers: Iterable<number>): number => {
  const { clients } = doc.store
  let count = clients.size
  for (const client of writers) if (!clients.has(client)) count++
  return count
}

/** The live bytes that an update's deletes would free. */
const freedBy = (
  { doc, entries }: Replica,
  deletes: (Checked & { ok: true })['deletes'],
): { bytes: number; keys: number } => {
  let bytes = 0
  let keys = 0
  for (const [client, ranges] of deletes) {
    const structs = (doc.store.clients.get(client) ?? []) as Struct[]
    const end = endOf(structs)
    for (const { clock, len } of ranges) {
      if (clock >= end) continue
      for (let i = Y.findIndexSS(structs, clock); i < structs.length; i++) {
        const struct = structs[i] as Struct
        if (struct.id.clock >= clock + len) break
        if (!(struct instanceof Y.Item) || !(struct.content instanceof Y.ContentEmbed)) continue
        const key = (struct.content.embed as EntryContent)[0]
        const entry = entries.of(key).find(each => each.client === client && each.clock === struct.id.clock)
        bytes += entry?.bytes ?? 0
        keys++
      }
    }
  }
  return { bytes, keys }
}
