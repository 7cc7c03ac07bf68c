// The placement that is kept up to date: told of each change of a member or a task, it
// looks again only at the tasks that the change can touch, and equals at every moment
// the placement from scratch (which is the same code on an empty start).
//
// A member that goes is looked for only in the tasks that chose it; one that comes costs
// one hash for each task of its kind. Only when someone's room is short is everything
// settled anew (`placement-room.ts`).

import { compareText, type NodeId, type TaskId } from '../ids.js'
import type {
  Placement,
  PlacementChange,
  PlacementMember,
  PlacementRule,
  PlacementTask,
} from './placement.js'
import { isAvailable } from './placement.js'
import { choose, looksAtKnown } from './placement-choice.js'
import {
  createGroup,
  createMemberRow,
  fileMember,
  type Group,
  groupKey,
  type MemberRow,
  type TaskRow,
} from './placement-group.js'
import { report } from './placement-report.js'
import { roomOf, settleRoom } from './placement-room.js'
import { distance, placeOf, slotPoint, taskSeed } from './placement-score.js'

export interface Placer {
  setMember(member: PlacementMember): void
  removeMember(id: NodeId): void
  setTask(task: PlacementTask): void
  removeTask(id: TaskId): void
  setRule(rule: PlacementRule): void
  /** A view of what holds now, also after later changes. */
  owners(): Placement
  /** What changed since the last call, by task and slot: a new owner, a new slot (from null), a slot that is no more (to null). */
  takeChanges(): readonly PlacementChange[]
}

/** The placement of these tasks on these members, from scratch. */
export const place = (
  tasks: Iterable<PlacementTask>,
  members: Iterable<PlacementMember>,
  rule: PlacementRule,
): Placement => {
  const placer = createPlacer(rule)
  for (const member of members) placer.setMember(member)
  for (const task of tasks) placer.setTask(task)
  return placer.owners()
}

export const createPlacer = (initialRule: PlacementRule): Placer => {
  let rule = initialRule
  const members = new Map<NodeId, MemberRow>()
  const tasks = new Map<TaskId, TaskRow>()
  const groups = new Map<string, Group>()
  /** Tasks whose owners may differ from what was reported. */
  const unreported = new Set<TaskRow>()
  const removed = new Map<TaskId, TaskRow>()
  let isSettled = true
  let isShort = false
  let memberNumber = 0
  /** Members whose capacity has an end: without any, and without `balance`, nobody's room is short. */
  let limited = 0

  /** Who would have every task's slots without this member, as long as nothing changes. */
  let rehearsed: { readonly without: MemberRow; readonly owners: Owners } | null = null

  const unsettle = (): void => {
    isSettled = false
    rehearsed = null
  }

  const rechoose = (row: TaskRow): void => {
    const { weight } = row.task
    for (const member of row.choice) if (member !== null) member.chosenWeight -= weight
    choose(row)
    for (const member of row.choice) if (member !== null) member.chosenWeight += weight
    row.owners = row.choice
    unreported.add(row)
    unsettle()
  }

  const refile = (row: MemberRow, member: PlacementMember | null): void => {
    for (const group of groups.values()) {
      const before = group.known.length
      const filed = fileMember(group, row, member)
      if (!filed.known && filed.available === 'same') continue
      const touched = new Set<TaskRow>()
      if (filed.known) {
        const fewest = Math.min(before, group.known.length)
        for (const task of group.watch.rows) if (looksAtKnown(task, fewest)) touched.add(task)
      }
      if (filed.available === 'out') group.watch.addGoing(row, touched)
      if (filed.available === 'in') group.watch.addComing(row, touched)
      for (const task of touched) rechoose(task)
    }
    unsettle()
  }

  const groupOf = (task: PlacementTask): Group => {
    const key = groupKey(task)
    let group = groups.get(key)
    if (group === undefined) {
      group = createGroup(key, task, members.values())
      groups.set(key, group)
    }
    return group
  }

  const settle = (): void => {
    if (isSettled) return
    isSettled = true
    if (isUnlimited() && !isShort) return
    const bound = boundOf(rule, members.values())
    let isNowShort = false
    for (const member of members.values()) {
      if (member.chosenWeight > roomOf(member, bound)) isNowShort = true
    }
    if (isNowShort) settleRoom(tasks.values(), members.values(), bound)
    if (isNowShort || isShort) {
      for (const row of tasks.values()) {
        if (!isNowShort) row.owners = row.choice
        unreported.add(row)
      }
    }
    isShort = isNowShort
  }

  /** Nobody's room is short for want of a limit. */
  const isUnlimited = (): boolean => rule.balance === null && limited === 0

  /** The owners of this member's tasks if it were dead: it is so for a moment, and then all is as it was. */
  const rehearseDeath = (gone: MemberRow): Owners => {
    settle()
    if (rehearsed?.without === gone) return rehearsed.owners
    const held = [...tasks.values()].filter(row => row.owners.includes(gone))
    const before = isUnlimited() ? [] : [...tasks.values()].map(row => ({ row, owners: row.owners }))
    const loads = [...members.values()].map(row => ({ row, load: row.load }))
    const wasShort = isShort
    const { member } = gone
    gone.member = { ...member, absent: true }
    refile(gone, gone.member)
    settle()
    const owners: Owners = new Map(held.map(row => [row, row.owners]))
    gone.member = member
    refile(gone, member)
    for (const { row, owners: real } of before) row.owners = real
    for (const { row, load } of loads) row.load = load
    isShort = wasShort
    isSettled = true
    rehearsed = { without: gone, owners }
    return owners
  }

  const setMember = (member: PlacementMember): void => {
    const row = members.get(member.id)
    if (row === undefined) {
      const created = createMemberRow(member, memberNumber++)
      members.set(member.id, created)
      if (member.capacity !== null) limited++
      refile(created, member)
      return
    }
    const old = row.member
    const isElsewhere = !sameLabels(old.labels, member.labels) || !sameItems(old.runs, member.runs)
    if (isElsewhere) refile(row, null)
    row.member = member
    if (isElsewhere || isAvailable(old) !== isAvailable(member)) refile(row, member)
    if (old.capacity === member.capacity) return
    limited += (member.capacity === null ? 0 : 1) - (old.capacity === null ? 0 : 1)
    unsettle()
  }

  const removeMember = (id: NodeId): void => {
    const row = members.get(id)
    if (row === undefined) return
    refile(row, null)
    members.delete(id)
    if (row.member.capacity !== null) limited--
  }

  const dropRow = (row: TaskRow): void => {
    for (const member of row.choice) if (member !== null) member.chosenWeight -= row.task.weight
    row.group.watch.drop(row)
    if (row.group.watch.rows.length === 0) groups.delete(row.group.key)
    tasks.delete(row.task.id)
    unreported.delete(row)
    unsettle()
  }

  const setTask = (task: PlacementTask): void => {
    const old = tasks.get(task.id)
    if (old !== undefined && sameTask(old.task, task)) return
    const reported = old ?? removed.get(task.id)
    if (old !== undefined) dropRow(old)
    removed.delete(task.id)
    const row: TaskRow = {
      task,
      seed: taskSeed(task.id),
      group: groupOf(task),
      at: 0,
      ats: null,
      slots: NONE,
      choice: NONE,
      isSeated: false,
      owners: NONE,
      reportedSlots: reported?.reportedSlots ?? NONE,
      reported: reported?.reported ?? NONE,
    }
    tasks.set(task.id, row)
    row.group.watch.add(row)
    rechoose(row)
  }

  const removeTask = (id: TaskId): void => {
    const row = tasks.get(id)
    if (row === undefined) return
    dropRow(row)
    removed.set(id, row)
  }

  const takeChanges = (): readonly PlacementChange[] => {
    settle()
    if (removed.size === 0 && unreported.size === 0) return NONE
    const changes: PlacementChange[] = []
    for (const row of removed.values()) report(row, [], [], changes)
    for (const row of unreported) report(row, row.slots, row.owners, changes)
    removed.clear()
    unreported.clear()
    return changes.sort((a, b) => compareText(a.task, b.task) || a.slot - b.slot)
  }

  const indexOf = (row: TaskRow | undefined, slot: number): number => row?.slots.indexOf(slot) ?? -1

  const view: Placement = {
    slotsOf: id => {
      settle()
      const row = tasks.get(id)
      return row?.slots.map((slot, i) => ({ slot, owner: row.owners[i]?.id ?? null })) ?? []
    },
    ownersOf: id => {
      settle()
      return tasks.get(id)?.owners.map(owner => owner?.id ?? null) ?? []
    },
    ownerOf: (id, slot) => {
      settle()
      const row = tasks.get(id)
      return row?.owners[indexOf(row, slot)]?.id ?? null
    },
    waitingReason: (id, slot) => {
      settle()
      const row = tasks.get(id)
      const at = indexOf(row, slot)
      if (row === undefined || at < 0 || row.owners[at] !== null) return null
      return reasonOf(row, members.values())
    },
    nextInRank: (id, slot, count) => {
      settle()
      const row = tasks.get(id)
      if (row === undefined || row.isSeated || indexOf(row, slot) < 0) return []
      const point = slotPoint(slot)
      const others = row.group.available.filter(member => !row.owners.includes(member))
      const apartOf = (member: MemberRow): number => distance(placeOf(row.seed, member.seed), point)
      const nearest = nearestFirst(others, apartOf, count)
      if (isUnlimited() && row.task.spread === null && row.slots.length === 1) return nearest
      // Spread, room and the other slots have their say, so the rule itself is asked.
      const at = indexOf(row, slot)
      const owner = row.owners[at] ?? null
      const heir = owner === null ? null : (rehearseDeath(owner).get(row)?.[at] ?? null)
      const first = heir === null ? nearest : [heir.id, ...nearest]
      if (isUnlimited()) return [...new Set(first)]
      // Should the heir go too: the nearest may be full, and then it goes on to one that has room.
      const bound = boundOf(rule, members.values())
      const { weight } = row.task
      const roomy = others.filter(
        member =>
          member !== heir && (isShort ? member.load : member.chosenWeight) + weight <= roomOf(member, bound),
      )
      return [...new Set([...first, ...nearestFirst(roomy, apartOf, 1)])]
    },
    loadOf: id => {
      settle()
      const member = members.get(id)
      return (isShort ? member?.load : member?.chosenWeight) ?? 0
    },
  }

  return {
    setMember,
    removeMember,
    setTask,
    removeTask,
    setRule: next => {
      rule = next
      unsettle()
    },
    owners: () => view,
    takeChanges,
  }
}

/** The owners of each task's slots, in the order of these. */
type Owners = ReadonlyMap<TaskRow, readonly (MemberRow | null)[]>

const NONE: readonly never[] = []

/** ceil(balance × mean load), with the knob counted in thousandths so that 1.1 × 10 is 11. */
const boundOf = (rule: PlacementRule, rows: Iterable<MemberRow>): number | null => {
  if (rule.balance === null) return null
  let count = 0
  let weight = 0
  for (const row of rows) {
    if (isAvailable(row.member)) count++
    weight += row.chosenWeight
  }
  return count === 0 ? null : Math.ceil((Math.round(rule.balance * 1_000) * weight) / (1_000 * count))
}

/** The `count` nearest, nearest first; equals keep their order, which is that of ids. */
const nearestFirst = (
  rows: readonly MemberRow[],
  apartOf: (row: MemberRow) => number,
  count: number,
): readonly NodeId[] => {
  const best: { readonly id: NodeId; readonly apart: number }[] = []
  for (const row of rows) {
    const apart = apartOf(row)
    let at = best.length
    while (at > 0 && (best[at - 1] as { apart: number }).apart > apart) at--
    if (at >= count) continue
    best.splice(at, 0, { id: row.id, apart })
    if (best.length > count) best.pop()
  }
  return best.map(entry => entry.id)
}

const reasonOf = (row: TaskRow, all: Iterable<MemberRow>): string => {
  const { ability, needs } = row.task
  const { known, available } = row.group
  const asked = Object.keys(needs).map(label => `${label}=${needs[label]}`)
  if (known.length === 0) {
    for (const member of all) {
      if (member.member.runs.includes(ability))
        return `no member that can run ${ability} has ${asked.join(', ')}`
    }
    return `no member can run ${ability}`
  }
  if (available.length === 0) {
    return `nobody is available of the ${known.length} that could run it (absent, not settled, draining, failing or of capacity 0)`
  }
  const others = available.filter(member => !row.owners.includes(member))
  if (others.length === 0) return `each of the ${available.length} eligible members has a copy already`
  if (row.isSeated && row.task.replicas !== 'all' && others.every(member => !row.choice.includes(member))) {
    return 'the member that this slot belongs to is away'
  }
  return `capacity is full: ${others.length} more could run it and have no room for its weight of ${row.task.weight}`
}

const sameItems = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i])

const sameLabels = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean => {
  if (a === b) return true
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length && keys.every(key => Object.hasOwn(b, key) && a[key] === b[key])
  )
}

const sameTask = (a: PlacementTask, b: PlacementTask): boolean =>
  a.ability === b.ability &&
  a.replicas === b.replicas &&
  a.spread === b.spread &&
  a.weight === b.weight &&
  sameLabels(a.needs, b.needs)
