// What happened, as this node saw it: the events of the contract (section 5),
// less the number that the journal gives them.

import type { Millis, NodeId, SpaceName, TaskId } from './ids.js'
import type { Cause, Health, Verdict } from './member.js'

export interface MemberEvent {
  readonly kind:
    | 'member.alive'
    | 'member.suspect'
    | 'member.dead'
    | 'member.left'
    | 'member.health'
    | 'member.forgotten'
  readonly at: Millis
  readonly member: NodeId
  readonly name: string
  readonly verdict: Verdict
  readonly cause: Cause | null
  /** Of `member.health`: how it is, and why it is not well. */
  readonly health?: Health
  readonly reasons?: readonly string[]
}

export type TaskCause =
  | 'applied'
  | 'died'
  | 'drained'
  | 'left'
  | 'joined'
  | 'rebalanced'
  | 'removed'
  | 'changed'
  | 'exited'
  | 'lower-epoch'
  | 'heal'

export interface TaskEvent {
  readonly kind:
    | 'task.applied'
    | 'task.removed'
    | 'task.started'
    | 'task.stopped'
    | 'task.failed'
    | 'task.moved'
  readonly at: Millis
  readonly task: TaskId
  readonly node: NodeId | null
  readonly epoch: string | null
  readonly cause: TaskCause
  readonly from?: NodeId | null
  readonly to?: NodeId | null
  readonly slot?: number
  readonly error?: string
}

export interface StateEvent {
  readonly kind: 'state.changed'
  readonly at: Millis
  readonly space: SpaceName
  readonly keys: readonly string[]
}

export interface NodeEvent {
  readonly kind: 'node.isolated' | 'node.rejoined' | 'node.cloned'
  readonly at: Millis
  readonly message?: string
}

export type MeshEvent = MemberEvent | TaskEvent | StateEvent | NodeEvent
