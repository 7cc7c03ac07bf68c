// Membership objects stepped by hand: what one publishes the others hear at once, what
// it persists is durable at once, and nothing else happens. For what worlds of nodes
// can't show: two processes with one identity, and the order of single steps.

import type { Millis, NodeId } from '../../src/core/ids.js'
import { membershipLan } from '../../src/core/membership/config.js'
import { Membership } from '../../src/core/membership/membership.js'
import type { Message } from '../../src/core/message.js'
import { createRng } from '../../src/core/rng.js'
import type { CoreEvent, Effect } from '../../src/core/step.js'
import { simSealer } from '../../src/sim/seals.js'
import { recordOf } from './words.js'

export class Process {
  readonly core: Membership
  readonly store: Map<string, Uint8Array>
  readonly effects: Effect[] = []
  #others: readonly Process[] = []
  #isDurable = true
  #held: number[] = []
  now: Millis

  constructor(id: NodeId, instance: string, store: Map<string, Uint8Array>, now: Millis = 0) {
    this.now = now
    this.store = store
    let token = 1
    const { generation: _g, refutation: _r, ...profile } = recordOf(id).body
    this.core = new Membership({
      config: membershipLan,
      rng: createRng(7),
      sealer: simSealer,
      profile,
      instance,
      now,
      nextToken: () => token++,
      entries: [...store].map(([key, value]) => ({ key, value })),
    })
  }

  /** From here on these hear what it publishes. */
  hears(others: readonly Process[]): void {
    this.#others = others
  }

  /** Nothing becomes durable until the disk goes on. */
  stopDisk(): void {
    this.#isDurable = false
  }

  goOnDisk(): void {
    this.#isDurable = true
    for (const token of this.#held.splice(0)) this.do({ kind: 'durable', token })
  }

  do(event: CoreEvent): this {
    this.#perform(this.core.step(this.now, event))
    return this
  }

  run(untilAt: Millis): void {
    while (this.core.nextDeadlineAt !== null && this.core.nextDeadlineAt <= untilAt) {
      this.now = Math.max(this.now, this.core.nextDeadlineAt)
      this.do({ kind: 'timer' })
    }
    this.now = untilAt
  }

  sent(kind: Message['kind']): Message[] {
    return this.effects.flatMap(effect =>
      (effect.kind === 'send' || effect.kind === 'publish') && effect.message.kind === kind
        ? [effect.message]
        : [],
    )
  }

  saw(kind: Effect['kind']): Effect[] {
    return this.effects.filter(effect => effect.kind === kind)
  }

  #perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      this.effects.push(effect)
      if (effect.kind === 'persist') {
        for (const { key, value } of effect.writes) {
          if (value === null) this.store.delete(key)
          else this.store.set(key, value)
        }
        if (effect.token === null) continue
        if (this.#isDurable) this.do({ kind: 'durable', token: effect.token })
        else this.#held.push(effect.token)
      } else if (effect.kind === 'publish') {
        for (const other of this.#others) {
          const { topic, message } = effect
          other.do({ kind: 'gossip', from: this.core.self, topic, message, bytes: 0 })
        }
      }
    }
  }
}
