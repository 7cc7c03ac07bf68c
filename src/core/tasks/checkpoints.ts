// Checkpoints: what a copy saved, so that the next one resumes. Each goes to this
// node's own disk (only then is the save answered), at once to the next in rank,
// and at a slow pace into shared state, where everybody can find it.
//
// A copy that is no longer the owner's is fenced: nothing of it is kept.

import type { NodeId, TaskId } from '../ids.js'
import type { Json } from '../json.js'
import {
  type Checkpoint,
  compareCheckpoints,
  epochOf,
  isBuiltOn,
  numberOf,
  pastOf,
  readCheckpoint,
} from './checkpoint.js'
import { type Claim, compareEpochs, type Epoch, formatEpoch } from './claim.js'
import { type Context, channelTo, isLive, localOf, mayBe, SPACES } from './context.js'
import { isHolding } from './copy.js'
import { claimNumber, type LocalCopy, type Slot } from './slots.js'
import type { Task } from './task-table.js'

export interface Checkpoints {
  /** The newest one known for this task, or null. */
  newest(slot: Slot, task: Task): Checkpoint | null
  /** The same for a copy that begins with it here; what shared state does not have yet gets there. */
  resume(slot: Slot, task: Task): Json
  /** The highest number under which anything known here was saved: a claim at or below it would lose what it saves. */
  highest(slot: Slot): number
  /** Who saved the newest one known under an epoch above this one, or null. */
  saverAbove(slot: Slot, epoch: Epoch): NodeId | null
  save(slot: Slot, checkpoint: Json, request: number): void
  /** Its claim has a higher number now, and so gets what this copy goes on from, unless that is part of what is newer. */
  renew(slot: Slot): void
  /** It alone runs now: what it goes on from is said again where something stands above that was not built upon it. */
  stand(slot: Slot): void
  /** A peer's word; kept when it is newer. Returns false when it makes no sense. */
  receive(slot: Slot, checkpoint: Checkpoint): boolean
  /** Whether the last one that was saved under this claim, or a newer one, is known here. */
  isHere(slot: Slot, claim: Claim): boolean
  /** Shared state holds another one. */
  stateChanged(task: TaskId, index: number): void
  /** Others may be next in rank, or may be in a new life, which has heard of nothing. */
  ranksChanged(): void
  /** … since a while: they are told what shared state does not have yet. */
  tellHolders(): void
  /** Puts the newest into shared state now. */
  publish(slot: Slot): void
  /** This node's own entry on disk is not needed any more. */
  release(slot: Slot): void
  /** The task is gone or its job done. */
  drop(slot: Slot): void
  durable(token: number): boolean
}

export const createCheckpoints = (ctx: Context): Checkpoints => {
  const onDisk = new Map<string, Checkpoint>()
  /** Slots of which shared state does not have the newest yet; which one was told, and to which lives of whom. */
  const unpublished = new Map<Slot, { checkpoint: Checkpoint | null; readonly lives: Set<string> }>()
  const saving = new Map<number, number>()

  for (const { key, value } of ctx.deps.entries) {
    if (!key.startsWith(DISK)) continue
    const checkpoint = readCheckpoint(parseJson(new TextDecoder().decode(value)))
    if (checkpoint !== null) onDisk.set(key.slice(DISK.length), checkpoint)
  }

  /** Slots of which this node has something newer than shared state: its owner may never have heard of it. */
  const hidden = new Set(onDisk.keys())

  const store = (slot: Slot, checkpoint: Checkpoint | null, token: number | null): void => {
    if (checkpoint === null) onDisk.delete(slot.key)
    else onDisk.set(slot.key, checkpoint)
    const value = checkpoint === null ? null : new TextEncoder().encode(JSON.stringify(checkpoint))
    ctx.out.push({
      kind: 'persist',
      writes: [{ key: `${DISK}${slot.key}`, value }],
      flush: token !== null,
      token,
    })
  }

  const inState = (key: string): Checkpoint | null => {
    const checkpoint = readCheckpoint(ctx.deps.state.get(SPACES.checkpoints, key))
    return checkpoint !== null && mayBe(ctx, numberOf(checkpoint)) ? checkpoint : null
  }

  const publish = (slot: Slot): void => {
    ctx.deadlines.delete(`save|${slot.key}`)
    if (!unpublished.delete(slot) || slot.checkpoint === null) return
    // After a split it may be another one's, and above this one.
    if (compareCheckpoints(slot.checkpoint, inState(slot.key)) <= 0) return
    const value = slot.checkpoint as unknown as Json
    ctx.out.push(...ctx.deps.state.write(ctx.now, SPACES.checkpoints, [{ key: slot.key, value }], null))
  }

  /** Under the number that the claim has now: after a split it is above whatever the other side saved. */
  const spread = (slot: Slot, local: LocalCopy, value: Json, token: number | null): void => {
    const epoch = formatEpoch({ number: claimNumber(local), node: ctx.self })
    const past = pastOf(epoch, local.goesOn)
    const checkpoint: Checkpoint = { epoch, sequence: local.sequence, checkpoint: value, past }
    local.goesOn = checkpoint
    // It may hold what another saved above it, whose next in rank it is: that copy remains, and this one goes.
    if (compareCheckpoints(checkpoint, slot.checkpoint) > 0) slot.checkpoint = checkpoint
    store(slot, checkpoint, token)
    publishLater(slot)
    tell(slot)
  }

  const publishLater = (slot: Slot): void => {
    if (!unpublished.has(slot)) unpublished.set(slot, { checkpoint: null, lives: new Set() })
    if (ctx.deadlines.get(`save|${slot.key}`) === null)
      ctx.deadlines.set(`save|${slot.key}`, ctx.now + ctx.config.checkpointPaceMs)
  }

  /** Those who are next in rank and have not heard of it. */
  const tell = (slot: Slot): void => {
    const told = unpublished.get(slot)
    const { checkpoint } = slot
    if (told === undefined || checkpoint === null) return
    if (told.checkpoint !== checkpoint) {
      told.checkpoint = checkpoint
      told.lives.clear()
    }
    for (const to of holders(slot)) {
      const life = `${to} ${ctx.deps.members.get(to)?.record.generation.number}`
      if (told.lives.has(life)) continue
      told.lives.add(life)
      send(slot, to, checkpoint)
    }
  }

  /** What the owner of a slot goes on from must be above all that was ever saved, or it counts for less one day. */
  const remindOwner = (slot: Slot): void => {
    const held = inState(slot.key)
    const disk = onDisk.get(slot.key) ?? null
    const best = compareCheckpoints(disk, slot.checkpoint) > 0 ? disk : slot.checkpoint
    if (best === null || compareCheckpoints(best, held) <= 0) {
      hidden.delete(slot.key)
      return
    }
    const owner = ctx.placer.owners().ownerOf(slot.task, slot.index)
    if (owner === null || owner === ctx.self || !isLive(ctx, owner)) return
    if (epochOf(best)?.node !== owner) send(slot, owner, best)
  }

  const send = (slot: Slot, to: NodeId, saved: Checkpoint): void => {
    const message = { kind: 'checkpoint', task: slot.task, slot: slot.index, saved } as const
    ctx.out.push({ kind: 'send', to, channel: channelTo(ctx, to), message })
  }

  const known = (slot: Slot): readonly (Checkpoint | null)[] => [
    slot.checkpoint,
    onDisk.get(slot.key) ?? null,
    inState(slot.key),
  ]

  const newest = (slot: Slot, task: Task): Checkpoint | null => {
    let best: Checkpoint | null = null
    for (const checkpoint of known(slot))
      if (checkpoint !== null && isOf(task, checkpoint) && compareCheckpoints(checkpoint, best) > 0)
        best = checkpoint
    return best
  }

  /** The newest one known, if it is newer than what the copy here goes on from. */
  const aboveIts = (slot: Slot, local: LocalCopy): Checkpoint | null => {
    if (local.task === null) return null
    const found = newest(slot, local.task)
    return compareCheckpoints(found, local.goesOn) > 0 ? found : null
  }

  /** What the copy here goes on from, where something stands above that was not built upon it; `ifNewest`: or nothing does. */
  const sayAgain = (slot: Slot, local: LocalCopy, ifNewest: boolean): void => {
    if (local.goesOn === null) return
    const above = aboveIts(slot, local)
    if (above === null ? ifNewest : !isBuiltOn(above, local.goesOn))
      spread(slot, local, local.goesOn.checkpoint, null)
  }

  /** The copy that is due here may have waited for just this, and one that runs may have to go on above it. */
  const wake = (slot: Slot): void => {
    if (slot.local !== null) ctx.dirty.add(slot)
  }

  const receive = (slot: Slot, checkpoint: Checkpoint): boolean => {
    const epoch = epochOf(checkpoint)
    if (epoch === null || !mayBe(ctx, epoch.number)) return false
    if (compareCheckpoints(checkpoint, slot.checkpoint) > 0) slot.checkpoint = checkpoint
    wake(slot)
    return true
  }

  return {
    newest,
    publish,
    receive,

    resume: (slot, task) => {
      const local = localOf(slot)
      const { goesOn } = local
      const found = newest(slot, task)
      // A further run of a periodic copy: what another saved beside it is none of its own.
      const isBeside = goesOn !== null && found !== null && !isBuiltOn(found, goesOn)
      const checkpoint = isBeside ? goesOn : found
      local.goesOn = checkpoint
      if (checkpoint === null) return null
      if (compareCheckpoints(checkpoint, inState(slot.key)) > 0) {
        // Who saved it is gone, and those who were next in rank hold it in memory alone.
        slot.checkpoint = checkpoint
        publishLater(slot)
        tell(slot)
      }
      return checkpoint.checkpoint
    },

    highest: slot =>
      Math.max(0, ...known(slot).map(checkpoint => (checkpoint === null ? 0 : numberOf(checkpoint)))),

    saverAbove: (slot, epoch) => {
      let best: Epoch | null = null
      for (const checkpoint of known(slot)) {
        const saved = checkpoint === null ? null : epochOf(checkpoint)
        if (saved !== null && compareEpochs(saved, best ?? epoch) > 0) best = saved
      }
      return best === null ? null : best.node
    },

    isHere: (slot, claim) => {
      const saved = { epoch: formatEpoch(claim.epoch), sequence: claim.saved, checkpoint: null, past: [] }
      return known(slot).some(checkpoint => compareCheckpoints(checkpoint, saved) >= 0)
    },

    save: (slot, value, request) => {
      const local = localOf(slot)
      local.sequence += 1
      const token = ctx.deps.nextToken()
      saving.set(token, request)
      spread(slot, local, value, token)
    },

    renew: slot => {
      const local = localOf(slot)
      // What another saved above it is not known yet, perhaps: what this copy saved itself must be above that too.
      sayAgain(slot, local, local.sequence > 0)
    },

    stand: slot => sayAgain(slot, localOf(slot), false),

    stateChanged: (task, index) => {
      const slot = ctx.slots.get(task, index)
      if (slot === undefined) return
      wake(slot)
      const { checkpoint, local } = slot
      if (checkpoint === null) return
      const held = inState(slot.key)
      const order = compareCheckpoints(held, checkpoint)
      if (order >= 0) {
        // Whoever does not run it needs no copy of what everybody has.
        if (local === null) slot.checkpoint = null
        return
      }
      // Of two writes the later one stands there, whatever they say: the other side of a split wrote it.
      if (held === null || held.epoch === checkpoint.epoch) return
      if (!isHolding(local?.state.phase ?? 'waiting')) {
        hidden.add(slot.key)
        remindOwner(slot)
      } else {
        // Those who were told may have put it out of mind when it stood there.
        unpublished.delete(slot)
        publishLater(slot)
        tell(slot)
      }
    },

    ranksChanged: () => {
      if (unpublished.size + hidden.size > 0 && ctx.deadlines.get('holders') === null)
        ctx.deadlines.set('holders', ctx.now + ctx.config.ranksSettleMs)
    },

    tellHolders: () => {
      for (const slot of unpublished.keys()) tell(slot)
      if (!ctx.gateOpen) return
      for (const key of hidden) {
        const slot = ctx.slots.find(key)
        if (slot === undefined) hidden.delete(key)
        else remindOwner(slot)
      }
    },

    release: slot => {
      if (onDisk.has(slot.key)) store(slot, null, null)
    },

    drop: slot => {
      slot.checkpoint = null
      unpublished.delete(slot)
      ctx.deadlines.delete(`save|${slot.key}`)
      if (onDisk.has(slot.key)) store(slot, null, null)
      if (ctx.deps.state.get(SPACES.checkpoints, slot.key) !== undefined)
        ctx.out.push(
          ...ctx.deps.state.write(ctx.now, SPACES.checkpoints, [{ key: slot.key, value: undefined }], null),
        )
    },

    durable: token => {
      const request = saving.get(token)
      if (request === undefined) return false
      saving.delete(token)
      ctx.out.push({ kind: 'reply', request, value: null })
      return true
    },
  }

  function holders(slot: Slot): readonly NodeId[] {
    const { checkpointHolders } = ctx.config
    return ctx.placer
      .owners()
      .nextInRank(slot.task, slot.index, checkpointHolders)
      .filter(node => node !== ctx.self && isLive(ctx, node))
  }
}

const DISK = 't/c/'

/** One that an earlier task of this name left behind is none of this one's. */
const isOf = (task: Task, checkpoint: Checkpoint): boolean =>
  numberOf(checkpoint) > Math.floor(task.createdAt / 1_000)

const parseJson = (text: string): Json | undefined => {
  try {
    return JSON.parse(text) as Json
  } catch {
    // A torn entry is as good as none: the next save replaces it.
    return undefined
  }
}
