// A random but repeatable run of bad luck: processes are killed, plugs pulled,
// nodes frozen, networks split, packets lost, and every bit of it undone before a
// quiet end, so that liveness can be judged. The draws come from the seed and from
// nothing else, so that a core that behaves differently meets the same faults.

import { invariant } from '../core/errors.js'
import type { Millis } from '../core/ids.js'
import type { Rng } from '../core/rng.js'
import { chanceOf } from './chance.js'
import type { World } from './world.js'

export type FaultKind =
  | 'crash'
  | 'flap'
  | 'powerOff'
  | 'freeze'
  | 'partition'
  | 'cut'
  | 'oneWayCut'
  | 'loss'
  | 'latency'
  | 'clockJump'
  | 'slowDisk'

export interface FaultProfile {
  /** The first fault comes after this, the last is undone at `untilMs`; what follows is quiet. */
  readonly fromMs: Millis
  readonly untilMs: Millis
  /** Mean time between two faults. */
  readonly everyMs: Millis
  /** How long one lasts. */
  readonly lastsMinMs: Millis
  readonly lastsMaxMs: Millis
  /** How often each kind is drawn, in proportion; a kind that is missing never comes. */
  readonly weights: Readonly<Partial<Record<FaultKind, number>>>
  /** No more than this share of the nodes is dead or frozen at once. */
  readonly downShareMax: number
  readonly lossRateMax: number
  readonly latencyMaxMs: Millis
  readonly clockJumpMaxMs: Millis
}

export const faultDefaults: Omit<FaultProfile, 'fromMs' | 'untilMs'> = {
  everyMs: 3_000,
  lastsMinMs: 200,
  lastsMaxMs: 10_000,
  weights: {
    crash: 4,
    flap: 1,
    powerOff: 2,
    freeze: 3,
    partition: 1,
    cut: 2,
    oneWayCut: 1,
    loss: 2,
    latency: 1,
    clockJump: 1,
    slowDisk: 1,
  },
  downShareMax: 0.3,
  lossRateMax: 0.1,
  latencyMaxMs: 100,
  clockJumpMaxMs: 3_600_000,
}

/** One fault as it was drawn, for the report and for whoever reads a failing run. */
export interface PlannedFault {
  readonly kind: FaultKind
  readonly atMs: Millis
  readonly untilMs: Millis
  readonly what: string
}

/** Plans every fault of the profile on the world; call it before the world runs. */
export const planFaults = (world: World, profile: FaultProfile): readonly PlannedFault[] => {
  invariant(profile.untilMs > profile.fromMs, 'faults end after they begin')
  const rng = chanceOf(world.seed, 'faults')
  const kinds = Object.entries(profile.weights) as [FaultKind, number][]
  const total = kinds.reduce((sum, [, weight]) => sum + weight, 0)
  invariant(total > 0, 'a profile of faults names at least one kind')
  const planned: PlannedFault[] = []
  /** Until when each node is taken, so that faults of one node do not overlap. */
  const takenUntilMs = new Float64Array(world.nodes.length)
  const shared = new Map<string, Millis>()
  let atMs = profile.fromMs
  for (;;) {
    atMs += Math.max(1, 2 * rng.fraction() * profile.everyMs)
    if (atMs >= profile.untilMs) return planned
    const lastsMs = profile.lastsMinMs + rng.fraction() * (profile.lastsMaxMs - profile.lastsMinMs)
    const untilMs = Math.min(atMs + lastsMs, profile.untilMs)
    const kind = draw(rng, kinds, total)
    const what = plan({ world, profile, rng, kind, atMs, untilMs, takenUntilMs, shared })
    if (what !== null) planned.push({ kind, atMs, untilMs, what })
  }
}

interface Draft {
  readonly world: World
  readonly profile: FaultProfile
  readonly rng: Rng
  readonly kind: FaultKind
  readonly atMs: Millis
  readonly untilMs: Millis
  readonly takenUntilMs: Float64Array
  readonly shared: Map<string, Millis>
}

/** Plans one fault and its end; null when there is nobody left to meet it. */
const plan = (draft: Draft): string | null => {
  const { world, profile, rng, kind, atMs, untilMs } = draft
  const during = (begin: () => void, end: () => void): void => {
    world.at(atMs, begin)
    world.at(untilMs, end)
  }
  switch (kind) {
    case 'crash':
    case 'powerOff':
    case 'freeze': {
      const index = takeNode(draft)
      if (index === null) return null
      if (kind === 'crash')
        during(
          () => world.crash(index),
          () => world.restart(index),
        )
      else if (kind === 'powerOff')
        during(
          () => world.powerOff(index),
          () => world.restart(index),
        )
      else
        during(
          () => world.freeze(index),
          () => world.thaw(index),
        )
      return nameOf(world, index)
    }
    case 'flap': {
      const index = takeNode(draft)
      if (index === null) return null
      const times = 2 + rng.below(4)
      const roundMs = (untilMs - atMs) / times
      for (let round = 0; round < times; round++) {
        world.at(atMs + round * roundMs, () => world.crash(index))
        world.at(atMs + (round + 0.5) * roundMs, () => world.restart(index))
      }
      return `${nameOf(world, index)}, ${times} times`
    }
    case 'partition': {
      if (!takeShared(draft, 'partition')) return null
      const size = 1 + rng.below(Math.max(1, world.nodes.length >> 1))
      const group = rng.shuffle(world.nodes.map(node => node.index)).slice(0, size)
      during(
        () => world.partition(group),
        () => world.join(),
      )
      return `${size} of ${world.nodes.length} nodes: ${group.slice(0, 8).join(' ')}${size > 8 ? ' …' : ''}`
    }
    case 'cut':
    case 'oneWayCut': {
      if (world.nodes.length < 2) return null
      const a = rng.below(world.nodes.length)
      const b = (a + 1 + rng.below(world.nodes.length - 1)) % world.nodes.length
      if (!takeShared(draft, `cut ${Math.min(a, b)} ${Math.max(a, b)}`)) return null
      during(kind === 'cut' ? () => world.cut(a, b) : () => world.cutOneWay(a, b), () => world.mend(a, b))
      return `${nameOf(world, a)} → ${nameOf(world, b)}`
    }
    case 'loss': {
      if (!takeShared(draft, 'loss')) return null
      const rate = rng.fraction() * profile.lossRateMax
      const usual = world.paths.lossRate
      during(
        () => world.loss(rate),
        () => world.loss(usual),
      )
      return `${(rate * 100).toFixed(1)} %`
    }
    case 'latency': {
      if (!takeShared(draft, 'latency')) return null
      const latencyMs = rng.fraction() * profile.latencyMaxMs
      const { latencyMs: usualMs, jitterMs } = world.paths
      during(
        () => world.latency(latencyMs, latencyMs / 2),
        () => world.latency(usualMs, jitterMs),
      )
      return `${latencyMs.toFixed(1)} ms`
    }
    case 'clockJump': {
      const index = rng.below(world.nodes.length)
      const byMs = Math.round((2 * rng.fraction() - 1) * profile.clockJumpMaxMs)
      during(
        () => world.clockJump(index, byMs),
        () => world.clockJump(index, -byMs),
      )
      return `${nameOf(world, index)} by ${byMs} ms`
    }
    case 'slowDisk': {
      const index = rng.below(world.nodes.length)
      if (!takeShared(draft, `disk ${index}`)) return null
      const { disk } = world.node(index)
      const times = 2 + rng.below(49)
      during(
        () => {
          disk.slowness = times
        },
        () => {
          disk.slowness = 1
        },
      )
      return `${nameOf(world, index)}, ${times} times slower`
    }
  }
}

/** A node that no other fault holds, if the share allows one more. */
const takeNode = ({ world, profile, rng, atMs, untilMs, takenUntilMs }: Draft): number | null => {
  const free: number[] = []
  for (const node of world.nodes) if ((takenUntilMs[node.index] as number) <= atMs) free.push(node.index)
  const taken = world.nodes.length - free.length
  const index = free.length === 0 ? 0 : rng.pick(free)
  if (taken + 1 > world.nodes.length * profile.downShareMax) return null
  takenUntilMs[index] = untilMs
  return index
}

const takeShared = ({ shared, atMs, untilMs }: Draft, name: string): boolean => {
  if ((shared.get(name) ?? 0) > atMs) return false
  shared.set(name, untilMs)
  return true
}

const draw = (rng: Rng, kinds: readonly [FaultKind, number][], total: number): FaultKind => {
  let left = rng.fraction() * total
  for (const [kind, weight] of kinds) {
    left -= weight
    if (left < 0) return kind
  }
  return (kinds[kinds.length - 1] as [FaultKind, number])[0]
}

const nameOf = (world: World, index: number): string => world.node(index).id
