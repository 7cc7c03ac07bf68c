// Checkpoints: what a copy saved, so that the next one resumes. Each goes to this
// node's own disk (only then is the save answered), at once to the next in rank,
// and at a slow pace into shared state, where everybody can find it.
//
// A copy that is no longer the owner's is fenced: nothing of it is kept.

import type { Millis, NodeId, TaskId } from '../ids.js'
import type { Json } from '../json.js'
import { type Claim, compareEpochs, formatEpoch, parseEpoch } from './claim.js'
import { type Context, channelTo, isLive, localOf, SPACES } from './context.js'
import { type Checkpoint, claimNumber, type LocalCopy, type Slot } from './slots.js'
import { asObject, type Task } from './task-table.js'

export interface Checkpoints {
  /** The newest one known for this task, or null. */
  newest(slot: Slot, task: Task): Json
  /** The same for a copy that begins with it here; what shared state does not have yet gets there. */
  resume(slot: Slot, task: Task): Json
  /** The highest number under which anything known here was saved: a claim at or below it would lose what it saves. */
  highest(slot: Slot): number
  save(slot: Slot, checkpoint: Json, request: number): void
  /** Its claim has a higher number now, and so gets what was saved under the one before. */
  renew(slot: Slot): void
  /** A peer's word; kept when it is newer. Returns false when it makes no sense. */
  receive(slot: Slot, checkpoint: Checkpoint): boolean
  /** Whether the last one that was saved under this claim, or a newer one, is known here. */
  isHere(slot: Slot, claim: Claim): boolean
  /** Shared state holds another one. */
  stateChanged(task: TaskId, index: number): void
  /** Others may be next in rank, or may be in a new life, which has heard of nothing. */
  membersChanged(): void
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
  /** What shared state does not have yet, and which lives of whom were told of it. */
  const unpublished = new Map<Slot, Set<string>>()
  const saving = new Map<number, number>()

  for (const { key, value } of ctx.deps.entries) {
    if (!key.startsWith(DISK)) continue
    const checkpoint = readCheckpoint(parseJson(new TextDecoder().decode(value)))
    if (checkpoint !== null) onDisk.set(key.slice(DISK.length), checkpoint)
  }

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

  const inState = (key: string): Checkpoint | null =>
    readCheckpoint(ctx.deps.state.get(SPACES.checkpoints, key))

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
    const checkpoint: Checkpoint = { epoch, sequence: local.sequence, checkpoint: value }
    // It may hold what another saved above it, whose next in rank it is: that copy remains, and this one goes.
    if (compareCheckpoints(checkpoint, slot.checkpoint) > 0) slot.checkpoint = checkpoint
    store(slot, checkpoint, token)
    unpublished.delete(slot)
    publishLater(slot)
    tell(slot)
  }

  const publishLater = (slot: Slot): void => {
    if (!unpublished.has(slot)) unpublished.set(slot, new Set())
    if (ctx.deadlines.get(`save|${slot.key}`) === null)
      ctx.deadlines.set(`save|${slot.key}`, ctx.now + ctx.config.checkpointPaceMs)
  }

  /** Those who are next in rank and have not heard of it. */
  const tell = (slot: Slot): void => {
    const told = unpublished.get(slot)
    const { checkpoint } = slot
    // Only a claim's own node speaks for it.
    if (told === undefined || checkpoint === null || parseEpoch(checkpoint.epoch)?.node !== ctx.self) return
    for (const to of holders(slot)) {
      const life = `${to} ${ctx.deps.members.get(to)?.record.generation.number}`
      if (told.has(life)) continue
      told.add(life)
      ctx.out.push({
        kind: 'send',
        to,
        channel: channelTo(ctx, to),
        message: { kind: 'checkpoint', task: slot.task, slot: slot.index, ...checkpoint },
      })
    }
  }

  const known = (slot: Slot): readonly (Checkpoint | null)[] => [
    slot.checkpoint,
    onDisk.get(slot.key) ?? null,
    inState(slot.key),
  ]

  /** One that an earlier task of this name left behind is none of this one's. */
  const newest = (slot: Slot, task: Task): Checkpoint | null => {
    let best: Checkpoint | null = null
    for (const checkpoint of known(slot))
      if (checkpoint !== null && numberOf(checkpoint) > Math.floor(task.createdAt / 1_000))
        if (compareCheckpoints(checkpoint, best) > 0) best = checkpoint
    return best
  }

  /** The copy that is due here may have waited for just this. */
  const wake = (slot: Slot): void => {
    if (slot.local !== null && slot.local.savedAt !== null) ctx.dirty.add(slot)
  }

  const receive = (slot: Slot, checkpoint: Checkpoint): boolean => {
    if (parseEpoch(checkpoint.epoch) === null) return false
    const { epoch, sequence, checkpoint: value } = checkpoint
    if (compareCheckpoints(checkpoint, slot.checkpoint) > 0)
      slot.checkpoint = { epoch, sequence, checkpoint: value }
    wake(slot)
    return true
  }

  return {
    publish,
    receive,

    newest: (slot, task) => newest(slot, task)?.checkpoint ?? null,

    resume: (slot, task) => {
      const checkpoint = newest(slot, task)
      if (checkpoint === null) return null
      if (compareCheckpoints(checkpoint, inState(slot.key)) > 0) {
        // Who saved it is gone, and those who were next in rank hold it in memory alone.
        slot.checkpoint = checkpoint
        publishLater(slot)
      }
      return checkpoint.checkpoint
    },

    highest: slot =>
      Math.max(0, ...known(slot).map(checkpoint => (checkpoint === null ? 0 : numberOf(checkpoint)))),

    isHere: (slot, claim) => {
      const saved = { epoch: formatEpoch(claim.epoch), sequence: claim.saved, checkpoint: null }
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
      const own = onDisk.get(slot.key)
      if (local.sequence > 0 && own !== undefined) spread(slot, local, own.checkpoint, null)
    },

    stateChanged: (task, index) => {
      const slot = ctx.slots.get(task, index)
      if (slot === undefined) return
      wake(slot)
      const held = inState(slot.key)
      if (slot.checkpoint === null) return
      if (slot.local === null) {
        // Whoever does not run it needs no copy of what everybody has.
        if (compareCheckpoints(held, slot.checkpoint) >= 0) slot.checkpoint = null
      } else if (slot.local.sequence > 0 && held !== null && compareCheckpoints(slot.checkpoint, held) > 0) {
        // Of two writes the later one stands there, whatever they say: the other side of a split wrote it.
        publishLater(slot)
      }
    },

    membersChanged: () => {
      if (unpublished.size > 0 && ctx.deadlines.get('holders') === null)
        ctx.deadlines.set('holders', ctx.now + ctx.config.ranksSettleMs)
    },

    tellHolders: () => {
      for (const slot of unpublished.keys()) tell(slot)
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

export const readCheckpoint = (value: Json | undefined): Checkpoint | null => {
  const fields = asObject(value)
  if (fields === null || typeof fields.epoch !== 'string' || parseEpoch(fields.epoch) === null) return null
  if (typeof fields.sequence !== 'number' || fields.checkpoint === undefined) return null
  return { epoch: fields.epoch, sequence: fields.sequence, checkpoint: fields.checkpoint }
}

const numberOf = (checkpoint: Checkpoint): Millis => parseEpoch(checkpoint.epoch)?.number ?? 0

const compareCheckpoints = (a: Checkpoint | null, b: Checkpoint | null): number => {
  const first = a === null ? null : parseEpoch(a.epoch)
  const second = b === null ? null : parseEpoch(b.epoch)
  if (a === null || first === null) return second === null ? 0 : -1
  if (b === null || second === null) return 1
  return compareEpochs(first, second) || a.sequence - b.sequence
}

const parseJson = (text: string): Json | undefined => {
  try {
    return JSON.parse(text) as Json
  } catch {
    // A torn entry is as good as none: the next save replaces it.
    return undefined
  }
}
