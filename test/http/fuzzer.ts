// Requests made of the OpenAPI document that a node serves: for every operation valid
// parameters and bodies, spoilt ones, and what nobody would call either. Seeded: the same
// seed sends the same requests in the same order.

import { Agent, request } from 'node:http'
import type { Rng } from '../../src/core/rng.js'

type Schema = { readonly [key: string]: unknown }

interface DocumentOperation {
  readonly operationId: string
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<Record<string, unknown>>
}

export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentOperation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

export interface Sent {
  readonly operation: string
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | undefined
  /** Statuses that the document promises for it. */
  readonly promised: ReadonlySet<number>
}

export interface Outcome {
  readonly sent: Sent
  readonly status: number
  readonly text: string
  readonly type: string
}

/** What would end the run itself. */
const LEFT_OUT = ['leave']
/** Nothing here is ever looked up by name. */
const ADDRESSES = [
  '127.0.0.1:1',
  '/ip4/127.0.0.1/tcp/1',
  '[::1]:1',
  ':',
  '///',
  '/ip4/999.1.1.1/tcp/0',
  '127.0.0.1:99999',
  '/tcp/1',
  '%00',
]
const NAMES = [
  'a',
  'b-1',
  'task.x',
  'z9',
  'notes',
  'counts',
  'shoal.tasks',
  'shoal.mesh',
  'gate',
  '12D3KooWxxxxxxxx',
]
const NASTY = [
  '',
  ' ',
  '..',
  '.',
  '%',
  '%zz',
  '%ff%fe',
  '%00',
  'A B',
  '__proto__',
  'constructor',
  'ä',
  '\u{1f41f}',
  'x'.repeat(300),
  'x'.repeat(5_000),
  '{id}',
  "';--",
  '../../etc/passwd',
  '%2e%2e%2f',
  'null',
  '-1',
  '1e9',
]
const TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'text/plain',
  'text/html',
  'multipart/form-data; boundary=x',
  '',
  'a/b;;;',
  'application/json; charset=utf-16',
]

export const createFuzzer = (document: ApiDocument, rng: Rng) => {
  const operations = Object.entries(document.paths).flatMap(([path, byMethod]) =>
    Object.entries(byMethod)
      .filter(([, { operationId }]) => !LEFT_OUT.includes(operationId))
      .map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
  const chance = (share: number): boolean => rng.below(1_000) < share * 1_000
  const pick = <T>(items: readonly T[]): T => rng.pick(items)

  const resolve = (schema: Schema): Schema =>
    typeof schema.$ref === 'string'
      ? (document.components.schemas[schema.$ref.split('/').pop() as string] as Schema)
      : schema

  const text = (): string => (chance(0.5) ? pick(NAMES) : pick(NASTY))

  const anything = (depth: number): unknown => {
    switch (rng.below(depth > 3 ? 6 : 8)) {
      case 0:
        return null
      case 1:
        return chance(0.5)
      case 2:
        return pick([0, -0, 1, -1, 1.5, 1e308, 2 ** 53, -(2 ** 53), 1e-320])
      case 3:
        return text()
      case 4:
        return 'y'.repeat(rng.below(2_000))
      case 5:
        return '\ud800 \udfff \u0000 \u2028'
      case 6:
        return Array.from({ length: rng.below(5) }, () => anything(depth + 1))
      default:
        return Object.fromEntries(Array.from({ length: rng.below(5) }, () => [text(), anything(depth + 1)]))
    }
  }

  const sampleOf = (given: Schema, name: string): unknown => {
    if (chance(0.04)) return anything(0)
    const schema = resolve(given)
    if (schema.const !== undefined) return schema.const
    if (Array.isArray(schema.enum)) return pick(schema.enum)
    const choices = (schema.oneOf ?? schema.anyOf) as Schema[] | undefined
    if (choices !== undefined) return sampleOf(pick(choices), name)
    const type = Array.isArray(schema.type) ? pick(schema.type as string[]) : schema.type
    switch (type) {
      case 'object': {
        const properties = (schema.properties ?? {}) as Readonly<Record<string, Schema>>
        const required = (schema.required ?? []) as string[]
        const object: Record<string, unknown> = {}
        for (const [key, inner] of Object.entries(properties)) {
          if (key === 'id' || (!required.includes(key) && chance(0.6)) || chance(0.02)) continue
          object[key] = sampleOf(inner, key)
        }
        if (schema.properties === undefined || chance(0.03)) object[text()] = text()
        return object
      }
      case 'array':
        return Array.from({ length: rng.below(4) }, () =>
          name === 'addrs' ? pick(ADDRESSES) : sampleOf((schema.items ?? {}) as Schema, name),
        )
      case 'integer':
      case 'number':
        return chance(0.8) ? rng.below(5) : pick([-1, 1.5, 2 ** 53, 1e300])
      case 'boolean':
        return chance(0.5)
      case 'string':
        if (name === 'handler') return pick(['steady', 'quick', 'none'])
        if (name === 'every') return pick(['1s', '50ms', '0s', '99999999d', 'x'])
        if (name === 'cron') return pick(['* * * * *', '*/5 1-3 * * 0', '61 * * * *', '* * *', text()])
        if (name === 'zone') return pick(['UTC', 'Europe/Berlin', 'Nowhere/Land'])
        if (name === 'stopGrace') return pick(['0s', '10ms', '5s', 'x'])
        return text()
      default:
        return anything(0)
    }
  }

  const bodyOf = (schema: Schema): Buffer => {
    const json = JSON.stringify(sampleOf(schema, '')) ?? 'null'
    switch (rng.below(12)) {
      case 0:
        return Buffer.from(Array.from({ length: rng.below(200) }, () => rng.below(256)))
      case 1:
        return Buffer.from(json.slice(0, rng.below(json.length + 1)))
      case 2:
        return Buffer.from(pick(['[', '{"a":', '"']).repeat(rng.below(40_000)))
      case 3:
        return chance(0.2) ? Buffer.alloc(300_000, 0x20) : Buffer.from(json)
      default:
        return Buffer.from(json)
    }
  }

  const pieceOf = (): string => {
    if (chance(0.75)) return pick(NAMES)
    const piece = pick(NASTY)
    return chance(0.5) ? encodeURIComponent(piece) : piece.replace(/[^!-~]/gu, '')
  }

  const next = (): Sent => {
    const { path, method, operation } = pick(operations)
    let target = path.replace(/\{\w+\}/g, () => pieceOf())
    const query = operation.parameters.filter(parameter => parameter.in === 'query' && chance(0.4))
    const pairs = query.map(
      ({ name, schema }) => `${name}=${encodeURIComponent(String(sampleOf(schema, name)).toWellFormed())}`,
    )
    if (chance(0.03)) pairs.push(`${pieceOf()}=${pieceOf()}`)
    if (pairs.length > 0) target += `?${pairs.join('&')}`
    const schema = operation.requestBody?.content['application/json']?.schema
    const hasBody = schema !== undefined ? !chance(0.03) : method !== 'GET' && chance(0.1)
    const headers: Record<string, string> = {}
    if (chance(0.3)) headers['content-type'] = pick(TYPES)
    if (chance(0.03))
      headers.authorization = pick(['Bearer x', 'Basic eDp5', 'Bearer', `Bearer ${'y'.repeat(9_000)}`])
    if (chance(0.02)) headers.origin = pick(['http://evil', 'null', ''])
    if (chance(0.02)) headers['last-event-id'] = pick(['1-1', 'x', '9'.repeat(40)])
    const used = chance(0.03) ? pick(['PATCH', 'OPTIONS', 'TRACE', 'HEAD', 'DELETE', 'POST']) : method
    const known = document.paths[path]?.[used === 'HEAD' ? 'get' : used.toLowerCase()]
    return {
      operation: operation.operationId,
      method: used,
      // The request line itself is fuzzed elsewhere: what Node would not send never leaves.
      path: target.replace(/[^!-~]/g, '') || '/',
      headers,
      body: hasBody ? bodyOf(schema ?? {}) : undefined,
      promised: new Set(Object.keys(known?.responses ?? {}).map(Number)),
    }
  }
  return { next }
}

/** Statuses that any request may meet before its operation is known. */
const ALWAYS = new Set([400, 401, 403, 404, 405, 413, 415, 431])

/** What is wrong with an answer, or null. */
export const faultOf = ({ sent, status, text, type }: Outcome): string | null => {
  const isJson = type.includes('json')
  if (status >= 500) return `status ${status}: ${text.slice(0, 300)}`
  if (!sent.promised.has(status) && !ALWAYS.has(status)) return `status ${status} is not in the document`
  if (status < 400 || sent.method === 'HEAD') return null
  if (!isJson) return `a refusal without JSON: ${type}`
  const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } }
  const isWhole =
    typeof error?.code === 'string' && typeof error.message === 'string' && error.message.length < 6_000
  return isWhole ? null : `a refusal of another shape: ${text.slice(0, 200)}`
}

export const createSender = (port: number, connections: number) => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const send = (sent: Sent): Promise<Outcome> =>
    new Promise((resolve, reject) => {
      const asked = request({
        host: '127.0.0.1',
        port,
        agent,
        method: sent.method,
        path: sent.path,
        headers: {
          ...sent.headers,
          ...(sent.body === undefined ? {} : { 'content-length': String(sent.body.length) }),
        },
      })
      asked.on('response', response => {
        const chunks: Buffer[] = []
        response.on('data', chunk => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            sent,
            status: response.statusCode ?? 0,
            text: Buffer.concat(chunks).toString(),
            type: response.headers['content-type'] ?? '',
          }),
        )
      })
      asked.on('error', reject)
      asked.end(sent.body)
    })
  return { send, close: () => agent.destroy() }
}

export interface FuzzReport {
  readonly byStatus: ReadonlyMap<number, number>
  readonly byOperation: ReadonlyMap<string, number>
  readonly faults: readonly string[]
  /** Connections that the node broke instead of answering: it may, after a body that it would not read. */
  readonly broken: number
}

const FAULTS_MAX = 20

/** Sends so many requests, so many at a time. */
export const fuzz = async (
  port: number,
  document: ApiDocument,
  rng: Rng,
  count: number,
  connections: number,
): Promise<FuzzReport> => {
  const fuzzer = createFuzzer(document, rng)
  const sender = createSender(port, connections)
  const byStatus = new Map<number, number>()
  const byOperation = new Map<string, number>()
  const faults: string[] = []
  let broken = 0
  let left = count
  const work = async (): Promise<void> => {
    while (left-- > 0 && faults.length < FAULTS_MAX) {
      const sent = fuzzer.next()
      let outcome: Outcome
      try {
        outcome = await sender.send(sent)
      } catch {
        broken++
        // Only a body beyond its limit may end a connection before its answer was read.
        if ((sent.body?.length ?? 0) < 60_000) faults.push(`${sent.method} ${sent.path}: no answer`)
        continue
      }
      byStatus.set(outcome.status, (byStatus.get(outcome.status) ?? 0) + 1)
      byOperation.set(sent.operation, (byOperation.get(sent.operation) ?? 0) + 1)
      const fault = faultOf(outcome)
      if (fault !== null) {
        const shown = sent.body?.toString('latin1').slice(0, 300) ?? ''
        faults.push(`${sent.method} ${sent.path.slice(0, 200)} ${shown}: ${fault}`)
      }
    }
  }
  await Promise.all(Array.from({ length: connections }, work))
  sender.close()
  return { byStatus, byOperation, faults, broken }
}
