// The tasks as they stand in shared state (`shoal.tasks`: the spec, its revision, its
// stamp in mesh time, and the last request to restart it). A value that cannot be
// understood is kept with the reason, shown and not run.

import { parseDuration } from '../duration.js'
import { ShoalError } from '../errors.js'
import { hashText53 } from '../hash.js'
import type { Millis, TaskId } from '../ids.js'
import { canonicalJson, type Json, type JsonObject } from '../json.js'
import type { Periods } from './periods.js'
import type { TaskSpec } from './spec.js'

export interface Task {
  readonly id: TaskId
  readonly spec: TaskSpec
  readonly revision: number
  readonly createdAt: Millis
  /** What a copy must be restarted for when it changes. */
  readonly execution: number
  readonly graceMs: Millis
  readonly kind: 'always' | 'periodic' | 'job'
  readonly periods: Periods | null
}

export interface UnreadableTask {
  readonly id: TaskId
  readonly raw: JsonObject
  readonly problem: string
}

export interface StoredTask {
  readonly revision: number
  readonly createdAt: Millis
  readonly restartedAt: Millis
}

/** Parses a stored spec; throws a ShoalError on what cannot be understood. */
export type ReadSpec = (id: TaskId, value: JsonObject) => TaskSpec

export const readTask = (
  id: TaskId,
  value: Json,
  readSpec: ReadSpec,
  periodsFor: (spec: TaskSpec, createdAt: Millis) => Periods | null,
): Task | UnreadableTask => {
  const raw = asObject(value)
  try {
    if (raw === null) throw new ShoalError('TASK_UNREADABLE', 'the stored value is not an object')
    const spec = readSpec(id, raw)
    const stored = readStored(raw)
    const { run, when, input } = spec
    return {
      id,
      spec,
      revision: stored.revision,
      createdAt: stored.createdAt,
      // Replicas, needs, weight and the rest only decide where copies run, not what they are.
      execution: hashText53(
        canonicalJson([run, when, input, stored.createdAt, stored.restartedAt] as unknown as Json),
      ),
      graceMs: parseDuration('stopGrace', spec.stopGrace),
      kind: when === 'always' ? 'always' : when === 'once' ? 'job' : 'periodic',
      periods: periodsFor(spec, stored.createdAt),
    }
  } catch (error) {
    // Only a peer's fault ends here; our own defects go on.
    if (!(error instanceof ShoalError)) throw error
    return { id, raw: raw ?? {}, problem: error.message }
  }
}

export const isReadable = (task: Task | UnreadableTask): task is Task => 'spec' in task

export const readStored = (raw: JsonObject): StoredTask => ({
  revision: wholeOr(raw.revision, 1),
  createdAt: wholeOr(raw.createdAt, 0),
  restartedAt: wholeOr(raw.restartedAt, 0),
})

export const storeTask = (spec: TaskSpec, stored: StoredTask): Json =>
  ({ ...spec, ...stored }) as unknown as Json

/** The spec as it is shown: without what only the engine keeps. */
export const showTask = (task: Task): JsonObject =>
  ({ ...task.spec, revision: task.revision }) as unknown as JsonObject

export const sameSpec = (a: TaskSpec, b: TaskSpec): boolean =>
  canonicalJson(a as unknown as Json) === canonicalJson(b as unknown as Json)

export const asObject = (value: Json | undefined): JsonObject | null =>
  value === undefined || value === null || typeof value !== 'object' || Array.isArray(value)
    ? null
    : (value as JsonObject)

const wholeOr = (value: Json | undefined, otherwise: number): number =>
  typeof value === 'number' && Number.isSafeInteger(value) ? value : otherwise
