// Parts of a document as Yjs updates: some clocks of some clients, some deletes.
// Yjs itself encodes all beyond a state vector at once, with the whole delete set;
// a node that was away for a month must get it in pieces instead.
//
// Written in the V1 format, in which every struct takes at least a byte: a short
// message cannot make its reader loop for ever, as V2's run lengths can.

import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { Reader } from './reader.js'
import type { Cursor, Range, Store, Struct } from './structs.js'

/** How much a piece may be. What is small in bytes may take whoever applies it long all the same. */
export interface PieceLimits {
  readonly bytes: number
  readonly structs: number
  readonly deletes: number
}

export const UNLIMITED: PieceLimits = {
  bytes: Number.POSITIVE_INFINITY,
  structs: Number.POSITIVE_INFINITY,
  deletes: Number.POSITIVE_INFINITY,
}

/**
 * Encodes structs from the cursors' positions on, about as many as may be and at least one;
 * moves the cursors on and takes away what is done. When no structs are left, deletes
 * follow: `takeDeletes` is told how many there is room for.
 *
 * What a struct builds on comes before it, in this piece or an earlier one, whichever
 * client wrote it. Yjs would hold the struct back otherwise, and encode all that it holds
 * back anew with every further piece (200 ms a piece for a document of 1 MB).
 */
export const encodePiece = (
  store: Store,
  cursors: Cursor[],
  limits: PieceLimits,
  takeDeletes: (most: number) => readonly Range[] = () => [],
): Uint8Array => {
  const readers = new Map(cursors.map(cursor => [cursor.client, new Reader(store, cursor)]))
  const sections: Reader[] = []
  let room = limits.bytes
  let structs = 0
  for (const first of readers.values()) {
    // Each waits for the next one to be written up to a clock; the last is written now.
    const stack = [{ reader: first, until: first.to }]
    const waiting = new Set([first])
    for (let top = stack[0]; top !== undefined && room > 0; top = stack[stack.length - 1]) {
      const { reader, until } = top
      if (reader.at >= until) {
        stack.pop()
        waiting.delete(reader)
        continue
      }
      const needed = reader.needs(readers)
      // Not twice on the way: what Yjs has put in order has no circles, and none may hang us.
      if (needed !== null && !waiting.has(needed.reader)) {
        stack.push(needed)
        waiting.add(needed.reader)
        continue
      }
      if (reader.isUnused) {
        if (sections.length > 0) room -= SECTION_BYTES
        if (room <= 0) break
        sections.push(reader)
      }
      room -= reader.write(room)
      if (++structs >= limits.structs) room = 0
    }
    if (room <= 0) break
  }
  room -= SECTION_BYTES
  const left = cursors.filter(({ client }) => readers.get(client)?.isDone === false)
  cursors.splice(0, cursors.length, ...left)

  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, sections.length)
  for (const section of sections) section.finish(encoder)
  // A delete takes about 8 bytes. They go last: Yjs holds back those that it has no struct for.
  const most = room <= 0 ? 0 : Math.min(limits.deletes, Math.max(1, room >> 3))
  writeDeletes(encoder, cursors.length > 0 ? [] : takeDeletes(most))
  return encoding.toUint8Array(encoder)
}

/** What the section of another client takes, beside its structs. */
const SECTION_BYTES = 16

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
  return encodeSections([...byClient.values()], [])
}

/** What an update has of all but some clients; null when that is nothing. */
export const updateWithout = (update: Uint8Array, clients: ReadonlySet<number>): Uint8Array | null => {
  const { structs, ds } = Y.decodeUpdate(update)
  const byClient = new Map<number, (Y.Item | Y.GC | Y.Skip)[]>()
  for (const struct of structs) {
    const { client } = struct.id
    if (clients.has(client)) continue
    const list = byClient.get(client)
    if (list === undefined) byClient.set(client, [struct])
    else list.push(struct)
  }
  const deletes = [...ds.clients]
    .filter(([client]) => !clients.has(client))
    .flatMap(([client, ranges]) => ranges.map(({ clock, len }) => ({ client, from: clock, to: clock + len })))
  return byClient.size + deletes.length > 0 ? encodeSections([...byClient.values()], deletes) : null
}

/** One update of whole structs, those of one client in one section and in order, and of what is deleted. */
export const encodeSections = (
  sections: readonly (readonly (Y.Item | Y.GC | Y.Skip)[])[],
  deletes: readonly Range[],
): Uint8Array => {
  const encoder = new Y.UpdateEncoderV1()
  const { restEncoder } = encoder
  encoding.writeVarUint(restEncoder, sections.length)
  for (const section of sections) {
    const { id } = section[0] as Struct
    encoding.writeVarUint(restEncoder, section.length)
    encoding.writeVarUint(restEncoder, id.client)
    encoding.writeVarUint(restEncoder, id.clock)
    for (const struct of section) struct.write(encoder, 0)
  }
  writeDeletes(restEncoder, deletes)
  return encoder.toUint8Array()
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
