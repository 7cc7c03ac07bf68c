// A field of street sensors: what each of them says at a moment, by place, hour and
// chance. Pure and seeded; publishing is the business of sensors.ts.

import { chanceOf } from './chance.js'

export const KINDS = ['noise', 'pm25', 'temperature', 'traffic'] as const
export type Kind = (typeof KINDS)[number]

export const SENSOR_FAULTS = [
  'none',
  /** Says nothing. */
  'silent',
  /** Payloads that are no reading: broken JSON, no number, nonsense values. */
  'garbage',
  /** Says everything twice. */
  'duplicate',
  /** Its clock stands in 1970, as after a flat battery. */
  'clock',
] as const
export type SensorFault = (typeof SENSOR_FAULTS)[number]

/** What a sensor publishes as JSON, to `city/DISTRICT/KIND/SENSOR`. */
export interface Reading {
  readonly sensor: string
  /** Grows with each reading of this sensor; a repeat has the same. */
  readonly seq: number
  readonly value: number
  /** Milliseconds since 1970, by the sensor's own clock. */
  readonly at: number
}

export interface Sensor {
  readonly id: string
  readonly district: string
  readonly kind: Kind
  fault: SensorFault
  /** The payloads that it publishes now; none, one, or two. */
  say(at: number): readonly string[]
}

export interface FieldOptions {
  readonly districts: readonly string[]
  readonly perDistrict: number
  readonly seed: number
}

const HOUR_MS = 3_600_000

/** A day's rhythm: 0 at four in the morning, 1 at four in the afternoon. */
const rhythm = (at: number): number => 0.5 - 0.5 * Math.cos(((at / HOUR_MS - 4) / 24) * 2 * Math.PI)

const LEVELS: Readonly<Record<Kind, (day: number, noise: number) => number>> = {
  noise: (day, noise) => 42 + 24 * day + 12 * noise,
  pm25: (day, noise) => 6 + 14 * day + 8 * noise,
  temperature: (day, noise) => 9 + 11 * day + noise,
  traffic: (day, noise) => Math.round(4 + 60 * day + 20 * noise),
}

const GARBAGE = [
  '',
  '{"value":',
  'null',
  '{"sensor":7}',
  '{"value":"NaN","at":0}',
  '{"value":1e99,"at":0,"seq":0}',
]

export const createField = ({ districts, perDistrict, seed }: FieldOptions): readonly Sensor[] =>
  districts.flatMap((district, place) =>
    Array.from({ length: perDistrict }, (_, index): Sensor => {
      const chance = chanceOf(seed * 7_919 + place * 1_009 + index)
      const kind = KINDS[index % KINDS.length] as Kind
      const id = `${district}-${kind}-${index}`
      const bias = chance() - 0.5
      let seq = 0
      return {
        id,
        district,
        kind,
        fault: 'none',
        say(at) {
          if (this.fault === 'silent') return []
          if (this.fault === 'garbage') return [GARBAGE[Math.floor(chance() * GARBAGE.length)] ?? '']
          seq += 1
          const value = Number(LEVELS[kind](rhythm(at), bias + chance() - 0.5).toFixed(2))
          const reading: Reading = { sensor: id, seq, value, at: this.fault === 'clock' ? at % HOUR_MS : at }
          const payload = JSON.stringify(reading)
          return this.fault === 'duplicate' ? [payload, payload] : [payload]
        },
      }
    }),
  )

/** The topic that a sensor publishes to. */
export const topicOf = ({ district, kind, id }: Sensor): string => `city/${district}/${kind}/${id}`
