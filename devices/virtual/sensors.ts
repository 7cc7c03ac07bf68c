// A street full of sensors that are not there, speaking MQTT: one connection stands for
// the radio gateway that real ones share.
//
//   node dist/devices/virtual/sensors.js --broker mqtt://127.0.0.1:1883
//     [--districts 4] [--per-district 50] [--every 1000] [--seed 1] [--time-scale 1]
//
// `--every` is in milliseconds of the clock. With a time scale of 1440 a day passes in a
// minute. A line `FAULT [SHARE]` on its standard input gives a fault to a share of them.

import { fileURLToPath } from 'node:url'
import mqtt, { type MqttClient } from 'mqtt'
import { chanceOf } from './chance.js'
import { runMachine } from './command.js'
import { createField, SENSOR_FAULTS, type Sensor, type SensorFault, topicOf } from './sensor-field.js'

export interface VirtualSensorsOptions {
  readonly broker: string
  readonly districts?: number
  readonly perDistrict?: number
  readonly everyMs?: number
  readonly seed?: number
  /** Milliseconds since 1970 as the sensors have it. */
  readonly now?: () => number
  /** Told once when the broker is lost, and once when it is there again. */
  readonly say?: (text: string) => void
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
  const { districts = 4, perDistrict = 50, everyMs = 1_000, seed = 1, now = Date.now, say } = options
  const sensors = createField({ districts: districtNames(districts), perDistrict, seed })
  const client: MqttClient = mqtt.connect(options.broker, { reconnectPeriod: 500, queueQoSZero: false })
  let trouble = ''
  const hear = (why: string): void => {
    if (why === trouble) return
    trouble = why
    say?.(why === '' ? 'broker: ok' : `broker: ${why}; trying again`)
  }
  client.on('connect', () => hear(''))
  client.on('error', error => hear(`${(error as { code?: string }).code ?? ''} ${error.message}`.trim()))
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

const main = (): Promise<void> =>
  runMachine(
    'sensors.js',
    {
      broker: {
        default: 'mqtt://127.0.0.1:1883',
        pattern: /^mqtts?:\/\/\S+$/,
        says: 'the URL of an MQTT broker, mqtt://HOST:PORT',
      },
      districts: { default: 4, from: 1, to: 1_000, says: 'how many districts' },
      'per-district': { default: 50, from: 1, to: 10_000, says: 'how many sensors in each' },
      every: { default: 1_000, from: 10, to: 3_600_000, says: 'milliseconds between two readings of one' },
      seed: { default: 1, from: 0, to: 2 ** 31, says: 'a number: the same seed, the same values' },
      'time-scale': {
        default: 1,
        from: 0.01,
        to: 100_000,
        says: 'how much faster than the clock its days pass',
      },
    },
    async values => {
      const startedAt = Date.now()
      const field = createVirtualSensors({
        broker: values.broker,
        districts: values.districts,
        perDistrict: values['per-district'],
        everyMs: values.every,
        seed: values.seed,
        now: () => startedAt + (Date.now() - startedAt) * values['time-scale'],
        say: text => process.stdout.write(`${text}\n`),
      })
      process.stdout.write(`virtual sensors: ${field.sensors.length} of them, to ${values.broker}\n`)
      return line => {
        const [asked = '', text = '1'] = line.split(/\s+/)
        const fault = SENSOR_FAULTS.find(known => known === asked)
        const share = Number(text)
        if (fault === undefined) return `faults are ${SENSOR_FAULTS.join(', ')}`
        if (!(share >= 0 && share <= 1)) return `${text} is no share, 0 to 1`
        field.fault(fault, share)
        return `fault: ${fault}, ${share} of all`
      }
    },
  )

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
