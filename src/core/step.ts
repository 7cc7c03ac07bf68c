// The one contract of the house: step(now, event) → effects. What may come in and
// what may go out, on one page. `runtime/` performs the effects on a real machine,
// `sim/` performs the same ones in virtual time; nothing else does.
//
// Rules: events come one at a time, verified and decoded; effects are performed in
// order; what depends on durability is sent only in the step of its `durable`.

import type { Millis, NodeId, TaskId } from './ids.js'
import type { Json } from './json.js'
import type { Health } from './member.js'
import type { MeshEvent } from './mesh-event.js'
import type { Message } from './message.js'
import type { TaskSpec } from './tasks/spec.js'

/**
 * How a message travels: `link` on the standing stream of a neighbor (small, at once),
 * `bulk` on a second stream with back-pressure (synchronisation), `direct` to a node
 * that need not be a neighbor (dialled for it if necessary).
 */
export type Channel = 'link' | 'bulk' | 'direct'

export type DialFailure = 'refused' | 'timeout' | 'unreachable' | 'identity' | 'key' | 'self' | 'failed'

/** One change of the store: null deletes. */
export interface StoreWrite {
  readonly key: string
  readonly value: Uint8Array | null
}

export interface StoreEntry {
  readonly key: string
  readonly value: Uint8Array
}

/** A copy that runs on this node: one execution of one slot under one epoch. */
export interface CopyId {
  readonly task: TaskId
  readonly slot: number
  readonly epoch: string
}

/** What the world tells the core. */
export type CoreEvent =
  | { readonly kind: 'started' }
  | { readonly kind: 'timer' }
  | { readonly kind: 'wall'; readonly offsetMs: Millis }
  | { readonly kind: 'durable'; readonly token: number }
  // links
  | { readonly kind: 'linkUp'; readonly node: NodeId; readonly address: string; readonly outbound: boolean }
  | { readonly kind: 'linkDown'; readonly node: NodeId; readonly reset: boolean }
  /** The other host took the call: from here on a dial waits for the process there. */
  | { readonly kind: 'dialAccepted'; readonly node: NodeId; readonly address: string }
  /** A dial with `verify` met the node at this address; no link comes of it. */
  | { readonly kind: 'verified'; readonly node: NodeId; readonly address: string }
  | {
      readonly kind: 'dialFailed'
      readonly node: NodeId | null
      readonly address: string
      readonly reason: DialFailure
    }
  | {
      readonly kind: 'message'
      readonly from: NodeId
      readonly channel: Channel
      readonly message: Message
      readonly bytes: number
    }
  | {
      readonly kind: 'gossip'
      readonly from: NodeId
      readonly topic: string
      readonly message: Message
      readonly bytes: number
    }
  | { readonly kind: 'discovered'; readonly addresses: readonly string[] }
  | { readonly kind: 'addresses'; readonly addresses: readonly string[]; readonly dialable: boolean }
  /** The adapter or the codec caught a peer breaking the rules. */
  | { readonly kind: 'misbehaved'; readonly node: NodeId; readonly offence: string }
  // the application
  | { readonly kind: 'join'; readonly addresses: readonly string[] }
  | { readonly kind: 'drain'; readonly on: boolean; readonly request: number }
  | { readonly kind: 'leave'; readonly request: number }
  | { readonly kind: 'forget'; readonly member: NodeId; readonly request: number }
  | {
      readonly kind: 'reconfigure'
      readonly labels?: Readonly<Record<string, string>>
      readonly capacity?: number | null
    }
  | { readonly kind: 'abilities'; readonly runs: readonly string[] }
  | { readonly kind: 'health'; readonly source: string; readonly level: Health; readonly reason: string }
  | {
      readonly kind: 'stateWrite'
      readonly space: string
      readonly changes: readonly StateChange[]
      readonly request: number
    }
  | { readonly kind: 'documentOpened'; readonly name: string }
  /** The application's copy has taken in what came of it, and can take more. */
  | { readonly kind: 'documentFill'; readonly name: string }
  | { readonly kind: 'documentClosed'; readonly name: string }
  | {
      readonly kind: 'documentUpdated'
      readonly name: string
      readonly update: Uint8Array
      readonly request: number | null
    }
  | { readonly kind: 'taskPut'; readonly spec: TaskSpec; readonly request: number }
  | { readonly kind: 'taskDelete'; readonly task: TaskId; readonly request: number }
  | { readonly kind: 'taskRestart'; readonly task: TaskId; readonly request: number }
  // the executor
  | { readonly kind: 'copyStarted'; readonly copy: CopyId }
  | {
      readonly kind: 'copyExited'
      readonly copy: CopyId
      readonly error: string | null
      readonly result: Json
    }
  | { readonly kind: 'copySaved'; readonly copy: CopyId; readonly checkpoint: Json; readonly request: number }

export interface StateChange {
  readonly key: string
  /** undefined deletes. */
  readonly value: Json | undefined
}

/** What the core asks of the world. */
export type Effect =
  | { readonly kind: 'wake'; readonly at: Millis }
  | {
      readonly kind: 'persist'
      readonly writes: readonly StoreWrite[]
      readonly flush: boolean
      readonly token: number | null
    }
  /** With `verify`: whether this node answers there, on a connection apart from the link that stands. */
  | {
      readonly kind: 'dial'
      readonly node: NodeId | null
      readonly addresses: readonly string[]
      readonly verify?: boolean
    }
  | { readonly kind: 'hangUp'; readonly node: NodeId; readonly why: string }
  /** Refuses a node's connections for a while. */
  | { readonly kind: 'ban'; readonly node: NodeId; readonly untilAt: Millis }
  | { readonly kind: 'send'; readonly to: NodeId; readonly channel: Channel; readonly message: Message }
  | { readonly kind: 'publish'; readonly topic: string; readonly message: Message }
  | { readonly kind: 'subscribe'; readonly topic: string }
  | { readonly kind: 'unsubscribe'; readonly topic: string }
  | { readonly kind: 'discovery'; readonly on: boolean }
  | { readonly kind: 'notify'; readonly event: MeshEvent }
  | {
      readonly kind: 'count'
      readonly metric: string
      readonly by: number
      readonly labels?: Readonly<Record<string, string>>
    }
  | {
      readonly kind: 'log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly text: string
      readonly fields?: Readonly<Record<string, Json>>
    }
  | { readonly kind: 'reply'; readonly request: number; readonly value: Json }
  | { readonly kind: 'refuse'; readonly request: number; readonly code: string; readonly message: string }
  /** To be applied to the application's copy; then, unless null, its clientID is to be set to this one. */
  | {
      readonly kind: 'documentChanged'
      readonly name: string
      readonly update: Uint8Array
      readonly clientId: number | null
      /** A part of what the document held when it was opened; null for a change of it since. */
      readonly fill: DocumentFill | null
    }
  /** The application's copy is no longer of this document, and is to be ended: opened again, it is. */
  | { readonly kind: 'documentEnded'; readonly name: string }
  | {
      readonly kind: 'startCopy'
      readonly copy: CopyId
      readonly spec: TaskSpec
      readonly checkpoint: Json
      readonly period: number | null
    }
  | { readonly kind: 'stopCopy'; readonly copy: CopyId; readonly graceMs: Millis }
  /** The node must stop: another process runs with this identity. */
  | { readonly kind: 'standDown'; readonly reason: string }

/** Which part. After all but the last one the copy asks for the next, when it has time: `documentFill`. */
export interface DocumentFill {
  readonly isFirst: boolean
  readonly isLast: boolean
  /** What is left of it has to be there before the application writes next. */
  readonly beforeWrites?: boolean
}

/** A part of the core, or all of it. */
export interface Stepper {
  step(now: Millis, event: CoreEvent): readonly Effect[]
  /** When it wants a `timer` event next, or null. */
  readonly nextDeadlineAt: Millis | null
}
