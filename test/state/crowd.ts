// Many writers without a network or a clock worth the name: every write is durable
// at once and every broadcast arrives. For counting what history leaves behind.

import * as Y from 'yjs'
import { nodeId } from '../../src/core/ids.js'
import type { Json } from '../../src/core/json.js'
import type { MembersView } from '../../src/core/member.js'
import type { Message } from '../../src/core/message.js'
import { createRng } from '../../src/core/rng.js'
import { resolveStateConfig } from '../../src/core/state/config.js'
import { unseal } from '../../src/core/state/log.js'
import { createStateCore, type StateCore } from '../../src/core/state/state-core.js'
import type { CoreEvent, Effect, StateChange } from '../../src/core/step.js'

const NOW = 1_700_000_000_000

export class Crowd {
  readonly cores: StateCore[] = []
  readonly stores: Map<string, Uint8Array>[] = []
  now = NOW
  bytesWritten = 0
  longestStepMs = 0
  #tokens = 0
  #queue: { from: number; topic: string; message: Message }[] = []

  constructor(writers: number) {
    for (let i = 0; i < writers; i++) {
      const id = nodeId(`12D3KooWCrowdCrowdCrowdCrowdCrowdCrowdCrowdCrowd${String(i).padStart(4, '0')}`)
      const members = { self: id, get: () => undefined, all: () => [], revision: 1 } as unknown as MembersView
      const config = resolveStateConfig()
      const entries = [] as never[]
      this.stores.push(new Map())
      this.cores.push(
        createStateCore({
          self: id,
          members,
          config,
          rng: createRng(i),
          nextToken: () => ++this.#tokens,
          entries,
        }),
      )
    }
    for (let i = 0; i < writers; i++) this.#step(i, { kind: 'started' })
  }

  write(index: number, space: string, changes: readonly StateChange[]): void {
    this.#step(index, { kind: 'stateWrite', space, changes, request: 0 })
  }

  set(index: number, space: string, key: string, value: Json): void {
    this.write(index, space, [{ key, value }])
  }

  /** Lets the time pass in which broadcasts wait, losers are removed and logs are folded. */
  settle(ms = 1_000): void {
    const end = this.now + ms
    while (this.now < end) {
      this.now += 5
      this.cores.forEach((core, index) => {
        if (core.nextDeadlineAt !== null && core.nextDeadlineAt <= this.now)
          this.#step(index, { kind: 'timer' })
      })
      this.deliver()
    }
  }

  deliver(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { from, topic, message } = next
      const sender = nodeId(
        `12D3KooWCrowdCrowdCrowdCrowdCrowdCrowdCrowdCrowd${String(from).padStart(4, '0')}`,
      )
      for (let index = 0; index < this.cores.length; index++)
        if (index !== from) this.#step(index, { kind: 'gossip', from: sender, topic, message, bytes: 0 })
    }
  }

  #step(index: number, event: CoreEvent): void {
    const core = this.cores[index] as StateCore
    const began = performance.now()
    const effects = core.step(this.now, event)
    this.longestStepMs = Math.max(this.longestStepMs, performance.now() - began)
    core.takeChanges()
    this.#perform(index, effects)
  }

  #perform(index: number, effects: readonly Effect[]): void {
    const store = this.stores[index] as Map<string, Uint8Array>
    for (const effect of effects) {
      if (effect.kind === 'publish')
        this.#queue.push({ from: index, topic: effect.topic, message: effect.message })
      else if (effect.kind === 'refuse') throw new Error(effect.message)
      else if (effect.kind === 'persist') {
        for (const { key, value } of effect.writes) {
          this.bytesWritten += key.length + (value?.length ?? 0)
          if (value === null) store.delete(key)
          else store.set(key, value)
        }
        if (effect.token !== null) this.#step(index, { kind: 'durable', token: effect.token })
      }
    }
  }

  /** What one node has stored, as one document; the snapshot before the log. */
  stored(index: number, document: string): Y.Doc {
    const doc = new Y.Doc()
    const isPart = (key: string): number => (key.includes('/p/') ? 0 : 1)
    const store = [...(this.stores[index] as Map<string, Uint8Array>)].sort(
      ([a], [b]) => isPart(a) - isPart(b) || (a < b ? -1 : 1),
    )
    doc.transact(() => {
      for (const [key, value] of store)
        if (key.startsWith(`s/${document}/`) && !key.endsWith('/h'))
          Y.applyUpdate(doc, unseal(value) as Uint8Array)
    })
    return doc
  }
}

/** A reading as a gateway would store it. */
export const reading = (n: number): Json => ({ value: n % 1_000, unit: 'bar', at: NOW + n, quality: 'good' })

/** Encoded bytes of a space, and the JSON of what is alive in it. */
export const sizes = (
  crowd: Crowd,
  index: number,
  space: string,
): { v1: number; v2: number; live: number; structs: number } => {
  const doc = crowd.stored(index, `space/${space}`)
  const live = JSON.stringify(Object.fromEntries((crowd.cores[index] as StateCore).entries(space))).length
  let structs = 0
  for (const list of doc.store.clients.values()) structs += list.length
  return { v1: Y.encodeStateAsUpdate(doc).length, v2: Y.encodeStateAsUpdateV2(doc).length, live, structs }
}
