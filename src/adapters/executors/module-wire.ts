// What the main thread and a module's worker thread say to each other.

import type { Json } from '../../core/json.js'

/** A write that was not answered yet; more than these are refused, so that the port's queue is bounded. */
export const writesInFlightMax = 1_000

export interface WorkerOrder {
  /** The file, as a `file:` URL. */
  readonly url: string
  readonly task: string
  readonly input: Json
  readonly epoch: string
  readonly checkpoint: Json
  readonly once: boolean
  readonly port: import('node:worker_threads').MessagePort
  /** Answers to reads come here, because the worker takes them without returning to its loop. */
  readonly answers: import('node:worker_threads').MessagePort
  /** Rung once for each answer. */
  readonly bell: Int32Array
}

export type WriteRequest =
  | { readonly op: 'save'; readonly value: Json }
  | { readonly op: 'set'; readonly space: string; readonly key: string; readonly value: Json }
  | { readonly op: 'delete'; readonly space: string; readonly key: string }

export type ReadRequest =
  | { readonly op: 'get'; readonly space: string; readonly key: string }
  | { readonly op: 'entries'; readonly space: string }

export type FromWorker =
  | { readonly kind: 'called' }
  | { readonly kind: 'returned'; readonly result: Json }
  | { readonly kind: 'threw'; readonly error: string }
  | { readonly kind: 'logged'; readonly stream: 'out' | 'err' | 'log'; readonly line: string }
  | { readonly kind: 'write'; readonly id: number; readonly write: WriteRequest }
  | { readonly kind: 'read'; readonly read: ReadRequest }
  | { readonly kind: 'observe'; readonly id: number; readonly space: string }
  | { readonly kind: 'unobserve'; readonly id: number }

export type ToWorker =
  | { readonly kind: 'stop' }
  | { readonly kind: 'wrote'; readonly id: number }
  | { readonly kind: 'refused'; readonly id: number; readonly code: string; readonly message: string }
  | { readonly kind: 'changed'; readonly id: number; readonly keys: readonly string[] }

export type Answer =
  | { readonly ok: true; readonly value: Json | undefined | readonly (readonly [string, Json])[] }
  | { readonly ok: false; readonly code: string; readonly message: string }
