// What is in force: flags over variables over the file over defaults, each value with
// the place that it came from. A mistake in any of them is one sentence that names
// the place, the key, the value and what is accepted. Nothing is guessed.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parse, TomlError } from 'smol-toml'
import { defaultDataDirectory } from '../cli/data-directory.js'
import { UsageError } from '../cli/errors.js'
import { nearest } from '../cli/nearest.js'
import { ShoalError } from '../core/errors.js'
import type { NodeSettings } from '../runtime/compose.js'
import { optionChecks, settingsOf } from '../runtime/options.js'
import { SETTINGS, type Setting, variableOf } from './settings.js'

export const SYSTEM_FILE = '/etc/shoal/shoal.toml'

/** Flags as commander gives them, by key: texts, lists of texts, or `true` for a switch. */
export type Flags = Readonly<Record<string, unknown>>

export interface InForce {
  readonly key: string
  readonly value: unknown
  /** A flag, a variable, a file, or `default`. */
  readonly from: string
}

export interface Configuration {
  readonly file: string | null
  readonly values: readonly InForce[]
  readonly settings: NodeSettings
  readonly api: string
  /** Variables that look like settings and are none. */
  readonly warnings: readonly string[]
}

/** Variables that are no settings: the command's own, and what programs are given. */
const OTHER_VARIABLES = ['CONFIG', 'TOKEN', 'TASK', 'EPOCH', 'INPUT', 'CHECKPOINT', 'DEMO'].map(
  each => `SHOAL_${each}`,
)

export const configure = (flags: Flags, env: NodeJS.ProcessEnv = process.env): Configuration => {
  const file = findFile(flags, env)
  const table = file === null ? {} : readTable(file)
  const options: Record<string, unknown> = {}
  const values: InForce[] = []
  for (const setting of SETTINGS) {
    const found = lookUp(setting, flags, env, file, table)
    const value = found?.value ?? defaultOf(setting, env)
    if (value !== undefined) {
      check(setting, found?.from ?? 'default', value)
      options[setting.option] = setting.kind === 'switch' ? value !== true : value
    }
    values.push({ key: setting.key, value: value ?? null, from: found?.from ?? 'default' })
  }
  const warnings = Object.keys(env)
    .filter(name => name.startsWith('SHOAL_') && !OTHER_VARIABLES.includes(name))
    .filter(name => !SETTINGS.some(({ key }) => variableOf(key) === name))
    .map(name => `the variable ${name} is no setting and is ignored`)
  return { file, values, settings: asUsage(() => settingsOf(options)), api: options.api as string, warnings }
}

const findFile = (flags: Flags, env: NodeJS.ProcessEnv): string | null => {
  const named = flags.config ?? env.SHOAL_CONFIG
  if (typeof named === 'string' && named !== '') return resolve(named)
  return existsSync(SYSTEM_FILE) ? SYSTEM_FILE : null
}

const readTable = (file: string): Record<string, unknown> => {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(
      `the configuration file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}); name a file that exists with --config, or leave it out`,
    )
  }
  let table: Record<string, unknown>
  try {
    table = parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const why = error.message.split('\n')[0] ?? ''
    throw new UsageError(`${file} is no TOML at line ${error.line}, column ${error.column}: ${why}`)
  }
  for (const key of Object.keys(table)) {
    if (SETTINGS.some(setting => setting.key === key)) continue
    const keys = SETTINGS.map(setting => setting.key)
    const close = nearest(key, keys)
    const known = close === null ? `known are ${keys.join(', ')}` : `did you mean ${close}?`
    throw new UsageError(`${key} in ${file} is no setting; ${known}`)
  }
  return table
}

interface Found {
  readonly value: unknown
  readonly from: string
}

const lookUp = (
  setting: Setting,
  flags: Flags,
  env: NodeJS.ProcessEnv,
  file: string | null,
  table: Record<string, unknown>,
): Found | null => {
  const { key } = setting
  const flag = flags[key]
  if (flag !== undefined) return { value: read(setting, `--${key}`, flag, process.cwd()), from: `--${key}` }
  const variable = variableOf(key)
  const text = env[variable]
  if (text !== undefined && text !== '') {
    return { value: read(setting, variable, text, process.cwd()), from: variable }
  }
  if (file !== null && Object.hasOwn(table, key)) {
    const value = table[key]
    // In the file a text is a text and a number is a number.
    const isRaw = setting.kind !== 'path' && !(setting.kind === 'labels' && Array.isArray(value))
    return { value: isRaw ? value : read(setting, `${key} in ${file}`, value, dirname(file)), from: file }
  }
  return null
}

/** Turns the text of a flag or of a variable into a value; what it cannot read is left for the check to refuse. */
const read = (setting: Setting, place: string, given: unknown, base: string): unknown => {
  switch (setting.kind) {
    case 'list':
      return texts(given)
    case 'labels':
      return readLabels(place, texts(given))
    case 'count':
      return typeof given === 'string' && /^-?\d+(\.\d+)?$/.test(given) ? Number(given) : given
    case 'switch':
      return given === true || /^(1|true|yes)$/.test(String(given))
        ? true
        : /^(0|false|no)$/.test(String(given))
          ? false
          : given
    case 'path':
      if (typeof given === 'string' && looksLikeKey(given))
        throw new UsageError(
          `${place} holds a mesh key itself; it must be the path of the file that holds it`,
        )
      return typeof given === 'string' && given !== '' ? resolve(base, given) : given
    default:
      return given
  }
}

const texts = (given: unknown): string[] =>
  (Array.isArray(given) ? given : [given]).flatMap(each => String(each).split(',')).map(each => each.trim())

/** A secret in the wrong place must not be said aloud in the error. */
const looksLikeKey = (text: string): boolean =>
  text.includes('/key/swarm/') || /(^|[^0-9a-f])[0-9a-f]{64}($|[^0-9a-f])/i.test(text)

const readLabels = (place: string, pairs: readonly string[]): Record<string, string> => {
  const labels: Record<string, string> = Object.create(null)
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    if (at < 1) {
      throw new UsageError(`${place} is ${JSON.stringify(pair)}; it must be NAME=VALUE, such as zone=hall-2`)
    }
    const name = pair.slice(0, at)
    const value = pair.slice(at + 1)
    if (Object.hasOwn(labels, name) && labels[name] !== value) {
      throw new UsageError(`${place} gives ${name} twice, as ${labels[name]} and as ${value}; give it once`)
    }
    labels[name] = value
  }
  return Object.fromEntries(Object.entries(labels))
}

const defaultOf = ({ key }: Setting, env: NodeJS.ProcessEnv): unknown => {
  if (key === 'data') return defaultDataDirectory(env)
  if (key === 'api') return '127.0.0.1:4780'
  if (key === 'log-level') return 'info'
  return undefined
}

const check = (setting: Setting, from: string, value: unknown): void => {
  const place = from.startsWith('--') || from.startsWith('SHOAL_') ? from : `${setting.key} in ${from}`
  if (setting.kind === 'switch' && typeof value !== 'boolean') {
    throw new UsageError(`${place} is ${JSON.stringify(value)}; it must be true or false`)
  }
  // Off is a word of the library: a daemon that nobody can ask is of no use.
  if (setting.key === 'api' && value === false) {
    throw new UsageError(`${place} is false; it must be HOST:PORT, such as 127.0.0.1:4780`)
  }
  if (setting.key === 'capacity' && value === null) return
  asUsage(() => optionChecks[setting.option](place, value))
}

const asUsage = <T>(work: () => T): T => {
  try {
    return work()
  } catch (error) {
    throw error instanceof ShoalError ? new UsageError(error.message) : error
  }
}
