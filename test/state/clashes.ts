// In which spaces and documents of a random world replicas may differ for good: one whose disk was put back to an old
// copy told clocks that mean something else on others, and none of these could be asked. No vector tells that (README.md of
// core/state, "What remains"). What a node that was linked at that moment knew is no excuse: it had only to be heard.

import * as Y from 'yjs'
import { unseal } from '../../src/core/state/log.js'
import { clientOf } from '../../src/core/state/writer.js'
import type { Effect } from '../../src/core/step.js'
import type { TestNode, World } from './world.js'

/** Own clocks that a node has lost, and others may know. */
interface Lost {
  readonly node: TestNode
  readonly place: string
  readonly client: number
  readonly from: number
}

export class Clashes {
  readonly #world: World
  #lost: Lost[] = []
  /** Whose words have two meanings, by place. */
  readonly #excused = new Map<string, Set<TestNode>>()

  constructor(world: World) {
    this.#world = world
    world.onEffect = (node, effect) => this.#saw(node, effect)
  }

  /** How many places it is that may differ. */
  get size(): number {
    return this.#excused.size
  }

  isExcused(place: string): boolean {
    return this.#excused.has(place)
  }

  /** Whether what this node writes there may be absent elsewhere. */
  isOf(node: TestNode, place: string): boolean {
    return this.#excused.get(place)?.has(node) === true
  }

  /** To be called when a node's disk has been put back. */
  restored(node: TestNode, places: Iterable<string>): void {
    for (const place of places) {
      const head = unseal(node.disk.durable.get(`s/${place}/h`) ?? new Uint8Array(0))
      if (head === null) continue
      const { lineage } = JSON.parse(new TextDecoder().decode(head)) as { lineage: string }
      const client = clientOf(node.id, lineage)
      this.#lost.push({ node, place, client, from: this.#clockOf(node, place, client) })
    }
  }

  #saw(node: TestNode, effect: Effect): void {
    if (effect.kind !== 'publish' && effect.kind !== 'send') return
    const { message } = effect
    if (message.kind !== 'stateUpdate' && message.kind !== 'statePiece') return
    const told = this.#lost.filter(lost => lost.node === node && lost.place === message.document)
    if (told.length === 0) return
    const { to } = Y.parseUpdateMeta(message.update)
    for (const lost of told) if ((to.get(lost.client) ?? 0) > lost.from) this.#told(lost)
  }

  /** The first that is told under these clocks since the disk was put back, which may be what was lost, heard again. */
  #told(lost: Lost): void {
    this.#lost = this.#lost.filter(each => each !== lost)
    const { node, place, client, from } = lost
    const knowing = this.#world.nodes.filter(
      each => each !== node && this.#clockOf(each, place, client) > from,
    )
    if (knowing.length === 0 || knowing.some(each => this.#world.isLinked(node, each))) return
    this.#excused.set(place, (this.#excused.get(place) ?? new Set()).add(node))
  }

  #clockOf(node: TestNode, place: string, client: number): number {
    return Y.getState(this.#world.stored(node, place).store, client)
  }
}
