// The tasks as they stand in shared state (`shoal.tasks`: the spec, its revision, its
// stamp in mesh time, and the last request to restart it). A value that cannot be
// understood is kept with the reason, shown and not run.

import { parseDuration } from '../duration.js'
import { ShoalError } from '../errors.js'
import { hashText53 } from '../hash.js'
import type { Millis, TaskId } from '../ids.js'
import { canonicalJson, type Json, type JsonObject } from '../json.js'
import type { PlacementTask } from './placement.js'
import type { Schedule } from './schedule.js'
import { abilityOf, type TaskSpec } from './spec.js'
import { readStoredSpec } from './spec-rules.js'

export interface Task {
  readonly id: TaskId
  readonly spec: TaskSpec
  readonly revision: number
  readonly createdAt: Millis
  readonly restartedAt: Millis
  /** What a copy must be restarted for when it changes. */
  readonly execution: number
  readonly graceMs: Millis
  readonly kind: 'always' | 'periodic' | 'job'
  readonly schedule: Schedule | null
  /** What placement has to know of it. */
  readonly placement: PlacementTask
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

export const readTask = (
  id: TaskId,
  value: Json,
  scheduleOf: (spec: TaskSpec, createdAt: Millis) => Schedule | null,
): Task | UnreadableTask => {
  const object = asObject(value)
  if (object === null) return { id, raw: {}, problem: 'the stored value is not an object' }
  const { revision: _, createdAt: _at, restartedAt: _restartedAt, ...raw } = object
  const read = readStoredSpec(raw)
  if ('unintelligible' in read) return { id, raw: object, problem: read.unintelligible }
  const { spec } = read
  if (spec.id !== id) return { id, raw: object, problem: `it calls itself ${spec.id}` }
  try {
    const stored = readStored(object)
    const { run, when, input, replicas, needs, spread, weight } = spec
    return {
      id,
      spec,
      revision: stored.revision,
      createdAt: stored.createdAt,
      restartedAt: stored.restartedAt,
      // Replicas, needs, weight and the rest only decide where copies run, not what they are.
      execution: hashText53(
        canonicalJson([run, when, input, stored.createdAt, stored.restartedAt] as unknown as Json),
      ),
      graceMs: parseDuration('stopGrace', spec.stopGrace),
      kind: when === 'always' ? 'always' : when === 'once' ? 'job' : 'periodic',
      schedule: scheduleOf(spec, stored.createdAt),
      placement: { id, ability: abilityOf(run), replicas, needs, spread, weight },
    }
  } catch (error) {
    // Only a peer's fault ends here; our own defects go on.
    if (!(error instanceof ShoalError)) throw error
    return { id, raw: object, problem: error.message }
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

/**
 * Whether two members made the same task at the same time, and this is the later one. Gateways that are
 * switched on together with the same tasks file do; whoever makes it anew on purpose is slower.
 */
export const isYoungerTwin = (task: Task | UnreadableTask, other: Task | UnreadableTask): other is Task => {
  if (!isReadable(task) || !isReadable(other)) return false
  const youngerMs = task.createdAt - other.createdAt
  const areNew =
    task.revision === 1 && other.revision === 1 && task.restartedAt === 0 && other.restartedAt === 0
  return areNew && youngerMs > 0 && youngerMs <= TWINS_MS && sameSpec(task.spec, other.spec)
}

const TWINS_MS: Millis = 10_000

export const asObject = (value: Json | undefined): JsonObject | null =>
  value === undefined || value === null || typeof value !== 'object' || Array.isArray(value)
    ? null
    : (value as JsonObject)

const wholeOr = (value: Json | undefined, otherwise: number): number =>
  typeof value === 'number' && Number.isSafeInteger(value) ? value : otherwise
