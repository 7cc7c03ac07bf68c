// Reads a gateway's configuration: a small JSON file, checked whole before anything is
// started. A mistake is one sentence that names the file, the place in it, the value and
// what is accepted. Unknown names are mistakes too: a misspelt knob that is quietly
// ignored is found at night.

import { readFileSync } from 'node:fs'
import { ShoalError } from '../../src/index.js'

/** Checks a value found at a place and gives it back typed, or throws. */
export type Check<T> = (value: unknown, place: string) => T

const show = (value: unknown): string => {
  const text = value === undefined ? 'missing' : JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

export const refuse = (place: string, value: unknown, accepted: string): never => {
  throw new ShoalError('CONFIG_INVALID', `${place} is ${show(value)}; it must be ${accepted}`)
}

export const number =
  (min: number, max: number): Check<number> =>
  (value, place) =>
    typeof value === 'number' && value >= min && value <= max
      ? value
      : refuse(place, value, `a number from ${min} to ${max}`)

export const whole =
  (min: number, max: number): Check<number> =>
  (value, place) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? (value as number)
      : refuse(place, value, `a whole number from ${min} to ${max}`)

export const text =
  (pattern: RegExp, accepted: string): Check<string> =>
  (value, place) =>
    typeof value === 'string' && pattern.test(value) ? value : refuse(place, value, accepted)

/** A name that may stand in a topic and in a key of a space. */
export const name = text(/^[a-z0-9][a-z0-9._-]{0,62}$/, '1 to 63 of a-z, 0-9, dot, dash and underscore')
export const host = text(/^[A-Za-z0-9.:_-]{1,253}$/, 'a host name or address')
export const brokerUrl = text(/^(mqtt|mqtts|tcp):\/\/.+/, 'a URL such as mqtt://broker.local:1883')

export const oneOf =
  <T extends string>(...allowed: readonly T[]): Check<T> =>
  (value, place) =>
    allowed.includes(value as T) ? (value as T) : refuse(place, value, allowed.join(', '))

export const flag: Check<boolean> = (value, place) =>
  typeof value === 'boolean' ? value : refuse(place, value, 'true or false')

/** A default where nothing is said. */
export const or =
  <T>(check: Check<T>, fallback: T): Check<T> =>
  (value, place) =>
    value === undefined ? fallback : check(value, place)

export const list =
  <T>(check: Check<T>, min: number, max: number): Check<readonly T[]> =>
  (value, place) =>
    Array.isArray(value) && value.length >= min && value.length <= max
      ? value.map((item, index) => check(item, `${place}[${index}]`))
      : refuse(place, value, `a list of ${min} to ${max}`)

/** An object whose names are the file's own, such as names of points. */
export const table =
  <T>(check: Check<T>): Check<Readonly<Record<string, T>>> =>
  (value, place) => {
    // Without what every object has: a point may be called `constructor`.
    const checked: Record<string, T> = Object.create(null)
    for (const [key, item] of Object.entries(asObject(value, place)))
      checked[name(key, `the name in ${place}`)] = check(item, `${place}.${key}`)
    return checked
  }

type Shape = Readonly<Record<string, Check<unknown>>>
export type Shaped<S extends Shape> = { readonly [K in keyof S]: ReturnType<S[K]> }

export const shape =
  <S extends Shape>(checks: S): Check<Shaped<S>> =>
  (value, place) => {
    const object = asObject(value, place)
    const known = Object.keys(checks)
    for (const key of Object.keys(object)) {
      if (!known.includes(key)) {
        const where = place === '' ? '' : ` in ${place}`
        throw new ShoalError('CONFIG_INVALID', `${key} is not known${where}; known are ${known.join(', ')}`)
      }
    }
    const at = (key: string): string => (place === '' ? key : `${place}.${key}`)
    return Object.fromEntries(
      Object.entries(checks).map(([key, check]) => [key, check(object[key], at(key))]),
    ) as Shaped<S>
  }

const asObject = (value: unknown, place: string): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : refuse(place === '' ? 'the configuration' : place, value, 'an object')

/** Reads and checks a file. Whatever is wrong with it is said with its name. */
export const readSettings = <T>(file: string, check: Check<T>): T => {
  try {
    return check(JSON.parse(readFileSync(file, 'utf8')), '')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new ShoalError('CONFIG_INVALID', `${file}: ${why}`, { cause: error })
  }
}
