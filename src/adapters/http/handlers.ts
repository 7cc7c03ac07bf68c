// What each operation does: it asks the node and answers. Everything about the caller,
// the path, the query and the body was checked before.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { isName } from '../../core/ids.js'
import type { Json } from '../../core/json.js'
import { holdsSpace } from '../../core/member.js'
import { type Headers, sendEntries, sendJson, sendNothing, sendText } from './answers.js'
import type { DemoControl } from './demo.js'
import type { EventStreams } from './event-streams.js'
import { HttpError } from './failure.js'
import type { Caller } from './guard.js'
import type { HttpLimits } from './limits.js'
import type { ApiSpace, NodeApi } from './node-api.js'
import { openApi } from './openapi.js'
import type { Operation } from './operations.js'
import type { Page } from './page.js'
import { show, showValue, wholeOf } from './target.js'

export interface MetricsText {
  readonly contentType: string
  render(): Promise<string>
}

export interface HandlerParts {
  readonly node: NodeApi
  readonly streams: EventStreams
  readonly page: Page
  readonly metrics: MetricsText
  readonly limits: HttpLimits
  readonly version: string
  readonly operations: readonly Operation[]
  readonly demo?: DemoControl
}

export interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly values: Readonly<Record<string, string>>
  readonly query: ReadonlyMap<string, string>
  readonly caller: Caller
  readonly body: Json | undefined
  /** Common to every answer, the age of the view among them. */
  readonly headers: Headers
}

export type Handle = (call: Call) => Promise<void> | void

/** Log lines when nobody says how many. */
const LOG_LINES = 200

export const createHandlers = (parts: HandlerParts): Readonly<Record<string, Handle>> => {
  const { node, streams, page, metrics, limits } = parts
  const document = openApi(parts.version, parts.operations)

  const ok = (call: Call, value: unknown): void => sendJson(call.response, 200, value, call.headers)
  const done = (call: Call): void => sendNothing(call.response, call.headers)
  const id = (call: Call): string => call.values.id as string

  const taskOf = (call: Call): object => {
    const task = node.tasks.get(id(call))
    if (task === null) throw new HttpError(404, 'NOT_FOUND', `there is no task ${show(id(call))}`)
    return task
  }
  const spaceOf = (call: Call): ApiSpace => {
    const name = call.values.space as string
    if (!isName(name)) {
      const accepted = '1 to 63 of a-z, 0-9, dot, underscore and dash, beginning with a letter or digit'
      throw new HttpError(400, 'SPACE_INVALID', `the space is ${show(name)}; accepted: ${accepted}`)
    }
    if (!holdsSpace(node.info().spaces, name)) {
      const message = `${name} is not among the spaces that this node holds (its setting spaces)`
      throw new HttpError(404, 'SPACE_NOT_HELD', message)
    }
    return node.space(name)
  }
  const writableSpaceOf = (call: Call): ApiSpace => {
    const name = call.values.space as string
    if (name.startsWith('shoal.')) {
      throw new HttpError(403, 'SPACE_RESERVED', `${name} is Shoal's own space; it can be read, not written`)
    }
    refuseFenced(call.caller)
    return spaceOf(call)
  }
  /** A copy that is no longer the owner's writes nothing, whatever else would be allowed. */
  const refuseFenced = (caller: Caller): void => {
    if (caller.kind !== 'copy' || (caller.live && node.tasks.isCurrent(caller.copy))) return
    const { task, epoch } = caller.copy
    throw new HttpError(409, 'FENCED', `task ${task} no longer runs here under epoch ${epoch}`)
  }

  return {
    getSelf: call => ok(call, node.info()),
    listMembers: call => ok(call, node.members()),
    forgetMember: async call => {
      await node.forget(node.resolve(id(call)))
      done(call)
    },

    listTasks: call => ok(call, node.tasks.list()),
    getTask: call => ok(call, taskOf(call)),
    putTask: async call => {
      const {
        copies: _,
        result: _result,
        ...stored
      } = (await node.tasks.put(specOf(call))) as Record<string, unknown>
      ok(call, stored)
    },
    deleteTask: async call => {
      taskOf(call)
      await node.tasks.delete(id(call))
      done(call)
    },
    restartTask: async call => {
      taskOf(call)
      await node.tasks.restart(id(call))
      done(call)
    },
    explainTask: call => {
      taskOf(call)
      ok(call, node.tasks.why(id(call)))
    },
    getTaskLogs: async call => {
      const lines = wholeOf(call.query, 'lines', 1, limits.logLinesMax) ?? LOG_LINES
      taskOf(call)
      ok(call, newest(await node.tasks.logs(id(call), lines), limits.logBytesMax))
    },
    saveCheckpoint: async call => {
      const { caller } = call
      if (caller.kind !== 'copy') {
        const message = 'a checkpoint is saved with the token of the copy that runs (SHOAL_TOKEN)'
        throw new HttpError(401, 'TOKEN_REQUIRED', message, { 'WWW-Authenticate': 'Bearer realm="shoal"' })
      }
      if (caller.copy.task !== id(call)) {
        const message = `this token is of task ${caller.copy.task}, not of ${show(id(call))}`
        throw new HttpError(403, 'TOKEN_OF_ANOTHER', message)
      }
      refuseFenced(caller)
      await node.tasks.saveCheckpoint(caller.copy, call.body as Json)
      done(call)
    },
    plan: call => ok(call, node.tasks.plan((call.body as { without: string[] }).without)),

    listSpaces: call => ok(call, node.spaces()),
    getSpace: call => sendEntries(call.response, spaceOf(call).entries(), call.headers),
    getValue: call => {
      const { space, key } = call.values as { space: string; key: string }
      const value = spaceOf(call).get(key)
      if (value === undefined)
        throw new HttpError(404, 'NOT_FOUND', `there is no key ${show(key)} in ${space}`)
      ok(call, value)
    },
    setValue: async call => {
      await writableSpaceOf(call).set(call.values.key as string, call.body as Json)
      done(call)
    },
    deleteValue: async call => {
      await writableSpaceOf(call).delete(call.values.key as string)
      done(call)
    },

    listEvents: call => {
      const since = wholeOf(call.query, 'since', 0, Number.MAX_SAFE_INTEGER)
      if (!wantsStream(call.request)) {
        ok(call, node.journal.since(since ?? 0))
        return
      }
      const last = call.request.headers['last-event-id']
      const after =
        typeof last === 'string'
          ? streams.resumeAfter(last)
          : Math.min(since ?? node.journal.lastSeq, node.journal.lastSeq)
      streams.open(call.response, after, call.headers)
    },

    join: call => {
      node.join((call.body as { addrs: string[] }).addrs)
      done(call)
    },
    drain: async call => {
      await node.drain((call.body as { on: boolean }).on)
      done(call)
    },
    leave: async call => {
      await node.leave()
      done(call)
    },

    isAlive: call => ok(call, { alive: true }),
    isReady: call => {
      if (node.status === 'ready') ok(call, { ready: true })
      else sendJson(call.response, 503, { ready: false, reason: `the node is ${node.status}` }, call.headers)
    },
    getMetrics: async call =>
      sendText(call.response, 200, metrics.contentType, await metrics.render(), call.headers),
    getOpenApi: call => ok(call, document),
    getPage: call => page.send(call.request, call.response, call.headers),

    getDemo: call => ok(call, { controls: parts.demo?.controls ?? [] }),
    actDemo: async call => {
      const { action, node: member } = call.body as { action: string; node: string }
      await parts.demo?.act(action, node.resolve(member))
      done(call)
    },
  }
}

/** A task's body with the id of its path, which it may leave out. */
const specOf = ({ body, values }: Call): Json => {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body as Json
  const given = (body as { id?: Json }).id
  if (given !== undefined && given !== values.id) {
    const message = `id is ${showValue(given)}; the path says ${show(values.id as string)}`
    throw new HttpError(400, 'TASK_INVALID', message)
  }
  return { ...(body as object), id: values.id as string } as Json
}

const wantsStream = (request: IncomingMessage): boolean =>
  request.method === 'GET' && (request.headers.accept ?? '').toLowerCase().includes('text/event-stream')

/** The newest lines that fit. */
const newest = (lines: readonly unknown[], bytesMax: number): readonly unknown[] => {
  let bytes = 2
  let first = lines.length
  while (first > 0) {
    bytes += Buffer.byteLength(JSON.stringify(lines[first - 1])) + 1
    if (bytes > bytesMax) break
    first--
  }
  return lines.slice(first)
}
