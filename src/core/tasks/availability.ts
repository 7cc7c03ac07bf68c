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
  runners: readonly NodeId[]
  lastRunner: NodeId | null
  totalMs: Millis
  coveredMs: Millis
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
  runners: [],
  lastRunner: null,
  totalMs: 0,
  coveredMs: 0,
  overlapMs: 0,
  gapFrom: null,
  overlapFrom: null,
  gapCause: 'applied',
  overlapCause: 'heal',
})

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
  cause: TaskCause,
): CoverageChange => {
  accrue(coverage, now)
  const before = coverage.runners
  if (due === coverage.due && sameRunners(before, runners)) return NOTHING
  const began = runners.filter(node => !before.includes(node))
  let gap: CoverageChange['gap'] = null
  let overlap: CoverageChange['overlap'] = null
  const gapNow = due && runners.length === 0
  if (gapNow && coverage.gapFrom === null) {
    coverage.gapFrom = now
    coverage.gapCause = cause
  } else if (!gapNow && coverage.gapFrom !== null) {
    if (runners.length > 0) gap = { from: coverage.gapFrom, cause: coverage.gapCause }
    coverage.gapFrom = null
  }
  if (runners.length > 1 && coverage.overlapFrom === null) {
    coverage.overlapFrom = now
    coverage.overlapCause = cause
  } else if (runners.length < 2 && coverage.overlapFrom !== null) {
    overlap = { from: coverage.overlapFrom, cause: coverage.overlapCause }
    coverage.overlapFrom = null
  }
  coverage.due = due
  coverage.runners = runners.slice().sort(compareText)
  return { began, gap, overlap }
}

const accrue = (coverage: Coverage, now: Millis): void => {
  const passed = Math.max(0, now - coverage.at)
  coverage.at = Math.max(coverage.at, now)
  if (coverage.due) {
    coverage.totalMs += passed
    if (coverage.runners.length > 0) coverage.coveredMs += passed
  }
  if (coverage.runners.length > 1) coverage.overlapMs += passed
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
    overlapMs += coverage.overlapMs
  }
  return { share: totalMs === 0 ? 1 : coveredMs / totalMs, totalMs, coveredMs, overlapMs, gaps, overlaps }
}

const sameRunners = (a: readonly NodeId[], b: readonly NodeId[]): boolean =>
  a.length === b.length && b.every(node => a.includes(node))
