// What a checkpoint is: a saved progress under the epoch of the claim that saved it.
// The newest has the highest epoch number, then node, then sequence. After a split that
// order alone does not say whether the newer one was built upon the older one or beside
// it, so a checkpoint also names what came before it, as far back as a split may reach.

import type { Json } from '../json.js'
import { compareEpochs, type Epoch, parseEpoch } from './claim.js'
import { asObject } from './task-table.js'

export interface Checkpoint {
  readonly epoch: string
  /** Orders the checkpoints of one epoch. */
  readonly sequence: number
  readonly checkpoint: Json
  /** What it was built upon under other epochs, the latest first: see `markOf`. */
  readonly past: readonly string[]
}

/** So many claims may save one after the other on one side of a split, and the other side's are still told from theirs. */
export const PAST_MAX = 4
export const PAST_CHARS_MAX = 64

/** The end of a node's id, with the number, is enough to know an epoch by. */
const NODE_CHARS = 8

/** Null comes before every other. */
export const compareCheckpoints = (a: Checkpoint | null, b: Checkpoint | null): number => {
  const first = a === null ? null : parseEpoch(a.epoch)
  const second = b === null ? null : parseEpoch(b.epoch)
  if (a === null || first === null) return second === null ? 0 : -1
  if (b === null || second === null) return 1
  return compareEpochs(first, second) || a.sequence - b.sequence
}

/** What a checkpoint that is saved under this epoch names as its past, where the copy went on from `before`. */
export const pastOf = (epoch: string, before: Checkpoint | null): readonly string[] => {
  if (before === null) return []
  if (before.epoch === epoch) return before.past
  return [markOf(before), ...before.past].slice(0, PAST_MAX)
}

/** Whether whoever begins with `later` has all of `earlier`; what lies too far back to tell counts as so. */
export const isBuiltOn = (later: Checkpoint, earlier: Checkpoint): boolean => {
  if (later.epoch === earlier.epoch) return later.sequence >= earlier.sequence
  const { epoch, sequence } = readMark(markOf(earlier)) as Mark
  const marks = later.past.map(readMark)
  const same = marks.find(mark => mark?.epoch === epoch)
  if (same !== undefined && same !== null) return same.sequence >= sequence
  const oldest = marks.length < PAST_MAX ? null : (marks.at(-1) ?? null)
  return oldest !== null && numberOf(earlier) < Number.parseInt(oldest.epoch, 10)
}

export const numberOf = (checkpoint: Checkpoint): number => epochOf(checkpoint)?.number ?? 0

export const epochOf = (checkpoint: Checkpoint): Epoch | null => parseEpoch(checkpoint.epoch)

/** A checkpoint as a disk or a peer has it; null when it cannot be understood. */
export const readCheckpoint = (value: Json | undefined): Checkpoint | null => {
  const fields = asObject(value)
  if (fields === null || typeof fields.epoch !== 'string' || parseEpoch(fields.epoch) === null) return null
  if (typeof fields.sequence !== 'number' || fields.checkpoint === undefined) return null
  const { epoch, sequence, checkpoint } = fields
  const past = Array.isArray(fields.past) ? fields.past : []
  return { epoch, sequence, checkpoint, past: past.filter(isMark).slice(0, PAST_MAX) }
}

interface Mark {
  readonly epoch: string
  readonly sequence: number
}

/** Names a checkpoint, shortly: `<number>-<end of the node's id>/<sequence>`. */
const markOf = ({ epoch, sequence }: Checkpoint): string => {
  const dash = epoch.indexOf('-')
  return `${epoch.slice(0, dash)}-${epoch.slice(dash + 1).slice(-NODE_CHARS)}/${sequence}`
}

const readMark = (mark: string): Mark | null => {
  const slash = mark.lastIndexOf('/')
  return slash < 0 ? null : { epoch: mark.slice(0, slash), sequence: Number(mark.slice(slash + 1)) }
}

const isMark = (value: Json): value is string =>
  typeof value === 'string' && value.length <= PAST_CHARS_MAX && readMark(value) !== null
