// The first two observers of a member that died tell each other before they tell all: in
// the ordinary case one message goes round, and in every other nothing is lost by it and
// little time. Virtual time; a mesh of 20, in which most are no observers of the victim.

import test from 'ava'
import type { NodeId } from '../../src/core/ids.js'
import type { MembershipConfig } from '../../src/core/membership/config.js'
import type { MembershipMessage } from '../../src/core/membership/message.js'
import { MEMBERS_TOPIC } from '../../src/core/membership/shared.js'
import type { SimNode } from '../../src/sim/node.js'
import { lastDeath, type Mesh, runUntilAgreed, settledMesh } from './mesh.js'
import { accusationOf } from './words.js'

const SEEDS = [1, 2, 3, 4]

/** What either waits for the other at most, and what a message takes on its way. */
const FELLOW_MS = 30 + 10
const SECOND_MS = 80 + 10
const AFTER_BRANCHES_MS = 150

interface Scene {
  readonly mesh: Mesh
  readonly world: Mesh['world']
  readonly victim: SimNode
  readonly first: SimNode
  readonly second: SimNode
  /** Who told everybody of the victim, and whose words. */
  readonly told: { readonly by: NodeId; readonly accusers: readonly NodeId[] }[]
}

const sceneOf = (seed: number, membership: Partial<MembershipConfig> = {}): Scene => {
  const mesh = settledMesh({ seed, nodes: 20, judged: false, membership })
  const { world } = mesh
  const victim = world.node(1 + seed)
  const [first, second] = mesh
    .membership(0)
    .observersOf(victim.id)
    .map(id => world.node(id)) as [SimNode, SimNode]
  const told: Scene['told'] = []
  world.on('publish', (by, { message }) => {
    if (message.kind !== 'rumor') return
    const accusers = message.accusations
      .filter(({ body }) => body.subject === victim.id)
      .map(({ body }) => body.accuser)
    if (accusers.length > 0) told.push({ by: by.id, accusers: accusers.sort() })
  })
  return { mesh, world, victim, first, second, told }
}

/** Kills the victim, lets `meanwhile` act, and returns when the last of the others knew. */
const kill = ({ mesh, world, victim }: Scene, meanwhile: () => void = () => {}): number => {
  const from = world.nowMs
  world.crash(victim)
  meanwhile()
  world.run(from + 3_000)
  return lastDeath(mesh, victim.id, from) ?? Number.POSITIVE_INFINITY
}

const both = ({ first, second }: Scene): NodeId[] => [first.id, second.id].sort()

/** What `by` would tell of the victim beside its own word for its fellow is dropped, and `instead` happens. */
const swallow = (
  { mesh, victim }: Scene,
  by: SimNode,
  instead: () => void = () => {},
  isDropped: (to: NodeId | null) => boolean = () => true,
): void => {
  const core = mesh.membership(by.id)
  const step = core.step.bind(core)
  core.step = (now, event) =>
    step(now, event).filter(effect => {
      if ((effect.kind !== 'publish' && effect.kind !== 'send') || effect.message.kind !== 'rumor')
        return true
      const words = effect.message.accusations.filter(({ body }) => body.subject === victim.id)
      const isTold = words.length > (effect.kind === 'publish' ? 0 : 1)
      if (!isTold || !isDropped(effect.kind === 'publish' ? null : effect.to)) return true
      instead()
      return false
    })
}

test('the first two observers of a member have a link with each other, which the second keeps as an observer of the first', t => {
  const { mesh, world } = sceneOf(1)
  for (const { id, index } of world.nodes) {
    const [first, second] = mesh.membership(index).observersOf(id) as [NodeId, NodeId]
    t.true(mesh.membership(first).observersOf(first).includes(second), id)
    t.true(world.isLinked(world.node(first), world.node(second)), id)
  }
})

test('a crash goes round as one message: the words of both, told by the first', t => {
  for (const seed of SEEDS) {
    const scene = sceneOf(seed)
    const tookMs = kill(scene)
    t.deepEqual(scene.told, [{ by: scene.first.id, accusers: both(scene) }], `seed ${seed}`)
    t.true(tookMs <= 25, `seed ${seed}: ${tookMs} ms`)
  }
})

test('whose fellow is not heard speaks alone', t => {
  for (const seed of SEEDS) {
    const scene = sceneOf(seed)
    scene.world.cut(scene.first, scene.second)
    const tookMs = kill(scene)
    t.true(tookMs <= FELLOW_MS, `seed ${seed}: ${tookMs} ms`)
  }
})

test('the second, whom the first does not hear, adds its word as soon as the first has spoken alone', t => {
  for (const seed of SEEDS) {
    const scene = sceneOf(seed)
    scene.world.cutOneWay(scene.second, scene.first)
    const tookMs = kill(scene)
    t.true(tookMs <= FELLOW_MS, `seed ${seed}: ${tookMs} ms`)
  }
})

test('the second that finds out after the first has spoken alone tells all at once', t => {
  for (const seed of SEEDS) {
    const scene = sceneOf(seed)
    scene.world.conditions(scene.second, scene.victim, { latencyMs: 40 })
    const tookMs = kill(scene)
    t.true(tookMs > 40 && tookMs <= 40 + 10, `seed ${seed}: ${tookMs} ms`)
  }
})

test('the second speaks for both where the first is gone after it told the second', t => {
  for (const seed of SEEDS) {
    const scene = sceneOf(seed)
    const { world, first, second, victim } = scene
    world.conditions(second, victim, { latencyMs: 10 })
    const tookMs = kill(scene, () => {
      world.run(world.nowMs + 5)
      world.powerOff(first)
    })
    t.deepEqual(scene.told[0], { by: second.id, accusers: both(scene) }, `seed ${seed}`)
    t.true(tookMs <= 10 + SECOND_MS, `seed ${seed}: ${tookMs} ms`)
  }
})

test('a first that swallows what it was told delays a verdict by what the second waits, no more', t => {
  for (const seed of SEEDS) {
    const scene = sceneOf(seed)
    swallow(scene, scene.first)
    const tookMs = kill(scene)
    t.true(tookMs <= SECOND_MS, `seed ${seed}: ${tookMs} ms`)
  }
})

test('nor does it help to tell the second alone that all are told', t => {
  for (const seed of SEEDS) {
    const scene = sceneOf(seed)
    swallow(
      scene,
      scene.first,
      () => {},
      to => to !== scene.second.id,
    )
    const tookMs = kill(scene)
    t.true(tookMs <= AFTER_BRANCHES_MS + SECOND_MS, `seed ${seed}: ${tookMs} ms`)
  }
})

test('the proof runs along the links before anything is published, to each from two at most', t => {
  for (const seed of SEEDS) {
    const scene = sceneOf(seed)
    const { mesh, world, victim } = scene
    const heard = new Map<NodeId, number>()
    for (const { id } of world.nodes) {
      const core = mesh.membership(id)
      const step = core.step.bind(core)
      core.step = (now, event) => {
        const isProof =
          event.kind === 'message' && event.message.kind === 'rumor' && event.message.accusations.length > 1
        if (isProof) heard.set(id, (heard.get(id) ?? 0) + 1)
        return step(now, event)
      }
    }
    const from = world.nowMs
    world.crash(victim)
    world.run(from + 100)
    t.true((lastDeath(mesh, victim.id, from) ?? Number.POSITIVE_INFINITY) <= 25, `seed ${seed}`)
    t.deepEqual(scene.told, [], `seed ${seed}`)
    const counts = [...heard.values()]
    t.true(Math.max(...counts) <= 2, `seed ${seed}: ${counts}`)
    t.true(counts.length >= 17, `seed ${seed}: all but the first two and the victim`)
  }
})

test('whom the branches leave out hears of it by gossip', t => {
  for (const seed of SEEDS) {
    const scene = sceneOf(seed)
    const { world, first, second, victim } = scene
    const aside = world.nodes.find(node => ![first, second, victim].includes(node)) as SimNode
    for (const node of world.nodes)
      if (node !== aside)
        swallow(
          scene,
          node,
          () => {},
          to => to === aside.id,
        )
    const tookMs = kill(scene)
    t.true(tookMs <= AFTER_BRANCHES_MS + 50, `seed ${seed}: ${tookMs} ms`)
  }
})

test('nor does it help to repeat what the second said of an earlier word of the victim', t => {
  for (const seed of SEEDS) {
    const scene = sceneOf(seed)
    const { mesh, world, first, second, victim } = scene
    const past = mesh.membership(victim.id).selfRecord
    world.inject(victim, { kind: 'drain', on: true, request: 1 })
    world.run(world.nowMs + 1_000)
    const message: MembershipMessage = {
      kind: 'rumor',
      records: [],
      accusations: [accusationOf(second.id, { body: past }, 'refused')],
      strikes: [],
    }
    swallow(scene, first, () => world.publish(first, MEMBERS_TOPIC, message))
    const tookMs = kill(scene)
    t.true(tookMs <= SECOND_MS, `seed ${seed}: ${tookMs} ms`)
  }
})

test('of three that are killed at once, the subject and its first two observers, the others learn from the next in rank', t => {
  for (const seed of SEEDS) {
    const scene = sceneOf(seed)
    const { world, first, second } = scene
    const tookMs = kill(scene, () => {
      world.crash(first)
      world.crash(second)
    })
    t.true(tookMs <= 200, `seed ${seed}: ${tookMs} ms`)
  }
})

test('what is kept back when a node leaves is said before its goodbye', t => {
  for (const seed of SEEDS) {
    const scene = sceneOf(seed, { fellowMs: 1_000 })
    const { world, first, second, victim } = scene
    world.conditions(second, victim, { latencyMs: 100 })
    kill(scene, () => {
      world.run(world.nowMs + 5)
      t.deepEqual(scene.told, [], `seed ${seed}`)
      world.inject(first, { kind: 'leave', request: 1 })
      world.run(world.nowMs + 1)
      t.deepEqual(scene.told, [{ by: first.id, accusers: [first.id] }], `seed ${seed}`)
    })
  }
})

test('what is kept back of a member that is back meanwhile is never said', t => {
  for (const seed of SEEDS) {
    const scene = sceneOf(seed, { fellowMs: 1_000 })
    const { mesh, world, first, second, victim } = scene
    world.conditions(second, victim, { latencyMs: 500 })
    world.crash(victim)
    world.run(world.nowMs + 5)
    world.restart(victim)
    world.run(world.nowMs + 5_000)
    t.deepEqual(
      scene.told.filter(({ by }) => by === first.id),
      [],
      `seed ${seed}`,
    )
    t.true(runUntilAgreed(mesh, 5_000) <= 5_000)
  }
})

test('a node that was frozen while it kept a word hears what there is to hear before it says it', t => {
  for (const seed of SEEDS) {
    const scene = sceneOf(seed)
    const { world, first, second, victim } = scene
    world.conditions(second, victim, { latencyMs: 100 })
    world.crash(victim)
    world.run(world.nowMs + 5)
    world.freeze(first)
    world.restart(victim)
    world.run(world.nowMs + 1_200)
    world.thaw(first)
    world.run(world.nowMs + 1_000)
    t.deepEqual(
      scene.told.filter(({ by }) => by === first.id),
      [],
      `seed ${seed}`,
    )
  }
})

test('an observer that gossip passes by asks for itself, and is told what the others have long found', t => {
  for (const seed of SEEDS) {
    for (const rank of [2, 3]) {
      const { mesh, world, victim } = sceneOf(seed)
      const deaf = mesh.membership(0).observersOf(victim.id)[rank] as NodeId
      world.loseGossip(deaf)
      const from = world.nowMs
      world.crash(victim)
      world.run(from + 3_000)
      const seen = mesh.events.find(
        ({ kind, by, atMs }) => kind === 'member.dead' && by === deaf && atMs >= from,
      )
      const took = (seen?.atMs ?? Number.POSITIVE_INFINITY) - from
      // Its own dial waits for 60 ms, and its word for its turn.
      t.true(took <= 200, `seed ${seed}, rank ${rank}: ${took} ms`)
    }
  }
})
