// Reads what peers wrote into shared state. It is a part of its own so that the nodes of
// one process can share one that remembers: what it returns never changes, and a
// simulated mesh would otherwise hold every task and every claim once for each node.

import type { NodeId, TaskId } from '../ids.js'
import type { Json } from '../json.js'
import { type Claim, readClaim } from './claim.js'
import type { OffsetMinutes } from './cron.js'
import { createSchedule } from './schedule.js'
import { readTask, type Task, type UnreadableTask } from './task-table.js'

export interface Reader {
  task(id: TaskId, value: Json): Task | UnreadableTask
  /** Null when it cannot be understood. */
  claim(key: string, value: Json): Claim | null
}

/** `known`: the very text by which this node knows a member, so that a claim does not hold one more. */
export const createReader = (zoneOffset: OffsetMinutes, known: (node: NodeId) => NodeId): Reader => ({
  task: (id, value) =>
    readTask(id, value, (spec, createdAt) => createSchedule(spec.when, createdAt, zoneOffset)),
  claim: (key, value) => readClaim(key, value, known),
})
