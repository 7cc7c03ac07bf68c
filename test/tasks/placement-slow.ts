// The rule of placement as it reads, with no thought for speed: list every pair of a slot
// and a member, sort, walk. The real one must agree with it everywhere.

import fc from 'fast-check'
import { hashText } from '../../src/core/hash.js'
import { type NodeId, nodeId, type TaskId, taskId } from '../../src/core/ids.js'
import {
  isAvailable,
  isSuited,
  type Placement,
  type PlacementMember,
  type PlacementRule,
  type PlacementTask,
} from '../../src/core/tasks/placement.js'
import {
  compareEdges,
  distance,
  type Edge,
  memberSeed,
  placeOf,
  slotPoint,
  taskSeed,
} from '../../src/core/tasks/placement-score.js'

export type Owners = ReadonlyMap<string, NodeId | null>
const key = (task: string, slot: number): string => `${task} ${slot}`

interface SlowSlot {
  readonly task: PlacementTask
  readonly slot: number
  readonly candidates: readonly PlacementMember[]
  readonly isSeated: boolean
}

export const placeSlowly = (
  tasks: readonly PlacementTask[],
  members: readonly PlacementMember[],
  rule: PlacementRule,
): Owners => {
  const slots: SlowSlot[] = []
  let wanted = 0
  for (const task of tasks) {
    const known = members.filter(member => isSuited(task, member))
    const available = known.filter(isAvailable)
    wanted +=
      task.weight * Math.min(task.replicas === 'all' ? available.length : task.replicas, available.length)
    if (task.replicas === 'all') {
      for (const member of available) {
        slots.push({ task, slot: hashText(member.id, 0x736c6f74), candidates: [member], isSeated: true })
      }
    } else if (task.replicas >= known.length) {
      const seats = walk(
        Array.from({ length: task.replicas }, (_, slot) => ({
          task,
          slot,
          candidates: known,
          isSeated: true,
        })),
        { isEven: false, bound: null, isRoomy: true },
      )
      for (let slot = 0; slot < task.replicas; slot++) {
        const candidates = available.filter(member => member.id === seats.get(key(task.id, slot)))
        slots.push({ task, slot, candidates, isSeated: true })
      }
    } else {
      for (let slot = 0; slot < task.replicas; slot++) {
        slots.push({ task, slot, candidates: available, isSeated: false })
      }
    }
  }
  const crowd = members.filter(isAvailable).length
  const bound =
    rule.balance === null || crowd === 0
      ? null
      : Math.ceil((Math.round(rule.balance * 1000) * wanted) / (1000 * crowd))
  return walk(slots, { isEven: bound !== null, bound, isRoomy: false })
}

const walk = (
  slots: readonly SlowSlot[],
  how: { readonly isEven: boolean; readonly bound: number | null; readonly isRoomy: boolean },
): Owners => {
  const owners = new Map<string, NodeId | null>(slots.map(({ task, slot }) => [key(task.id, slot), null]))
  const loads = new Map<NodeId, number>()
  const holders = new Map<string, PlacementMember[]>()
  const round = (isSeatRound: boolean, isStrict: boolean, isEven: boolean): void => {
    const edges: (Edge & { readonly from: SlowSlot; readonly to: PlacementMember })[] = []
    for (const from of slots) {
      if (!how.isRoomy && from.isSeated !== isSeatRound) continue
      for (const to of from.candidates) {
        const point = from.task.replicas === 'all' ? 0 : slotPoint(from.slot)
        const apart = distance(placeOf(taskSeed(from.task.id), memberSeed(to.id)), point)
        edges.push({ apart, member: to.id, task: from.task.id, slot: from.slot, from, to })
      }
    }
    for (const { from, to } of edges.sort(compareEdges)) {
      const { task, slot } = from
      if (owners.get(key(task.id, slot)) !== null) continue
      const held = holders.get(task.id) ?? []
      if (held.includes(to)) continue
      const label = task.spread
      if (isStrict && label !== null && held.some(other => other.labels[label] === to.labels[label])) continue
      const load = (loads.get(to.id) ?? 0) + task.weight
      const room = Math.min(to.capacity ?? Infinity, isEven ? (how.bound ?? Infinity) : Infinity)
      if (!how.isRoomy && task.weight > 0 && load > room) continue
      owners.set(key(task.id, slot), to.id)
      loads.set(to.id, load)
      holders.set(task.id, [...held, to])
    }
  }
  if (!how.isRoomy) round(true, false, false)
  for (const isStrict of [true, false]) {
    for (const isEven of how.isEven ? [true, false] : [false]) round(false, isStrict, isEven)
  }
  return owners
}

export const ownersIn = (placement: Placement, tasks: readonly PlacementTask[]): Owners => {
  const owners = new Map<string, NodeId | null>()
  for (const task of tasks) {
    for (const { slot, owner } of placement.slotsOf(task.id)) owners.set(key(task.id, slot), owner)
  }
  return owners
}

export const sorted = (owners: Owners): (readonly [string, NodeId | null])[] =>
  [...owners].sort(([a], [b]) => (a < b ? -1 : 1))

export const member = (id: string, over: Partial<PlacementMember> = {}): PlacementMember => ({
  id: nodeId(id),
  labels: {},
  capacity: null,
  runs: ['exec'],
  settled: true,
  draining: false,
  failing: false,
  ...over,
})

export const task = (id: string, over: Partial<PlacementTask> = {}): PlacementTask => ({
  id: taskId(id),
  ability: 'exec',
  replicas: 1,
  needs: {},
  spread: null,
  weight: 1,
  ...over,
})

export const idOf = (text: string): TaskId => taskId(text)

const zone = fc.constantFrom('a', 'b', 'c')

/** Members and tasks of every kind, few enough that they get in each other's way. */
export const anyMember = (id: string): fc.Arbitrary<PlacementMember> =>
  fc.record({
    id: fc.constant(nodeId(id)),
    labels: fc.oneof(fc.constant({}), fc.record({ zone }), fc.record({ zone, line: zone })),
    capacity: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, fc.integer({ min: 0, max: 6 })),
    runs: fc.constantFrom(['exec', 'module'], ['exec'], ['exec', 'handler:foo']),
    settled: fc.integer({ min: 0, max: 9 }).map(n => n > 0),
    draining: fc.integer({ min: 0, max: 9 }).map(n => n === 0),
    failing: fc.integer({ min: 0, max: 9 }).map(n => n === 0),
    absent: fc.integer({ min: 0, max: 9 }).map(n => n === 0),
  })

export const anyTask = (id: string): fc.Arbitrary<PlacementTask> =>
  fc.record({
    id: fc.constant(taskId(id)),
    ability: fc.constantFrom('exec', 'exec', 'exec', 'module', 'handler:foo'),
    replicas: fc.oneof(
      { weight: 3, arbitrary: fc.constant(1) },
      { weight: 3, arbitrary: fc.integer({ min: 0, max: 5 }) },
      { weight: 1, arbitrary: fc.constant('all' as const) },
    ),
    needs: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, fc.record({ zone })),
    spread: fc.oneof(fc.constant(null), fc.constant('zone')),
    weight: fc.integer({ min: 0, max: 3 }),
  })

export const anyRule: fc.Arbitrary<PlacementRule> = fc.record({
  balance: fc.oneof(fc.constant(null), fc.constantFrom(1, 1.1, 1.25, 2)),
})

const some = <T>(prefix: string, max: number, of: (id: string) => fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc
    .uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: max })
    .chain(numbers => fc.tuple(...numbers.map(n => of(`${prefix}${n}`)))) as fc.Arbitrary<T[]>

export const anyMembers = (max = 9): fc.Arbitrary<PlacementMember[]> => some('node-', max, anyMember)
export const anyTasks = (max = 12): fc.Arbitrary<PlacementTask[]> => some('task-', max, anyTask)
