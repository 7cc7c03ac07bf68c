// The demo's own door: the page and the API of whichever node works at the moment, with
// `/v1/demo` beside them, which no node has. Only this machine reaches it, a request
// from another site is refused, and whatever changes something needs the demo's token.
//
// GET  /v1/demo  {controls: ["kill","freeze","cut","revive"], nodes: [{id,name,fate}]}
// POST /v1/demo  {action, node} with node an id or a name → 204

import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { ShoalError } from '../core/errors.js'
import type { DemoNode, Fleet } from './fleet.js'

export const CONTROLS = ['kill', 'freeze', 'cut', 'revive'] as const
export type Control = (typeof CONTROLS)[number]

export interface Door {
  /** What to open in a browser. */
  readonly url: string
  close(): void
}

const BODY_MAX = 4_096
const LOOPBACK = /^(127\.0\.0\.1|localhost)(:\d+)?$/

export const openDoor = async (
  fleet: Fleet,
  act: (action: Control, node: DemoNode) => Promise<void>,
): Promise<Door> => {
  const server = createServer((incoming, outgoing) => {
    serve(fleet, act, incoming, outgoing).catch(error => {
      if (!outgoing.headersSent) refuse(outgoing, 500, 'FAILED', String(error))
      else outgoing.destroy()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}/#token=${fleet.token}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

const serve = async (
  fleet: Fleet,
  act: (action: Control, node: DemoNode) => Promise<void>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> => {
  const { host = '', origin } = incoming.headers
  // A page of another site may send requests here, under its own name or one that it made point here.
  if (!LOOPBACK.test(host) || (origin !== undefined && origin !== `http://${host}`)) {
    refuse(outgoing, 403, 'FORBIDDEN', 'the demo answers to pages of its own')
    return
  }
  const path = (incoming.url ?? '/').split('?')[0]
  if (path !== '/v1/demo') {
    pass(fleet, incoming, outgoing)
    return
  }
  if (incoming.method === 'GET') {
    const nodes = fleet.nodes.map(({ id, name, fate }) => ({ id, name, fate }))
    answer(outgoing, 200, { controls: CONTROLS, nodes })
    return
  }
  if (incoming.method !== 'POST') {
    outgoing.setHeader('allow', 'GET, POST')
    refuse(outgoing, 405, 'METHOD', `${incoming.method} is not accepted; GET and POST are`)
    return
  }
  if (!isToken(incoming.headers.authorization, fleet.token)) {
    refuse(
      outgoing,
      401,
      'UNAUTHORIZED',
      'the token of the demo is needed; it stands in the address that it printed',
    )
    return
  }
  try {
    const { action, node } = await readOrder(incoming, fleet)
    await act(action, node)
    outgoing.writeHead(204).end()
  } catch (error) {
    if (!(error instanceof ShoalError)) throw error
    refuse(
      outgoing,
      error.code === 'NOT_FOUND' ? 404 : error.code === 'CONFLICT' ? 409 : 400,
      error.code,
      error.message,
    )
  }
}

const readOrder = async (
  incoming: IncomingMessage,
  fleet: Fleet,
): Promise<{ readonly action: Control; readonly node: DemoNode }> => {
  let text = ''
  for await (const chunk of incoming) {
    text += String(chunk)
    if (text.length > BODY_MAX)
      throw new ShoalError('TOO_LARGE', `the body has more than ${BODY_MAX} characters`)
  }
  let order: { action?: unknown; node?: unknown }
  try {
    order = JSON.parse(text) as typeof order
  } catch {
    throw new ShoalError('JSON_INVALID', 'the body is no JSON; {"action":"kill","node":"gw-1"} is accepted')
  }
  const action = CONTROLS.find(each => each === order?.action)
  if (action === undefined) {
    throw new ShoalError(
      'ACTION_INVALID',
      `action is ${JSON.stringify(order?.action)}; accepted are ${CONTROLS.join(', ')}`,
    )
  }
  const node = fleet.nodes.find(({ id, name }) => order.node === id || order.node === name)
  if (node === undefined)
    throw new ShoalError('NOT_FOUND', `no node of the demo is ${JSON.stringify(order.node)}`)
  return { action, node }
}

const isToken = (header: string | undefined, token: string): boolean => {
  const given = Buffer.from(/^Bearer (.+)$/.exec(header ?? '')?.[1] ?? '')
  const wanted = Buffer.from(token)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

/** Hands the request to a node that works. */
const pass = (fleet: Fleet, incoming: IncomingMessage, outgoing: ServerResponse): void => {
  const node = fleet.nodes.find(({ fate, api }) => fate === 'up' && api !== '')
  if (node === undefined) {
    refuse(outgoing, 503, 'NO_NODE', 'no node of the demo works at the moment; revive one')
    return
  }
  const [host, port] = node.api.split(':')
  const { origin: _, ...headers } = incoming.headers
  const upstream = request(
    {
      host,
      port,
      method: incoming.method,
      path: incoming.url,
      headers: { ...headers, host: node.api },
      agent: false,
    },
    answered => {
      outgoing.writeHead(answered.statusCode ?? 502, answered.headers)
      answered.pipe(outgoing)
      answered.once('error', () => outgoing.destroy())
    },
  )
  // A stream of events goes on with another node as soon as this one is not to be heard.
  const watch = setInterval(() => {
    if (node.fate !== 'up') upstream.destroy(new Error(`${node.name} does not work any more`))
  }, 100)
  upstream.once('close', () => clearInterval(watch))
  upstream.once('error', () => {
    if (outgoing.headersSent) outgoing.destroy()
    else refuse(outgoing, 502, 'NO_NODE', `${node.name} went away; ask again`)
  })
  outgoing.once('close', () => upstream.destroy())
  incoming.pipe(upstream)
}

const answer = (outgoing: ServerResponse, status: number, body: unknown): void => {
  const text = JSON.stringify(body)
  outgoing.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(text)
}

const refuse = (outgoing: ServerResponse, status: number, code: string, message: string): void =>
  answer(outgoing, status, { error: { code, message } })
