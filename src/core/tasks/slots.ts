// The slots of the mesh: one for every copy of every task, on every node, whether it runs
// there or not. So a slot is small, what is rare in it is made when it is needed, and it
// is found through its task and number: a text for each as a key would cost more than
// the copy's claim.

import type { Millis, NodeId, TaskId } from '../ids.js'
import type { TaskCause } from '../mesh-event.js'
import type { CopyId } from '../step.js'
import { type Coverage, startCoverage } from './availability.js'
import type { Checkpoint } from './checkpoint.js'
import { type Claim, slotKey } from './claim.js'
import { type CopyState, numberOf } from './copy.js'
import type { Task } from './task-table.js'

/** One copy of one task, as this node sees it. */
export class Slot {
  readonly task: TaskId
  readonly index: number
  /** Slots are numbered as they are made: an order that does not depend on how they are kept. Below 0 it is no more. */
  order: number
  /** The newest claim of every node that has one, this node's included; seldom more than one. */
  claims: readonly Claim[] = NO_CLAIMS
  /** The highest epoch number ever seen. */
  highest = 0
  /** Present while this node has, had or wants the copy. */
  local: LocalCopy | null = null
  checkpoint: Checkpoint | null = null
  /** Its task was known here and is no more; of one that is not known yet, what is told of its copies may come first. */
  isOfRemoved = false
  readonly coverage: Coverage

  constructor(task: TaskId, index: number, order: number, now: Millis) {
    this.task = task
    this.index = index
    this.order = order
    this.coverage = startCoverage(now)
  }

  /** What names it in shared state, on disk and among the deadlines. */
  get key(): string {
    return slotKey(this.task, this.index)
  }
}

/** Shared by all slots without one; claims are replaced and never changed in place. */
export const NO_CLAIMS: readonly Claim[] = []

/** This node's copy of a slot. */
export interface LocalCopy {
  state: CopyState
  /** What the executor holds, or null. */
  launched: CopyId | null
  /** The task as the copy was started with. */
  task: Task | null
  /** Why this node took it. */
  cause: TaskCause
  since: Millis
  /** Until when a live rival's claim is respected, or null while there is none. */
  handAt: Millis | null
  /** Until when the last checkpoint of the copy before is waited for, or null. */
  savedAt: Millis | null
  /** When a copy that is to move is stopped, or null. */
  movesAt: Millis | null
  /** Until when claims of members that are held dead are left alone, or null while there are none. */
  deadClaimsAt: Millis | null
  /** While it waits: how long until somebody is asked. */
  lookMs: Millis
  /** Its last owner said that this node is next. */
  invited: boolean
  /** It took its place at such an invitation. */
  wasInvited: boolean
  /** No run begins before this moment. */
  calmUntil: Millis
  /** Of a copy that overlaps with others: whose last word it waits for before it is launched, and until when. */
  lastWords: { readonly from: Set<NodeId>; readonly untilAt: Millis } | null
  /** To whom it was handed, and until when that member's answer is awaited. */
  handedTo: { readonly node: NodeId; readonly untilAt: Millis } | null
  /** In mesh time, up to where the periods are done. */
  covered: Millis | null
  lastError: string | null
  /** Failures and errors of periodic runs, for show. */
  errors: number
  /** A higher number whose claim is on its way to the disk. */
  renewTo: number | null
  /** Somebody who held this node dead has removed its claim. */
  claimLost: boolean
  /** The last checkpoint's number within its epoch. */
  sequence: number
  /** What it saved last or, until then, what it began with. */
  goesOn: Checkpoint | null
}

/** The number under which this node speaks of its copy. */
export const claimNumber = (local: LocalCopy): number => local.renewTo ?? numberOf(local.state)

export class SlotTable {
  /** Most tasks have one slot, which then stands here itself; the others by number. */
  readonly #ofTask = new Map<TaskId, Slot | Map<number, Slot>>()
  #made = 0

  get(task: TaskId, index: number): Slot | undefined {
    const held = this.#ofTask.get(task)
    if (held instanceof Slot) return held.index === index ? held : undefined
    return held?.get(index)
  }

  /** The slot of such a key, if there is one. */
  find(key: string): Slot | undefined {
    const slash = key.indexOf('/')
    return this.get(key.slice(0, slash) as TaskId, Number(key.slice(slash + 1)))
  }

  /** Asked of every slot that anything happened to: read from the slot itself. */
  has(slot: Slot): boolean {
    return slot.order >= 0
  }

  /** A task's slots in the order in which they were made. */
  of(task: TaskId): Iterable<Slot> {
    const held = this.#ofTask.get(task)
    if (held === undefined) return []
    return held instanceof Slot ? [held] : held.values()
  }

  add(task: TaskId, index: number, now: Millis): Slot {
    const slot = new Slot(task, index, this.#made++, now)
    const held = this.#ofTask.get(task)
    if (held === undefined) this.#ofTask.set(task, slot)
    else if (held instanceof Slot)
      this.#ofTask.set(
        task,
        new Map([
          [held.index, held],
          [index, slot],
        ]),
      )
    else held.set(index, slot)
    return slot
  }

  delete(slot: Slot): void {
    slot.order = -1
    const held = this.#ofTask.get(slot.task)
    if (held === slot) this.#ofTask.delete(slot.task)
    else if (held instanceof Map && held.get(slot.index) === slot) {
      held.delete(slot.index)
      if (held.size === 0) this.#ofTask.delete(slot.task)
    }
  }

  /** Every slot, in the order in which they were made. */
  all(): Slot[] {
    const slots: Slot[] = []
    for (const held of this.#ofTask.values())
      if (held instanceof Slot) slots.push(held)
      else slots.push(...held.values())
    return slots.sort((a, b) => a.order - b.order)
  }
}
