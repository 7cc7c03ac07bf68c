// Every scenario that `shoal simulate` knows; the first is the one it runs when
// none is named. All of them run the production core with every check of
// `product-checks.ts`; they differ in what befalls the nodes.

import { taskId } from '../core/ids.js'
import type { TaskSpec } from '../core/tasks/spec.js'
import { parseSpec } from '../core/tasks/spec-rules.js'
import { chanceOf } from './chance.js'
import { type FaultProfile, faultDefaults, planFaults } from './faults.js'
import { createProductWorld, type ProductOptions } from './product.js'
import {
  Acknowledged,
  Copies,
  everybodyAgrees,
  nobodyHealthyIsHeldDead,
  noRunTwice,
  replicasAreEqual,
} from './product-checks.js'
import type { Scenario, ScenarioOptions } from './scenario.js'
import type { World } from './world.js'

/** From then on the mesh is whole and the tasks are there. */
const SETTLED_MS = 4_000
/** What a run keeps for the end, so that everything can find together again. */
const QUIET_MS = 40_000

interface Story {
  readonly world: World
  readonly copies: Copies
  readonly acknowledged: Acknowledged
  readonly detectionsMs: number[]
}

const stories = new WeakMap<World, Story>()

export interface Load {
  readonly tasks: number
  readonly writesPerSecond: number
}

/** A world with every check, tasks to run and writes to keep. */
export const createStory = (options: ProductOptions, load: Load, untilMs: number): Story => {
  const world = createProductWorld(options)
  const copies = new Copies(world)
  const acknowledged = new Acknowledged(world)
  const detectionsMs: number[] = []
  world.on('notify', (_by, { event }) => {
    if (event.kind !== 'member.dead') return
    const subject = world.node(event.member)
    if (subject.status === 'down' || subject.status === 'off')
      detectionsMs.push(world.nowMs - subject.disturbedAtMs)
  })
  const checks = [
    nobodyHealthyIsHeldDead(world),
    noRunTwice(world),
    copies.watch(),
    everybodyAgrees(),
    acknowledged.check(),
    replicasAreEqual(),
    copies.check(),
  ]
  for (const check of checks) world.addCheck(check)
  const chance = chanceOf(world.seed, 'story')
  world.at(SETTLED_MS / 2, () => {
    for (let i = 0; i < load.tasks; i++) {
      const spec = specOf(i)
      world.inject(i % Math.min(4, world.nodes.length), { kind: 'taskPut', spec, request: i + 1 })
    }
  })
  if (load.writesPerSecond > 0) {
    const write = (): void => {
      acknowledged.write(chance.below(world.nodes.length))
      const next = world.nowMs + (2 * chance.fraction() * 1_000) / load.writesPerSecond
      if (next < untilMs) world.at(next, write)
    }
    world.at(SETTLED_MS, write)
  }
  const story = { world, copies, acknowledged, detectionsMs }
  stories.set(world, story)
  return story
}

const specOf = (index: number): TaskSpec =>
  parseSpec({
    id: `task-${index}`,
    run: { handler: 'work' },
    when: index % 5 === 4 ? { every: '1s' } : 'always',
    replicas: index % 7 === 6 ? 2 : 1,
  })

/** The scenario's length less its quiet end. */
const faultsUntil = ({ seconds }: ScenarioOptions): number =>
  Math.max(SETTLED_MS + 1_000, seconds * 1_000 - QUIET_MS)

const withFaults = (
  name: string,
  summary: string,
  weights: FaultProfile['weights'],
  more: {
    readonly nodes?: number
    readonly seconds?: number
    readonly everyMs?: number
    readonly load?: Load
  } = {},
): Scenario => ({
  name,
  summary,
  nodes: more.nodes ?? 20,
  seconds: more.seconds ?? 120,
  create: options => {
    const untilMs = faultsUntil(options)
    const load = more.load ?? { tasks: 3 * options.nodes, writesPerSecond: 5 }
    const { world } = createStory(options, load, untilMs)
    const everyMs = more.everyMs ?? Math.max(200, 40_000 / options.nodes)
    planFaults(world, { ...faultDefaults, fromMs: SETTLED_MS + 500, untilMs, everyMs, weights })
    return world
  },
  describe: describeStory,
})

const calm: Scenario = {
  name: 'calm',
  summary: 'nothing happens: what it costs to be here',
  nodes: 50,
  seconds: 60,
  create: options =>
    createStory(options, { tasks: options.nodes, writesPerSecond: 1 }, options.seconds * 1_000 - 5_000).world,
  describe: describeStory,
}

/**
 * What operators do, while faults happen: tasks are put, changed, deleted and restarted,
 * nodes drained and sent away. Half the nodes have a label that some tasks need, and a
 * third of them room for a few tasks only.
 */
const operators: Scenario = {
  name: 'tasks',
  summary: 'tasks put, changed, deleted and restarted, nodes drained and gone, among faults',
  nodes: 9,
  seconds: 90,
  create: options => {
    const untilMs = faultsUntil(options)
    const places: ProductOptions = {
      ...options,
      labels: index => (index % 2 === 0 ? { zone: 'a' } : {}),
      capacity: index => (index % 3 === 2 ? 3 : null),
    }
    const { world } = createStory(places, { tasks: 2 * options.nodes, writesPerSecond: 2 }, untilMs)
    const weights = { crash: 2, flap: 1, freeze: 1, cut: 1, partition: 1, loss: 1, clockJump: 1 }
    planFaults(world, { ...faultDefaults, fromMs: SETTLED_MS + 500, untilMs, everyMs: 4_000, weights })
    planOperations(world, 3 * options.nodes, untilMs)
    return world
  },
  describe: describeStory,
}

const planOperations = (world: World, tasks: number, untilMs: number): void => {
  const chance = chanceOf(world.seed, 'operators')
  let request = 100_000
  const operate = (): void => {
    const next = world.nowMs + 1 + 2 * chance.fraction() * OPERATION_MS
    const target = chance.below(world.nodes.length)
    const id = chance.below(tasks)
    const kind = chance.below(10)
    const again = world.nowMs + 500 + chance.below(4_000)
    if (next < untilMs) world.at(next, operate)
    if (world.node(target).status !== 'up') return
    const task = taskId(`task-${id}`)
    request++
    if (kind < 4) world.inject(target, { kind: 'taskPut', spec: changedSpec(id, request), request })
    else if (kind < 6) world.inject(target, { kind: 'taskDelete', task, request })
    else if (kind < 8) world.inject(target, { kind: 'taskRestart', task, request })
    else if (kind === 8) {
      world.inject(target, { kind: 'drain', on: true, request })
      const end = (): void => {
        // A frozen or dead process is told later: whoever drains a node takes it back.
        if (world.node(target).status !== 'up') world.at(world.nowMs + 500, end)
        else world.inject(target, { kind: 'drain', on: false, request: request + 500_000 })
      }
      world.at(again, end)
    } else {
      const { life } = world.node(target)
      world.inject(target, { kind: 'leave', request })
      world.at(world.nowMs + LEAVE_MS, () => {
        // Frozen or not: a process that has left does not stay.
        if (world.node(target).life !== life) return
        world.crash(target)
        world.at(again + LEAVE_MS, () => {
          if (world.node(target).status === 'down') world.restart(target)
        })
      })
    }
  }
  world.at(SETTLED_MS + 500, operate)
}

/** Mean time between two operations, and what a node that leaves may take. */
const OPERATION_MS = 700
const LEAVE_MS = 5_000

const changedSpec = (index: number, change: number): TaskSpec =>
  parseSpec({
    id: `task-${index}`,
    run: { handler: 'work' },
    when: index % 5 === 4 ? { every: '1s' } : 'always',
    replicas: change % 3,
    input: change % 4,
    overlap: change % 5 === 0,
    needs: change % 7 === 0 ? { zone: 'a' } : {},
  })

const powerCut: Scenario = {
  name: 'power-cut',
  summary: 'all nodes lose power at once and are switched on in the same second',
  nodes: 50,
  seconds: 60,
  create: options => {
    const untilMs = Math.min(15_000, (options.seconds * 1_000) / 3)
    const { world } = createStory(options, { tasks: options.nodes, writesPerSecond: 5 }, untilMs)
    const chance = chanceOf(world.seed, 'power')
    world.at(untilMs, () => {
      for (const node of world.nodes) world.powerOff(node)
    })
    for (const node of world.nodes) world.at(untilMs + 3_000 + chance.below(1_000), () => world.restart(node))
    return world
  },
  describe: describeStory,
}

function describeStory(world: World): string[] {
  const story = stories.get(world)
  if (story === undefined) return []
  return [
    `detection  ${describe(story.detectionsMs, 'ms')}`,
    `take-over  ${describe(story.copies.takeoversMs, 'ms')}`,
    `writes     ${story.acknowledged.values.size} acknowledged, all on every node`,
    ...[...world.counts].sort().map(([metric, value]) => `count      ${metric} ${Math.round(value)}`),
  ]
}

const describe = (values: readonly number[], unit: string): string => {
  if (values.length === 0) return 'none'
  const sorted = [...values].sort((a, b) => a - b)
  const at = (q: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] as number).toFixed(1)
  return `median ${at(0.5)} ${unit}, p99 ${at(0.99)} ${unit}, longest ${at(1)} ${unit} (${values.length})`
}

export const scenarios: readonly Scenario[] = [
  withFaults('chaos', 'every kind of fault, tasks and writes all the while', faultDefaults.weights),
  calm,
  withFaults('kills', 'processes are killed and started again', { crash: 1 }),
  withFaults('outages', 'nodes lose power and come back', { powerOff: 1 }),
  withFaults('freezes', 'nodes are frozen and go on', { freeze: 1 }),
  withFaults('partitions', 'the network splits and heals', { partition: 1 }, { everyMs: 15_000 }),
  withFaults('loss', 'packets are lost everywhere', { loss: 1 }),
  powerCut,
  operators,
]
