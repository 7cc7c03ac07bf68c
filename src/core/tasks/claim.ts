// Claims: an owner's published word that it runs a copy, with its epoch, the fence.
// A claim stands in the space `shoal.claims` under (task, slot, node), a key that
// only its node writes, so that last-writer-wins never hides one side of a split;
// whoever takes over removes the claims of dead members in the very write in which
// its own, higher one appears. So the highest claim always stands, and there are
// never more claims than slots and live members that lately held one.
//
// What a peer wrote is read with care: anything malformed is null, never thrown.

import { compareText, type Millis, type NodeId, type TaskId } from '../ids.js'
import type { Json, JsonObject } from '../json.js'
import type { TaskCause } from '../mesh-event.js'
import type { CopyPhase } from './copy.js'

/** Ordered by number, then by node. */
export interface Epoch {
  readonly number: number
  readonly node: NodeId
}

export interface Claim {
  readonly task: TaskId
  readonly slot: number
  readonly epoch: Epoch
  readonly phase: Exclude<CopyPhase, 'waiting'>
  /** Start of the phase by the owner's clock. */
  readonly since: Millis
  readonly restarts: number
  readonly lastError: string | null
  /** Why it is in this phase. */
  readonly cause: TaskCause
  /** The generation of the life in which it was written: a later life of its node does not hold it any more. */
  readonly boot: number
  /** In mesh time, up to where its periods are done; null when nobody can tell, as while it still runs. */
  readonly covered: Millis | null
  /** How many checkpoints were saved under this epoch, once it has ended; the next owner waits for the last. */
  readonly saved: number
  /** Which version of the task it runs: spec, creation and restart requests (see `executionOf`). */
  readonly execution: number
}

/** What another node has said of its copy directly, before its claim has come: the rest is not known. */
export const toldClaim = (
  known: Pick<Claim, 'task' | 'slot' | 'epoch' | 'phase' | 'cause' | 'since'>,
): Claim => ({ ...known, restarts: 0, lastError: null, boot: 0, covered: null, saved: 0, execution: 0 })

export const formatEpoch = (epoch: Epoch): string => `${epoch.number}-${epoch.node}`

export const parseEpoch = (text: string): Epoch | null => {
  const dash = text.indexOf('-')
  const digits = text.slice(0, dash)
  if (dash < 1 || dash === text.length - 1 || !/^\d{1,15}$/.test(digits)) return null
  return { number: Number(digits), node: text.slice(dash + 1) as NodeId }
}

export const compareEpochs = (a: Epoch, b: Epoch): number =>
  a.number - b.number || compareText(a.node, b.node)

/** The next number: above everything seen, and above any earlier task of the same name. */
export const nextEpochNumber = (highestSeen: number, createdAt: Millis): number =>
  1 + Math.max(highestSeen, Math.floor(createdAt / 1_000))

/**
 * Whether hand-overs can have led to such a number. A task's first is the second in which it was created, and each
 * hand-over adds one or two; so what is above is somebody's mistake or malice, and the numbers that follow upon it
 * would soon be more than anybody reads. The bound rises by a thousand a second, faster than numbers do: one at the
 * very bound leaves room for those that follow.
 */
export const isPlausible = (epochNumber: number, meshNowMs: Millis): boolean =>
  epochNumber <= EPOCH_NUMBER_SLACK + Math.max(0, meshNowMs)

/** Far above what a clock that is wrong by centuries gives a task. */
const EPOCH_NUMBER_SLACK = 1_000_000_000_000

export const claimKey = (task: TaskId, slot: number, node: NodeId): string => `${task}/${slot}/${node}`

export const slotKey = (task: TaskId, slot: number): string => `${task}/${slot}`

/** The parts of a key of `shoal.claims`, or null when it is none. */
export const parseClaimKey = (key: string): { task: TaskId; slot: number; node: NodeId } | null => {
  const [task, slotText, node, rest] = key.split('/')
  if (!task || !slotText || !node || rest !== undefined || !/^\d{1,15}$/.test(slotText)) return null
  return { task: task as TaskId, slot: Number(slotText), node: node as NodeId }
}

export const storeClaim = (claim: Claim): Json => ({
  task: claim.task,
  slot: claim.slot,
  epoch: formatEpoch(claim.epoch),
  phase: claim.phase,
  since: claim.since,
  restarts: claim.restarts,
  lastError: claim.lastError,
  cause: claim.cause,
  boot: claim.boot,
  covered: claim.covered,
  saved: claim.saved,
  execution: claim.execution,
})

/** A claim as a peer wrote it, or null when it cannot be understood or stands under another's key. */
export const readClaim = (
  key: string,
  value: Json | undefined,
  known: (node: NodeId) => NodeId = node => node,
): Claim | null => {
  const at = parseClaimKey(key)
  if (at === null || value === null || typeof value !== 'object' || Array.isArray(value)) return null
  const fields = value as JsonObject
  const epoch = typeof fields.epoch === 'string' ? parseEpoch(fields.epoch) : null
  if (epoch === null || epoch.node !== at.node || !isPhase(fields.phase)) return null
  return {
    task: at.task,
    slot: at.slot,
    epoch: { number: epoch.number, node: known(epoch.node) },
    phase: fields.phase,
    since: numberOr(fields.since, 0),
    restarts: numberOr(fields.restarts, 0),
    lastError: typeof fields.lastError === 'string' ? fields.lastError : null,
    cause: isCause(fields.cause) ? fields.cause : 'applied',
    boot: numberOr(fields.boot, 0),
    covered: typeof fields.covered === 'number' ? fields.covered : null,
    saved: numberOr(fields.saved, 0),
    execution: numberOr(fields.execution, 0),
  }
}

const PHASES: readonly unknown[] = ['starting', 'running', 'stopping', 'stopped', 'failed']
const CAUSES: readonly unknown[] = [
  'applied',
  'died',
  'drained',
  'left',
  'joined',
  'rebalanced',
  'removed',
  'changed',
  'exited',
  'lower-epoch',
  'heal',
]

export const isCause = (value: unknown): value is TaskCause => CAUSES.includes(value)
const isPhase = (value: unknown): value is Claim['phase'] => PHASES.includes(value)
const numberOr = (value: unknown, otherwise: number): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : otherwise
