// Who should run what: a pure function of the members and the tasks. No assignment is
// ever written down; every node computes the same one, in whatever order it learned.
//
// The rule, in one sentence: go through all pairs of a slot and a member from the nearest
// to the farthest (`placement-score.ts`), and give the slot to the member if the slot is
// free and the member is eligible, holds no other copy of the task, has a new value of
// the `spread` label and has room. Then go once more without the wish of `balance`, and
// once more without that of `spread`. This is deferred acceptance with one score for both
// sides, so that it has one stable outcome and needs no order of arrival.
//
// What follows from it:
// - A member's death moves only its own tasks while nobody is at capacity; a join takes
//   only what the newcomer is nearest to. (Both are the least that is possible.)
// - Slots keep their owners. A pure function cannot promise that for three slots or more:
//   if the death of a slot's owner is to change that slot alone, each slot follows one
//   fixed order of the members; two orders that never want the same of any three members
//   are almost each other's reverse, and three orders cannot be that to one another. Two
//   slots stand at opposite points of the ring and have exactly reversed orders; more
//   stand so far apart that a survivor changes its slot only where members are few.
// - Where a task has at least as many slots as there are members that could ever run it
//   (three copies on a mesh of three), seats are dealt over all of them, absent ones
//   included, so that there too a death, a drain and a return move nobody else.
// - `replicas: "all"`: a slot for each eligible member, numbered by a hash of its id.
//
// `capacity` limits and does not weight: "unlimited" has no weight, and a change of a
// capacity that nobody exhausts should move nothing.

import type { NodeId, TaskId } from '../ids.js'
import type { Json } from '../json.js'
import { BALANCE_MAX, BALANCE_MIN } from './config.js'

export interface PlacementMember {
  readonly id: NodeId
  readonly labels: Readonly<Record<string, string>>
  /** How much weight it takes; null is unlimited, 0 is none. */
  readonly capacity: number | null
  readonly runs: readonly string[]
  readonly settled: boolean
  readonly draining: boolean
  readonly failing: boolean
  /** Known, but dead or gone: it gets nothing, and its seat is kept where every known member has one. */
  readonly absent?: boolean
}

export interface PlacementTask {
  readonly id: TaskId
  /** What a member's `runs` must contain (`abilityOf`). */
  readonly ability: string
  readonly replicas: number | 'all'
  readonly needs: Readonly<Record<string, string>>
  readonly spread: string | null
  readonly weight: number
}

/** What all nodes of a mesh must agree on beside members and tasks. */
export interface PlacementRule {
  /** Loads stay at or below ceil(balance × mean) where the members allow it; null is off. */
  readonly balance: number | null
}

/** One copy: its slot and the member that should run it, or null and why it waits. */
export interface PlacedSlot {
  readonly slot: number
  readonly owner: NodeId | null
}

export interface Placement {
  /** The task's slots by number; empty for an unknown or paused task. */
  slotsOf(task: TaskId): readonly PlacedSlot[]
  /** The owners alone, in the order of `slotsOf`; null waits. */
  ownersOf(task: TaskId): readonly (NodeId | null)[]
  ownerOf(task: TaskId, slot: number): NodeId | null
  /** Why a slot has no owner, or null when it has one. */
  waitingReason(task: TaskId, slot: number): string | null
  /**
   * Who would be next for this slot: whoever gets it if its owner dies, then whoever gets it if that one dies too; where
   * room has an end the second can only be guessed, and the nearest are named besides.
   */
  nextInRank(task: TaskId, slot: number, count: number): readonly NodeId[]
  /** The weight that a member has been given. */
  loadOf(member: NodeId): number
}

export interface PlacementChange {
  readonly task: TaskId
  readonly slot: number
  readonly from: NodeId | null
  readonly to: NodeId | null
}

/** The rule as the mesh's own space holds it; what no version of this rule could mean is off. */
export const readRule = (balance: Json | undefined): PlacementRule => ({
  balance: typeof balance === 'number' && balance >= BALANCE_MIN && balance <= BALANCE_MAX ? balance : null,
})

/** Whether nothing but needs, ability and room stands between this member and a copy. */
export const isAvailable = (member: PlacementMember): boolean =>
  member.settled && !member.draining && !member.failing && member.absent !== true && member.capacity !== 0

/** Whether the member has the labels and the ability that the task asks for. */
export const isSuited = (
  task: Pick<PlacementTask, 'ability' | 'needs'>,
  member: PlacementMember,
): boolean => {
  if (!member.runs.includes(task.ability)) return false
  for (const label of Object.keys(task.needs)) {
    if (!Object.hasOwn(member.labels, label) || member.labels[label] !== task.needs[label]) return false
  }
  return true
}
