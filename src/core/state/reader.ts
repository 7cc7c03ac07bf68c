// The structs of one client, written one after another from a cursor on: what a piece
// of a document is made of. Knows what each builds on, so that others can be written
// first, and cuts texts and lists that would overfill a message.
//
// It never writes a struct past its cursor's end, and never moves backwards.

import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { jsonBytes } from './json-size.js'
import { type Cursor, endOf, type Store, type Struct } from './structs.js'

/** One that is to be written before, up to this clock. */
export interface Needed {
  readonly reader: Reader
  readonly until: number
}

export class Reader {
  readonly #structs: Struct[]
  readonly #cursor: Cursor
  readonly #clock: number
  /** The clock after the last that is to be written. */
  readonly to: number
  readonly #body = new Y.UpdateEncoderV1()
  #index = -1
  #count = 0

  constructor(store: Store, cursor: Cursor) {
    this.#structs = (store.clients.get(cursor.client) ?? []) as Struct[]
    this.#cursor = cursor
    this.#clock = cursor.from
    this.to = Math.min(cursor.to, endOf(this.#structs))
  }

  get at(): number {
    return this.#cursor.from
  }

  get isDone(): boolean {
    return this.#cursor.from >= this.to
  }

  get isUnused(): boolean {
    return this.#count === 0
  }

  /** What the next struct builds on that is still to be written, or null. */
  needs(readers: ReadonlyMap<number, Reader>): Needed | null {
    const struct = this.#next()
    if (!(struct instanceof Y.Item)) return null
    // From its middle on, a struct builds on its own beginning.
    const origin = struct.id.clock === this.#cursor.from ? struct.origin : null
    const parent: unknown = struct.parent
    const within = parent instanceof Y.AbstractType ? (parent._item?.id ?? null) : null
    for (const id of [origin, struct.rightOrigin, within]) {
      if (id === null || id.client === this.#cursor.client) continue
      const reader = readers.get(id.client)
      if (reader !== undefined && reader.at <= id.clock && id.clock < reader.to)
        return { reader, until: id.clock + 1 }
    }
    return null
  }

  /** Writes the next struct, or as much of it as there is room for; returns the bytes. */
  write(room: number): number {
    const struct = this.#next()
    const { restEncoder } = this.#body
    const before = encoding.length(restEncoder)
    const cursor = this.#cursor
    const start = struct.id.clock
    const limit = Math.min(struct.length, this.to - start)
    const end = cutOf(struct, cursor.from - start, limit, room)
    writeSlice(this.#body, struct, cursor.from - start, end)
    this.#count++
    cursor.from = start + end
    if (end === limit) this.#index++
    return encoding.length(restEncoder) - before
  }

  /** Puts what was written into an update. */
  finish(encoder: encoding.Encoder): void {
    encoding.writeVarUint(encoder, this.#count)
    encoding.writeVarUint(encoder, this.#cursor.client)
    encoding.writeVarUint(encoder, this.#clock)
    encoding.writeUint8Array(encoder, this.#body.toUint8Array())
  }

  #next(): Struct {
    if (this.#index < 0) this.#index = Y.findIndexSS(this.#structs, this.#cursor.from)
    return this.#structs[this.#index] as Struct
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
