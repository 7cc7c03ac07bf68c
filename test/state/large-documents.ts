// Raw documents that have grown, in the shapes that cost the most, and the longest
// turns that a node with one of them takes. For the bench; everything comes from a seed.

import { PerformanceObserver } from 'node:perf_hooks'
import * as Y from 'yjs'
import { createRng, type Rng } from '../../src/core/rng.js'
import type { World } from './world.js'

export const SHAPES = ['letters', 'records', 'blobs', 'typed'] as const
export type Shape = (typeof SHAPES)[number]

/** Transactions of three writers who see each other, until the document has about so many bytes. */
export const grow = (shape: Shape, bytes: number, seed = 1): { doc: Y.Doc; updates: Uint8Array[] } => {
  const rng = createRng(seed)
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  const change = CHANGES[shape]
  for (let round = 0, size = 0; size < bytes; round++) {
    doc.clientID = 101 + (round % 3)
    doc.transact(() => change(doc, rng, round))
    if (round % 16 === 0 || shape === 'blobs') size = Y.encodeStateAsUpdate(doc).length
  }
  return { doc, updates }
}

const word = (rng: Rng, length: number): string => {
  let out = ''
  while (out.length < length) out += String.fromCharCode(97 + rng.below(26))
  return out
}

const CHANGES: Record<Shape, (doc: Y.Doc, rng: Rng, round: number) => void> = {
  // Nothing merges with its neighbor: the most structs a byte.
  letters: (doc, rng) => {
    const text = doc.getText('t')
    for (let i = 0; i < 200; i++) text.insert(rng.below(text.length + 1), word(rng, 1))
  },
  records: (doc, rng, round) => {
    const list = doc.getArray<Y.Map<unknown>>('a')
    for (let i = 0; i < 40; i++) {
      const record = new Y.Map<unknown>()
      record.set('id', `${round}-${i}`)
      record.set('name', word(rng, 8))
      record.set('value', rng.below(1_000_000))
      list.insert(rng.below(list.length + 1), [record])
    }
  },
  blobs: (doc, rng, round) => {
    doc.getMap('m').set(`k${round}`, word(rng, 60_000))
    if (round % 4 === 0) doc.getText('t').insert(0, word(rng, 120_000))
  },
  typed: (doc, rng) => {
    const text = doc.getText('t')
    for (let run = 0; run < 10; run++) {
      let at = rng.below(text.length + 1)
      for (let i = 10 + rng.below(40); i > 0; i--) {
        if (at > 0 && rng.below(8) === 0) text.delete(--at, 1)
        else text.insert(at++, word(rng, 1))
      }
    }
  },
}

/**
 * The turns of a world by what they did, in milliseconds: the less of processor time and time on
 * the clock, without the pauses in which V8 collects garbage. Those grow with all that the process
 * holds, which here is several nodes, their applications and their disks.
 */
export class Turns {
  readonly #taken: {
    readonly name: string
    readonly from: number
    readonly to: number
    readonly cpu: number
  }[] = []
  readonly #pauses: { readonly from: number; readonly to: number }[] = []
  readonly #observer: PerformanceObserver
  #isBusy = false
  phase = ''

  constructor(world: World) {
    world.around = (event, turn) => {
      const kind = event.kind === 'message' || event.kind === 'gossip' ? event.message.kind : event.kind
      this.time(`${this.phase}: ${kind}`, turn)
    }
    this.#observer = new PerformanceObserver(list => {
      for (const { startTime, duration } of list.getEntries())
        this.#pauses.push({ from: startTime, to: startTime + duration })
    })
    this.#observer.observe({ entryTypes: ['gc'] })
  }

  time(name: string, run: () => void): void {
    // What the application does within a turn is part of it.
    if (this.#isBusy) {
      run()
      return
    }
    this.#isBusy = true
    const usage = process.cpuUsage()
    const from = performance.now()
    run()
    const to = performance.now()
    const { user, system } = process.cpuUsage(usage)
    this.#isBusy = false
    this.#taken.push({ name, from, to, cpu: (user + system) / 1_000 })
  }

  /** The times of each kind, the longest first. */
  async take(): Promise<Map<string, number[]>> {
    // What is collected is told some turns later.
    for (let i = 0; i < 5; i++) await new Promise(setImmediate)
    this.#observer.disconnect()
    const out = new Map<string, number[]>()
    for (const { name, from, to, cpu } of this.#taken) {
      let paused = 0
      for (const pause of this.#pauses)
        paused += Math.max(0, Math.min(to, pause.to) - Math.max(from, pause.from))
      const ms = Math.max(0, Math.min(to - from - paused, cpu))
      const times = out.get(name)
      if (times === undefined) out.set(name, [ms])
      else times.push(ms)
    }
    for (const times of out.values()) times.sort((a, b) => b - a)
    return out
  }
}
