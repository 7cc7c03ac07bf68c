// The HTTP interface of a node: takes requests in, in this order: is there room, where
// does it go, may this caller, is it well formed; then the operation. It never throws
// into the node, never reads more than a limit allows, and answers every failure the same
// way.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ShoalError } from '../../core/errors.js'
import type { Log } from '../../ports.js'
import { COMMON_HEADERS, type Headers, sendJson } from './answers.js'
import { readJson } from './body.js'
import { checkBody } from './check-body.js'
import { DEMO_OPERATIONS, type DemoControl } from './demo.js'
import { createEventStreams } from './event-streams.js'
import { failureOf, HttpError } from './failure.js'
import { admit, type Caller, type Door, type Openness } from './guard.js'
import { createHandlers, type MetricsText } from './handlers.js'
import { HTTP_LIMITS, type HttpLimits } from './limits.js'
import type { CheckToken, NodeApi } from './node-api.js'
import { OPERATIONS, type Operation } from './operations.js'
import { createPage } from './page.js'
import { answerBroken, answerConnect, checkForm } from './protocol.js'
import { createRouter } from './router.js'
import { readTarget, show, type Target } from './target.js'

export interface HttpOptions {
  readonly node: NodeApi
  readonly host: string
  readonly port: number
  /** The node's token; null: a playground. */
  readonly token: string | null
  readonly checkToken: CheckToken
  readonly metrics: MetricsText
  /** The dashboard's file. */
  readonly pageFile: string
  /** The demo's levers; absent from every other node. */
  readonly demo?: DemoControl
  readonly version: string
  readonly log: Log
  readonly limits?: Partial<HttpLimits>
}

export interface HttpServer {
  /** `HOST:PORT`, with the port that it really has. */
  readonly address: string
  /** What a program on this machine reaches it by, `http://HOST:PORT`. */
  readonly url: string
  readonly stats: () => HttpStats
  /** Resolves when what was under way is answered, or `closeMs` have passed. */
  close(): Promise<void>
}

export interface HttpStats {
  readonly streams: number
  readonly streamsDropped: number
  readonly underWay: number
  readonly answers: ReadonlyMap<number, number>
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)

export const startHttp = async (options: HttpOptions): Promise<HttpServer> => {
  const { node, log } = options
  const limits = { ...HTTP_LIMITS, ...options.limits }
  const door: Door = {
    token: options.token,
    loopback: isLoopback(options.host),
    checkToken: options.checkToken,
  }
  const streams = createEventStreams(node, limits.streams, limits.streamsMax)
  const page = createPage(options.pageFile)
  const operations = options.demo === undefined ? OPERATIONS : [...OPERATIONS, ...DEMO_OPERATIONS]
  const route = createRouter(operations)
  const handlers = createHandlers({ ...options, streams, page, limits, operations })
  const answers = new Map<number, number>()
  let underWay = 0

  const headersOf = (path: string): Headers =>
    path.startsWith('/v1/')
      ? { ...COMMON_HEADERS, 'Shoal-View-Age-Ms': String(viewAge(node)) }
      : COMMON_HEADERS

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let path = ''
    let late: NodeJS.Timeout | undefined
    try {
      const target = readTarget(request.url ?? '')
      path = target.path
      checkForm(request)
      const caller = admit(request, opennessOf(path), door)
      const { operation, values } = route(request.method ?? '', target.segments, path)
      checkCaller(caller, operation)
      checkQuery(target, operation)
      const body =
        operation.body === undefined
          ? undefined
          : await readJson(request, limits[operation.body.limit], limits.depthMax)
      if (operation.body !== undefined) checkBody(body, operation.body.schema)
      const handle = handlers[operation.id] as (typeof handlers)[string]
      late = setTimeout(() => {
        if (!response.headersSent) fail(request, response, path, tooLate(node, limits.answerMs))
      }, limits.answerMs)
      await handle({ request, response, values, query: target.query, caller, body, headers: headersOf(path) })
    } catch (error) {
      // Whoever waited has had his answer.
      if (!response.writableEnded) fail(request, response, path, error)
    } finally {
      clearTimeout(late)
    }
  }

  const fail = (request: IncomingMessage, response: ServerResponse, path: string, error: unknown): void => {
    const { status, code, message, headers } = failureOf(error)
    if (status === 500) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      log.error('a request failed', { method: request.method, path: path.slice(0, 200), error: text })
    }
    if (response.headersSent) response.destroy()
    else sendJson(response, status, { error: { code, message } }, { ...headersOf(path), ...headers })
  }

  const take = (request: IncomingMessage, response: ServerResponse): void => {
    underWay++
    let counted = true
    const over = (): void => {
      if (!counted) return
      counted = false
      underWay--
    }
    response.on('close', () => {
      over()
      answers.set(response.statusCode, (answers.get(response.statusCode) ?? 0) + 1)
    })
    // The other end went away: nothing is left to say, and nothing is wrong here.
    response.on('error', () => {})
    request.on('error', () => {})
    // Whoever asks whether the node lives must not be told that it is busy: it would be restarted for that.
    if (underWay > limits.requestsMax && !isProbe(request.url)) {
      const message = `${limits.requestsMax} requests are under way, which is the most accepted`
      fail(
        request,
        response,
        '',
        new HttpError(503, 'BUSY', message, { 'Retry-After': '1', Connection: 'close' }),
      )
      // The connection closes after the first of these; the answers behind it never hear of that.
      over()
      return
    }
    void serve(request, response).then(() => {
      // A stream goes on for hours; it has a limit of its own.
      if (response.headersSent) over()
    })
  }

  const server = createServer(
    {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: 5_000,
      noDelay: true,
      // Node.js would answer without a body; `checkForm` says what is wrong.
      requireHostHeader: false,
    },
    take,
  )
  // Left alone, Node.js would answer the one without a body and hang up on the other.
  server.on('checkExpectation', take)
  server.on('connect', answerConnect)
  server.maxHeadersCount = limits.headersMax
  server.maxConnections = limits.connectionsMax
  server.on('clientError', answerBroken)
  await listen(server, options.host, options.port)
  // Until here whoever asked for it hears of a fault.
  server.on('error', error => log.error('the HTTP interface has a fault', { error: String(error) }))
  const { port } = server.address() as AddressInfo
  const shownHost = options.host.includes(':') ? `[${options.host}]` : options.host

  let closing: Promise<void> | null = null
  return {
    address: `${shownHost}:${port}`,
    url: `http://${localHost(options.host)}:${port}`,
    stats: () => ({ streams: streams.count, streamsDropped: streams.dropped, underWay, answers }),
    close() {
      closing ??= new Promise(resolve => {
        streams.close()
        const late = setTimeout(() => server.closeAllConnections(), limits.closeMs)
        server.close(() => {
          clearTimeout(late)
          resolve()
        })
        server.closeIdleConnections()
      })
      return closing
    },
  }
}

/** What is asked for is done when it is durable, and a disk that is full may not be so for hours. */
const tooLate = (node: NodeApi, afterMs: number): HttpError => {
  const why = node.info().reasons.find(reason => reason.startsWith('store'))
  const message = `the node has not made this durable in ${afterMs / 1_000} s${why === undefined ? '' : ` (${why})`}; whether it will is not known`
  return new HttpError(503, 'NOT_DURABLE_YET', message, { 'Retry-After': '10' })
}

const isProbe = (url = ''): boolean => /^\/(healthz|readyz)(\?|$)/.test(url)

/** The page and the probes are for everybody who may connect; all else is the mesh's. */
const opennessOf = (path: string): Openness =>
  path === '/' ? 'page' : path === '/healthz' || path === '/readyz' ? 'probe' : 'mesh'

/** A node that never heard anybody has been blind since its start. */
const viewAge = (node: NodeApi): number =>
  node.viewAgeMs() ?? Math.max(0, Math.round(node.clock.now() - node.startedAt))

/** A task's token is for what a task does: reading, and writing its checkpoint and state. */
const checkCaller = (caller: Caller, operation: Operation): void => {
  if (caller.kind !== 'copy' || operation.method === 'GET' || operation.copies === true) return
  const message = `the token of task ${caller.copy.task} is for its checkpoint and for shared state`
  throw new HttpError(403, 'TOKEN_OF_TASK', message)
}

const checkQuery = ({ query }: Target, operation: Operation): void => {
  const known = (operation.query ?? []).map(({ name }) => name)
  for (const name of query.keys()) {
    if (known.includes(name)) continue
    const accepted = known.length === 0 ? 'none is accepted here' : `accepted: ${known.join(', ')}`
    throw new HttpError(400, 'QUERY_UNKNOWN', `${show(name)} is no parameter of this; ${accepted}`)
  }
}

const localHost = (host: string): string => {
  if (host === '0.0.0.0' || host === '') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}

const listen = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const why =
        error.code === 'EADDRINUSE'
          ? 'something listens there already'
          : error.code === 'EACCES'
            ? 'this user may not listen there'
            : error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND'
              ? 'it is no address of this machine'
              : String(error.code ?? error.message)
      reject(new ShoalError('API_LISTEN_FAILED', `api is ${host}:${port}; ${why}`))
    }
    server.once('error', failed)
    server.listen({ host, port, backlog: 1_024 }, () => {
      server.off('error', failed)
      resolve()
    })
  })
