// Takes in what changed around the engine: tasks, claims, results and checkpoints in
// shared state, members, and the rule of the mesh. It updates the tables, tells
// placement, and marks the slots that have to be looked at; it decides nothing.

import type { NodeId, TaskId } from '../ids.js'
import type { JsonObject } from '../json.js'
import type { Member } from '../member.js'
import type { StateChange } from '../step.js'
import type { Checkpoints } from './checkpoints.js'
import { parseClaimKey } from './claim.js'
import {
  type Context,
  claimOf,
  deleteClaim,
  mayBe,
  placeTask,
  raiseFloor,
  SPACES,
  setClaim,
  slotAt,
} from './context.js'
import { isHolding } from './copy.js'
import type { Observer } from './observer.js'
import { type PlacementMember, type PlacementRule, readRule } from './placement.js'
import type { Results } from './results.js'
import { isReadable, isYoungerTwin, storeTask, type Task, type UnreadableTask } from './task-table.js'

export interface Intake {
  /** Shared state holds another value under this key. */
  load(space: string, key: string): void
  loadRule(): void
  loadMember(id: NodeId): void
  /** Without ids every member is compared. */
  loadMembers(ids: Iterable<NodeId> | undefined): void
  sweepOrphans(): void
  readonly rule: PlacementRule
}

/** So many forgotten members are kept in mind; of those beyond, a claim counts until it is cleared away. */
const GONE_MAX = 10_000
/** How soon after a member was forgotten its claims are ended. */
const GONE_SWEEP_MS = 500

export const createIntake = (
  ctx: Context,
  checkpoints: Checkpoints,
  results: Results,
  observer: Observer,
): Intake => {
  const membersSeen = new Map<NodeId, Pick<Member, 'record' | 'verdict'>>()
  const orphans = new Set<string>()
  let rule: PlacementRule = { balance: null }

  const loadTask = (id: TaskId): void => {
    const value = ctx.deps.state.get(SPACES.tasks, id)
    const before = ctx.tasks.get(id)
    if (value === undefined) {
      if (before === undefined) return
      ctx.tasks.delete(id)
      ctx.madeHere.delete(id)
      ctx.placer.removeTask(id)
      results.forget(id)
      observer.taskChanged(id, 'removed')
      for (const slot of ctx.slots.of(id)) {
        slot.isOfRemoved = true
        ctx.dirty.add(slot)
      }
      return
    }
    const task = ctx.reader.task(id, value)
    if (before !== undefined && ctx.madeHere.has(id) && isYoungerTwin(task, before)) {
      // Every copy would begin anew, without its checkpoint: who made the elder says so to all.
      keepElder(before)
      return
    }
    ctx.tasks.set(id, before === undefined ? task : goOnAs(task, before))
    if (!isReadable(task) || results.isDone(task)) ctx.placer.removeTask(id)
    else placeTask(ctx, task)
    for (const slot of ctx.slots.of(id)) {
      slot.isOfRemoved = false
      ctx.dirty.add(slot)
    }
    const revision = isReadable(task) ? task.revision : 0
    const revisionBefore = before === undefined ? null : isReadable(before) ? before.revision : 0
    if (revisionBefore === null || revisionBefore !== revision)
      observer.taskChanged(id, before === undefined ? 'applied' : 'changed')
  }

  /** A copy of the younger twin that runs here goes on: it does the same. Of a job the result must be the elder's. */
  const goOnAs = (task: Task | UnreadableTask, before: Task | UnreadableTask): Task | UnreadableTask =>
    isReadable(task) && isReadable(before) && task.kind !== 'job' && isYoungerTwin(before, task)
      ? { ...task, execution: before.execution }
      : task

  const keepElder = ({ id, spec, revision, createdAt }: Task): void => {
    const value = storeTask(spec, { revision, createdAt, restartedAt: 0 })
    ctx.out.push(...ctx.deps.state.write(ctx.now, SPACES.tasks, [{ key: id, value }], null))
  }

  const loadClaim = (key: string): void => {
    const value = ctx.deps.state.get(SPACES.claims, key)
    const read = value === undefined ? null : ctx.reader.claim(key, value)
    const claim = read !== null && mayBe(ctx, read.epoch.number) ? read : null
    const at =
      claim === null ? parseClaimKey(key) : { task: claim.task, slot: claim.slot, node: claim.epoch.node }
    if (at === null) return
    if (claim === null && ctx.slots.get(at.task, at.slot) === undefined) return
    const slot = slotAt(ctx, at.task, at.slot)
    const before = claimOf(slot, at.node) ?? null
    if (at.node === ctx.self) {
      // Only this node writes its claims: news of them is that somebody ended one, or what the disk kept.
      const isEnded = claim === null || (claim.phase === 'stopped' && before?.phase !== 'stopped')
      if (before === null && claim !== null && !ctx.started) setClaim(ctx, slot, claim)
      else if (before !== null && isEnded) {
        raiseFloor(ctx, before)
        if (isHolding(slot.local?.state.phase ?? 'waiting') && slot.local !== null)
          slot.local.claimLost = true
        else if (claim === null) deleteClaim(ctx, slot, ctx.self)
        else setClaim(ctx, slot, claim)
      }
    } else if (claim === null) deleteClaim(ctx, slot, at.node)
    else {
      // What was handed over has ended, whatever an older word says.
      const ended =
        before !== null && before.phase === 'stopped' && before.epoch.number === claim.epoch.number
      if (ended && isHolding(claim.phase)) return
      setClaim(ctx, slot, claim)
      observer.claimChanged(slot, before, claim)
    }
    if (claim !== null && (!ctx.tasks.has(at.task) || ctx.deps.members.get(at.node) === undefined))
      noteOrphan(SPACES.claims, key)
    ctx.dirty.add(slot)
  }

  const load = (space: string, key: string): void => {
    if (space === SPACES.tasks) loadTask(key as TaskId)
    else if (space === SPACES.claims) loadClaim(key)
    else if (space === SPACES.results) {
      results.load(key as TaskId)
      if (!ctx.tasks.has(key as TaskId)) noteOrphan(space, key)
    } else if (space === SPACES.checkpoints) {
      const [task = '', index = ''] = key.split('/')
      checkpoints.stateChanged(task as TaskId, Number(index))
      if (!ctx.tasks.has(task as TaskId)) noteOrphan(space, key)
    } else if (space === SPACES.mesh) loadRule()
  }

  const loadRule = (): void => {
    rule = readRule(ctx.deps.state.get(SPACES.mesh, 'balance'))
    ctx.placer.setRule(rule)
  }

  const noteOrphan = (space: string, key: string): void => {
    orphans.add(`${space} ${key}`)
    if (ctx.deadlines.get('orphans') === null) ctx.deadlines.set('orphans', ctx.now + ctx.config.orphanMs)
  }

  /** What tasks and members left behind that are long gone: the lowest live member clears it away. */
  const sweepOrphans = (): void => {
    const lowest = ctx.deps.members
      .all()
      .find(({ verdict }) => verdict === 'alive' || verdict === 'suspect')?.id
    const changes = new Map<string, StateChange[]>()
    for (const orphan of orphans) {
      const [space = '', key = ''] = orphan.split(' ')
      const task = key.split('/')[0] as TaskId
      const node = space === SPACES.claims ? parseClaimKey(key)?.node : undefined
      const held = ctx.deps.state.get(space, key)
      if (held === undefined || (lowest !== ctx.self && node !== ctx.self)) continue
      let value: JsonObject | undefined
      if (ctx.tasks.has(task)) {
        const isStranger = node !== undefined && ctx.deps.members.get(node) === undefined
        const claim = held as JsonObject
        if (!isStranger || claim.phase === 'stopped') continue
        // It stays, as one that has ended: its number must not be given out again. Should its owner
        // live after all, it sees this and claims anew.
        value = { ...claim, phase: 'stopped' }
      } else for (const slot of ctx.slots.of(task)) slot.isOfRemoved = true
      changes.set(space, [...(changes.get(space) ?? []), { key, value }])
    }
    orphans.clear()
    for (const [space, removed] of changes) {
      ctx.out.push(...ctx.deps.state.write(ctx.now, space, removed, null))
      for (const { key } of removed) load(space, key)
    }
  }

  const loadMember = (id: NodeId): void => {
    const member = ctx.deps.members.get(id)
    const seen = membersSeen.get(id)
    if (member === undefined) {
      if (seen === undefined) return
      // Only who is dead or has left is forgotten; those who come later never heard of it.
      if (ctx.gone.size < GONE_MAX) ctx.gone.add(id)
      for (const slot of ctx.slotsOfNode.get(id) ?? []) orphans.add(`${SPACES.claims} ${slot.key}/${id}`)
      ctx.deadlines.set(
        'orphans',
        Math.min(ctx.deadlines.get('orphans') ?? Number.POSITIVE_INFINITY, ctx.now + GONE_SWEEP_MS),
      )
      membersSeen.delete(id)
      ctx.availableSince.delete(id)
      ctx.backSince.delete(id)
      ctx.placedMembers.delete(id)
      ctx.placer.removeMember(id)
    } else {
      const { record, verdict } = member
      ctx.gone.delete(id)
      if (seen?.record === record && seen.verdict === verdict && id !== ctx.self) return
      membersSeen.set(id, { record, verdict })
      const absent = verdict === 'dead' || verdict === 'left'
      const draining = record.draining || (id === ctx.self && ctx.leaving)
      const { labels, capacity, runs, settled, health } = record
      if (absent) ctx.backSince.delete(id)
      else if (seen?.verdict === 'dead' && seen.record.generation.number === record.generation.number)
        ctx.backSince.set(id, ctx.now)
      const placed: PlacementMember = {
        id,
        labels,
        capacity,
        runs,
        settled,
        draining,
        failing: health === 'failing',
        absent,
      }
      ctx.placedMembers.set(id, placed)
      ctx.placer.setMember(placed)
      if (absent || draining || !settled) ctx.availableSince.delete(id)
      else if (!ctx.availableSince.has(id)) ctx.availableSince.set(id, ctx.now)
      if (
        seen !== undefined &&
        seen.verdict === verdict &&
        seen.record.generation.number === record.generation.number
      )
        return
    }
    // Its claims count otherwise now: they stand no more, or again.
    for (const slot of ctx.slotsOfNode.get(id) ?? []) ctx.dirty.add(slot)
  }

  const loadMembers = (ids: Iterable<NodeId> | undefined): void => {
    if (ids !== undefined) for (const id of ids) loadMember(id)
    else {
      for (const { id } of ctx.deps.members.all()) loadMember(id)
      for (const id of [...membersSeen.keys()]) if (ctx.deps.members.get(id) === undefined) loadMember(id)
    }
  }

  return {
    load,
    loadRule,
    loadMember,
    loadMembers,
    sweepOrphans,
    get rule() {
      return rule
    },
  }
}
