// The members that one kind of task can run on. Tasks that ask for the same ability and
// the same labels share a group, so that eligibility is decided once for all of them and
// the hash loops run over arrays of numbers: over the members for a task that chooses,
// over the tasks for a member that comes or goes.

import { compareText, type NodeId } from '../ids.js'
import type { PlacementMember, PlacementTask } from './placement.js'
import { isAvailable, isSuited } from './placement.js'
import { memberSeed } from './placement-score.js'
import { Watch, widened } from './placement-watch.js'

/** A member as the placer holds it. */
export interface MemberRow {
  readonly id: NodeId
  readonly seed: number
  /** Its own within a placer; never given out again. */
  readonly number: number
  member: PlacementMember
  /** The weight of the tasks whose free choice names it. */
  chosenWeight: number
  /** The weight it really has: differs where room is short. */
  load: number
  /** What a task with one slot has when this is its choice: one list, shared by all that it holds. */
  alone: readonly MemberRow[] | null
  aloneId: readonly NodeId[] | null
}

/** A task as the placer holds it. There is one for every task of the mesh, so it is small. */
export interface TaskRow {
  readonly task: PlacementTask
  readonly seed: number
  readonly group: Group
  /** Its place among what its group watches, or its places where it has several slots. */
  at: number
  ats: number[] | null
  /** Slot numbers, ascending; the other lists run beside it. */
  slots: readonly number[]
  /** What the task would get if nobody's room were short. */
  choice: readonly (MemberRow | null)[]
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
  /** Its tasks. */
  readonly watch: Watch
  /** Everybody with the ability and the labels, by id; absent ones too. */
  readonly known: MemberRow[]
  /** Those of them that are available, by id, and their seeds (in a list that may be longer). */
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

export const createMemberRow = (member: PlacementMember, number: number): MemberRow => ({
  id: member.id,
  seed: memberSeed(member.id),
  number,
  member,
  chosenWeight: 0,
  load: 0,
  alone: null,
  aloneId: null,
})

export const createGroup = (key: string, task: PlacementTask, rows: Iterable<MemberRow>): Group => {
  const known = [...rows].filter(row => isSuited(task, row.member)).sort(byId)
  const available = known.filter(row => isAvailable(row.member))
  const { ability, needs } = task
  return {
    key,
    ability,
    needs,
    watch: new Watch(),
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
  const known = put(group.known, row, suited) >= 0
  const fits = suited && isAvailable(member)
  const at = put(group.available, row, fits)
  if (at < 0) return { known, available: 'same' }
  group.codes.clear()
  const { length } = group.available
  if (fits) {
    if (length > group.seeds.length) group.seeds = widened(group.seeds)
    group.seeds.copyWithin(at + 1, at, length - 1)
    group.seeds[at] = row.seed
  } else group.seeds.copyWithin(at, at + 1, length + 1)
  return { known, available: fits ? 'in' : 'out' }
}

const byId = (a: MemberRow, b: MemberRow): number => compareText(a.id, b.id)

export const seedsOf = (rows: readonly MemberRow[]): Int32Array => {
  const seeds = new Int32Array(rows.length)
  for (let i = 0; i < rows.length; i++) seeds[i] = (rows[i] as MemberRow).seed
  return seeds
}

/** Puts the row into the list in the order of ids, or takes it out; says where, or −1 when the list did not change. */
const put = (rows: MemberRow[], row: MemberRow, isIn: boolean): number => {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareText((rows[middle] as MemberRow).id, row.id) < 0) low = middle + 1
    else high = middle
  }
  const stands = rows[low] === row
  if (stands === isIn) return -1
  if (isIn) rows.splice(low, 0, row)
  else rows.splice(low, 1)
  return low
}
