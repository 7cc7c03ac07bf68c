// Writes this node's claims into shared state, all those of a step at once, and
// remembers who waits for them to become durable.

import type { NodeId } from '../ids.js'
import type { Json } from '../json.js'
import { type Claim, claimKey, type Epoch, formatEpoch, storeClaim } from './claim.js'
import { type Context, claimOf, deleteClaim, isLive, SPACES, setClaim } from './context.js'
import { isHolding } from './copy.js'
import { writeFloor } from './floor.js'
import type { Observer } from './observer.js'
import { claimNumber, type LocalCopy, type Slot } from './slots.js'

export interface ClaimWaiter {
  readonly slot: Slot
  readonly number: number
}

export interface ClaimWriter {
  /** This node's claim as its copy stands. `told`: who waits for it hears it from this node itself. */
  publish(slot: Slot, local: LocalCopy, told?: boolean): void
  /** The same for this node alone: a word to all may follow. */
  note(slot: Slot, local: LocalCopy): void
  replace(slot: Slot, claim: Claim): void
  remove(slot: Slot, node: NodeId): void
  /** The claims of dead members below this number go, in the write in which a higher one stands. */
  bury(slot: Slot, number: number): void
  /** The claim of this step is waited for. */
  await(slot: Slot, number: number): void
  flush(): void
  /** Who waited for this token, or null when it is not one of these. */
  takeDurable(token: number): readonly ClaimWaiter[] | null
}

export const createClaimWriter = (ctx: Context, observer: Observer): ClaimWriter => {
  const writes = new Map<string, Json | undefined>()
  let waiters: ClaimWaiter[] = []
  /** How long the others may do without the writes of this step. */
  let lazyMs = Number.POSITIVE_INFINITY
  const waiting = new Map<number, ClaimWaiter[]>()
  let floorStored = ctx.floor

  const claimAs = (slot: Slot, local: LocalCopy): Claim | null => {
    const { state } = local
    if (state.phase === 'waiting') return null
    const record = ctx.deps.members.get(ctx.self)?.record
    const epoch: Epoch = { number: claimNumber(local), node: ctx.self }
    // What it saved under an earlier number is not awaited under this one.
    const hasSaved = state.phase === 'stopped' && local.goesOn?.epoch === formatEpoch(epoch)
    return {
      task: slot.task,
      slot: slot.index,
      epoch,
      phase: state.phase,
      since: local.since,
      restarts: local.errors,
      lastError: local.lastError,
      cause: state.phase === 'stopping' || state.phase === 'stopped' ? state.cause : local.cause,
      boot: record?.generation.number ?? 0,
      covered: isHolding(state.phase) ? null : local.covered,
      saved: hasSaved ? local.sequence : 0,
      execution: local.task?.execution ?? 0,
    }
  }

  const publish = (slot: Slot, local: LocalCopy, told = false): void => {
    const claim = claimAs(slot, local)
    if (claim === null) return
    const { state } = local
    const isAwaited =
      state.phase === 'failed' ||
      (state.phase === 'stopped' && !told) ||
      (state.phase === 'running' && local.task?.spec.overlap === true)
    const { passingLazyMs, plannedLazyMs } = ctx.config
    replace(slot, claim, isAwaited ? 0 : told || local.wasInvited ? plannedLazyMs : passingLazyMs)
  }

  const replace = (slot: Slot, claim: Claim, lazy = 0): void => {
    lazyMs = Math.min(lazyMs, lazy)
    writes.set(claimKey(slot.task, slot.index, ctx.self), storeClaim(claim))
    keep(slot, claim)
  }

  const keep = (slot: Slot, claim: Claim): void => {
    const before = claimOf(slot, ctx.self) ?? null
    setClaim(ctx, slot, claim)
    observer.claimChanged(slot, before, claim)
  }

  /** The claims of dead members go in the write in which a higher one stands. */
  const bury = (slot: Slot, number: number): void => {
    for (const claim of slot.claims.slice()) {
      const { node } = claim.epoch
      if (node === ctx.self || isLive(ctx, node) || claim.epoch.number >= number) continue
      writes.set(claimKey(slot.task, slot.index, node), undefined)
      deleteClaim(ctx, slot, node)
    }
  }

  const flush = (): void => {
    if (writes.size > 0) {
      const token = waiters.length > 0 ? ctx.deps.nextToken() : null
      if (token !== null) waiting.set(token, waiters)
      waiters = []
      if (ctx.floor !== floorStored) {
        floorStored = ctx.floor
        // Before the write that removes the claims which it stands for: the log is ordered.
        ctx.out.push({ kind: 'persist', writes: [writeFloor(ctx.floor)], flush: false, token: null })
      }
      const changes = [...writes].map(([key, value]) => ({ key, value }))
      writes.clear()
      // What only takes away is housekeeping.
      const lazy = Math.min(lazyMs, ctx.config.removalLazyMs)
      lazyMs = Number.POSITIVE_INFINITY
      ctx.out.push(...ctx.deps.state.write(ctx.now, SPACES.claims, changes, token, lazy))
    }
  }

  const remove = (slot: Slot, node: NodeId): void => {
    writes.set(claimKey(slot.task, slot.index, node), undefined)
    deleteClaim(ctx, slot, node)
  }

  return {
    publish,
    note: (slot, local) => {
      const claim = claimAs(slot, local)
      if (claim !== null) keep(slot, claim)
    },
    replace,
    remove,
    bury,
    flush,
    await: (slot, number) => {
      waiters.push({ slot, number })
    },
    takeDurable: token => {
      const woken = waiting.get(token) ?? null
      waiting.delete(token)
      return woken
    },
  }
}
