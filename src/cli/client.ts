// Asks a running node over its HTTP interface. Every failure becomes one sentence
// that says what was asked and what to do. The token of this machine's node is sent
// to this machine alone: another address gets only a token that was named for it.

import { readFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { ShoalError } from '../core/errors.js'
import { dataDirectories } from './data-directory.js'
import { UsageError } from './errors.js'

export const DEFAULT_API = '127.0.0.1:4780'
const ANSWER_MS = 15_000
const ANSWER_BYTES_MAX = 256 * 1024 * 1024

export interface Target {
  readonly host: string
  readonly port: number
}

export interface ClientOptions {
  readonly api?: string | undefined
  readonly tokenFile?: string | undefined
  /** The token itself, where the caller has it; null for none. */
  readonly token?: string | null
}

export interface Answer<T> {
  readonly body: T
  /** How long before the answer the node last heard of a neighbor; null when it never did. */
  readonly viewAgeMs: number | null
}

export interface Client {
  readonly target: string
  get<T>(path: string): Promise<Answer<T>>
  send<T>(method: 'PUT' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T>
  /** Opens a stream of server-sent events; resolves when the node has accepted. */
  stream(path: string, lastEventId: string | null): Promise<IncomingMessage>
}

/** `HOST:PORT`, `[V6]:PORT`, or the same as an `http://` URL, which is what programs are given. */
export const parseTarget = (text: string): Target => {
  const match = /^(?:http:\/\/)?(\[[0-9a-f:.]+\]|[^:/\s]+):(\d{1,5})\/?$/i.exec(text)
  const port = Number(match?.[2])
  if (match === null || port < 1 || port > 65_535) {
    throw new UsageError(
      `--api is ${JSON.stringify(text)}; it must be HOST:PORT, such as ${DEFAULT_API} or [::1]:4780`,
    )
  }
  return { host: (match[1] as string).replace(/^\[|\]$/g, ''), port }
}

/** Asking "every address" (0.0.0.0, ::) asks this machine: what --api of `up` says may be said here too. */
export const isLoopbackHost = (host: string): boolean =>
  ['localhost', '::1', '0.0.0.0', '::'].includes(host) || /^127\.\d+\.\d+\.\d+$/.test(host)

export const createClient = (options: ClientOptions): Client => {
  const text = options.api ?? process.env.SHOAL_API ?? DEFAULT_API
  const target = parseTarget(text)
  const shown = text.replace(/^http:\/\/|\/$/g, '')
  const token =
    options.token === undefined
      ? findToken(options.tokenFile, isLoopbackHost(target.host))
      : options.token === null
        ? null
        : { value: options.token, from: 'its caller' }

  /**
   * A token that merely lay where tokens lie may be another node's, as when a playground
   * runs beside old data: then the node is asked again without it.
   */
  const open = async (method: string, path: string, headers: Record<string, string>, body?: string) => {
    const incoming = await ask(method, path, headers, body)
    if (incoming.statusCode !== 401 || token?.isGuess !== true) return incoming
    incoming.resume()
    guessIsWrong = true
    return ask(method, path, headers, body)
  }

  let guessIsWrong = false
  const ask = (method: string, path: string, headers: Record<string, string>, body?: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = request(
        {
          host: target.host,
          port: target.port,
          method,
          path,
          agent: false,
          headers: {
            ...headers,
            ...(token === null || guessIsWrong ? {} : { authorization: `Bearer ${token.value}` }),
            ...(body === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
          },
        },
        incoming => {
          outgoing.setTimeout(0)
          resolve(incoming)
        },
      )
      outgoing.setTimeout(ANSWER_MS, () => {
        outgoing.destroy(
          new ShoalError(
            'TIMEOUT',
            `the node at ${shown} did not answer in ${ANSWER_MS / 1_000} s; it may be frozen or overloaded: look at its log`,
          ),
        )
      })
      outgoing.once('error', error => reject(explain(error, shown)))
      outgoing.end(body)
    })

  const refuse = async (incoming: IncomingMessage, what: string): Promise<never> => {
    const body = await readText(incoming)
    if (incoming.statusCode === 401) throw unauthorized(shown, token)
    let code = 'FAILED'
    let message = `the node at ${shown} answered ${what} with status ${incoming.statusCode}`
    try {
      const { error } = JSON.parse(body) as { error?: { code?: string; message?: string } }
      code = error?.code ?? code
      message = error?.message ?? message
    } catch {
      message += '; is something else listening there?'
    }
    throw new ShoalError(code, message)
  }

  const parse = <T>(text: string): T => {
    try {
      return (text === '' ? null : JSON.parse(text)) as T
    } catch (cause) {
      throw new ShoalError(
        'NO_NODE',
        `what answers at ${shown} is no Shoal node; say where it is with --api HOST:PORT`,
        { cause },
      )
    }
  }

  const isGood = (incoming: IncomingMessage): boolean =>
    incoming.statusCode !== undefined && incoming.statusCode >= 200 && incoming.statusCode < 300

  return {
    target: shown,
    async get<T>(path: string): Promise<Answer<T>> {
      const incoming = await open('GET', path, { accept: 'application/json' })
      if (!isGood(incoming)) return refuse(incoming, `GET ${path}`)
      const age = incoming.headers['shoal-view-age-ms']
      const body = parse<T>(await readText(incoming))
      return { body, viewAgeMs: typeof age === 'string' && /^\d+$/.test(age) ? Number(age) : null }
    },
    async send<T>(method: 'PUT' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
      const text = body === undefined ? undefined : JSON.stringify(body)
      const incoming = await open(method, path, { accept: 'application/json' }, text)
      if (!isGood(incoming)) return refuse(incoming, `${method} ${path}`)
      return parse<T>(await readText(incoming))
    },
    async stream(path, lastEventId) {
      const incoming = await open('GET', path, {
        accept: 'text/event-stream',
        ...(lastEventId === null ? {} : { 'last-event-id': lastEventId }),
      })
      return isGood(incoming) ? incoming : refuse(incoming, `GET ${path}`)
    },
  }
}

interface Token {
  readonly value: string
  readonly from: string
  /** Nobody named it. */
  readonly isGuess?: true
}

const findToken = (file: string | undefined, isHere: boolean): Token | null => {
  if (file !== undefined) {
    try {
      return tokenOf(readFileSync(file, 'utf8'), file)
    } catch (error) {
      if (error instanceof UsageError) throw error
      throw new UsageError(
        `--token-file is ${file}, which cannot be read (${(error as NodeJS.ErrnoException).code}); it must be a node's api.token`,
      )
    }
  }
  const named = process.env.SHOAL_TOKEN
  if (named !== undefined && named !== '') return tokenOf(named, 'SHOAL_TOKEN')
  if (!isHere) return null
  for (const directory of dataDirectories()) {
    const path = join(directory, 'api.token')
    try {
      return { value: readFileSync(path, 'utf8').trim(), from: path, isGuess: true }
    } catch {
      // Not there, or another user's: the node may not ask for one.
    }
  }
  return null
}

const tokenOf = (text: string, from: string): Token => {
  const value = text.trim()
  if (/^[\x21-\x7e]+$/.test(value)) return { value, from }
  throw new UsageError(`${from} holds no token; it must be one line, as in a node's api.token`)
}

const unauthorized = (shown: string, token: Token | null): ShoalError =>
  new ShoalError(
    'UNAUTHORIZED',
    token === null
      ? `the node at ${shown} wants a token and none was found; name its file with --token-file DATA/api.token`
      : `the node at ${shown} does not accept the token from ${token.from}; name its own with --token-file DATA/api.token`,
  )

const explain = (error: unknown, shown: string): Error => {
  if (error instanceof ShoalError) return error
  const { code, message } = error as NodeJS.ErrnoException
  const hint = 'say where it is with --api HOST:PORT'
  if (code === 'ECONNREFUSED')
    return new ShoalError('NO_NODE', `no node runs at ${shown}; start one with "shoal up", or ${hint}`)
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new ShoalError('NO_NODE', `the host of ${shown} is not known here; ${hint}`)
  if (code === 'ECONNRESET' || code === 'EPIPE')
    return new ShoalError(
      'NO_NODE',
      `the node at ${shown} went away while it was asked; try again, or ${hint}`,
    )
  if (code?.startsWith('HPE_') === true)
    return new ShoalError('NO_NODE', `what answers at ${shown} is no Shoal node; ${hint}`)
  return new ShoalError('NO_NODE', `the node at ${shown} cannot be reached (${code ?? message}); ${hint}`)
}

const readText = async (incoming: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > ANSWER_BYTES_MAX) throw new ShoalError('TOO_LARGE', 'the answer is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
