// Worlds of nodes that run membership alone, and the checks that must hold in them.

import type { Millis, NodeId } from '../../src/core/ids.js'
import { type MembershipConfig, membershipLan } from '../../src/core/membership/config.js'
import { Membership } from '../../src/core/membership/membership.js'
import { drawInstance } from '../../src/core/membership/self.js'
import type { MemberEvent } from '../../src/core/mesh-event.js'
import type { CoreEvent, Effect } from '../../src/core/step.js'
import type { Check } from '../../src/sim/check.js'
import type { SimConfig } from '../../src/sim/config.js'
import type { SimNode } from '../../src/sim/node.js'
import { simSealer } from '../../src/sim/seals.js'
import type { Streams } from '../../src/sim/streams.js'
import { createWorld, type SimNodeOptions, type World } from '../../src/sim/world.js'

export interface Seen extends MemberEvent {
  readonly by: NodeId
  readonly atMs: number
}

export interface Mesh {
  readonly world: World
  readonly events: Seen[]
  membership(target: number | NodeId): Membership
}

export interface MeshOptions {
  readonly seed: number
  readonly nodes: number | readonly SimNodeOptions[]
  readonly config?: Partial<SimConfig>
  readonly membership?: Partial<MembershipConfig>
  readonly checks?: readonly Check[]
  /** False where the test itself says what may be held dead. */
  readonly judged?: boolean
}

/** In a whole node the core decides when membership says goodbye; here the event does. */
class Leaver extends Membership {
  override step(now: Millis, event: CoreEvent): readonly Effect[] {
    return event.kind === 'leave' ? this.leave(now) : super.step(now, event)
  }
}

export const createMesh = (options: MeshOptions): Mesh => {
  const config = { ...membershipLan, ...options.membership }
  const events: Seen[] = []
  const world = createWorld({
    seed: options.seed,
    nodes: options.nodes,
    config: { discovery: false, ...options.config },
    checks: [...(options.checks ?? [])],
    boot: env => {
      let token = 1
      return new Leaver({
        config,
        rng: env.rng,
        sealer: simSealer,
        profile: {
          id: env.id,
          name: `node-${env.index}`,
          addresses: [env.address],
          dialable: true,
          labels: {},
          capacity: null,
          runs: [],
          spaces: ['*'],
          version: '0.1.0',
        },
        instance: drawInstance(env.rng),
        now: env.now,
        nextToken: () => token++,
        entries: env.entries('m/'),
      })
    },
  })
  world.on('notify', (node, effect) => {
    if (effect.event.kind.startsWith('member.')) {
      events.push({ ...(effect.event as MemberEvent), by: node.id, atMs: world.nowMs })
    }
  })
  const mesh: Mesh = {
    world,
    events,
    membership: target => world.core(target) as Membership,
  }
  if (options.judged !== false) world.addCheck(noHealthyHeldDead(mesh))
  return mesh
}

/** A mesh that has agreed and come to rest. */
export const settledMesh = (options: MeshOptions): Mesh => {
  const mesh = createMesh(options)
  joinAll(mesh)
  mesh.world.run(mesh.world.config.startSpreadMs + 100)
  runUntilAgreed(mesh, 20_000)
  mesh.world.run(mesh.world.nowMs + 12_000)
  return mesh
}

/** Everybody is told to join node 0. */
export const joinAll = (mesh: Mesh): void => {
  const first = mesh.world.node(0).address
  mesh.world.at(mesh.world.config.startSpreadMs + 1, () => {
    for (const node of mesh.world.nodes.slice(1))
      mesh.world.inject(node, { kind: 'join', addresses: [first] })
  })
}

/** A node that was disturbed this recently may be held for dead by somebody. */
const DISTURBED_MS = 8_000

/**
 * Above this share of lost packets a silence proves too little where few are left: of two
 * nodes at 20 %, one answer in 125 is lost three times in a row and comes 1.4 s late.
 */
const LOSS_JUDGED = 0.1

/**
 * How many running nodes can't hear the subject, or be heard by it. Two of them can be
 * a majority of its observers, and what a majority finds unreachable is held unreachable.
 */
const cutOff = (world: World, subject: SimNode): number =>
  world.nodes.filter(node => node !== subject && node.status === 'up' && !world.isConnected(node, subject))
    .length

export const noHealthyHeldDead = (mesh: Pick<Mesh, 'events'>): Check => {
  let read = 0
  let lossyAtMs = Number.NEGATIVE_INFINITY
  return {
    claim: 'no member is held dead that is up and connected',
    afterStep: world => {
      // A stream that lost much waits long before it repeats: what it carries comes late (seed 20706).
      if (world.paths.lossRate > LOSS_JUDGED) lossyAtMs = world.nowMs
      // A long run lets go of what it has looked at.
      if (read > mesh.events.length) read = 0
      for (; read < mesh.events.length; read++) {
        const event = mesh.events[read] as Seen
        if (event.kind !== 'member.dead') continue
        const subject = world.node(event.member)
        const judge = world.node(event.by)
        const isQuiet = (node: typeof subject): boolean => world.nowMs - node.disturbedAtMs > DISTURBED_MS
        if (
          subject.status === 'up' &&
          world.nowMs - lossyAtMs > DISTURBED_MS &&
          isQuiet(subject) &&
          isQuiet(judge) &&
          world.isConnected(judge, subject) &&
          cutOff(world, subject) < 2
        ) {
          return `${event.by} holds ${event.member} dead (${event.cause})`
        }
      }
      return null
    },
  }
}

/** Null when every running node holds exactly the running nodes present; otherwise what differs. */
export const disagreement = (mesh: Mesh, among: readonly number[] | null = null): string | null => {
  const { world } = mesh
  const up = world.nodes.filter(
    node => node.status === 'up' && (among === null || among.includes(node.index)),
  )
  const expected = up
    .map(node => node.id)
    .sort()
    .join()
  for (const node of up) {
    const held = mesh
      .membership(node.id)
      .all()
      .filter(member => member.verdict === 'alive')
      .map(member => member.id)
      .sort()
    if (held.join() !== expected) {
      const missing = up.filter(other => !held.includes(other.id)).map(other => other.id)
      const extra = held.filter(id => !up.some(other => other.id === id))
      return `${node.id} misses [${missing}] and holds [${extra}] too`
    }
  }
  return null
}

/** Runs until all agree, at most so long; returns the time it took, or throws. */
export const runUntilAgreed = (
  mesh: Mesh,
  limitMs: number,
  among: readonly (readonly number[])[] | null = null,
): number => {
  const from = mesh.world.nowMs
  const find = (): string | null => {
    if (among === null) return disagreement(mesh)
    for (const group of among) {
      const found = disagreement(mesh, group)
      if (found !== null) return found
    }
    return null
  }
  while (mesh.world.nowMs - from < limitMs) {
    mesh.world.run(mesh.world.nowMs + 10)
    if (find() === null) return mesh.world.nowMs - from
  }
  throw new Error(`no agreement after ${limitMs} ms (seed ${mesh.world.seed}): ${find()}`)
}

/** When the last of those that run came to hold the member dead; the time since `fromMs`. */
export const lastDeath = (mesh: Mesh, member: NodeId, fromMs: number): number | null => {
  const survivors = mesh.world.nodes.filter(node => node.status === 'up' && node.id !== member)
  let last = 0
  for (const node of survivors) {
    const seen = mesh.events.find(
      event =>
        event.kind === 'member.dead' &&
        event.by === node.id &&
        event.member === member &&
        event.atMs >= fromMs,
    )
    if (seen === undefined) return null
    last = Math.max(last, seen.atMs)
  }
  return last - fromMs
}

/** Breaks a connection under both its ends, as a firewall does that answers RST to either. */
export const resetLink = ({ world }: Mesh, a: SimNode, b: SimNode): void => {
  const link = a.links.get(b.index)
  if (link === undefined) return
  const { streams } = world as unknown as { streams: Streams }
  streams.close(link, a)
  streams.close(link, b)
}
