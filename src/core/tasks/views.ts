// What the engine shows: tasks with their copies as the contract has them (section 5).
// Everything is read from this node's own tables, at once.

import type { NodeId } from '../ids.js'
import type { Json, JsonObject } from '../json.js'
import { formatEpoch } from './claim.js'
import { type Context, isStanding, meshNow } from './context.js'
import { isHolding } from './copy.js'
import type { Results } from './results.js'
import { isReadable, showTask, type Task, type UnreadableTask } from './task-table.js'

export interface CopyView {
  readonly slot: number
  readonly node: NodeId | null
  readonly phase: string
  readonly epoch: string | null
  readonly since: number
  readonly restarts: number
  readonly reason: string | null
  readonly lastError: string | null
}

/** `{…spec, revision, copies, result?}`; a task that cannot be understood has a `problem`. */
export type TaskView = JsonObject

export const viewTask = (ctx: Context, results: Results, task: Task | UnreadableTask): TaskView => {
  if (!isReadable(task))
    return {
      ...task.raw,
      id: task.id,
      revision: typeof task.raw.revision === 'number' ? task.raw.revision : 0,
      copies: [],
      problem: task.problem,
    }
  const result = results.isSafe(task) ? results.get(task) : null
  if (result !== null) {
    const copy: CopyView = {
      slot: 0,
      node: result.node,
      phase: 'stopped',
      epoch: result.epoch,
      since: Math.round(result.at),
      restarts: 0,
      reason: null,
      lastError: result.error,
    }
    const { error, at, node, epoch } = result
    const shown: Json = { ok: error === null, error, value: result.result, at, node, epoch }
    return { ...showTask(task), copies: [copy as unknown as Json], result: shown }
  }
  return { ...showTask(task), copies: copiesOf(ctx, task) as unknown as Json }
}

const copiesOf = (ctx: Context, task: Task): CopyView[] => {
  const copies: CopyView[] = []
  const placed = new Map(
    ctx.placer
      .owners()
      .slotsOf(task.id)
      .map(({ slot, owner }) => [slot, owner]),
  )
  const bySlot = new Map([...ctx.slots.of(task.id)].map(slot => [slot.index, slot]))
  for (const index of [...new Set([...placed.keys(), ...bySlot.keys()])].sort((a, b) => a - b)) {
    const slot = bySlot.get(index)
    const shown = (slot?.claims ?? []).filter(
      claim => isStanding(ctx, claim) || (claim.phase === 'failed' && claim.epoch.node === placed.get(index)),
    )
    for (const claim of shown)
      copies.push({
        slot: index,
        node: claim.epoch.node,
        phase: claim.phase,
        epoch: formatEpoch(claim.epoch),
        since: Math.round(claim.since),
        restarts: claim.restarts,
        reason: claim.phase === 'stopping' ? claim.cause : null,
        lastError: claim.lastError,
      })
    if (shown.length === 0 && placed.has(index))
      copies.push({
        slot: index,
        node: null,
        phase: 'waiting',
        epoch: null,
        since: Math.round(slot?.coverage.trouble?.gapFrom ?? meshNow(ctx)),
        restarts: 0,
        reason: waitingReason(ctx, task, index, placed.get(index) ?? null),
        lastError: slot?.claims.find(claim => claim.lastError !== null)?.lastError ?? null,
      })
  }
  return copies
}

const waitingReason = (ctx: Context, task: Task, index: number, owner: NodeId | null): string => {
  if (owner === null)
    return ctx.placer.owners().waitingReason(task.id, index) ?? 'no eligible member has room for it'
  if (owner !== ctx.self) return `about to start on ${owner}`
  if (!ctx.gateOpen) return 'this node has just booted and waits for its first exchange with a member'
  return task.kind === 'job'
    ? `queued on ${owner}: ${ctx.config.jobsRunningMax} jobs run there already`
    : `about to start on ${owner}`
}

/** How many copies of each phase this node sees, for the metrics. */
export const countPhases = (ctx: Context): Record<string, number> => {
  const phases: Record<string, number> = {}
  for (const slot of ctx.slots.all())
    for (const claim of slot.claims)
      if (claim.phase === 'failed' || (isHolding(claim.phase) && isStanding(ctx, claim)))
        phases[claim.phase] = (phases[claim.phase] ?? 0) + 1
  return phases
}
