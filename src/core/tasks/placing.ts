// A stand-in for placement, from scratch at every change: slow and obvious.

import { ShoalError } from '../errors.js'
import { combine, hashText } from '../hash.js'
import { compareText, type NodeId, type TaskId } from '../ids.js'
import type { JsonObject } from '../json.js'
import type { TaskSpec } from './spec.js'

export interface PlacementMember {
  readonly id: NodeId
  readonly labels: Readonly<Record<string, string>>
  readonly capacity: number | null
  readonly runs: readonly string[]
  readonly settled: boolean
  readonly draining: boolean
  readonly failing: boolean
  readonly absent?: boolean
}

export interface PlacementTask {
  readonly id: TaskId
  readonly ability: string
  readonly replicas: number | 'all'
  readonly needs: Readonly<Record<string, string>>
  readonly spread: string | null
  readonly weight: number
}

export interface PlacementRule {
  readonly balance: number | null
}

export interface PlacedSlot {
  readonly slot: number
  readonly owner: NodeId | null
}

export interface Placement {
  slotsOf(task: TaskId): readonly PlacedSlot[]
  ownersOf(task: TaskId): readonly (NodeId | null)[]
  ownerOf(task: TaskId, slot: number): NodeId | null
  waitingReason(task: TaskId, slot: number): string | null
  nextInRank(task: TaskId, slot: number, count: number): readonly NodeId[]
  loadOf(member: NodeId): number
}

export interface PlacementChange {
  readonly task: TaskId
  readonly slot: number
  readonly from: NodeId | null
  readonly to: NodeId | null
}

export interface Placer {
  setMember(member: PlacementMember): void
  removeMember(id: NodeId): void
  setTask(task: PlacementTask): void
  removeTask(id: TaskId): void
  setRule(rule: PlacementRule): void
  owners(): Placement
  takeChanges(): readonly PlacementChange[]
}

export const createPlacer = (_rule: PlacementRule): Placer => {
  const members = new Map<NodeId, PlacementMember>()
  const tasks = new Map<TaskId, PlacementTask>()
  let placed = new Map<TaskId, readonly PlacedSlot[]>()
  let told = placed

  const candidates = (task: PlacementTask): NodeId[] => {
    const able = [...members.values()].filter(
      member =>
        member.settled &&
        !member.draining &&
        !member.failing &&
        member.absent !== true &&
        member.capacity !== 0 &&
        member.runs.includes(task.ability) &&
        Object.entries(task.needs).every(([name, value]) => member.labels[name] === value),
    )
    const score = (id: NodeId): number => combine(hashText(task.id), hashText(id))
    return able.map(a => a.id).sort((a, b) => score(b) - score(a) || compareText(a, b))
  }

  const place = (task: PlacementTask): PlacedSlot[] => {
    const ranked = candidates(task)
    return task.replicas === 'all'
      ? ranked.map(owner => ({ slot: hashText(owner), owner })).sort((a, b) => a.slot - b.slot)
      : Array.from({ length: task.replicas }, (_, slot) => ({ slot, owner: ranked[slot] ?? null }))
  }

  let stale = false
  const recompute = (): void => {
    stale = true
  }
  const fresh = (): Map<TaskId, readonly PlacedSlot[]> => {
    if (stale) placed = new Map([...tasks.values()].map(task => [task.id, place(task)]))
    stale = false
    return placed
  }

  const takeChanges = (): PlacementChange[] => {
    const changed: PlacementChange[] = []
    for (const task of new Set([...told.keys(), ...fresh().keys()])) {
      const was = new Map((told.get(task) ?? []).map(({ slot, owner }) => [slot, owner]))
      const is = new Map((fresh().get(task) ?? []).map(({ slot, owner }) => [slot, owner]))
      for (const slot of new Set([...was.keys(), ...is.keys()]))
        if (was.get(slot) !== is.get(slot) || was.has(slot) !== is.has(slot))
          changed.push({ task, slot, from: was.get(slot) ?? null, to: is.get(slot) ?? null })
    }
    told = placed
    return changed
  }

  const ownerOf = (task: TaskId, slot: number): NodeId | null =>
    fresh()
      .get(task)
      ?.find(placed => placed.slot === slot)?.owner ?? null
  const placement: Placement = {
    slotsOf: task => fresh().get(task) ?? [],
    ownersOf: task => (fresh().get(task) ?? []).map(({ owner }) => owner),
    ownerOf,
    waitingReason: (task, slot) =>
      fresh()
        .get(task)
        ?.some(s => s.slot === slot && s.owner === null)
        ? 'no member is eligible'
        : null,
    nextInRank: (id, _slot, count) => {
      const task = tasks.get(id)
      const owners = placement.ownersOf(id)
      return task === undefined
        ? []
        : candidates(task)
            .filter(node => !owners.includes(node))
            .slice(0, count)
    },
    loadOf: () => 0,
  }
  return {
    setMember: member => {
      members.set(member.id, member)
      recompute()
    },
    removeMember: id => {
      if (members.delete(id)) recompute()
    },
    setTask: task => {
      tasks.set(task.id, task)
      recompute()
    },
    removeTask: id => {
      if (tasks.delete(id)) recompute()
    },
    setRule: () => {},
    owners: () => placement,
    takeChanges,
  }
}

export const readStoredSpec = (id: TaskId, raw: JsonObject): TaskSpec => {
  if (raw.run === undefined || raw.when === undefined)
    throw new ShoalError('TASK_INVALID', `task ${id} has no run`)
  const { revision, createdAt, restartedAt, ...spec } = raw
  return spec as unknown as TaskSpec
}
