// What shared state costs: history, loading, catching up, the disk. Prints one line
// a row, each with what it was measured on. No network: the cores alone.

import * as Y from 'yjs'
import { nodeId } from '../../src/core/ids.js'
import type { MembersView } from '../../src/core/member.js'
import { createRng } from '../../src/core/rng.js'
import { resolveStateConfig } from '../../src/core/state/config.js'
import { createStateCore } from '../../src/core/state/state-core.js'
import { Crowd, reading, sizes } from '../state/crowd.js'
import { grow, SHAPES, type Shape, Turns } from '../state/large-documents.js'
import { World } from '../state/world.js'

const only = process.argv[2]
const row = async (name: string, run: () => string | Promise<string>): Promise<void> => {
  if (only !== undefined && !name.includes(only)) return
  const began = performance.now()
  const text = await run()
  console.log(`${name}: ${text} [${((performance.now() - began) / 1_000).toFixed(1)} s]`)
}
const kb = (bytes: number): string => `${(bytes / 1_000).toFixed(1)} KB`

await row('overwrites', () => {
  const crowd = new Crowd(20)
  const writes = Number(process.argv[3] ?? 1_000_000)
  for (let n = 0; n < writes; ) {
    for (let writer = 0; writer < 20; writer++) {
      // Each writer has its own order of the keys, and all meet on all of them.
      const changes = Array.from({ length: 50 }, () => ({
        key: `sensor-${(n * 7) % 100}`,
        value: reading(n++),
      }))
      crowd.write(writer, 'plant', changes)
    }
    crowd.settle(10)
  }
  crowd.settle()
  const { v1, v2, live, structs } = sizes(crowd, 7, 'plant')
  const bound = 2 * live + 64 * 20
  return `${writes} over 100 keys by 20 writers: ${kb(v1)} encoded (V2 ${kb(v2)}), ${kb(live)} alive, ${structs} structs; bound ${kb(bound)} ${v1 <= bound ? 'kept' : 'BROKEN'}; longest step ${crowd.longestStepMs.toFixed(0)} ms`
})

await row('created and removed', () => {
  const crowd = new Crowd(2)
  for (let round = 0; round < 1_000; round++) {
    const keys = Array.from({ length: 100 }, (_, i) => `task-${round}-${i}`)
    crowd.write(
      0,
      'plant',
      keys.map(key => ({ key, value: 'on' })),
    )
    crowd.settle(10)
    crowd.write(
      round % 2,
      'plant',
      keys.map(key => ({ key, value: undefined })),
    )
    crowd.settle(10)
  }
  const { v1, structs } = sizes(crowd, 0, 'plant')
  return `100,000 keys: ${v1} bytes left, ${structs} structs`
})

await row('load', () => {
  const crowd = new Crowd(1)
  for (let from = 0; from < 100_000; from += 1_000) {
    const changes = Array.from({ length: 1_000 }, (_, i) => ({
      key: `sensor-${from + i}`,
      value: reading(from + i),
    }))
    crowd.write(0, 'plant', changes)
    crowd.settle(50)
  }
  const store = [...(crowd.stores[0] as Map<string, Uint8Array>)]
  const entries = store.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => ({ key, value }))
  const stored = entries.reduce((bytes, { value }) => bytes + value.length, 0)
  const self = nodeId('node')
  const members = { self, get: () => undefined, all: () => [], revision: 1 } as unknown as MembersView
  const times: number[] = []
  const memory: number[] = []
  const kept: unknown[] = []
  for (let i = 0; i < 5; i++) {
    globalThis.gc?.()
    const before = process.memoryUsage()
    const began = performance.now()
    const core = createStateCore({
      self,
      members,
      config: resolveStateConfig(),
      rng: createRng(1),
      nextToken: () => 1,
      entries,
    })
    times.push(performance.now() - began)
    globalThis.gc?.()
    const after = process.memoryUsage()
    memory.push(after.heapUsed + after.external - before.heapUsed - before.external)
    kept.push(core)
  }
  const median = (list: number[]): number => list.sort((a, b) => a - b)[2] as number
  const used =
    globalThis.gc === undefined
      ? 'run with --expose-gc for memory'
      : `${(median(memory) / 1e6).toFixed(0)} MB`
  return `100,000 keys, ${kb(stored)} in ${entries.length} stored entries: median of 5 ${median(times).toFixed(0)} ms, ${used}; writing them: longest step ${crowd.longestStepMs.toFixed(0)} ms`
})

await row('catch up', () => {
  const world = new World({ seed: 1, nodes: 2, latencyMs: [1, 1], commitMs: [1, 1] })
  const [a, b] = [world.node(0), world.node(1)]
  for (let from = 0; from < 50_000; from += 500) {
    world.write(
      a,
      'plant',
      Array.from({ length: 500 }, (_, i) => ({ key: `sensor-${from + i}`, value: reading(from + i) })),
    )
    world.advance(20)
  }
  world.advance(5_000)
  world.partition(node => node === a)
  let difference = 0
  for (let i = 0; i < 100; i++) {
    for (const [node, name] of [
      [a, 'a'],
      [b, 'b'],
    ] as const) {
      const added = Array.from({ length: 80 }, (_, k) => ({ key: `${name}-${i}-${k}`, value: reading(k) }))
      const removed = Array.from({ length: 20 }, (_, k) => ({
        key: `sensor-${(name === 'a' ? 0 : 25_000) + 200 * i + k}`,
        value: undefined,
      }))
      difference += JSON.stringify(added).length + 4 * removed.length
      world.write(node, 'plant', [...added, ...removed])
    }
    world.advance(20)
  }
  world.advance(2_000)
  const before = a.bytesSent + b.bytesSent
  const began = performance.now()
  const healedAt = world.now
  world.heal()
  const equal = (): boolean =>
    JSON.stringify(world.contents(a, 'plant')) === JSON.stringify(world.contents(b, 'plant'))
  while (!equal() && world.now < healedAt + 60_000) world.advance(10)
  const bytes = a.bytesSent + b.bytesSent - before
  return `10,000 keys each side (a fifth of them deletes) of 50,000: ${kb(bytes)} for a difference of ${kb(difference)}, ${world.now - healedAt} virtual ms at 1 ms latency, ${(performance.now() - began).toFixed(0)} ms of work for both with the comparing`
})

await row('disk', () => {
  const crowd = new Crowd(2)
  const seconds = 20_000
  for (let n = 0; n < seconds; n++) {
    crowd.set(0, 'plant', `sensor-${n % 20}`, reading(n))
    crowd.now += 900
    crowd.settle(10)
  }
  // Two nodes; half of the bytes each.
  const perDay = (crowd.bytesWritten / 2 / seconds) * 86_400
  return `one update a second over 20 keys: ${(perDay / 1e6).toFixed(1)} MB a day and node handed to the store (${(crowd.bytesWritten / 2 / seconds).toFixed(0)} B an update)`
})

/** A node writes a raw document that another does not have, which then catches up, is killed, starts again and opens it. */
const documentTurns = async (shape: Shape, bytes: number): Promise<string> => {
  const { doc, updates } = grow(shape, bytes)
  const world = new World({ seed: 1, nodes: 2, latencyMs: [1, 2], commitMs: [1, 2] })
  const [a, b] = [world.node(0), world.node(1)]
  const turns = new Turns(world)
  world.partition(node => node === a)
  turns.phase = 'write'
  const opened = world.open(a, 'notes')
  for (const update of updates) {
    Y.applyUpdate(opened, update)
    world.advance(3)
  }
  world.advance(2_000)
  turns.phase = 'catch up'
  world.heal()
  world.advance(20_000)
  turns.phase = 'delete all over'
  world.partition(node => node === a)
  const text = opened.getText('t')
  const gap = Math.max(2, Math.floor(text.length / 5_000))
  for (let at = text.length - 1; at > 0; ) {
    opened.transact(() => {
      for (let i = 0; i < 100 && at > 0; i++, at -= gap) text.delete(at, 1)
    })
    world.advance(3)
  }
  world.heal()
  world.advance(20_000)
  world.crash(b, b.disk.pending.length)
  turns.phase = 'start'
  turns.time('start: the first turn', () => world.start(b))
  world.advance(10_000)
  turns.phase = 'open'
  turns.time('open: the call of the application', () => world.openSlowly(b, 'notes'))
  world.advance(20_000)
  const isEqual = b.documents.get('notes')?.getText('t').toString() === text.toString()
  const structs = [...doc.store.clients.values()].reduce((sum, list) => sum + list.length, 0)
  const longest = new Map<string, number>()
  for (const [name, [most = 0]] of await turns.take()) {
    const phase = name.replace(/: (?:timer|durable|link|state|document).*/, '')
    if (phase === '') continue
    longest.set(phase, Math.max(most, longest.get(phase) ?? 0))
  }
  const told = [...longest].map(([phase, ms]) => `${phase} ${ms.toFixed(0)}`).join(', ')
  return `${structs} structs, ${isEqual ? 'equal' : 'NOT EQUAL'}; longest turn in ms: ${told}`
}

for (const shape of SHAPES)
  for (const bytes of [1_000_000, 2_000_000, 3_900_000])
    await row(`document of ${shape}, ${bytes / 1e6} MB`, () => documentTurns(shape, bytes))
