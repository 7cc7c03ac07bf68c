// The task of one PLC: read it, scale, raise alarms, publish, and remember just enough
// that the next owner goes on where this one stopped. It runs on one gateway at a time;
// which one is Shoal's business.
//
// What goes where: samples at their rate go to MQTT alone. The checkpoint holds the sample
// number, the Sparkplug session number and the alarms. Shared state gets the alarms, and
// the latest values now and then. Setpoints come from shared state and are written to the
// PLC until it holds them.

import type { Handler, Json, TaskContext } from '../../src/index.js'
import { createBackoff } from '../plug/backoff.js'
import { createCondition, type LogLine, type Report } from '../plug/condition.js'
import { sayingFailures } from '../plug/failures.js'
import { pause } from '../plug/pause.js'
import { type AlarmState, type AlarmStates, changedAlarms, joinAlarms } from './alarms.js'
import { createModbusPlc, PlcFault } from './modbus-plc.js'
import { blocksOf, type Values, valuesOf, wordOf } from './points.js'
import { createSampleNumbers } from './sample-numbers.js'
import { checkPlcTask, type PlcPath, type PlcTask } from './settings.js'
import { createSparkplugSession, type Metric } from './sparkplug-session.js'

export const ALARMS_SPACE = 'factory.alarms'
export const LATEST_SPACE = 'factory.latest'
export const SETPOINTS_SPACE = 'factory.setpoints'
/** The name of the device under the edge node in Sparkplug topics. */
export const DEVICE = 'plc'

export interface PollerOptions {
  readonly paths: Readonly<Record<string, PlcPath>>
  readonly broker: string
  readonly group: string
  readonly report: Report
  readonly log: LogLine
  readonly now?: () => number
  /** How long a trouble must have stayed away before it is over. */
  readonly steadyMs?: number
}

interface Checkpoint {
  readonly reserved: number
  readonly bdSeq: number
  readonly alarms: AlarmStates
  /** Changes that the broker has not confirmed yet, oldest first. */
  readonly untold: readonly AlarmEvent[]
}

interface AlarmEvent extends AlarmState {
  readonly name: string
}

/** An alarm that flaps while the broker is away for days must not fill the checkpoint. */
const UNTOLD_MAX = 100
/** Before a setpoint that the PLC refused is tried again. */
const SETPOINT_PAUSE_MS = 10_000
/** Tries in a row that fail before the device is said to be gone: one answer that breaks is no death. */
const FAILURES_OF_DEATH = 2

/** The handler `plc`. */
export const createPoller = (options: PollerOptions): Handler =>
  sayingFailures(options, async context => {
    const task = checkPlcTask(context.input)
    const path = options.paths[task.plc]
    if (path === undefined) {
      const known = Object.keys(options.paths).join(', ')
      throw new Error(`this gateway has no path to ${task.plc}; its file names ${known || 'none'}`)
    }
    await poll(options, context, task, path)
  })

const poll = async (
  options: PollerOptions,
  context: TaskContext,
  task: PlcTask,
  path: PlcPath,
): Promise<void> => {
  const { report, log, steadyMs, now = Date.now } = options
  const { signal, save, space } = context
  const { plc } = task
  const before = (context.checkpoint ?? {
    reserved: 0,
    bdSeq: -1,
    alarms: {},
    untold: [],
  }) as unknown as Checkpoint
  const numbers = createSampleNumbers(before.reserved, task.periodMs, task.reserveMs)
  const blocks = blocksOf(task.points)
  const line = createModbusPlc(path, task.timeoutMs)
  const plcCondition = createCondition(`plc ${plc}`, report, log, steadyMs)
  const brokerCondition = createCondition(`broker for ${plc}`, report, log, steadyMs)
  const setpointCondition = createCondition(`setpoints of ${plc}`, report, log, steadyMs)
  const backoff = createBackoff({ minMs: Math.min(task.periodMs, 250), maxMs: task.retryMaxMs })
  let bdSeq = before.bdSeq
  let untold = before.untold
  let alarms = joinAlarms(before.alarms, sharedAlarms(context, task))
  let latest: { sample: number; at: number; values: Values } | null = null
  let sharedAt = 0

  const keep = (): Promise<void> => {
    const checkpoint: Checkpoint = { reserved: numbers.reserved, bdSeq, alarms, untold }
    return save(checkpoint as unknown as Json)
  }

  const metricsOf = (sample: number, values: Values): Metric[] => [
    { name: 'sample', type: 'UInt64', value: sample },
    ...Object.entries(task.points).map(
      ([name, { unit }]): Metric => ({
        name,
        type: 'Double',
        value: values[name] ?? null,
        properties: { engUnit: { type: 'String', value: unit } },
      }),
    ),
    ...Object.keys(task.alarms).map(
      (name): Metric => ({ name: `alarms/${name}`, type: 'Boolean', value: alarms[name]?.active ?? false }),
    ),
  ]

  const session = createSparkplugSession({
    url: options.broker,
    group: options.group,
    edge: plc,
    device: DEVICE,
    bufferMax: task.bufferMax,
    retryMaxMs: task.retryMaxMs,
    condition: brokerCondition,
    signal,
    now,
    async nextBdSeq() {
      bdSeq = (bdSeq + 1) % 256
      await keep()
      return bdSeq
    },
    birth: () => metricsOf(latest?.sample ?? 0, latest?.values ?? {}),
    command(metric, value) {
      if (task.points[metric]?.writable && typeof value === 'number') {
        void space(SETPOINTS_SPACE)
          .set(`${plc}.${metric}`, value)
          .catch(error => log(`setpoints of ${plc}: ${String(error)}`))
      }
    },
  })

  /** Tells the broker of changes that it has not confirmed yet; a repeat carries the same id. */
  let telling = false
  const announce = async (): Promise<void> => {
    if (telling) return
    telling = true
    try {
      for (let event = untold[0]; event !== undefined; event = untold[0]) {
        const { id } = event
        if (!(await session.tell(`${options.group}/alarms/${plc}`, event))) return
        untold = untold.filter(other => other.id !== id)
        await keep()
      }
    } finally {
      telling = false
    }
  }

  /** A setpoint that the PLC refuses is the trouble of whoever set it; the samples go on. */
  let setpointsRestUntil = 0
  const refusalOf = async (name: string, address: number, word: number): Promise<string | null> => {
    try {
      await line.write(address, word)
      return null
    } catch (error) {
      if (!(error instanceof PlcFault && error.isRefusal)) throw error
      setpointsRestUntil = performance.now() + SETPOINT_PAUSE_MS
      return `${name}: ${error.message}`
    }
  }

  const writeSetpoints = async (values: Values): Promise<void> => {
    if (performance.now() < setpointsRestUntil) return
    let refused = ''
    for (const [name, point] of Object.entries(task.points)) {
      const wanted = point.writable ? space(SETPOINTS_SPACE).get(`${plc}.${name}`) : undefined
      if (wanted === undefined) continue
      const word = typeof wanted === 'number' ? wordOf(point, wanted) : null
      if (word === null) refused = `${name} is out of its range or no number`
      else if (word !== wordOf(point, values[name] ?? Number.NaN))
        refused = (await refusalOf(name, point.address, word)) ?? refused
    }
    if (refused !== '') setpointCondition.set('strained', refused)
    else if (setpointCondition.level !== 'ok') setpointCondition.set('ok', 'all are accepted')
  }

  const sampleOnce = async (): Promise<void> => {
    const words = await line.read(blocks)
    const at = now()
    const values = valuesOf(task.points, blocks, words)
    const sample = numbers.next(at)
    const isDoubtful = Object.values(values).includes(null)
    if (numbers.reserve(sample)) await keep()
    const changed = changedAlarms(plc, task.alarms, alarms, values, sample, at)
    if (Object.keys(changed).length > 0) {
      alarms = { ...alarms, ...changed }
      const events = Object.entries(changed).map(([name, state]) => ({ ...state, name }))
      untold = [...untold, ...events].slice(-UNTOLD_MAX)
      // First remembered, then told: a successor that does not know of it has not been forestalled.
      await keep()
      for (const [name, state] of Object.entries(changed)) {
        log(`plc ${plc}: alarm ${name} ${state.active ? 'raised' : 'cleared'} at ${state.value}`)
        await space(ALARMS_SPACE).set(`${plc}.${name}`, state as unknown as Json)
      }
    }
    latest = { sample, at, values }
    session.deviceUp()
    session.data(metricsOf(sample, values), at)
    void announce().catch(error => log(`plc ${plc}: ${String(error)}`))
    if (isDoubtful) {
      const names = Object.keys(values).filter(name => values[name] === null)
      plcCondition.set('strained', 'values out of their range are not believed', names.join(', '))
    } else plcCondition.set('ok', `answers at ${path.host}:${path.port}`)
    // A clock that was set back must not silence it until it has caught up.
    if (Math.abs(at - sharedAt) >= task.shareMs) {
      sharedAt = at
      await space(LATEST_SPACE).set(plc, { sample, at, values })
    }
    await writeSetpoints(values)
  }

  let failures = 0
  const onAbort = (): void => line.close()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    while (!signal.aborted) {
      try {
        await sampleOnce()
        backoff.reset()
        failures = 0
        await pause(task.periodMs - (now() % task.periodMs), signal)
      } catch (error) {
        if (signal.aborted) break
        if (!(error instanceof PlcFault)) throw error
        plcCondition.set('strained', error.message)
        failures += 1
        if (failures >= FAILURES_OF_DEATH) session.deviceDown()
        await pause(backoff.next(), signal)
      }
    }
    numbers.release()
    await keep()
  } finally {
    line.close()
    await session.close()
    plcCondition.release()
    brokerCondition.release()
    setpointCondition.release()
  }
}

const sharedAlarms = ({ space }: TaskContext, { plc, alarms }: PlcTask): AlarmStates => {
  const states: Record<string, AlarmState> = {}
  for (const name of Object.keys(alarms)) {
    const state = space(ALARMS_SPACE).get(`${plc}.${name}`)
    if (state !== undefined) states[name] = state as unknown as AlarmState
  }
  return states
}
