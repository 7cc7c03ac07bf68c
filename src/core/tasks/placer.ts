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
import { freeHeirs, nearestOthers, roomiest } from './placement-heirs.js'
import { report } from './placement-report.js'
import { roomOf, settleRoom } from './placement-room.js'
import { taskSeed } from './placement-score.js'

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

  /** What was asked since the last change, by the numbers of those that were dead in it. */
  let rehearsed = new Map<string, Rehearsal>()

  const unsettle = (): void => {
    isSettled = false
    if (rehearsed.size > 0) rehearsed = new Map()
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

  const setAs = (row: MemberRow, member: PlacementMember): void => {
    row.member = member
    refile(row, member)
  }

  /** What would be if these members were dead: they are so for a moment, and then all is as it was. */
  const rehearse = (gone: readonly MemberRow[]): Rehearsal => {
    settle()
    const key = gone.map(({ number }) => number).join(' ')
    const known = rehearsed.get(key)
    if (known !== undefined) return known
    const others = new Map(rehearsed)
    const ownersBefore = [...tasks.values()].map(row => ({ row, owners: row.owners }))
    const held = ownersBefore.filter(({ owners }) => owners.some(owner => owner === gone[0]))
    const loadsBefore = [...members.values()].map(row => ({ row, load: row.load }))
    const wasShort = isShort
    const present = gone.map(row => ({ row, member: row.member }))
    for (const { row, member } of present) setAs(row, { ...member, absent: true })
    settle()
    const owners = new Map(held.map(({ row }) => [row, row.owners]))
    const loads = new Map([...members.values()].map(row => [row, loadOf(row)]))
    for (const { row, member } of present) setAs(row, member)
    for (const { row, owners: real } of ownersBefore) row.owners = real
    for (const { row, load } of loadsBefore) row.load = load
    isShort = wasShort
    isSettled = true
    rehearsed = others.set(key, { owners, loads })
    return { owners, loads }
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

  const loadOf = (member: MemberRow): number => (isShort ? member.load : member.chosenWeight)

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
      const at = indexOf(row, slot)
      const nearest = nearestOthers(row, at, count)
      const owner = row.owners[at] ?? null
      if (isUnlimited()) {
        const isPlain = owner === null || (row.task.spread === null && row.slots.length === 1)
        return idsIn(isPlain ? nearest : freeHeirs(row, at, count))
      }
      const after = owner === null ? null : rehearse([owner])
      const heir = after?.owners.get(row)?.[at] ?? null
      if (owner !== null && heir !== null && tasks.size <= REHEARSED_TWICE_MAX) {
        const second = rehearse([owner, heir]).owners.get(row)?.[at] ?? null
        return idsIn([heir, ...(second === null ? [] : [second]), ...nearest]).slice(0, count)
      }
      const bound = boundOf(rule, members.values())
      const roomy = roomiest(row, at, heir, member => {
        const load = after?.loads.get(member) ?? loadOf(member)
        return load + row.task.weight <= roomOf(member, bound)
      })
      return idsIn([...(heir === null ? [] : [heir]), ...roomy, ...nearest])
    },
    loadOf: id => {
      settle()
      const member = members.get(id)
      return member === undefined ? 0 : loadOf(member)
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

interface Rehearsal {
  /** Of the tasks that a member had: the owners of their slots without it, in the order of these. */
  readonly owners: ReadonlyMap<TaskRow, readonly (MemberRow | null)[]>
  readonly loads: ReadonlyMap<MemberRow, number>
}

/** With more tasks than that, who is next after the first heir is guessed: each heir of a node's tasks would cost some milliseconds. */
const REHEARSED_TWICE_MAX = 1_000

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

const idsIn = (rows: readonly MemberRow[]): readonly NodeId[] => [...new Set(rows.map(row => row.id))]

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
