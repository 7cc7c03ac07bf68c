// Why a task is where it is, and what would move if members were lost. Both are read off
// the placement itself, from local state, so that they are exact; neither decides anything.

import { compareText, type NodeId, type TaskId } from '../ids.js'
import {
  isAvailable,
  isSuited,
  type Placement,
  type PlacementMember,
  type PlacementRule,
  type PlacementTask,
} from './placement.js'
import { distance, memberSeed, placeOf, slotPoint, taskSeed } from './placement-score.js'
import { place } from './placer.js'

export interface Candidate {
  readonly node: NodeId
  /** Settled, not draining, not failing, able to run it, labels equal, room in its capacity. */
  readonly eligible: boolean
  readonly chosen: boolean
  /** 1 for the nearest of those that could run it if they had room; null for the others. */
  readonly rank: number | null
  /** Why it was not chosen, or which slot it has. */
  readonly reasons: readonly string[]
}

export interface PlacedCopy {
  readonly slot: number
  readonly node: NodeId | null
  /** Why it waits. */
  readonly reason: string | null
}

export interface Explanation {
  readonly task: TaskId
  readonly copies: readonly PlacedCopy[]
  readonly candidates: readonly Candidate[]
}

export interface Move {
  readonly task: TaskId
  readonly slot: number
  readonly from: NodeId | null
  /** null: fits nowhere. */
  readonly to: NodeId | null
}

/** Every member with the reason that it was or was not chosen, chosen and nearest first. */
export const explain = (
  task: PlacementTask,
  members: Iterable<PlacementMember>,
  placement: Placement,
): Explanation => {
  const slots = placement.slotsOf(task.id)
  const all = [...members].sort((a, b) => compareText(a.id, b.id))
  const slotOf = new Map<NodeId, number>()
  for (const { slot, owner } of slots) if (owner !== null) slotOf.set(owner, slot)
  const ranks = rankAll(task, all)
  const holders = all.filter(member => slotOf.has(member.id))
  const isFilled = slots.every(({ owner }) => owner !== null)

  const candidates = all.map((member): Candidate => {
    const slot = slotOf.get(member.id)
    const rank = ranks.get(member.id) ?? null
    if (slot !== undefined) {
      return { node: member.id, eligible: true, chosen: true, rank, reasons: [`runs slot ${slot}`] }
    }
    const obstacles = obstaclesOf(task, member, placement)
    const eligible = obstacles.length === 0
    const reasons = eligible ? [passedOver(task, member, holders, isFilled)] : obstacles
    return { node: member.id, eligible, chosen: false, rank, reasons }
  })
  const order = (candidate: Candidate): number => (candidate.chosen ? 0 : candidate.rank === null ? 2 : 1)
  candidates.sort(
    (a, b) => order(a) - order(b) || (a.rank ?? 0) - (b.rank ?? 0) || compareText(a.node, b.node),
  )
  const copies = slots.map(({ slot, owner }) => ({
    slot,
    node: owner,
    reason: placement.waitingReason(task.id, slot),
  }))
  return { task: task.id, copies, candidates }
}

/** What would move if these members died now. */
export const rehearseLoss = (
  tasks: readonly PlacementTask[],
  members: readonly PlacementMember[],
  rule: PlacementRule,
  without: readonly NodeId[],
): { readonly moves: readonly Move[] } => {
  const lost = new Set(without)
  const before = place(tasks, members, rule)
  const after = place(
    tasks,
    members.map(member => (lost.has(member.id) ? { ...member, absent: true } : member)),
    rule,
  )
  const moves: Move[] = []
  for (const task of [...tasks].sort((a, b) => compareText(a.id, b.id))) {
    for (const { slot, owner } of before.slotsOf(task.id)) {
      // A copy for each member ends with its member: it has nowhere to go and nothing waits.
      if (task.replicas === 'all' && owner !== null && lost.has(owner)) continue
      const to = after.ownerOf(task.id, slot)
      if (to !== owner) moves.push({ task: task.id, slot, from: owner, to })
    }
  }
  return { moves }
}

/** Everything that keeps the member from being eligible. */
const obstaclesOf = (task: PlacementTask, member: PlacementMember, placement: Placement): string[] => {
  const obstacles: string[] = []
  if (member.absent === true) obstacles.push('absent: it is not alive')
  if (!member.settled) obstacles.push('not settled: it came back and has yet to prove stable')
  if (member.draining) obstacles.push('draining')
  if (member.failing) obstacles.push('failing: it says so itself')
  if (!member.runs.includes(task.ability)) obstacles.push(`cannot run ${task.ability}`)
  for (const label of Object.keys(task.needs).sort(compareText)) {
    const needed = task.needs[label]
    if (!Object.hasOwn(member.labels, label)) obstacles.push(`has no label ${label}, needs ${needed}`)
    else if (member.labels[label] !== needed) {
      obstacles.push(`label ${label} is ${member.labels[label]}, needs ${needed}`)
    }
  }
  const { capacity } = member
  if (capacity === 0) obstacles.push('capacity is 0: it takes no tasks')
  else if (capacity !== null && task.weight > 0) {
    const load = placement.loadOf(member.id)
    if (load + task.weight > capacity) {
      obstacles.push(`capacity full: has ${load} of ${capacity}, the task weighs ${task.weight}`)
    }
  }
  return obstacles
}

/** Why an eligible member was not chosen. */
const passedOver = (
  task: PlacementTask,
  member: PlacementMember,
  holders: readonly PlacementMember[],
  isFilled: boolean,
): string => {
  if (task.replicas === 0) return 'paused: replicas is 0'
  const label = task.spread
  if (label !== null) {
    const twin = holders.find(holder => holder.labels[label] === member.labels[label])
    const value = Object.hasOwn(member.labels, label) ? member.labels[label] : 'nothing'
    if (twin !== undefined) return `spread: ${twin.id} has a copy where ${label} is ${value}`
  }
  if (!isFilled) return 'the slot that waits belongs to another member, which is away'
  const count = holders.length
  if (count === 0) return 'a job that is done runs nowhere'
  return count === 1 ? 'another member is nearer' : `${count} other members are nearer`
}

/** Ranks those that could run it if they had room, by how near they are to the nearest slot. */
const rankAll = (task: PlacementTask, members: readonly PlacementMember[]): ReadonlyMap<NodeId, number> => {
  const seed = taskSeed(task.id)
  const count = task.replicas === 'all' ? 1 : Math.max(1, task.replicas)
  const points = Array.from({ length: count }, (_, slot) => slotPoint(slot))
  const apartOf = (member: PlacementMember): number => {
    const at = placeOf(seed, memberSeed(member.id))
    return points.reduce((least, point) => Math.min(least, distance(at, point)), 0x7fffffff)
  }
  const ranked = members
    .filter(member => isSuited(task, member) && isAvailable(member))
    .map(member => ({ id: member.id, apart: apartOf(member) }))
    .sort((a, b) => a.apart - b.apart || compareText(a.id, b.id))
  return new Map(ranked.map(({ id }, i) => [id, i + 1]))
}
