// What the city gateway is told. Its own file says which brokers it reaches; the input of
// a task says which district, which is the same wherever the task runs.

import type { NodeOptions } from '../../src/index.js'
import {
  brokerUrl,
  type Check,
  name,
  number,
  or,
  readSettings,
  refuse,
  shape,
  whole,
} from '../plug/settings.js'

/** The library checks these itself, with the same clear errors. */
const nodeOptions: Check<NodeOptions> = (value, place) =>
  typeof value === 'object' && value !== null ? (value as NodeOptions) : refuse(place, value, 'an object')

const orNothing =
  <T>(check: Check<T>): Check<T | null> =>
  (value, place) =>
    value === undefined || value === null ? null : check(value, place)

const gateway = shape({
  node: or(nodeOptions, {}),
  /** The broker that the sensors publish to; without one this gateway collects nothing. */
  street: orNothing(brokerUrl),
  /** The broker that aggregates are forwarded to; without one this gateway forwards nothing. */
  uplink: orNothing(brokerUrl),
  /** Lets time run faster, to try a day in a minute. */
  simulate: or(shape({ origin: number(0, 1e15), scale: number(1, 100_000) }), { origin: 0, scale: 1 }),
})
export type GatewaySettings = ReturnType<typeof gateway>
export const readGatewaySettings = (file: string): GatewaySettings => readSettings(file, gateway)

const collect = shape({
  district: name,
  /** How long after its end a minute waits for stragglers. */
  closeAfterMs: or(whole(0, 3_600_000 * 24), 10_000),
  /** Between two checkpoints: readings are confirmed to the broker after one. */
  checkpointMs: or(whole(10, 60_000), 2_000),
  /** Readings that may wait for confirmation. Not above what the broker sends ahead (mosquitto: max_inflight_messages, 20). */
  holdMax: or(whole(1, 60_000), 16),
  /** Aggregates kept while there is no uplink; the oldest go first. */
  queueMax: or(whole(1, 150_000), 50_000),
  /** Silence of all sensors for this long is worth a word. */
  quietMs: or(whole(100, 86_400_000), 120_000),
  retryMaxMs: or(whole(10, 600_000), 30_000),
})
export type CollectTask = ReturnType<typeof collect>
export const checkCollectTask = (input: unknown): CollectTask => collect(input, 'input')

const forward = shape({
  /** Where to: `TOPIC/DISTRICT`. */
  topic: or(name, 'aggregates'),
  /** Published and not yet confirmed at the same time. */
  windowMax: or(whole(1, 1_000), 50),
  retryMaxMs: or(whole(10, 600_000), 30_000),
})
export type ForwardTask = ReturnType<typeof forward>
export const checkForwardTask = (input: unknown): ForwardTask => forward(input ?? {}, 'input')
