// What a task may say of itself (contract, section 2). Two doors: `parseSpec` for what a
// user hands to this node, strict, with errors that name the field; `readStoredSpec` for
// what a peer wrote into shared state, which may be of a later version: unknown fields
// are kept, and what cannot be understood is shown with its reason and not run.

import { parseDuration } from '../duration.js'
import { ShoalError } from '../errors.js'
import { isName, type Millis, taskId } from '../ids.js'
import type { Json, JsonObject } from '../json.js'
import {
  DEFAULT_STOP_GRACE,
  TASK_ENV_CHARS_MAX,
  TASK_ENV_MAX,
  TASK_EVERY_MS_MAX,
  TASK_EVERY_MS_MIN,
  TASK_EXEC_ARG_CHARS_MAX,
  TASK_EXEC_ARGS_MAX,
  TASK_INPUT_BYTES_MAX,
  TASK_LABEL_CHARS_MAX,
  TASK_NAME_CHARS_MAX,
  TASK_NEEDS_MAX,
  TASK_PATH_CHARS_MAX,
  TASK_REPLICAS_MAX,
  TASK_SPEC_BYTES_MAX,
  TASK_STOP_GRACE_MS_MAX,
  TASK_WEIGHT_MAX,
} from './config.js'
import { parseCron } from './cron.js'
import type { TaskRun, TaskSpec, TaskWhen } from './spec.js'

/** Whether a time zone's name is known here; given by the runtime, because tables of zones are no part of the core. */
export type KnowsZone = (zone: string) => boolean

const FIELDS = [
  'id',
  'run',
  'when',
  'input',
  'replicas',
  'needs',
  'spread',
  'weight',
  'stopGrace',
  'overlap',
  'onPartition',
]

/** A user's spec with every default filled, or a `ShoalError` that says what is wrong. */
export const parseSpec = (input: unknown, knowsZone: KnowsZone = looksLikeZone): TaskSpec => {
  const object = objectOf('a task', input)
  refuseUnknown('a task', object, FIELDS)
  const spec = readSpec(object, knowsZone, refuseUnknown)
  // A copy, which the caller cannot change behind our back.
  return JSON.parse(JSON.stringify(spec)) as TaskSpec
}

/** A spec as a peer wrote it: fields of later versions stay in it; the reason where it cannot be understood. */
export const readStoredSpec = (
  json: Json | undefined,
  knowsZone: KnowsZone = looksLikeZone,
): { readonly spec: TaskSpec } | { readonly unintelligible: string } => {
  try {
    const object = objectOf('a task', json)
    const spec = readSpec(object, knowsZone, keepUnknown)
    // Nearly all have no more than that, and an object of one shape is smaller than a merged one.
    const isWhole = Object.keys(object).every(field => FIELDS.includes(field))
    return { spec: isWhole ? spec : { ...(object as object), ...spec } }
  } catch (error) {
    if (error instanceof ShoalError) return { unintelligible: error.message }
    throw error
  }
}

const readSpec = (object: JsonObject, knowsZone: KnowsZone, check: FieldCheck): TaskSpec => {
  const when = whenOf(object.when, knowsZone, check)
  const replicas = replicasOf(object.replicas)
  if (when === 'once' && replicas !== 1 && replicas !== 0) {
    refuse('replicas', replicas, '1 (or 0, paused) for a task that runs "once"')
  }
  const spec: TaskSpec = {
    id: taskId(idOf(object.id)),
    run: runOf(object.run, check),
    when,
    input: inputOf(object.input),
    replicas,
    needs: needsOf(object.needs),
    spread: spreadOf(object.spread),
    weight: wholeOf('weight', object.weight, 1, TASK_WEIGHT_MAX),
    stopGrace: graceOf(object.stopGrace),
    overlap: flagOf('overlap', object.overlap),
    onPartition: onPartitionOf(object.onPartition),
  }
  const bytes = jsonBytes(spec as unknown as Json)
  if (bytes > TASK_SPEC_BYTES_MAX) {
    throw new ShoalError(
      'TASK_INVALID',
      `the task has ${bytes} bytes as JSON; at most ${TASK_SPEC_BYTES_MAX} are accepted`,
    )
  }
  return spec
}

const idOf = (value: unknown): string => {
  if (typeof value === 'string' && isName(value)) return value
  return refuse('id', value, '1 to 63 of a–z 0–9 . _ - that begin with a letter or a digit')
}

const RUN_KINDS = 'one of {handler: name}, {module: "file.js"} and {exec: [program, args…], env, cwd}'

const runOf = (value: unknown, check: FieldCheck): TaskRun => {
  const run = plainObject(value)
  const kinds = run === null ? [] : ['handler', 'module', 'exec'].filter(kind => Object.hasOwn(run, kind))
  if (run === null || kinds.length !== 1) return refuse('run', value, RUN_KINDS)
  if (kinds[0] === 'handler') {
    check('run', run, ['handler'])
    return { ...run, handler: textOf('run.handler', run.handler, TASK_NAME_CHARS_MAX) }
  }
  if (kinds[0] === 'module') {
    check('run', run, ['module'])
    return { ...run, module: moduleOf(run.module) }
  }
  check('run', run, ['exec', 'env', 'cwd'])
  const exec = run.exec
  if (!Array.isArray(exec) || exec.length === 0 || exec.length > TASK_EXEC_ARGS_MAX) {
    return refuse('run.exec', exec, `a list of 1 to ${TASK_EXEC_ARGS_MAX} texts, the program first`)
  }
  const words = exec.map((word, i) => {
    const isText = typeof word === 'string' && word.length <= TASK_EXEC_ARG_CHARS_MAX && !word.includes('\0')
    if (isText && (i > 0 || word !== '')) return word
    return refuse(
      `run.exec[${i}]`,
      word,
      `a text of at most ${TASK_EXEC_ARG_CHARS_MAX} characters without NUL`,
    )
  })
  return {
    ...run,
    exec: words,
    ...(run.env === undefined ? {} : { env: envOf(run.env) }),
    ...(run.cwd === undefined ? {} : { cwd: textOf('run.cwd', run.cwd, TASK_PATH_CHARS_MAX) }),
  }
}

const moduleOf = (value: unknown): string => {
  const path = textOf('run.module', value, TASK_PATH_CHARS_MAX)
  const isInside =
    !path.startsWith('/') && !/^[a-z][a-z0-9+.-]*:/i.test(path) && !path.split(/[\\/]/).includes('..')
  return isInside
    ? path
    : refuse(
        'run.module',
        value,
        "a file under the node's modules folder, such as poll.js; no URL, no absolute path, no ..",
      )
}

const envOf = (value: unknown): Readonly<Record<string, string>> => {
  const env = plainObject(value)
  const names = env === null ? [] : Object.keys(env)
  if (env === null || names.length > TASK_ENV_MAX) {
    return refuse('run.env', value, `an object of at most ${TASK_ENV_MAX} names and texts`)
  }
  for (const name of names) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || name.startsWith('SHOAL_')) {
      refuse(
        'run.env',
        name,
        "names of letters, digits and _ that do not begin with a digit or with SHOAL_, which are Shoal's own",
      )
    }
    const text = env[name]
    if (typeof text !== 'string' || text.length > TASK_ENV_CHARS_MAX || text.includes('\0')) {
      refuse(`run.env.${name}`, text, `a text of at most ${TASK_ENV_CHARS_MAX} characters without NUL`)
    }
  }
  return env as Record<string, string>
}

const WHENS = '"always", "once", {every: duration} or {cron: "5 fields", zone}'

const whenOf = (value: unknown, knowsZone: KnowsZone, check: FieldCheck): TaskWhen => {
  if (value === undefined || value === 'always') return 'always'
  if (value === 'once') return 'once'
  const when = plainObject(value)
  if (when !== null && Object.hasOwn(when, 'every')) {
    check('when', when, ['every'])
    return { ...when, every: durationOf('when.every', when.every, TASK_EVERY_MS_MIN, TASK_EVERY_MS_MAX) }
  }
  if (when !== null && Object.hasOwn(when, 'cron')) {
    check('when', when, ['cron', 'zone'])
    if (typeof when.cron !== 'string') return refuse('when.cron', when.cron, 'a text of 5 fields')
    parseCron('when.cron', when.cron)
    const zone = when.zone === undefined ? 'UTC' : textOf('when.zone', when.zone, TASK_NAME_CHARS_MAX)
    if (!knowsZone(zone)) refuse('when.zone', zone, 'the name of a time zone, such as Europe/Berlin')
    return { ...when, cron: when.cron, zone }
  }
  return refuse('when', value, WHENS)
}

const inputOf = (value: unknown): Json => {
  if (value === undefined) return null
  if (!isJson(value, 0)) return refuse('input', value, 'JSON, at most 64 levels deep')
  const bytes = jsonBytes(value)
  if (bytes > TASK_INPUT_BYTES_MAX) {
    throw new ShoalError(
      'TASK_INVALID',
      `input has ${bytes} bytes as JSON; at most ${TASK_INPUT_BYTES_MAX} are accepted`,
    )
  }
  return value
}

const replicasOf = (value: unknown): number | 'all' => {
  if (value === undefined) return 1
  if (value === 'all') return value
  if (isWhole(value, 0, TASK_REPLICAS_MAX)) return value
  return refuse('replicas', value, `a whole number from 0 (paused) to ${TASK_REPLICAS_MAX}, or "all"`)
}

const needsOf = (value: unknown): Readonly<Record<string, string>> => {
  if (value === undefined) return {}
  const needs = plainObject(value)
  const names = needs === null ? [] : Object.keys(needs)
  if (needs === null || names.length > TASK_NEEDS_MAX) {
    return refuse(
      'needs',
      value,
      `an object of at most ${TASK_NEEDS_MAX} labels and the texts that they must equal`,
    )
  }
  for (const name of names) {
    textOf('needs', name, TASK_LABEL_CHARS_MAX)
    const text = needs[name]
    if (typeof text !== 'string' || text.length > TASK_LABEL_CHARS_MAX) {
      refuse(`needs.${name}`, text, `a text of at most ${TASK_LABEL_CHARS_MAX} characters`)
    }
  }
  return needs as Record<string, string>
}

const spreadOf = (value: unknown): string | null =>
  value === undefined || value === null ? null : textOf('spread', value, TASK_LABEL_CHARS_MAX)

const graceOf = (value: unknown): string => {
  if (value === undefined) return DEFAULT_STOP_GRACE
  return durationOf('stopGrace', value, 0, TASK_STOP_GRACE_MS_MAX)
}

const onPartitionOf = (value: unknown): 'run' => {
  if (value === undefined || value === 'run') return 'run'
  if (value === 'majority' || value === 'stay') {
    throw new ShoalError(
      'NOT_YET',
      `onPartition is ${JSON.stringify(value)}; this version accepts only "run"`,
    )
  }
  return refuse('onPartition', value, '"run"')
}

const flagOf = (field: string, value: unknown): boolean =>
  value === undefined ? false : typeof value === 'boolean' ? value : refuse(field, value, 'true or false')

const wholeOf = (field: string, value: unknown, standard: number, most: number): number =>
  value === undefined
    ? standard
    : isWhole(value, 0, most)
      ? value
      : refuse(field, value, `a whole number from 0 to ${most}`)

const textOf = (field: string, value: unknown, charsMax: number): string =>
  typeof value === 'string' && value !== '' && value.length <= charsMax && !value.includes('\0')
    ? value
    : refuse(field, value, `a text of 1 to ${charsMax} characters without NUL`)

const durationOf = (field: string, value: unknown, least: Millis, most: Millis): string => {
  const accepted = `a whole number with a unit (ms, s, m, h, d), from ${least} ms to ${most} ms`
  let length: Millis
  try {
    length = parseDuration(field, value)
  } catch (error) {
    if (!(error instanceof ShoalError)) throw error
    return refuse(field, value, accepted)
  }
  return length < least || length > most ? refuse(field, value, accepted) : (value as string)
}

const isWhole = (value: unknown, least: number, most: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most

/** A shape only: what this zone means is asked of the runtime. */
const looksLikeZone = (zone: string): boolean => /^[A-Za-z][A-Za-z0-9_+/-]*$/.test(zone)

const plainObject = (value: unknown): JsonObject | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null

const objectOf = (field: string, value: unknown): JsonObject =>
  plainObject(value) ?? refuse(field, value, 'an object with the fields id and run, and more')

type FieldCheck = (field: string, object: JsonObject, known: readonly string[]) => void

const keepUnknown: FieldCheck = () => {}

const refuseUnknown: FieldCheck = (field, object, known) => {
  for (const name of Object.keys(object)) {
    if (known.includes(name)) continue
    throw new ShoalError(
      'TASK_INVALID',
      `${field} has the unknown field ${JSON.stringify(short(name))}; accepted are ${known.join(', ')}`,
    )
  }
}

const isJson = (value: unknown, depth: number): value is Json => {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || depth >= 64) return false
  if (Array.isArray(value)) return value.every(item => isJson(item, depth + 1))
  const isPlain = Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null
  return isPlain && Object.values(value).every(item => isJson(item, depth + 1))
}

/** Bytes of the value's JSON in UTF-8. */
const jsonBytes = (value: Json): number => {
  const text = JSON.stringify(value)
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    // A surrogate pair is two units here and four bytes there.
    if (code > 0x7f) bytes += code > 0x7ff && (code < 0xd800 || code > 0xdfff) ? 2 : 1
  }
  return bytes
}

const short = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text)

const refuse = (field: string, value: unknown, accepted: string): never => {
  const shown = value === undefined ? 'missing' : short(shownOf(value))
  throw new ShoalError('TASK_INVALID', `${field} is ${shown}; accepted: ${accepted}`)
}

const shownOf = (value: unknown): string => {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'symbol')
    return String(value)
  if (typeof value === 'function') return 'a function'
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    // A cycle, or nested so deep that printing it would overflow the stack.
    return 'something that cannot be written as JSON'
  }
}
