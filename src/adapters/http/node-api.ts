// What the HTTP interface needs of a node, and nothing else. The running node satisfies
// it; tests may bring less. Everything here answers from the node's own state.

import type { Millis, NodeId } from '../../core/ids.js'
import type { Json } from '../../core/json.js'
import type { CopyId } from '../../core/step.js'

export interface ApiEvent {
  readonly seq: number
  readonly at: Millis
  readonly kind: string
}

export interface ApiJournal {
  since(seq: number): readonly ApiEvent[]
  readonly lastSeq: number
  subscribe(seq: number, listener: (event: ApiEvent) => void): () => void
}

export interface ApiSpace {
  get(key: string): Json | undefined
  entries(): readonly [string, Json][]
  set(key: string, value: Json): Promise<void>
  delete(key: string): Promise<void>
}

export interface TasksApi {
  list(): readonly unknown[]
  get(id: string): object | null
  put(spec: unknown): Promise<object>
  delete(id: string): Promise<void>
  restart(id: string): Promise<void>
  why(id: string): unknown
  plan(without: readonly string[]): unknown
  logs(id: string, lines: number): Promise<readonly unknown[]>
  /** Whether this copy may still write in its task's name. */
  isCurrent(copy: CopyId): boolean
  /** Resolves when the checkpoint is durable; `FENCED` when the copy is no longer the owner's. */
  saveCheckpoint(copy: CopyId, checkpoint: Json): Promise<void>
}

export interface NodeApi {
  readonly id: NodeId
  readonly startedAt: Millis
  readonly status: 'starting' | 'ready' | 'leaving' | 'closed'
  readonly journal: ApiJournal
  readonly clock: { now(): Millis }
  info(): { readonly spaces: readonly string[]; readonly reasons: readonly string[] }
  members(): readonly unknown[]
  /** An id, a name or a prefix of an id; throws `NOT_FOUND` or `AMBIGUOUS`. */
  resolve(text: string): NodeId
  viewAgeMs(): Millis | null
  space(name: string): ApiSpace
  spaces(): readonly unknown[]
  readonly tasks: TasksApi
  join(addresses: readonly string[]): void
  drain(on: boolean): Promise<void>
  forget(member: NodeId): Promise<void>
  leave(): Promise<void>
}

/** Whose task token this is and whether that run is under way; null: none of this node's. */
export type CheckToken = (token: string) => { readonly copy: CopyId; readonly live: boolean } | null
