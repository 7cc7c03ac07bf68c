// The members that one kind of task can run on. Tasks that ask for the same ability and
// the same labels share a group, so that eligibility is decided once for all of them and
// the hash loop runs over an array of numbers.

import { compareText, type NodeId } from '../ids.js'
import type { PlacementMember, PlacementTask } from './placement.js'
import { isAvailable, isSuited } from './placement.js'
import { memberSeed } from './placement-score.js'

/** A member as the placer holds it. */
export interface MemberRow {
  readonly id: NodeId
  readonly seed: number
  member: PlacementMember
  /** The tasks whose free choice names it, and their weight. */
  readonly chosenBy: Set<TaskRow>
  chosenWeight: number
  /** The weight it really has: differs where room is short. */
  load: number
}

/** A task as the placer holds it. */
export interface TaskRow {
  readonly task: PlacementTask
  readonly seed: number
  readonly group: Group
  /** Slot numbers, ascending; the other lists run beside it. */
  slots: readonly number[]
  /** What the task would get if nobody's room were short. */
  choice: readonly (MemberRow | null)[]
  /** How far each chosen member is from its slot, and whether any slot would like another one: a newcomer that is farther from all changes nothing. */
  apart: readonly number[]
  isWishful: boolean
  /** Each slot has one member that may ever have it. */
  isSeated: boolean
  /** What it gets. */
  owners: readonly (MemberRow | null)[]
  /** What was last reported as changed. */
  reportedSlots: readonly number[]
  reported: readonly (NodeId | null)[]
}

export interface Group {
  readonly key: string
  readonly ability: string
  readonly needs: Readonly<Record<string, string>>
  readonly tasks: Set<TaskRow>
  /** Everybody with the ability and the labels, by id; absent ones too. */
  readonly known: MemberRow[]
  /** Those of them that are available, by id, and their seeds. */
  readonly available: MemberRow[]
  seeds: Int32Array
  /** For each label to spread over, the values of `available` as numbers; emptied with every change of it. */
  readonly codes: Map<string, Int32Array>
}

export const groupKey = ({ ability, needs }: PlacementTask): string => {
  const labels = Object.keys(needs)
  if (labels.length === 0) return ability
  return JSON.stringify([ability, ...labels.sort(compareText).map(label => [label, needs[label]])])
}

export const createMemberRow = (member: PlacementMember): MemberRow => ({
  id: member.id,
  seed: memberSeed(member.id),
  member,
  chosenBy: new Set(),
  chosenWeight: 0,
  load: 0,
})

export const createGroup = (key: string, task: PlacementTask, rows: Iterable<MemberRow>): Group => {
  const known = [...rows].filter(row => isSuited(task, row.member)).sort(byId)
  const available = known.filter(row => isAvailable(row.member))
  const { ability, needs } = task
  return {
    key,
    ability,
    needs,
    tasks: new Set(),
    known,
    available,
    seeds: seedsOf(available),
    codes: new Map(),
  }
}

/** Brings a row in or out of the group; returns what became of it. */
export const fileMember = (
  group: Group,
  row: MemberRow,
  member: PlacementMember | null,
): { readonly known: boolean; readonly available: 'in' | 'out' | 'same' } => {
  const suited = member !== null && isSuited(group, member)
  const known = put(group.known, row, suited)
  const fits = suited && isAvailable(member)
  const available = put(group.available, row, fits)
  if (available) {
    group.seeds = seedsOf(group.available)
    group.codes.clear()
  }
  return { known, available: available ? (fits ? 'in' : 'out') : 'same' }
}

const byId = (a: MemberRow, b: MemberRow): number => compareText(a.id, b.id)

const seedsOf = (rows: readonly MemberRow[]): Int32Array => {
  const seeds = new Int32Array(rows.length)
  for (let i = 0; i < rows.length; i++) seeds[i] = (rows[i] as MemberRow).seed
  return seeds
}

/** Puts the row into the list in the order of ids, or takes it out; says whether the list changed. */
const put = (rows: MemberRow[], row: MemberRow, isIn: boolean): boolean => {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareText((rows[middle] as MemberRow).id, row.id) < 0) low = middle + 1
    else high = middle
  }
  const stands = rows[low] === row
  if (stands === isIn) return false
  if (isIn) rows.splice(low, 0, row)
  else rows.splice(low, 1)
  return true
}
