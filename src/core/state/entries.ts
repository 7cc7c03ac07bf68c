// A space as its readers see it: the surviving entries of each key, the newest
// first. Kept beside the document and fed by its transactions, so that a read is
// one look-up, and a write knows which entries of its key it has to remove.
//
// An entry is known by its (client, clock), never by a reference to its item.

import * as Y from 'yjs'
import { LAST_FOLLOWED, type Stamp } from '../hybrid-clock.js'
import { compareText } from '../ids.js'
import type { Json } from '../json.js'
import { type EntryContent, entryBytes } from './check.js'
import type { StateConfig } from './config.js'
import type { Struct } from './structs.js'

export interface Entry {
  readonly client: number
  readonly clock: number
  readonly content: EntryContent
  readonly bytes: number
}

export class Entries {
  readonly #config: StateConfig
  readonly #onStamp: (stamp: Stamp) => void
  readonly #byKey = new Map<string, readonly Entry[]>()
  /** Keys that changed since they were last taken, with the winner before. */
  readonly #touched = new Map<string, Entry | undefined>()
  #sorted: readonly string[] | null = null
  #bytes = 0
  #newest: Stamp = 0
  /** Keys with more than one surviving entry. */
  readonly contested = new Set<string>()

  constructor(doc: Y.Doc, config: StateConfig, onStamp: (stamp: Stamp) => void) {
    this.#config = config
    this.#onStamp = onStamp
    // Before observers run, the contents of deleted items are still there; afterwards they are gone.
    doc.on('beforeObserverCalls', transaction => this.#follow(transaction))
  }

  get size(): number {
    return this.#byKey.size
  }

  /** Bytes of all keys and values that survive. */
  get bytes(): number {
    return this.#bytes
  }

  winner(key: string): Entry | undefined {
    return this.#byKey.get(key)?.[0]
  }

  /** All surviving entries of a key, the newest first. */
  of(key: string): readonly Entry[] {
    return this.#byKey.get(key) ?? []
  }

  /** The newest stamp that was ever seen in it, of entries that are deleted too. */
  get newest(): Stamp {
    return this.#newest
  }

  /** Of the newest entry of each key, and the newest of all. */
  *stamps(): Iterable<Stamp> {
    for (const [entry] of this.#byKey.values()) if (entry !== undefined) yield entry.content[1]
    yield this.#newest
  }

  /** What was stored of it has seen this stamp. */
  sawStamp(stamp: Stamp): void {
    // Beyond this no clock follows: it would hide those that are to be followed.
    if (stamp <= LAST_FOLLOWED && stamp > this.#newest) this.#newest = stamp
  }

  keys(): readonly string[] {
    this.#sorted ??= [...this.#byKey.keys()].sort(compareText)
    return this.#sorted
  }

  get(key: string): Json | undefined {
    const entry = this.winner(key)
    return entry === undefined ? undefined : frozen(entry.content[2])
  }

  /** Keys whose value is another than when they were last taken. */
  takeChanged(): string[] {
    const out: string[] = []
    for (const [key, before] of this.#touched) {
      const now = this.winner(key)
      if (before?.client !== now?.client || before?.clock !== now?.clock) out.push(key)
    }
    this.#touched.clear()
    return out.sort(compareText)
  }

  #follow(transaction: Y.Transaction): void {
    const { store } = transaction.doc
    const gone = new Map<string, Set<string>>()
    const come = new Map<string, Entry[]>()
    for (const [client, ranges] of transaction.deleteSet.clients) {
      const structs = (store.clients.get(client) ?? []) as Struct[]
      const before = transaction.beforeState.get(client) ?? 0
      for (const { clock, len } of ranges) {
        if (clock >= before) continue
        for (let i = Y.findIndexSS(structs, clock); i < structs.length; i++) {
          const struct = structs[i] as Struct
          if (struct.id.clock >= Math.min(clock + len, before)) break
          if (struct instanceof Y.Item && struct.content instanceof Y.ContentEmbed)
            listOf(gone, (struct.content.embed as EntryContent)[0], () => new Set<string>()).add(
              idOf(client, struct.id.clock),
            )
        }
      }
    }
    for (const [client, clock] of transaction.afterState) {
      const before = transaction.beforeState.get(client) ?? 0
      if (clock <= before) continue
      const structs = store.clients.get(client) as Struct[]
      for (let i = Y.findIndexSS(structs, before); i < structs.length; i++) {
        const struct = structs[i] as Struct
        if (!(struct instanceof Y.Item) || !(struct.content instanceof Y.ContentEmbed)) continue
        const content = struct.content.embed as unknown as EntryContent
        this.sawStamp(content[1])
        // It came and went within one transaction, as in a log that is read again.
        if (struct.deleted) continue
        const bytes = Math.max(0, entryBytes(content, this.#config, Number.POSITIVE_INFINITY))
        listOf(come, content[0], () => []).push({ client, clock: struct.id.clock, content, bytes })
      }
    }
    for (const key of new Set([...gone.keys(), ...come.keys()]))
      this.#change(key, gone.get(key) ?? NONE_GONE, come.get(key) ?? [])
  }

  /** All of a key at once: one of very many would be sorted in, or searched for, among all the others. */
  #change(key: string, gone: ReadonlySet<string>, come: readonly Entry[]): void {
    const list = this.#byKey.get(key) ?? []
    this.#touch(key, list)
    const rest: Entry[] = []
    for (const entry of list) {
      if (gone.has(idOf(entry.client, entry.clock))) this.#bytes -= entry.bytes
      else rest.push(entry)
    }
    for (const entry of come) {
      this.#onStamp(entry.content[1])
      this.#bytes += entry.bytes
      rest.push(entry)
    }
    if (come.length > 0 && rest.length > 1) rest.sort(newestFirst)
    if (rest.length > 1) this.contested.add(key)
    else this.contested.delete(key)
    if (rest.length > 0) this.#byKey.set(key, rest)
    else this.#byKey.delete(key)
    if (list.length === 0 || rest.length === 0) this.#sorted = null
  }

  #touch(key: string, list: readonly Entry[]): void {
    if (!this.#touched.has(key)) this.#touched.set(key, list[0])
  }
}

const NONE_GONE: ReadonlySet<string> = new Set()

const idOf = (client: number, clock: number): string => `${client} ${clock}`

const listOf = <List>(of: Map<string, List>, key: string, make: () => List): List => {
  const known = of.get(key)
  if (known !== undefined) return known
  const made = make()
  of.set(key, made)
  return made
}

/** By stamp; ties go to the higher writer, then to its later entry. */
const newestFirst = (a: Entry, b: Entry): number =>
  b.content[1] - a.content[1] || b.client - a.client || b.clock - a.clock

/** What readers get is the document's own; one who changed it would make replicas differ in silence. */
const frozen = (value: Json): Json => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const child of Object.values(value)) frozen(child as Json)
  return Object.freeze(value)
}
