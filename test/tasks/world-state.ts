// The shared state of the world of task engines: one log of all writes, and for each node
// which of them it has seen and which stand there. A write survives until somebody who
// saw it replaces or removes it, as in the real state layer. What never changes and is
// the same at every node (a write, what a reader makes of it) is held once for all, so
// that a thousand nodes with ten thousand tasks fit into one process.

import type { NodeId, TaskId } from '../../src/core/ids.js'
import type { Json } from '../../src/core/json.js'
import { createReader, type Reader } from '../../src/core/tasks/reader.js'

/** A write to shared state; its index in the world's log is its stamp as well. */
export interface Op {
  readonly index: number
  readonly node: NodeId
  readonly space: string
  readonly key: string
  /** The world's number of this key in this space. */
  readonly place: number
  readonly value: Json | undefined
  /** The writes that it replaces. */
  readonly removes: readonly number[]
}

/** A set of small numbers. */
export class Bits {
  words = new Uint32Array(32)

  has(index: number): boolean {
    return (((this.words[index >>> 5] ?? 0) >>> (index & 31)) & 1) === 1
  }

  add(index: number): void {
    const at = index >>> 5
    if (at >= this.words.length) {
      const wider = new Uint32Array(Math.max(at + 1, this.words.length * 2))
      wider.set(this.words)
      this.words = wider
    }
    this.words[at] = (this.words[at] as number) | (1 << (index & 31))
  }

  /** Takes in all that is there. */
  merge(other: Bits): void {
    if (other.words.length > this.words.length) {
      const wider = new Uint32Array(other.words.length)
      wider.set(this.words)
      this.words = wider
    }
    for (let at = 0; at < other.words.length; at++)
      this.words[at] = (this.words[at] as number) | (other.words[at] as number)
  }

  clear(): void {
    this.words.fill(0)
  }

  /** What is here and not there, ascending. */
  without(other: Bits): number[] {
    const found: number[] = []
    for (let at = 0; at < this.words.length; at++) {
      let word = (this.words[at] as number) & ~(other.words[at] ?? 0)
      for (; word !== 0; word &= word - 1) found.push(at * 32 + 31 - Math.clz32(word & -word))
    }
    return found
  }
}

/** All writes, and a number for each key of each space. */
export class Log {
  readonly ops: Op[] = []
  readonly #places = new Map<string, Map<string, number>>()
  #count = 0

  placeOf(space: string, key: string): number | undefined {
    return this.#places.get(space)?.get(key)
  }

  add(node: NodeId, space: string, key: string, value: Json | undefined, removes: readonly number[]): Op {
    let places = this.#places.get(space)
    if (places === undefined) {
      places = new Map()
      this.#places.set(space, places)
    }
    let place = places.get(key)
    if (place === undefined) {
      place = this.#count++
      places.set(key, place)
    }
    const op = { index: this.ops.length, node, space, key, place, value, removes }
    this.ops.push(op)
    return op
  }

  keys(space: string): Iterable<[string, number]> {
    return this.#places.get(space) ?? []
  }
}

/** What one node has of the log: for each key the newest write that stands, and the rest where there are more. */
export class Replica {
  readonly seen = new Bits()
  readonly #log: Log
  readonly #removed = new Bits()
  #newest = new Int32Array(64).fill(-1)
  readonly #several = new Map<number, readonly number[]>()

  constructor(log: Log) {
    this.#log = log
  }

  /** True when what is read here changed. */
  apply(op: Op): boolean {
    if (this.seen.has(op.index)) return false
    this.seen.add(op.index)
    for (const index of op.removes) this.#removed.add(index)
    const newest = this.#newestAt(op.place)
    const before = this.#several.get(op.place) ?? (newest < 0 ? [] : [newest])
    const kept = before.filter(index => !this.#removed.has(index))
    if (op.value !== undefined && !this.#removed.has(op.index)) kept.push(op.index)
    kept.sort((a, b) => a - b)
    if (kept.length > 1) this.#several.set(op.place, kept)
    else if (before.length > 1) this.#several.delete(op.place)
    const last = kept.at(-1) ?? -1
    this.#newest[op.place] = last
    return last !== newest
  }

  get(space: string, key: string): Json | undefined {
    const place = this.#log.placeOf(space, key)
    return place === undefined ? undefined : this.#log.ops[this.#newestAt(place)]?.value
  }

  indexesOf(space: string, key: string): readonly number[] {
    const place = this.#log.placeOf(space, key)
    if (place === undefined) return []
    const newest = this.#newestAt(place)
    return this.#several.get(place) ?? (newest < 0 ? [] : [newest])
  }

  keys(space: string): string[] {
    const keys: string[] = []
    for (const [key, place] of this.#log.keys(space)) if (this.#newestAt(place) >= 0) keys.push(key)
    return keys.sort()
  }

  #newestAt(place: number): number {
    if (place >= this.#newest.length) {
      const wider = new Int32Array(Math.max(place + 1, this.#newest.length * 2)).fill(-1)
      wider.set(this.#newest)
      this.#newest = wider
    }
    return this.#newest[place] as number
  }
}

/** Reads each value once for all nodes, as they are all given the same object. */
export const createSharedReader = (): Reader => {
  const reader = createReader(
    () => 0,
    node => node,
  )
  const tasks = new Map<Json, { readonly id: TaskId; readonly read: ReturnType<Reader['task']> }>()
  const claims = new Map<Json, { readonly key: string; readonly read: ReturnType<Reader['claim']> }>()
  return {
    task: (id, value) => {
      let held = tasks.get(value)
      if (held?.id !== id) {
        held = { id, read: reader.task(id, value) }
        tasks.set(value, held)
      }
      return held.read
    },
    claim: (key, value) => {
      let held = claims.get(value)
      if (held?.key !== key) {
        held = { key, read: reader.claim(key, value) }
        claims.set(value, held)
      }
      return held.read
    },
  }
}
