// What the metrics need of a node, of its machine and of its HTTP interface.

import type { Millis, NodeId, TaskId } from '../../core/ids.js'
import type { MeshEvent } from '../../core/mesh-event.js'
import type { StoreStats, TransportTraffic } from '../../ports.js'

export interface MetricsMember {
  readonly id: NodeId
  readonly name: string
  readonly verdict: string
  readonly health: string
  readonly generation: number
  readonly since: Millis
}

export interface CountedMetric {
  readonly metric: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface MetricsNode {
  readonly startedAt: Millis
  readonly status: string
  readonly clock: { now(): Millis }
  readonly journal: {
    readonly lastSeq: number
    subscribe(seq: number, listener: (event: MeshEvent) => void): () => void
  }
  readonly view: { neighbors(): readonly NodeId[] }
  members(): readonly MetricsMember[]
  viewAgeMs(): Millis | null
  /** When this node last had a sign of life of a member that is or was its neighbor. */
  lastSignOf(member: NodeId): Millis | null
  readonly tasks: {
    list(): readonly object[]
    availability(): ReadonlyMap<
      TaskId,
      { readonly share: number; readonly totalMs: Millis; readonly coveredMs: Millis }
    >
  }
  spaces(): readonly { readonly space: string; readonly keys: number; readonly bytes: number }[]
  traffic(): TransportTraffic
  storeStats(): StoreStats
  loopStats(): { readonly steps: number; readonly queued: number }
  counters(): Iterable<CountedMetric>
}

/** The latest sample of the machine. */
export interface MachineSample {
  readonly cpuShare: number | null
  readonly memoryShare: number | null
  readonly diskShare: number | null
  readonly diskFreeBytes: number | null
  readonly celsius: number | null
  readonly lag: { readonly medianMs: Millis; readonly p99Ms: Millis; readonly maxMs: Millis }
}

export interface MetricsOptions {
  readonly node: MetricsNode
  readonly version: string
  readonly vitals: () => MachineSample | null
  readonly http: () => {
    readonly streams: number
    readonly streamsDropped: number
    readonly answers: ReadonlyMap<number, number>
  }
}
