// Real nodes with their HTTP interface, on loopback, each with a port of the system's
// choice; and a client that sends exactly what it is told, headers that browsers and
// `fetch` would not let anybody set included.

import '../../src/polyfill.js'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DemoControl } from '../../src/adapters/http/demo.js'
import { type Composed, composeNode } from '../../src/runtime/compose.js'
import { type ApiServer, serveApi } from '../../src/runtime/compose-api.js'
import { type NodeOptions, settingsOf } from '../../src/runtime/options.js'

export interface TestNode extends Composed {
  readonly server: ApiServer
  readonly folder: string
  readonly port: number
  ask(method: string, path: string, more?: Ask): Promise<Answer>
  close(): Promise<void>
}

export interface Ask {
  readonly headers?: Readonly<Record<string, string>>
  readonly token?: string
  readonly json?: unknown
  readonly body?: string | Buffer
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** Parsed, or undefined without a body. */
  readonly json: unknown
  readonly code: string | undefined
}

export const startNode = async (
  options: NodeOptions & {
    readonly keyed?: boolean
    readonly kept?: boolean
    readonly demo?: DemoControl
  } = {},
): Promise<TestNode> => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-http-'))
  const { keyed, kept, demo, api, ...rest } = options
  const keyFile = join(folder, 'mesh.key')
  if (keyed) {
    await writeFile(keyFile, `/key/swarm/psk/1.0.0/\n/base16/\n${'5a'.repeat(32)}\n`, { mode: 0o600 })
  }
  const settings = settingsOf({
    name: 'gate',
    listen: ['/ip4/127.0.0.1/tcp/0'],
    mdns: false,
    ...(keyed ? { meshKey: keyFile } : {}),
    ...(keyed || kept ? { dataDir: join(folder, 'data') } : {}),
    ...rest,
  })
  const composed = await composeNode(settings)
  const server = await serveApi(composed, typeof api === 'string' ? api : '127.0.0.1:0', settings, demo)
  await composed.node.start(settings.join)
  const port = Number(server.address.slice(server.address.lastIndexOf(':') + 1))
  composed.node.onStopped(() => void server.close())
  return {
    ...composed,
    server,
    folder,
    port,
    ask: (method, path, more) => ask(port, method, path, more),
    async close() {
      await composed.node.close()
      await server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export const withNode = async (
  options: Parameters<typeof startNode>[0],
  use: (node: TestNode) => Promise<void>,
): Promise<void> => {
  const node = await startNode(options)
  try {
    await use(node)
  } finally {
    await node.close()
  }
}

export const ask = (port: number, method: string, path: string, more: Ask = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const body = more.json === undefined ? more.body : JSON.stringify(more.json)
    const sent = request({
      host: '127.0.0.1',
      port,
      method,
      path,
      agent: false,
      setHost: more.headers?.Host === undefined,
      headers: {
        ...(more.json === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(body === undefined || more.headers?.['Transfer-Encoding'] !== undefined
          ? {}
          : { 'Content-Length': String(Buffer.byteLength(body)) }),
        ...(more.token === undefined ? {} : { Authorization: `Bearer ${more.token}` }),
        ...more.headers,
      },
    })
    sent.on('error', reject)
    sent.on('response', response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => resolve(answerOf(response, Buffer.concat(chunks))))
    })
    sent.end(body)
  })

const answerOf = (response: IncomingMessage, bytes: Buffer): Answer => {
  const text = bytes.toString()
  const isJson = /json/.test(response.headers['content-type'] ?? '')
  const json = isJson && text !== '' ? (JSON.parse(text) as unknown) : undefined
  const code = (json as { error?: { code?: string } } | null | undefined)?.error?.code
  return { status: response.statusCode ?? 0, headers: response.headers, text, json, code }
}

/** Sends bytes as they are and gives back all that comes until the connection ends. */
export const sendRaw = async (port: number, bytes: string | Buffer): Promise<string> => {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', chunk => {
    text += chunk.toString('latin1')
  })
  // A server that has answered may hang up before it has read everything.
  socket.on('error', () => {})
  socket.write(bytes)
  await once(socket, 'close')
  return text
}

export interface StreamedEvent {
  readonly id: string
  readonly data: { readonly seq: number; readonly kind: string }
}

export interface EventStream {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The next event that has not been taken yet. */
  next(): Promise<StreamedEvent>
  /** Resolves when the server ends it. */
  readonly ended: Promise<void>
  close(): void
}

/** A reader of live events. */
export const openStream = async (
  port: number,
  path = '/v1/events',
  headers: Readonly<Record<string, string>> = {},
): Promise<EventStream> => {
  const sent: ClientRequest = request({
    host: '127.0.0.1',
    port,
    path,
    agent: false,
    headers: { Accept: 'text/event-stream', ...headers },
  })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const waiting: ((event: StreamedEvent) => void)[] = []
  const come: StreamedEvent[] = []
  let text = ''
  response.setEncoding('utf8')
  response.on('data', (chunk: string) => {
    text += chunk
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const id = /^id: (.*)$/m.exec(block)?.[1]
      const data = /^data: (.*)$/m.exec(block)?.[1]
      if (id === undefined || data === undefined) continue
      const event = { id, data: JSON.parse(data) as StreamedEvent['data'] }
      const waiter = waiting.shift()
      if (waiter === undefined) come.push(event)
      else waiter(event)
    }
  })
  const ended = new Promise<void>(resolve => response.once('close', resolve))
  response.on('error', () => {})
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    next: () => {
      const event = come.shift()
      return event === undefined ? new Promise(resolve => waiting.push(resolve)) : Promise.resolve(event)
    },
    ended,
    close: () => sent.destroy(),
  }
}

/** Resolves when an event of this node makes the condition true, or it is already. */
export const until = async (node: TestNode, condition: () => boolean): Promise<void> => {
  if (condition()) return
  await new Promise<void>(resolve => {
    const stop = node.node.journal.subscribe(node.node.journal.lastSeq, () => {
      if (!condition()) return
      stop()
      resolve()
    })
  })
}

/** A function that runs until it is told to stop. */
export const steady = async ({ signal }: { readonly signal: AbortSignal }): Promise<void> => {
  if (!signal.aborted) await once(signal, 'abort')
}
