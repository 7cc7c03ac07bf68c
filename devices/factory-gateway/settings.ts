// What the factory gateway is told. The gateway's own file says how it reaches the PLCs,
// because that differs from one gateway to the next; the input of a task says what a PLC
// means (points, alarms), because that has to be the same wherever the task runs.

import type { NodeOptions } from '../../src/index.js'
import {
  brokerUrl,
  type Check,
  flag,
  host,
  list,
  name,
  number,
  oneOf,
  or,
  readSettings,
  refuse,
  type Shaped,
  shape,
  table,
  text,
  whole,
} from '../plug/settings.js'

const path = shape({ host, port: or(whole(1, 65_535), 502), unit: or(whole(0, 255), 1) })
/** How this gateway reaches a PLC. */
export type PlcPath = Shaped<{ host: typeof host; port: Check<number>; unit: Check<number> }>

/** The library checks these itself, with the same clear errors. */
const nodeOptions: Check<NodeOptions> = (value, place) =>
  typeof value === 'object' && value !== null ? (value as NodeOptions) : refuse(place, value, 'an object')

const gateway = shape({
  node: or(nodeOptions, {}),
  /** The Sparkplug group: the plant. */
  group: name,
  broker: brokerUrl,
  plcs: table(path),
})
export type GatewaySettings = ReturnType<typeof gateway>

export const readGatewaySettings = (file: string): GatewaySettings => readSettings(file, gateway)

/** The label that a gateway with a path to this PLC has, and that the task of the PLC needs. */
export const labelOf = (plc: string): string => `plc.${plc}`

const point = shape({
  table: or(oneOf('input', 'holding'), 'input'),
  address: whole(0, 65_535),
  type: or(oneOf('u16', 'i16', 'u32', 'i32', 'f32'), 'u16'),
  /** value = word × scale + offset. */
  scale: or(number(-1e9, 1e9), 1),
  offset: or(number(-1e9, 1e9), 0),
  unit: or(text(/^.{0,16}$/u, 'at most 16 characters'), ''),
  /** Outside of these a reading is not believed. */
  min: or(number(-1e12, 1e12), -1e12),
  max: or(number(-1e12, 1e12), 1e12),
  /** Whether it is a setpoint: a holding register that the mesh may write. */
  writable: or(flag, false),
})
export type Point = ReturnType<typeof point>

const alarm = shape({
  point: name,
  kind: oneOf('above', 'below'),
  limit: number(-1e12, 1e12),
  /** How far back behind the limit the value has to come before the alarm is over. */
  hysteresis: or(number(0, 1e12), 0),
})
export type AlarmRule = ReturnType<typeof alarm>

const plcTask = shape({
  plc: name,
  periodMs: or(whole(10, 3_600_000), 1_000),
  timeoutMs: or(whole(10, 60_000), 1_000),
  /** The longest pause between two tries to reach a PLC that is gone. */
  retryMaxMs: or(whole(10, 600_000), 30_000),
  /** Sample numbers are reserved for this long at a time; each reservation is one write to disk. */
  reserveMs: or(whole(0, 60_000), 1_000),
  /** How often the latest values enter shared state. Never at the rate of the samples. */
  shareMs: or(whole(1_000, 3_600_000), 10_000),
  /** Samples kept while the broker is away; the oldest go first. */
  bufferMax: or(whole(0, 1_000_000), 10_000),
  points: table(point),
  alarms: or(table(alarm), {}),
})
export type PlcTask = ReturnType<typeof plcTask>

/** Checks the input of a task; what it says must also fit together. */
export const checkPlcTask = (input: unknown): PlcTask => {
  const task = plcTask(input, 'input')
  if (Object.keys(task.points).length === 0) refuse('input.points', {}, 'an object with a point at least')
  for (const [key, rule] of Object.entries(task.alarms)) {
    if (task.points[rule.point] === undefined) {
      const known = Object.keys(task.points).join(', ')
      refuse(`input.alarms.${key}.point`, rule.point, `one of the points ${known}`)
    }
  }
  for (const [key, { writable, table, type }] of Object.entries(task.points)) {
    if (writable && (table !== 'holding' || !['u16', 'i16'].includes(type))) {
      refuse(`input.points.${key}.writable`, writable, 'false, unless the point is one holding register')
    }
  }
  return task
}

/** For tests and for reading a tasks file without a node. */
export const taskList = list<unknown>(value => value, 1, 10_000)
