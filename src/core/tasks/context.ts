// What the parts of the task engine share: the tables of tasks and slots, and the
// step that is under way. Only lookups stand here; decisions stand in the parts.

import { DeadlineQueue } from '../deadline-queue.js'
import type { Millis, NodeId, TaskId } from '../ids.js'
import type { MembersView } from '../member.js'
import type { Rng } from '../rng.js'
import type { StateAccess } from '../state/view.js'
import type { Channel, Effect, StoreEntry } from '../step.js'
import { type Claim, compareEpochs, isPlausible } from './claim.js'
import { isHolding, WAITING } from './copy.js'
import type { OffsetMinutes } from './cron.js'
import type { EngineConfig } from './engine-config.js'
import { readFloor } from './floor.js'
import type { PlacementMember } from './placement.js'
import { createPlacer, type Placer } from './placer.js'
import { createReader, type Reader } from './reader.js'
import { type LocalCopy, NO_CLAIMS, type Slot, SlotTable } from './slots.js'
import { isReadable, type Task, type UnreadableTask } from './task-table.js'

export { OWN_SPACES as SPACES } from '../own-spaces.js'

export interface TaskEngineDeps {
  readonly self: NodeId
  readonly members: MembersView
  readonly state: StateAccess
  readonly config: EngineConfig
  readonly rng: Rng
  /** A counter shared by all parts of the core. */
  readonly nextToken: () => number
  readonly zoneOffset: OffsetMinutes
  readonly meshTime: (now: Millis) => Millis
  /** Shared by nodes that live in one process, if given. */
  readonly reader?: Reader
  /** This node's own entries of the store under `t/`, as recovered. */
  readonly entries: readonly StoreEntry[]
}

export interface Context {
  readonly deps: TaskEngineDeps
  readonly self: NodeId
  readonly config: EngineConfig
  readonly reader: Reader
  now: Millis
  out: Effect[]
  readonly tasks: Map<TaskId, Task | UnreadableTask>
  readonly slots: SlotTable
  /** The slots in which a node has a claim. */
  readonly slotsOfNode: Map<NodeId, Set<Slot>>
  /** Members that were dead or left and are forgotten: no process stands behind their claims. */
  readonly gone: Set<NodeId>
  /** Keys are `<what>|<slot key>`, or `<what>` alone. */
  readonly deadlines: DeadlineQueue<string>
  /** Tasks that were made here, in this life. */
  readonly madeHere: Set<TaskId>
  /** Slots that this step has to look at. */
  readonly dirty: Set<Slot>
  /** Members whose word about a hand-over is late. */
  readonly overdue: Set<NodeId>
  readonly placer: Placer
  /** What placement was told of the members. */
  readonly placedMembers: Map<NodeId, PlacementMember>
  /** No claim of this node may be at or below it: above all its claims that were removed. */
  floor: number
  started: boolean
  gateOpen: boolean
  leaving: boolean
  /** After a freeze no run begins before this moment. */
  calmUntil: Millis
  /** Loading what was recovered tells nobody anything. */
  quiet: boolean
  /** When a member that was held dead was met again in the same life: what it ran, it runs. */
  readonly backSince: Map<NodeId, Millis>
  /** When a member became able to take tasks. */
  readonly availableSince: Map<NodeId, Millis>
}

export const createContext = (deps: TaskEngineDeps): Context => ({
  deps,
  self: deps.self,
  config: deps.config,
  reader: deps.reader ?? createReader(deps.zoneOffset, id => deps.members.get(id)?.id ?? id),
  now: 0,
  out: [],
  tasks: new Map(),
  slots: new SlotTable(),
  slotsOfNode: new Map(),
  gone: new Set(),
  deadlines: new DeadlineQueue(),
  madeHere: new Set(),
  dirty: new Set(),
  overdue: new Set(),
  placer: createPlacer({ balance: null }),
  placedMembers: new Map(),
  floor: readFloor(deps.entries),
  started: false,
  gateOpen: false,
  leaving: false,
  calmUntil: 0,
  quiet: false,
  backSince: new Map(),
  availableSince: new Map(),
})

/** An own claim goes: whatever is claimed next must be above it, also after a restart. */
export const raiseFloor = (ctx: Context, claim: Claim): void => {
  ctx.floor = Math.max(ctx.floor, claim.epoch.number)
}

/** Tells placement about a task, unless its job is done. */
export const placeTask = (ctx: Context, task: Task): void => {
  ctx.placer.setTask(task.placement)
}

export const meshNow = (ctx: Context): Millis => ctx.deps.meshTime(ctx.now)

/** Whether an epoch that a peer speaks of may be: the numbers of others follow from it. */
export const mayBe = (ctx: Context, epochNumber: number): boolean => isPlausible(epochNumber, meshNow(ctx))

export const taskOf = (ctx: Context, id: TaskId): Task | null => {
  const task = ctx.tasks.get(id)
  return task !== undefined && isReadable(task) ? task : null
}

export const slotAt = (ctx: Context, task: TaskId, index: number): Slot =>
  // The task's own text, so that its slots do not hold one more.
  ctx.slots.get(task, index) ?? ctx.slots.add(ctx.tasks.get(task)?.id ?? task, index, ctx.now)

export const dropSlot = (ctx: Context, slot: Slot): void => {
  ctx.slots.delete(slot)
  for (const what of ['hand', 'look', 'move', 'dead', 'show', 'retry', 'period', 'steady', 'save', 'error'])
    ctx.deadlines.delete(`${what}|${slot.key}`)
}

export const localOf = (slot: Slot): LocalCopy => {
  slot.local ??= {
    state: WAITING,
    launched: null,
    task: null,
    cause: 'applied',
    since: 0,
    handAt: null,
    savedAt: null,
    movesAt: null,
    deadClaimsAt: null,
    lookMs: 0,
    lastWords: null,
    handedTo: null,
    invited: false,
    wasInvited: false,
    calmUntil: 0,
    covered: null,
    lastError: null,
    errors: 0,
    renewTo: null,
    claimLost: false,
    sequence: 0,
    goesOn: null,
  }
  return slot.local
}

export const claimOf = (slot: Slot, node: NodeId): Claim | undefined =>
  slot.claims.find(claim => claim.epoch.node === node)

export const setClaim = (ctx: Context, slot: Slot, claim: Claim): void => {
  const at = slot.claims.findIndex(held => held.epoch.node === claim.epoch.node)
  if (slot.claims.length === 0 || (at === 0 && slot.claims.length === 1)) slot.claims = [claim]
  else slot.claims = at < 0 ? [...slot.claims, claim] : slot.claims.with(at, claim)
  slot.highest = Math.max(slot.highest, claim.epoch.number)
  if (at < 0) addTo(ctx.slotsOfNode, claim.epoch.node, slot)
}

export const deleteClaim = (ctx: Context, slot: Slot, node: NodeId): void => {
  const at = slot.claims.findIndex(claim => claim.epoch.node === node)
  if (at >= 0) slot.claims = slot.claims.length === 1 ? NO_CLAIMS : slot.claims.toSpliced(at, 1)
  removeFrom(ctx.slotsOfNode, node, slot)
}

/** Whether a copy should run in this slot now, somewhere. */
export const isPlaced = (ctx: Context, slot: Slot): boolean => {
  const placement = ctx.placer.owners()
  return (
    placement.ownerOf(slot.task, slot.index) !== null ||
    placement.waitingReason(slot.task, slot.index) !== null
  )
}

/** How a message goes to a node: over the link if there is one. */
export const channelTo = (ctx: Context, node: NodeId): Channel =>
  ctx.deps.members.isLinked(node) ? 'link' : 'direct'

/** A member that nobody declared dead; a stranger counts as alive, for its claim came from somewhere. */
export const isLive = (ctx: Context, node: NodeId): boolean => {
  const verdict = ctx.deps.members.get(node)?.verdict
  return verdict !== 'dead' && verdict !== 'left' && !ctx.gone.has(node)
}

/** Whether this member was held dead until lately and lived on: then it most likely runs what placement names it for. */
export const isBack = (ctx: Context, node: NodeId): boolean => {
  const since = ctx.backSince.get(node)
  return since !== undefined && ctx.now - since < ctx.config.deadClaimMs
}

/** Whether a process may stand behind this claim, as far as this node can tell. */
export const isStanding = (ctx: Context, claim: Claim): boolean => {
  if (!isHolding(claim.phase) || !isLive(ctx, claim.epoch.node)) return false
  const life = ctx.deps.members.get(claim.epoch.node)?.record.generation.number
  return life === undefined || life <= claim.boot
}

export const highestClaim = (slot: Slot): Claim | null => {
  let best: Claim | null = null
  for (const claim of slot.claims)
    if (best === null || compareEpochs(claim.epoch, best.epoch) > 0) best = claim
  return best
}

export const addTo = <Key, Item>(sets: Map<Key, Set<Item>>, key: Key, item: Item): void => {
  const set = sets.get(key)
  if (set === undefined) sets.set(key, new Set([item]))
  else set.add(item)
}

const removeFrom = <Key, Item>(sets: Map<Key, Set<Item>>, key: Key, item: Item): void => {
  const set = sets.get(key)
  if (set === undefined) return
  set.delete(item)
  if (set.size === 0) sets.delete(key)
}
