// A street full of sensors that are not there, speaking MQTT: one connection stands for
// the radio gateway that real ones share.
//
//   node dist/devices/virtual/sensors.js --broker mqtt://127.0.0.1:1883
//     [--districts 4] [--per-district 50] [--every 1000] [--seed 1] [--time-scale 1]
//
// `--every` is in milliseconds of the clock. With a time scale of 1440 a day passes in a
// minute. A line `FAULT [SHARE]` on its standard input gives a fault to a share of them.

import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import mqtt, { type MqttClient } from 'mqtt'
import { chanceOf } from './chance.js'
import { createField, SENSOR_FAULTS, type Sensor, type SensorFault, topicOf } from './sensor-field.js'

export interface VirtualSensorsOptions {
  readonly broker: string
  readonly districts?: number
  readonly perDistrict?: number
  readonly everyMs?: number
  readonly seed?: number
  /** Milliseconds since 1970 as the sensors have it. */
  readonly now?: () => number
}

export interface VirtualSensors {
  readonly sensors: readonly Sensor[]
  /** How many payloads were handed to the broker. */
  readonly published: number
  /** Gives a fault to a share of the sensors, the same ones for the same share. */
  fault(fault: SensorFault, share: number): void
  close(): Promise<void>
}

export const districtNames = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `district-${index + 1}`)

export const createVirtualSensors = (options: VirtualSensorsOptions): VirtualSensors => {
  const { districts = 4, perDistrict = 50, everyMs = 1_000, seed = 1, now = Date.now } = options
  const sensors = createField({ districts: districtNames(districts), perDistrict, seed })
  const client: MqttClient = mqtt.connect(options.broker, { reconnectPeriod: 500, queueQoSZero: false })
  client.on('error', () => {})
  let published = 0
  let next = 0
  // They speak one after the other, spread over the period, as real ones do.
  const tickMs = Math.max(10, Math.min(100, everyMs))
  const perTick = (sensors.length * tickMs) / everyMs
  let owed = 0
  const timer = setInterval(() => {
    if (!client.connected) return
    for (owed += perTick; owed >= 1; owed -= 1) {
      const sensor = sensors[next++ % sensors.length] as Sensor
      for (const payload of sensor.say(Math.round(now()))) {
        client.publish(topicOf(sensor), payload, { qos: 1 })
        published += 1
      }
    }
  }, tickMs)
  return {
    sensors,
    get published() {
      return published
    },
    fault(fault, share) {
      const chance = chanceOf(seed)
      for (const sensor of sensors) if (chance() < share) sensor.fault = fault
    },
    async close() {
      clearInterval(timer)
      await client.endAsync(true)
    },
  }
}

const main = (): void => {
  const { values } = parseArgs({
    options: {
      broker: { type: 'string', default: 'mqtt://127.0.0.1:1883' },
      districts: { type: 'string', default: '4' },
      'per-district': { type: 'string', default: '50' },
      every: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      'time-scale': { type: 'string', default: '1' },
    },
  })
  const startedAt = Date.now()
  const scale = Number(values['time-scale'])
  const field = createVirtualSensors({
    broker: values.broker,
    districts: Number(values.districts),
    perDistrict: Number(values['per-district']),
    everyMs: Number(values.every),
    seed: Number(values.seed),
    now: () => startedAt + (Date.now() - startedAt) * scale,
  })
  process.stdout.write(`virtual sensors: ${field.sensors.length} of them, to ${values.broker}\n`)
  createInterface({ input: process.stdin }).on('line', line => {
    const [asked = '', share = '1'] = line.trim().split(/\s+/)
    const fault = SENSOR_FAULTS.find(known => known === asked)
    if (fault === undefined) process.stdout.write(`faults are ${SENSOR_FAULTS.join(', ')}\n`)
    else field.fault(fault, Number(share))
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
