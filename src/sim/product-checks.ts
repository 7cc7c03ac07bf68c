// What must hold in every world of whole nodes. Safety while it runs: nobody healthy
// is held dead, and no run is given out twice. Liveness when the faults are over:
// everybody agrees on who is here, every acknowledged write is everywhere, all
// replicas are equal, and every copy runs exactly where placement names it.

import type { Millis } from '../core/ids.js'
import { canonicalJson } from '../core/json.js'
import type { MemberEvent } from '../core/mesh-event.js'
import type { Check } from './check.js'
import type { SimNode } from './node.js'
import { coreOf } from './product.js'
import type { World } from './world.js'

/** A node that a fault touched this recently may still be held for dead by somebody. */
const DISTURBED_MS = 8_000

/** A planned move that began in the last moment of a run, as when a node that flapped is trusted again. */
const UNDER_WAY_MS = 3_000

export const nobodyHealthyIsHeldDead = (world: World): Check => {
  const fresh: { readonly by: SimNode; readonly event: MemberEvent }[] = []
  world.on('notify', (by, { event }) => {
    if (event.kind === 'member.dead') fresh.push({ by, event })
  })
  const isQuiet = (node: SimNode): boolean => world.nowMs - node.disturbedAtMs > DISTURBED_MS
  return {
    claim: 'no member is held dead that is up and connected',
    afterStep: () => {
      for (const { by, event } of fresh.splice(0)) {
        const subject = world.node(event.member)
        const isWronged =
          subject.status === 'up' && isQuiet(subject) && isQuiet(by) && world.isConnected(by, subject)
        if (isWronged) return `${by.id} holds ${subject.id} dead (${event.cause})`
      }
      return null
    },
  }
}

export const noRunTwice = (world: World): Check => {
  const started = new Set<string>()
  let twice: string | null = null
  world.on('startCopy', (node, { copy, period }) => {
    const key = `${copy.task} slot ${copy.slot} epoch ${copy.epoch} period ${period}`
    if (started.has(key)) twice ??= `${node.id} starts ${key} again`
    started.add(key)
  })
  return {
    claim: 'no (task, slot, epoch, node, period) is started twice',
    afterStep: () => twice,
  }
}

/** Writes of the scenario that a node has acknowledged: each key is written once. */
export class Acknowledged {
  readonly #world: World
  readonly #asked = new Map<string, { readonly key: string; readonly value: number }>()
  readonly values = new Map<string, number>()
  #last = 0

  constructor(world: World) {
    this.#world = world
    world.on('reply', (node, { request }) => {
      const asked = this.#asked.get(`${node.id} ${node.life} ${request}`)
      if (asked !== undefined) this.values.set(asked.key, asked.value)
    })
  }

  /** Lets a node write a key of its own making. */
  write(target: number): void {
    const node = this.#world.node(target)
    const value = ++this.#last
    const key = `key-${value}`
    // Numbers far above those of other requests of the scenario.
    const request = 1_000_000 + value
    this.#asked.set(`${node.id} ${node.life} ${request}`, { key, value })
    this.#world.inject(target, { kind: 'stateWrite', space: 'app', changes: [{ key, value }], request })
  }

  check(): Check {
    return {
      claim: 'every acknowledged write is on every node',
      atEnd: world => {
        for (const node of runningOf(world)) {
          const { state } = coreOf(world, node.index)
          for (const [key, value] of this.values) {
            if (state.get('app', key) !== value)
              return `${node.id} has ${state.get('app', key)} for ${key}, not ${value}`
          }
        }
        return null
      },
    }
  }
}

export const everybodyAgrees = (): Check => ({
  claim: 'every running node holds exactly the running nodes alive',
  atEnd: disagreement,
})

/** What differs between what nodes hold and who runs; null when nothing does. */
export const disagreement = (world: World): string | null => {
  const expected = runningOf(world)
    .map(node => node.id)
    .sort()
  for (const node of runningOf(world)) {
    const members = coreOf(world, node.index).members.all()
    const held = members.filter(({ verdict }) => verdict === 'alive').map(({ id }) => id)
    if (held.join() === expected.join()) continue
    const missing = expected.filter(id => !held.includes(id))
    const extra = held.filter(id => !expected.includes(id))
    return `${node.id} misses [${missing}] and holds [${extra}] too`
  }
  return null
}

export const replicasAreEqual = (): Check => ({
  claim: 'all replicas are equal',
  withinMs: UNDER_WAY_MS,
  atEnd: world => {
    let first: { readonly id: string; readonly text: string } | null = null
    for (const node of runningOf(world)) {
      const { state } = coreOf(world, node.index)
      const spaces = state
        .spaces()
        .map(({ space }) => [space, [...state.entries(space)].map(([k, v]) => [k, v])])
      const text = canonicalJson(spaces as never)
      if (first === null) first = { id: node.id, text }
      else if (first.text !== text)
        return `${node.id} and ${first.id} differ: ${firstDifference(first.text, text)}`
    }
    return null
  },
})

/** What runs where, as the executors of the world know it. */
export class Copies {
  readonly #running = new Map<string, Map<number, number>>()
  /** From the end of a copy's node until it ran elsewhere, in virtual ms. */
  readonly takeoversMs: Millis[] = []
  readonly #world: World

  constructor(world: World) {
    this.#world = world
    world.on('startCopy', (node, { copy }) => {
      const key = `${copy.task} ${copy.slot}`
      let places = this.#running.get(key)
      if (places === undefined) {
        places = new Map()
        this.#running.set(key, places)
      }
      places.set(node.index, node.life)
    })
  }

  /** To be among the world's checks: it listens to what starts and ends. */
  watch(): Check {
    return {
      claim: 'copies are counted',
      afterStep: (_world, node, event) => {
        if (event.kind === 'copyExited') {
          this.#running.get(`${event.copy.task} ${event.copy.slot}`)?.delete(node.index)
        } else if (event.kind === 'copyStarted') {
          this.#noteStart(node, `${event.copy.task} ${event.copy.slot}`)
        }
        return null
      },
    }
  }

  /** A copy began where none ran any more: how long after the end of the last one's process? */
  #noteStart(node: SimNode, key: string): void {
    const places = this.#running.get(key) ?? new Map<number, number>()
    let endedAtMs: Millis | null = null
    let isAlone = true
    for (const [index, life] of places) {
      const place = this.#world.node(index)
      if (place.life !== life) {
        endedAtMs = Math.max(endedAtMs ?? 0, place.endedAtMs)
        places.delete(index)
      } else if (place !== node) isAlone = false
    }
    if (isAlone && endedAtMs !== null) this.takeoversMs.push(this.#world.nowMs - endedAtMs)
  }

  runningOn(task: string, slot: number): string[] {
    const places = this.#running.get(`${task} ${slot}`) ?? new Map()
    return [...places]
      .filter(
        ([index, life]) => this.#world.node(index).status === 'up' && this.#world.node(index).life === life,
      )
      .map(([index]) => this.#world.node(index as number).id)
  }

  check(): Check {
    return {
      claim: 'every copy of an "always" task runs exactly where placement names it',
      withinMs: UNDER_WAY_MS,
      atEnd: world => {
        const first = runningOf(world)[0]
        if (first === undefined) return null
        const { tasks } = coreOf(world, first.index)
        for (const task of tasks.list()) {
          if (task.when !== 'always') continue
          const why = tasks.why(task.id as never) as unknown as {
            copies: { slot: number; node: string | null }[]
          }
          for (const { slot, node } of why.copies) {
            const found = this.runningOn(task.id as string, slot)
            const expected = node === null ? [] : [node]
            if (found.join() !== expected.join())
              return `${task.id} slot ${slot} runs on [${found}], placement names [${expected}]`
          }
        }
        return null
      },
    }
  }
}

const runningOf = (world: World): SimNode[] => world.nodes.filter(node => node.status === 'up')

const firstDifference = (a: string, b: string): string => {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  return `…${a.slice(Math.max(0, at - 60), at + 60)}… against …${b.slice(Math.max(0, at - 60), at + 60)}…`
}
