// Every knob of the simulated world, with its unit and the reason of its default.

import type { Millis } from '../core/ids.js'
import type { ProcessorConfig } from './processor-costs.js'
import type { SizeOf } from './size.js'

export interface SimConfig {
  /** One way between two nodes: a switched LAN. */
  readonly latencyMs: Millis
  /** Added to the latency, evenly from 0: what a small gateway's scheduler and switch add. */
  readonly jitterMs: Millis
  /** The share of packets that vanish, 0 … 1. */
  readonly lossRate: number
  /** TCP's first retransmission time-out (Linux: 200 ms at least); doubles each time. */
  readonly rtoMs: Millis
  readonly rtoCeilingMs: Millis
  /** After this many retransmissions of one segment the connection breaks: with 8, after 102 s (Linux gives up after 15). */
  readonly retriesMax: number
  /** Until the other host accepts; and from then until it has proved who it is (as the adapter's limits). */
  readonly dialTimeoutMs: Millis
  readonly handshakeTimeoutMs: Millis
  /** Bytes a second of one connection: small messages, and bulk on its own stream. */
  readonly linkBytesPerSecond: number
  readonly bulkBytesPerSecond: number
  /** A timer comes at its time or up to this much later, as timers do. */
  readonly timerSlackMs: Millis
  /** A flush takes between these two. */
  readonly flushMinMs: Millis
  readonly flushMaxMs: Millis
  /** What was written without a flush is committed by then. */
  readonly lazyCommitMs: Millis
  /** Nodes start at random within this time. */
  readonly startSpreadMs: Millis
  /** Clocks differ by up to this much either way, and drift by up to so many millionths. */
  readonly clockOffsetMs: Millis
  readonly clockDriftPpm: number
  /** Whether nodes that search find others (mDNS), and how many answers one search brings. */
  readonly discovery: boolean
  readonly discoveredMax: number
  readonly discoveryIntervalMs: Millis
  /** A copy runs this long after it was asked for, stops within this time, and a job takes this long. */
  readonly copyStartMs: Millis
  readonly copyStopMs: Millis
  readonly jobMs: Millis
  /** Timers of one node at one instant before the run is stopped: a core that never moves its deadline. */
  readonly timersAtOnceMax: number
  /** What a frozen node's kernel holds for it, in events; beyond, messages are dropped and counted. */
  readonly frozenEventsMax: number
  /** Connections that wait in a frozen node's kernel. */
  readonly backlogMax: number
  readonly addressesPerDialMax: number
  readonly sizeOf: SizeOf | null
  /** What work costs the nodes' machines; without it a step is free and takes no time. */
  readonly processors?: ProcessorConfig | undefined
  /** Makes every message unchangeable, to catch a core that alters what it shared. Costs time. */
  readonly hardenMessages: boolean
}

export const simDefaults: SimConfig = Object.freeze({
  latencyMs: 0.3,
  jitterMs: 0.4,
  lossRate: 0,
  rtoMs: 200,
  rtoCeilingMs: 120_000,
  retriesMax: 8,
  dialTimeoutMs: 2_000,
  handshakeTimeoutMs: 5_000,
  linkBytesPerSecond: 12_500_000,
  bulkBytesPerSecond: 12_500_000,
  timerSlackMs: 1,
  flushMinMs: 2,
  flushMaxMs: 20,
  lazyCommitMs: 5_000,
  startSpreadMs: 1_000,
  clockOffsetMs: 50,
  clockDriftPpm: 50,
  discovery: true,
  discoveredMax: 8,
  discoveryIntervalMs: 10_000,
  copyStartMs: 30,
  copyStopMs: 50,
  jobMs: 1_000,
  timersAtOnceMax: 10_000,
  frozenEventsMax: 100_000,
  backlogMax: 128,
  addressesPerDialMax: 16,
  sizeOf: null,
  hardenMessages: false,
})
