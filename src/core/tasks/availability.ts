// Availability as measured: for each slot the time in which a running owner covered
// it, over the time since it was to run, as this node saw it; the gaps and overlaps
// with their causes. Nothing is derived from what should have happened.

import { compareText, type Millis, type NodeId } from '../ids.js'
import type { TaskCause } from '../mesh-event.js'

export interface Interval {
  readonly slot: number
  readonly from: Millis
  /** Null while it lasts. */
  readonly to: Millis | null
  readonly cause: TaskCause
}

export interface Coverage {
  /** When the slot was last looked at; time is added up from here. */
  at: Millis
  /** Whether a copy is due at all: a paused task and a finished job are not counted. */
  due: boolean
  /** The first of those that run it, and the rest: nearly always one and none. */
  runner: NodeId | null
  others: readonly NodeId[]
  lastRunner: NodeId | null
  totalMs: Millis
  coveredMs: Millis
  /** What few slots have at any moment; null is none of it. */
  trouble: Trouble | null
}

interface Trouble {
  overlapMs: Millis
  /** Begins of what lasts, or null. */
  gapFrom: Millis | null
  overlapFrom: Millis | null
  gapCause: TaskCause
  overlapCause: TaskCause
}

export interface TaskAvailability {
  /** Covered time over time since it was to run, 0 to 1; 1 before any time has passed. */
  readonly share: number
  readonly totalMs: Millis
  readonly coveredMs: Millis
  readonly overlapMs: Millis
  /** The newest ones, bounded; the oldest first. */
  readonly gaps: readonly Interval[]
  readonly overlaps: readonly Interval[]
}

export const startCoverage = (now: Millis): Coverage => ({
  at: now,
  due: false,
  runner: null,
  others: NOBODY,
  lastRunner: null,
  totalMs: 0,
  coveredMs: 0,
  trouble: null,
})

const NOBODY: readonly NodeId[] = []

const troubleOf = (coverage: Coverage): Trouble => {
  coverage.trouble ??= {
    overlapMs: 0,
    gapFrom: null,
    overlapFrom: null,
    gapCause: 'applied',
    overlapCause: 'heal',
  }
  return coverage.trouble
}

export interface CoverageChange {
  /** Runners that were none before. */
  readonly began: readonly NodeId[]
  readonly gap: { readonly from: Millis; readonly cause: TaskCause } | null
  readonly overlap: { readonly from: Millis; readonly cause: TaskCause } | null
}

const NOTHING: CoverageChange = { began: [], gap: null, overlap: null }

/** Adds the time that passed, then takes note of who runs it now. Returns what ended: a gap, an overlap. */
export const cover = (
  coverage: Coverage,
  now: Millis,
  due: boolean,
  runners: readonly NodeId[],
  /** Why a gap or an overlap began, should one. */
  causeNow: () => TaskCause,
): CoverageChange => {
  accrue(coverage, now)
  if (due === coverage.due && sameRunners(coverage, runners)) return NOTHING
  const cause = causeNow()
  const began = runners.filter(node => !hasRunner(coverage, node))
  let gap: CoverageChange['gap'] = null
  let overlap: CoverageChange['overlap'] = null
  const gapNow = due && runners.length === 0
  const gapFrom = coverage.trouble?.gapFrom ?? null
  if (gapNow && gapFrom === null) {
    const trouble = troubleOf(coverage)
    trouble.gapFrom = now
    trouble.gapCause = cause
  } else if (!gapNow && gapFrom !== null) {
    const trouble = troubleOf(coverage)
    if (runners.length > 0) gap = { from: gapFrom, cause: trouble.gapCause }
    trouble.gapFrom = null
  }
  const overlapFrom = coverage.trouble?.overlapFrom ?? null
  if (runners.length > 1 && overlapFrom === null) {
    const trouble = troubleOf(coverage)
    trouble.overlapFrom = now
    trouble.overlapCause = cause
  } else if (runners.length < 2 && overlapFrom !== null) {
    const trouble = troubleOf(coverage)
    overlap = { from: overlapFrom, cause: trouble.overlapCause }
    trouble.overlapFrom = null
  }
  coverage.due = due
  const [runner = null, ...others] = runners.length > 1 ? runners.slice().sort(compareText) : runners
  coverage.runner = runner
  coverage.others = others.length === 0 ? NOBODY : others
  if (coverage.trouble !== null && isOver(coverage.trouble)) coverage.trouble = null
  return { began, gap, overlap }
}

const isOver = ({ overlapMs, gapFrom, overlapFrom }: Trouble): boolean =>
  overlapMs === 0 && gapFrom === null && overlapFrom === null

const accrue = (coverage: Coverage, now: Millis): void => {
  const passed = Math.max(0, now - coverage.at)
  coverage.at = Math.max(coverage.at, now)
  if (coverage.due) {
    coverage.totalMs += passed
    if (coverage.runner !== null) coverage.coveredMs += passed
  }
  if (coverage.others.length > 0) troubleOf(coverage).overlapMs += passed
}

/** The sums of a task's slots at a moment. */
export const sumCoverage = (
  coverages: Iterable<Coverage>,
  now: Millis,
  gaps: readonly Interval[],
  overlaps: readonly Interval[],
): TaskAvailability => {
  let totalMs = 0
  let coveredMs = 0
  let overlapMs = 0
  for (const coverage of coverages) {
    accrue(coverage, now)
    totalMs += coverage.totalMs
    coveredMs += coverage.coveredMs
    overlapMs += coverage.trouble?.overlapMs ?? 0
  }
  return { share: totalMs === 0 ? 1 : coveredMs / totalMs, totalMs, coveredMs, overlapMs, gaps, overlaps }
}

const sameRunners = (coverage: Coverage, runners: readonly NodeId[]): boolean =>
  runners.length === (coverage.runner === null ? 0 : 1 + coverage.others.length) &&
  runners.every(node => hasRunner(coverage, node))

const hasRunner = ({ runner, others }: Coverage, node: NodeId): boolean =>
  node === runner || others.includes(node)

/** Adds what one slot had to what others had. */
export const addCoverage = (sum: Coverage, { totalMs, coveredMs, trouble }: Coverage): void => {
  sum.totalMs += totalMs
  sum.coveredMs += coveredMs
  if (trouble !== null && trouble.overlapMs > 0) troubleOf(sum).overlapMs += trouble.overlapMs
}
