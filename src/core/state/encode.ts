// Parts of a document as Yjs updates: some clocks of some clients, some deletes.
// Yjs itself encodes all beyond a state vector at once, with the whole delete set;
// a node that was away for a month must get it in pieces instead.
//
// Written in the V1 format, in which every struct takes at least a byte: a short
// message cannot make its reader loop for ever, as V2's run lengths can.

import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { jsonBytes } from './json-size.js'

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

/**
 * Encodes structs from the cursors' positions on, about `bytesMax` of them and at least
 * one, then deletes if there is room; moves the cursors on and takes away what is done.
 */
export const encodePiece = (
  store: Store,
  cursors: Cursor[],
  deletes: Range[],
  bytesMax: number,
): Uint8Array => {
  const sections: { client: number; clock: number; count: number; body: Y.UpdateEncoderV1 }[] = []
  let room = bytesMax
  while (cursors.length > 0 && room > 0) {
    const cursor = cursors[0] as Cursor
    const structs = (store.clients.get(cursor.client) ?? []) as Struct[]
    const to = Math.min(cursor.to, endOf(structs))
    if (cursor.from >= to) {
      cursors.shift()
      continue
    }
    const body = new Y.UpdateEncoderV1()
    const section = { client: cursor.client, clock: cursor.from, count: 0, body }
    let index = Y.findIndexSS(structs, cursor.from)
    while (cursor.from < to && room > encoding.length(body.restEncoder)) {
      const struct = structs[index++] as Struct
      const start = struct.id.clock
      const limit = Math.min(struct.length, to - start)
      const end = cutOf(struct, cursor.from - start, limit, room)
      writeSlice(body, struct, cursor.from - start, end)
      section.count++
      cursor.from = start + end
      if (end < limit) index--
    }
    room -= encoding.length(body.restEncoder) + 16
    sections.push(section)
    if (cursor.from >= to) cursors.shift()
  }

  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, sections.length)
  for (const { client, clock, count, body } of sections) {
    encoding.writeVarUint(encoder, count)
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, clock)
    encoding.writeUint8Array(encoder, body.toUint8Array())
  }
  // A delete takes about 8 bytes. They go last: Yjs holds back those that it has no struct for.
  const count = cursors.length > 0 || room <= 0 ? 0 : Math.min(deletes.length, Math.max(1, room >> 3))
  writeDeletes(encoder, deletes.splice(0, count))
  return encoding.toUint8Array(encoder)
}

/**
 * One update of the structs of several pieces of one series. Not `Y.mergeUpdates`, which
 * drops structs of some sets of updates (seed 2 of the scheduler for raw documents).
 */
export const joinPieces = (pieces: readonly Uint8Array[]): Uint8Array => {
  const byClient = new Map<number, (Y.Item | Y.GC | Y.Skip)[]>()
  for (const piece of pieces) {
    for (const struct of Y.decodeUpdate(piece).structs) {
      const list = byClient.get(struct.id.client)
      if (list === undefined) byClient.set(struct.id.client, [struct])
      else list.push(struct)
    }
  }
  const encoder = new Y.UpdateEncoderV1()
  encoding.writeVarUint(encoder.restEncoder, byClient.size)
  for (const [client, structs] of byClient) {
    encoding.writeVarUint(encoder.restEncoder, structs.length)
    encoding.writeVarUint(encoder.restEncoder, client)
    encoding.writeVarUint(encoder.restEncoder, (structs[0] as Struct).id.clock)
    for (const struct of structs) struct.write(encoder, 0)
  }
  encoding.writeVarUint(encoder.restEncoder, 0)
  return encoder.toUint8Array()
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

const writeDeletes = (encoder: encoding.Encoder, ranges: readonly Range[]): void => {
  const byClient = new Map<number, Range[]>()
  for (const range of ranges) {
    const list = byClient.get(range.client)
    if (list === undefined) byClient.set(range.client, [range])
    else list.push(range)
  }
  encoding.writeVarUint(encoder, byClient.size)
  for (const [client, list] of byClient) {
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, list.length)
    for (const { from, to } of list) {
      encoding.writeVarUint(encoder, from)
      encoding.writeVarUint(encoder, to - from)
    }
  }
}

/** Where to cut a struct that alone would overfill a message: only texts and lists can be cut. */
const cutOf = (struct: Struct, offset: number, limit: number, room: number): number => {
  if (!(struct instanceof Y.Item)) return limit
  const { content } = struct
  if (content instanceof Y.ContentString) {
    let end = Math.min(limit, offset + Math.max(2, Math.floor(room / 3)))
    // Never between the halves of a surrogate pair: Yjs would replace both.
    const code = content.str.charCodeAt(end - 1)
    if (end < limit && code >= 0xd800 && code < 0xdc00) end--
    return end
  }
  if (content instanceof Y.ContentAny || content instanceof Y.ContentJSON) {
    let used = 0
    for (let i = offset; i < limit; i++) {
      const value: unknown = content.arr[i]
      used += value instanceof Uint8Array ? value.length : Math.max(8, jsonBytes(value, 1_000))
      if (used >= room) return i + 1
    }
  }
  return limit
}

const writeSlice = (encoder: Y.UpdateEncoderV1, struct: Struct, offset: number, end: number): void => {
  if (end === struct.length) {
    struct.write(encoder, offset)
    return
  }
  const { client, clock } = struct.id
  if (!(struct instanceof Y.Item)) {
    new Y.GC(Y.createID(client, clock + offset), end - offset).write(encoder, 0)
    return
  }
  const origin = offset > 0 ? Y.createID(client, clock + offset - 1) : struct.origin
  const content = sliceContent(struct.content, offset, end)
  const id = Y.createID(client, clock + offset)
  const slice = new Y.Item(
    id,
    null,
    origin,
    null,
    struct.rightOrigin,
    struct.parent,
    struct.parentSub,
    content,
  )
  slice.write(encoder, 0)
}

const sliceContent = (content: Y.Item['content'], offset: number, end: number): Y.Item['content'] => {
  if (content instanceof Y.ContentString) return new Y.ContentString(content.str.slice(offset, end))
  if (content instanceof Y.ContentAny) return new Y.ContentAny(content.arr.slice(offset, end))
  if (content instanceof Y.ContentJSON) return new Y.ContentJSON(content.arr.slice(offset, end))
  return new Y.ContentDeleted(end - offset)
}
