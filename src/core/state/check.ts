// Whether an update may be applied. It is decoded here without touching any
// document, and every struct is looked at first: applying has no way back.
//
// In a space the form is strict. A writer's list only ever grows at its end, so an
// entry's place follows from its clock, and nothing is left for Yjs to resolve:
// no origin elsewhere, no parent but the writer's own list, no nesting.

import * as Y from 'yjs'
import { isStamp, type Stamp } from '../hybrid-clock.js'
import type { NodeId } from '../ids.js'
import type { Json } from '../json.js'
import type { StateConfig } from './config.js'
import { jsonBytes, utf8Bytes } from './json-size.js'
import { clientOfList, nodeOfList } from './writer.js'

/** What stands in a list: key, stamp, value. */
export type EntryContent = readonly [key: string, stamp: Stamp, value: Json]

/** What an update deletes, by client, as Yjs reads it. */
export type DecodedDeletes = ReadonlyMap<number, readonly { readonly clock: number; readonly len: number }[]>

export type Checked =
  | {
      readonly ok: true
      /** Of the entries that it brings, before any deletes. */
      readonly entries: number
      readonly bytes: number
      /** The writers of its structs, and the first clock of each. */
      readonly writers: ReadonlyMap<number, number>
      /** Whose they are, of those whose list begins in it. */
      readonly authors: ReadonlyMap<number, NodeId>
      readonly deletes: DecodedDeletes
    }
  | { readonly ok: false; readonly reason: 'too-large' | 'undecodable' | 'malformed' | 'foreign' | 'limit' }

const CLOCK_MAX = 2 ** 50

/** `author`: the only client that the update may write as, or null for any. */
export const checkUpdate = (
  update: Uint8Array,
  kind: 'space' | 'doc',
  author: number | null,
  config: StateConfig,
  valueBytesMax = config.valueBytesMax,
): Checked => {
  let decoded: ReturnType<typeof Y.decodeUpdate>
  try {
    decoded = Y.decodeUpdate(update)
  } catch {
    return { ok: false, reason: 'undecodable' }
  }
  const writers = new Map<number, number>()
  const authors = new Map<number, NodeId>()
  let entries = 0
  let bytes = 0
  let client = -1
  let clock = 0
  for (const struct of decoded.structs) {
    const { id } = struct
    // lib0 reads integers past 2⁵³, which it then cannot read again from what it wrote.
    if (!Number.isSafeInteger(id.client)) return MALFORMED
    if (id.clock + struct.length > CLOCK_MAX || struct.length < 1) return MALFORMED
    if (id.client !== client) {
      if (writers.has(id.client)) return MALFORMED
      client = id.client
      writers.set(client, id.clock)
    } else if (id.clock !== clock) return MALFORMED
    clock = id.clock + struct.length
    if (author !== null && client !== author) return { ok: false, reason: 'foreign' }
    if (kind === 'doc') {
      if (!isSoundStruct(struct, config)) return MALFORMED
      continue
    }
    if (!(struct instanceof Y.Item) || !isAtItsPlace(struct)) return MALFORMED
    const list: unknown = struct.parent
    if (typeof list === 'string') authors.set(client, nodeOfList(list) as NodeId)
    if (struct.content instanceof Y.ContentDeleted) continue
    if (!(struct.content instanceof Y.ContentEmbed)) return MALFORMED
    const size = entryBytes(struct.content.embed, config, valueBytesMax)
    if (size < 0) return size === TOO_LARGE ? { ok: false, reason: 'limit' } : MALFORMED
    entries++
    bytes += size
  }
  for (const [deleted, ranges] of decoded.ds.clients) {
    if (!Number.isSafeInteger(deleted)) return MALFORMED
    // In order and apart, as Yjs writes them: it looks through all structs of a range, once for each range.
    let end = 0
    for (const { clock, len } of ranges) {
      if (len < 1 || clock < end || clock + len > CLOCK_MAX) return MALFORMED
      end = clock + len
    }
  }
  return { ok: true, entries, bytes, writers, authors, deletes: decoded.ds.clients }
}

/** Bytes of an entry's key and value; negative for what is none. */
export const entryBytes = (content: unknown, config: StateConfig, valueBytesMax: number): number => {
  if (!Array.isArray(content) || content.length !== 3) return -1
  const [key, stamp, value] = content as unknown[]
  if (typeof key !== 'string' || key === '' || !isStamp(stamp)) return -1
  const keyBytes = utf8Bytes(key)
  if (keyBytes > config.keyBytesMax) return TOO_LARGE
  const valueBytes = jsonBytes(
    value,
    config.valueDepthMax + (valueBytesMax > config.valueBytesMax ? OWN_LEVELS : 0),
  )
  if (valueBytes < 0) return -1
  return valueBytes > valueBytesMax ? TOO_LARGE : keyBytes + valueBytes
}

/** Levels that Shoal itself puts around an application's value: a spec around its input. */
export const OWN_LEVELS = 4

const TOO_LARGE = -2
const MALFORMED: Checked = { ok: false, reason: 'malformed' }

const isAtItsPlace = (item: Y.Item): boolean => {
  const { client, clock } = item.id
  if (item.rightOrigin !== null || item.parentSub !== null) return false
  if (clock > 0)
    return item.origin !== null && item.origin.client === client && item.origin.clock === clock - 1
  const parent: unknown = item.parent
  return (
    item.origin === null &&
    typeof parent === 'string' &&
    nodeOfList(parent) !== null &&
    clientOfList(parent) === client
  )
}

/** What would make Yjs throw halfway through, or whoever encodes it again later. */
const isSoundStruct = (struct: Y.Item | Y.GC | Y.Skip, config: StateConfig): boolean => {
  if (!(struct instanceof Y.Item)) return true
  const { client, clock } = struct.id
  const parent: unknown = struct.parent
  for (const id of [struct.origin, struct.rightOrigin, parent instanceof Y.ID ? parent : null]) {
    // Yjs looks for a reference to the same client at once, and throws when it lies ahead.
    if (id === null) continue
    if (id.client === client && id.clock >= clock) return false
    if (!Number.isSafeInteger(id.client) || id.clock > CLOCK_MAX) return false
  }
  const { content } = struct
  const fits = (value: unknown): boolean => nests(value, config.valueDepthMax)
  if (content instanceof Y.ContentAny || content instanceof Y.ContentJSON) return content.arr.every(fits)
  if (content instanceof Y.ContentEmbed) return fits(content.embed)
  if (content instanceof Y.ContentFormat) return fits(content.value)
  // Documents within documents would be data that nobody synchronises.
  return !(content instanceof Y.ContentDoc)
}

const nests = (value: unknown, depth: number): boolean => {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return true
  if (depth === 0) return false
  return Object.values(value).every(child => nests(child, depth - 1))
}
