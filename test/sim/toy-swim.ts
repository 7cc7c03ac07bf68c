// A toy membership protocol to try the simulator on: every node keeps links to the
// next nodes of a ring, sends heartbeats to two of them each second, calls dead whose
// heartbeats cease and tells everybody. It is naive on purpose. `bug` plants
// a defect: an old "alive" revives the dead, which breaks the claim below.

import type { Millis, NodeId } from '../../src/core/ids.js'
import type { CoreEvent, Effect, Stepper } from '../../src/core/step.js'
import type { Check } from '../../src/sim/check.js'
import type { BootEnv } from '../../src/sim/world.js'

export interface ToyOptions {
  /** Whom the node dials at its start. */
  readonly dials: readonly { readonly id: NodeId; readonly address: string }[]
  readonly beatEveryMs?: Millis
  readonly silentAfterMs?: Millis
  readonly bug?: boolean
}

export class ToySwim implements Stepper {
  nextDeadlineAt: Millis | null = null
  readonly dead = new Map<NodeId, number>()
  readonly links = new Set<NodeId>()
  readonly #heardAt = new Map<NodeId, Millis>()
  readonly #env: BootEnv
  readonly #options: ToyOptions
  readonly #beatEveryMs: Millis
  readonly #partners: readonly NodeId[]

  constructor(env: BootEnv, options: ToyOptions) {
    this.#env = env
    this.#options = options
    this.#beatEveryMs = options.beatEveryMs ?? 1_000
    this.#partners = options.dials.slice(0, 2).map(({ id }) => id)
  }

  step(now: Millis, event: CoreEvent): readonly Effect[] {
    switch (event.kind) {
      case 'started':
        this.nextDeadlineAt = now + this.#env.rng.below(this.#beatEveryMs)
        return [{ kind: 'subscribe', topic: 'toy' }, ...this.#dials()]
      case 'linkUp':
        this.links.add(event.node)
        return [...this.dead].map(
          ([id, life]): Effect => ({
            kind: 'send',
            to: event.node,
            channel: 'bulk',
            message: { kind: 'hearsay', lines: [summaryOf(id, life, 'dead')] },
          }),
        )
      case 'linkDown':
        this.links.delete(event.node)
        return []
      case 'message':
        if (event.message.kind === 'heartbeat') this.#heardAt.set(event.from, now)
        if (event.message.kind === 'hearsay') this.#learn(event.message.lines)
        return []
      case 'gossip':
        if (event.message.kind === 'hearsay') this.#learn(event.message.lines)
        return []
      case 'timer':
        return this.#beat(now)
      default:
        return []
    }
  }

  #beat(now: Millis): readonly Effect[] {
    this.nextDeadlineAt = now + this.#beatEveryMs
    const effects: Effect[] = this.#dials()
    const message = { kind: 'heartbeat', meshTime: now, view: null } as const
    for (const to of this.#partners) effects.push({ kind: 'send', to, channel: 'link', message })
    const silentAfterMs = this.#options.silentAfterMs ?? Number.POSITIVE_INFINITY
    for (const [id, heardAt] of this.#heardAt) {
      if (now - heardAt < silentAfterMs || this.dead.has(id)) continue
      this.dead.set(id, 1)
      effects.push({
        kind: 'publish',
        topic: 'toy',
        message: { kind: 'hearsay', lines: [summaryOf(id, 1, 'dead')] },
      })
      if (this.#options.bug === true && this.#env.rng.below(4) === 0) {
        // The planted defect: word of a life that is over, sent after word of its end.
        effects.push({
          kind: 'publish',
          topic: 'toy',
          message: { kind: 'hearsay', lines: [summaryOf(id, 1, 'alive')] },
        })
      }
    }
    return effects
  }

  #dials(): Effect[] {
    const effects: Effect[] = []
    for (const { id, address } of this.#options.dials) {
      if (!this.links.has(id)) effects.push({ kind: 'dial', node: id, addresses: [address] })
    }
    return effects
  }

  #learn(lines: readonly { id: NodeId; refutation: number; verdict: string }[]): void {
    for (const { id, refutation, verdict } of lines) {
      const held = this.dead.get(id) ?? 0
      if (verdict === 'dead' && refutation > held) this.dead.set(id, refutation)
      else if (verdict === 'alive' && refutation >= held) this.dead.delete(id)
    }
  }
}

const summaryOf = (id: NodeId, refutation: number, verdict: 'alive' | 'dead') => ({
  id,
  generationNumber: 1,
  generationInstance: '',
  refutation,
  verdict,
  ageMs: 0,
})

/** In the toy nobody comes back, so a death stands for ever. */
export const deathsStand = (): Check => {
  const deaths = new Map<NodeId, Set<NodeId>>()
  return {
    claim: 'who was held dead stays dead',
    afterStep: (_world, node) => {
      const core = node.core as ToySwim
      let held = deaths.get(node.id)
      if (core.dead.size === 0 && held === undefined) return null
      if (held === undefined) {
        held = new Set()
        deaths.set(node.id, held)
      }
      for (const id of held) if (!core.dead.has(id)) return `${node.id} holds ${id} alive again`
      for (const id of core.dead.keys()) held.add(id)
      return null
    },
  }
}

/** In the end, every node that runs must hold dead whoever does not, and nobody else. */
export const deathsAreKnown = (): Check => ({
  claim: 'every running node holds dead just those that do not run',
  atEnd: world => {
    const down = world.nodes.filter(node => node.status !== 'up').map(node => node.id)
    const wanted = down.sort().join(' ')
    for (const node of world.nodes) {
      if (node.status !== 'up') continue
      const held = [...(node.core as ToySwim).dead.keys()].sort().join(' ')
      if (held !== wanted)
        return `${node.id} holds dead: ${held || 'nobody'}; not running: ${wanted || 'nobody'}`
    }
    return null
  },
})
