// Makes this node's copies what placement and the claims say that they should be.
// `settle` looks at one slot and takes at most the next step; it is called whenever
// anything about the slot changed, and calling it once more changes nothing.
//
// 1. A copy is claimed, the claim becomes durable, and only then is it launched.
// 2. Nobody starts while a live member's claim stands, until the hand-over's time is over.
// 3. When two run, placement decides who remains; it goes on under a number above all
//    seen, once the others have ended (not before: two nodes that disagree about the
//    owner would outbid each other for ever).
// 4. What was planned is handed over: checkpoint, periods done, and the word to start.

import type { NodeId } from '../ids.js'
import type { Json } from '../json.js'
import type { CopyId } from '../step.js'
import type { Checkpoints } from './checkpoints.js'
import { compareEpochs, nextEpochNumber } from './claim.js'
import { createClaimWriter } from './claim-writer.js'
import {
  type Context,
  claimOf,
  dropSlot,
  highestClaim,
  isLive,
  isPlaced,
  isStanding,
  localOf,
  meshNow,
  raiseFloor,
  taskOf,
} from './context.js'
import { isHolding, numberOf } from './copy.js'
import { createHandOver } from './hand-over.js'
import { createJobs } from './jobs.js'
import { createLives } from './lives.js'
import type { Observer } from './observer.js'
import { createOverlap, overlaps } from './overlap.js'
import { causeOfStop, causeOfTake, coveredAt, isGoing, rivalsOf } from './owning.js'
import { createPatience } from './patience.js'
import type { Results } from './results.js'
import type { LocalCopy, Slot } from './slots.js'
import type { Task } from './task-table.js'

export interface Runner {
  settle(slot: Slot): void
  /** A deadline of a slot fell due. */
  due(what: string, slot: Slot): void
  /** Writes the claims of this step, all at once. */
  flush(): void
  durable(token: number): boolean
  copyStarted(copy: CopyId): void
  copyExited(copy: CopyId, error: string | null, result: Json): void
  /** Whether this copy is still the one that the mesh knows as the owner's. */
  isCurrent(copy: CopyId): boolean
  slotOfCopy(copy: CopyId): Slot | null
  /** Mesh time jumped: periods fall due at other times. */
  rearm(): void
  /** Own claims of an earlier life: their processes are gone. */
  buryEarlierLife(): void
  /** Copies that are not yet gone. */
  readonly holding: number
  /** Copies that were handed over and are not known to be taken. */
  readonly unanswered: number
}

export const createRunner = (
  ctx: Context,
  checkpoints: Checkpoints,
  results: Results,
  observer: Observer,
): Runner => {
  const claims = createClaimWriter(ctx, observer)
  const moves = createHandOver(ctx, checkpoints.newest)
  const patience = createPatience(ctx, checkpoints.isHere)
  const overlap = createOverlap(ctx)
  const jobs = createJobs(ctx)
  const lives = createLives(ctx, checkpoints, results, claims, moves, jobs)
  const { apply, armPeriod, slotOfCopy } = lives

  const settle = (slot: Slot): void => {
    const task = taskOf(ctx, slot.task)
    const owner = ctx.placer.owners().ownerOf(slot.task, slot.index)
    const wanted = task !== null && owner === ctx.self && !results.isDone(task)
    const phase = slot.local?.state.phase ?? 'waiting'
    if (isHolding(phase)) {
      const local = localOf(slot)
      if (phase === 'stopping') return
      if (!wanted) yieldTo(slot, local, task, owner)
      else if (local.task?.execution !== task.execution) apply(slot, { kind: 'stop', cause: 'changed' })
      else {
        local.movesAt = null
        if (phase === 'running') defend(slot, local)
        else if (local.lastWords !== null) begin(slot, local)
      }
    } else if (wanted) tryToTake(slot, task)
    else rest(slot, task)
  }

  /** Wanted here, and no process lives: claim it as soon as nothing stands against that. */
  const tryToTake = (slot: Slot, task: Task): void => {
    const local = localOf(slot)
    if (local.state.phase === 'failed' && ctx.deadlines.get(`retry|${slot.key}`) !== null) {
      if (local.task?.execution === task.execution) return
      ctx.deadlines.delete(`retry|${slot.key}`)
    }
    // Its generation must be known: it tells this life's claims from those of an earlier one.
    if (!ctx.gateOpen || ctx.deps.members.get(ctx.self) === undefined) return
    if (awaitsAnswer(slot, local)) return
    const rivals = overlaps(task) ? [] : rivalsOf(ctx, slot)
    if (patience.waits(slot, local, task, rivals)) {
      jobs.giveUp(slot)
      return
    }
    if (!jobs.admits(slot, task)) return
    take(slot, local, task)
  }

  /** Its claim is durable. */
  const begin = (slot: Slot, local: LocalCopy): void => {
    if (local.state.phase === 'starting' && !overlap.waits(slot, local))
      apply(slot, { kind: 'claimed', periodic: local.task?.kind === 'periodic' })
  }

  /**
   * It was handed over and comes right back: the other may be starting it at this moment. Its claim,
   * or a while without one, says which.
   */
  const awaitsAnswer = (slot: Slot, local: LocalCopy): boolean => {
    const { handedTo } = local
    if (handedTo === null) return false
    if (ctx.now < handedTo.untilAt && isLive(ctx, handedTo.node)) {
      const answer = claimOf(slot, handedTo.node)
      if (answer === undefined || answer.epoch.number <= numberOf(local.state)) {
        ctx.deadlines.set(`hand|${slot.key}`, handedTo.untilAt)
        return true
      }
    }
    local.handedTo = null
    return false
  }

  const isUnanswered = ({ local, claims: known }: Slot): boolean => {
    if (local === null || local.handedTo === null || !isLive(ctx, local.handedTo.node)) return false
    const { node } = local.handedTo
    return !known.some(claim => claim.epoch.node === node && claim.epoch.number > numberOf(local.state))
  }

  const take = (slot: Slot, local: LocalCopy, task: Task): void => {
    const before = highestClaim(slot)
    patience.end(slot, local)
    ctx.deadlines.delete(`retry|${slot.key}`)
    if (local.task !== null && local.task.execution !== task.execution) local.errors = 0
    local.task = task
    local.cause = causeOfTake(ctx, before)
    local.covered = task.schedule === null ? null : coveredAt(ctx, slot, task)
    local.wasInvited = local.invited
    local.invited = false
    local.calmUntil = local.wasInvited ? 0 : ctx.now + ctx.config.viewSettleMs
    local.renewTo = null
    local.claimLost = false
    local.lastWords = null
    local.sequence = 0
    local.goesOn = null
    const seen = Math.max(slot.highest, ctx.floor, results.numberOf(task.id), checkpoints.highest(slot))
    // The copy may have moved once more, of which nobody but those two had heard yet.
    const unheard = local.wasInvited || before === null ? 0 : 1
    apply(slot, { kind: 'take', number: nextEpochNumber(seen + unheard, task.createdAt) })
  }

  /** Placement names another, or nobody: stop, unless the task asks to wait for the next owner. */
  const yieldTo = (slot: Slot, local: LocalCopy, task: Task | null, owner: NodeId | null): void => {
    const rivals = rivalsOf(ctx, slot)
    if (task !== null && owner !== null && owner !== ctx.self && overlaps(task)) {
      const next = claimOf(slot, owner)
      const ready = next !== undefined && next.phase === 'running' && isStanding(ctx, next)
      if (!ready && isLive(ctx, owner)) {
        // A node that goes away does not wait longer than the hand-over may take.
        if (!isGoing(ctx)) return
        if (local.handAt === null) {
          local.handAt = ctx.now + task.graceMs + ctx.config.handoverMarginMs
          ctx.deadlines.set(`hand|${slot.key}`, local.handAt)
        }
        if (ctx.now < local.handAt) return
      }
    }
    const isPlanned = task !== null && owner !== null && rivals.length === 0 && isLive(ctx, owner)
    if (isPlanned && moves.settles(slot, local, owner)) return
    apply(slot, { kind: 'stop', cause: causeOfStop(ctx, slot, task, owner, rivals) })
  }

  /** It runs, rightly. Others that ran too leave higher numbers behind, or took its claim away: go on above them. */
  const defend = (slot: Slot, local: LocalCopy): void => {
    const mine = { number: numberOf(local.state), node: ctx.self }
    const above = slot.claims.filter(claim => compareEpochs(claim.epoch, mine) > 0)
    const nodesAbove = above.map(({ epoch }) => epoch.node)
    // What this copy saves would be below, though the claim that goes with it is unheard of or gone.
    const saver = checkpoints.saverAbove(slot, mine)
    if (saver !== null) nodesAbove.push(saver)
    const outbid = nodesAbove.length > 0
    const mayAnswer =
      patience.isOverDead(slot, local) || (outbid && nodesAbove.every(node => isLive(ctx, node)))
    // Somebody else ran it meanwhile: nobody can tell which periods, so the next whole one is the first here.
    if ((outbid || local.claimLost) && local.covered !== null) {
      local.covered = Math.max(local.covered, Math.ceil(meshNow(ctx)) + ctx.config.clockErrorMs)
      armPeriod(slot, local)
    }
    if (!outbid && !local.claimLost) {
      if (!mayAnswer) return
      claims.bury(slot, mine.number)
      if (rivalsOf(ctx, slot).length === 0) checkpoints.stand(slot)
      return
    }
    // A claim that others removed is restated whoever else runs: those wait to see that this node does.
    if (local.renewTo !== null) return
    if (!local.claimLost && (!mayAnswer || rivalsOf(ctx, slot).length > 0)) return
    const seen = Math.max(slot.highest, ctx.floor, checkpoints.highest(slot))
    local.renewTo = nextEpochNumber(seen, local.task?.createdAt ?? 0)
    local.cause = 'heal'
    // Others lost theirs too and hear of it together: a word to all for each would keep everybody busy now.
    claims.publish(slot, local, true)
    checkpoints.renew(slot)
    local.claimLost = false
    claims.await(slot, local.renewTo)
  }

  /** Not wanted here, and nothing runs: put away what is left. */
  const rest = (slot: Slot, task: Task | null): void => {
    const { local } = slot
    if (local !== null) {
      jobs.giveUp(slot)
      patience.end(slot, local)
      ctx.deadlines.delete(`retry|${slot.key}`)
      if (local.state.phase === 'failed')
        apply(slot, { kind: 'stop', cause: causeOfStop(ctx, slot, task, null, []) })
    }
    const own = claimOf(slot, ctx.self)
    // Most of what is heard is of others' copies of known tasks: nothing is to be put away here.
    if (own === undefined && local === null && task !== null && task.kind !== 'job' && slot.claims.length > 0)
      return
    const isUnknown = !ctx.tasks.has(slot.task)
    const isRemoved = isUnknown && slot.isOfRemoved
    if (own !== undefined) {
      const passedOn = slot.claims.some(
        claim => compareEpochs(claim.epoch, own.epoch) > 0 && isLive(ctx, claim.epoch.node),
      )
      if (isRemoved || passedOn || (task !== null && results.isSafe(task))) {
        raiseFloor(ctx, own)
        claims.remove(slot, ctx.self)
        checkpoints.release(slot)
      }
    }
    if (isRemoved || (task !== null && results.isSafe(task))) checkpoints.drop(slot)
    if (slot.claims.length === 0 && (isUnknown || !isPlaced(ctx, slot))) {
      if (isUnknown || slot.checkpoint === null) {
        observer.look(slot)
        observer.retire(slot)
        dropSlot(ctx, slot)
      }
    } else if (claimOf(slot, ctx.self) === undefined) slot.local = null
  }

  const due = (what: string, slot: Slot): void => {
    const local = slot.local
    if (local === null) return
    if (what === 'look') patience.look(slot, local)
    else if (!lives.due(what, slot, local)) ctx.dirty.add(slot)
  }

  const durable = (token: number): boolean => {
    const woken = claims.takeDurable(token)
    if (woken === null) return false
    for (const { slot, number } of woken) {
      const { local } = slot
      if (local === null || !ctx.slots.has(slot)) continue
      if (local.renewTo === number) {
        local.renewTo = null
        apply(slot, { kind: 'renew', number })
      } else if (local.state.phase === 'starting' && numberOf(local.state) === number) {
        // The world may have moved on while the disk was busy.
        settle(slot)
        if (local.lastWords === null) begin(slot, local)
      }
    }
    return true
  }

  const isCurrent = (copy: CopyId): boolean => {
    const slot = slotOfCopy(copy)
    if (slot === null) return false
    if (ctx.placer.owners().ownerOf(slot.task, slot.index) === ctx.self) return true
    const mine = { number: numberOf(localOf(slot).state), node: ctx.self }
    return !slot.claims.some(claim => compareEpochs(claim.epoch, mine) > 0 && isHolding(claim.phase))
  }

  return {
    settle,
    due,
    flush: claims.flush,
    durable,
    slotOfCopy,
    isCurrent,
    copyStarted: lives.started,
    copyExited: lives.exited,
    rearm: lives.rearm,
    buryEarlierLife: () => {
      for (const slot of ctx.slotsOfNode.get(ctx.self) ?? []) {
        const own = claimOf(slot, ctx.self)
        if (own !== undefined && isHolding(own.phase) && !isHolding(slot.local?.state.phase ?? 'waiting'))
          claims.replace(slot, { ...own, phase: 'stopped', cause: 'died', covered: null })
      }
    },
    get unanswered() {
      let count = 0
      for (const slot of ctx.slotsOfNode.get(ctx.self) ?? []) if (isUnanswered(slot)) count++
      return count
    },
    get holding() {
      return lives.holding
    },
  }
}
