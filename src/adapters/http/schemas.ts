// The shapes of what the interface carries (contract, sections 2 and 5), as JSON Schema.
// Later fields may be added to any object; a body refuses what it does not know.

import type { Schema } from './operations.js'

const text: Schema = { type: 'string' }
const name: Schema = { type: 'string', pattern: '^[a-z0-9][a-z0-9._-]{0,62}$' }
const duration: Schema = { type: 'string', pattern: '^\\d+(ms|s|m|h|d)$' }
const whole: Schema = { type: 'integer', minimum: 0 }
const at: Schema = { type: 'integer', description: 'milliseconds since 1970' }
const flag: Schema = { type: 'boolean' }
const texts: Schema = { type: 'array', items: text }
const labels: Schema = { type: 'object', additionalProperties: text }
const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] })
const oneOf = (...values: readonly (string | null)[]): Schema => ({ enum: values })

const shape = (properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter(key => !optional.includes(key)),
})

const closed = (properties: Readonly<Record<string, Schema>>, required: readonly string[]): Schema => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})

const spec: Readonly<Record<string, Schema>> = {
  id: name,
  run: {
    oneOf: [
      closed({ handler: { type: 'string', minLength: 1, maxLength: 128 } }, ['handler']),
      closed({ module: { type: 'string', minLength: 1, maxLength: 1_024 } }, ['module']),
      closed(
        {
          exec: { type: 'array', items: text, minItems: 1, maxItems: 256 },
          env: { type: 'object', additionalProperties: text },
          cwd: text,
        },
        ['exec'],
      ),
    ],
  },
  when: {
    oneOf: [
      { const: 'always' },
      { const: 'once' },
      closed({ every: duration }, ['every']),
      closed({ cron: text, zone: text }, ['cron']),
    ],
    default: 'always',
  },
  input: { description: 'any JSON up to 64 KB', default: null },
  replicas: { oneOf: [{ type: 'integer', minimum: 0, maximum: 1_000 }, { const: 'all' }], default: 1 },
  needs: { ...labels, default: {} },
  spread: { type: ['string', 'null'], default: null },
  weight: { type: 'integer', minimum: 0, maximum: 1_000_000, default: 1 },
  stopGrace: { ...duration, default: '5s' },
  overlap: { ...flag, default: false },
  onPartition: { const: 'run', default: 'run' },
}

const record: Readonly<Record<string, Schema>> = {
  id: text,
  name,
  generation: whole,
  addrs: texts,
  labels,
  capacity: orNull(whole),
  runs: texts,
  settled: flag,
  draining: flag,
  health: oneOf('ok', 'strained', 'failing'),
  reasons: texts,
}

const copy = shape({
  slot: whole,
  node: orNull(text),
  phase: oneOf('waiting', 'starting', 'running', 'stopping', 'stopped', 'failed'),
  epoch: orNull(text),
  since: at,
  restarts: whole,
  reason: orNull(text),
  lastError: orNull(text),
})

const stored = { ...spec, revision: whole }

export const SCHEMAS: Readonly<Record<string, Schema>> = {
  Self: shape({
    ...record,
    meshId: orNull({ type: 'string', pattern: '^[0-9a-f]{16}$' }),
    spaces: texts,
    dialable: flag,
    version: text,
    startedAt: at,
  }),
  Member: shape({
    ...record,
    verdict: oneOf('alive', 'suspect', 'dead', 'left'),
    cause: oneOf('crashed', 'unreachable', 'left', 'refuted', null),
    refutation: whole,
    since: at,
    rttMs: orNull({ type: 'number', minimum: 0 }),
    observers: texts,
  }),
  TaskSpec: closed(spec, ['run']),
  StoredTask: shape(stored),
  Task: {
    type: 'object',
    description: 'A task that this node cannot understand has a `problem` and only what was read of it',
    properties: {
      ...stored,
      run: {},
      when: {},
      copies: { type: 'array', items: copy },
      problem: text,
      result: shape({ ok: flag, error: orNull(text), value: {}, at, node: text, epoch: text }),
    },
    required: ['id', 'revision', 'copies'],
  },
  Explanation: shape({
    task: text,
    copies: { type: 'array', items: shape({ slot: whole, node: orNull(text), reason: orNull(text) }) },
    candidates: {
      type: 'array',
      items: shape({ node: text, eligible: flag, chosen: flag, rank: orNull(whole), reasons: texts }),
    },
  }),
  LogLine: shape({ at, node: text, epoch: text, stream: oneOf('out', 'err', 'log'), line: text }),
  Plan: shape({
    moves: { type: 'array', items: shape({ task: text, slot: whole, from: orNull(text), to: orNull(text) }) },
  }),
  Space: shape({ space: text, keys: whole, bytes: whole }),
  Event: {
    ...shape({ seq: { type: 'integer', minimum: 1 }, at, kind: text }),
    description:
      'member.* carry member, name, verdict, cause; task.* carry task, node, epoch, cause, and moved also from and to; state.changed carries space and keys',
  },
  Alive: shape({ alive: { const: true } }),
  Ready: shape({ ready: flag, reason: text }, ['reason']),
  Error: shape({ error: shape({ code: text, message: text }) }),
}
