// What the page holds of the mesh: the objects of the HTTP API, as far as it shows them.
// All of it is somebody else's word and is only ever drawn as text.

export type Verdict = 'alive' | 'suspect' | 'dead' | 'left'
export type Health = 'ok' | 'strained' | 'failing'

export interface Member {
  readonly id: string
  readonly name: string
  readonly verdict: Verdict
  readonly cause: string | null
  readonly health: Health
  readonly reasons: readonly string[]
  readonly generation: number | { readonly number: number }
  readonly addrs: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly capacity: number | null
  readonly runs: readonly string[]
  readonly settled: boolean
  readonly draining: boolean
  readonly since: number
  readonly rttMs: number | null
  readonly observers: readonly string[]
}

export interface Self {
  readonly id: string
  readonly name: string
  readonly meshId: string | null
  readonly generation?: number | { readonly number: number }
  readonly settled: boolean
  readonly draining: boolean
  readonly version: string
  readonly startedAt: number
}

export interface Copy {
  readonly slot: number
  readonly node: string | null
  readonly phase: string
  readonly epoch: string | null
  readonly since: number
  readonly restarts: number
  readonly reason: string | null
  readonly lastError: string | null
}

export interface Task {
  readonly id: string
  readonly run?: Readonly<Record<string, unknown>>
  readonly when?: unknown
  readonly replicas?: number | 'all'
  readonly revision?: number
  readonly copies: readonly Copy[]
  /** Why this node cannot understand the task. */
  readonly problem?: string
  readonly result?: unknown
  readonly [field: string]: unknown
}

export interface MeshEvent {
  readonly seq: number
  readonly at: number
  readonly kind: string
  readonly [field: string]: unknown
}

export interface Candidate {
  readonly node: string
  readonly eligible: boolean
  readonly chosen: boolean
  readonly rank: number | null
  readonly reasons: readonly string[]
}

export interface Explanation {
  readonly task: string
  readonly candidates: readonly Candidate[]
}

export interface LogLine {
  readonly at: number
  readonly node: string
  readonly epoch: string
  readonly stream: string
  readonly line: string
}

export interface Move {
  readonly task: string
  readonly from: string | null
  readonly to: string | null
}

/** Phases in which the task's code has a process or a call of its own. */
export const isHeld = (copy: Copy): boolean => copy.node !== null && copy.phase !== 'stopped'

export const isWaiting = (copy: Copy): boolean => copy.phase === 'waiting' || copy.phase === 'failed'

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** A list from the API, or nothing where the answer is not one. */
export const listOf = <Item>(value: unknown): readonly Item[] =>
  Array.isArray(value) ? (value as Item[]) : []
