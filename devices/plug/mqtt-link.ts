// A connection to an MQTT broker that is kept up for as long as a task runs: tried again
// with growing pauses, its state said once for each change. The client's own reconnection
// is off, because each connection may need other options (a will with a new number), and
// because it would knock at fixed intervals.

import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { createBackoff } from './backoff.js'
import type { Condition } from './condition.js'
import { pause } from './pause.js'

export interface MqttLinkOptions {
  readonly url: string
  readonly condition: Condition
  readonly retryMaxMs: number
  readonly signal: AbortSignal
  /** What to connect with; asked before each connection. */
  prepare(): Promise<IClientOptions>
  /** Makes the client, where it is not simply to be connected. */
  readonly open?: (url: string, options: IClientOptions) => MqttClient
  onConnect(client: MqttClient): void
  onLost?(): void
  /** Something to say before a clean end. */
  farewell?(client: MqttClient): Promise<unknown>
}

export interface MqttLink {
  /** The client while it is connected. */
  readonly client: MqttClient | null
  /** Ends it, whether the signal has aborted or not; resolves when the connection is down. */
  close(): Promise<void>
}

const CONNECT_TIMEOUT_MS = 5_000
const FAREWELL_MS = 500
/** A session that lasted for so long was a good one: the next try comes soon. */
const STEADY_MS = 10_000

export const createMqttLink = (options: MqttLinkOptions): MqttLink => {
  const { url, condition, retryMaxMs, open = mqtt.connect } = options
  const closing = new AbortController()
  const signal = AbortSignal.any([options.signal, closing.signal])
  const backoff = createBackoff({ minMs: Math.min(200, retryMaxMs), maxMs: retryMaxMs })
  let client: MqttClient | null = null
  /** Sessions in a row that the broker ended soon after they had begun. */
  let cutShort = 0
  // One listener for all connections: each of them would leave its own behind.
  let stop = (): void => {}
  signal.addEventListener('abort', () => stop(), { once: true })

  /** One connection from its beginning to its end; resolves with what ended it. */
  const serve = async (): Promise<string> => {
    const made = open(url, {
      keepalive: 10,
      ...(await options.prepare()),
      reconnectPeriod: 0,
      connectTimeout: CONNECT_TIMEOUT_MS,
    })
    let connectedAt: number | null = null
    const ended = new Promise<string>(resolve => {
      stop = () => resolve('stopped')
      made.on('error', error => resolve(brokerReason(url, error)))
      made.on('close', () =>
        resolve(`the broker ${url} ${connectedAt === null ? 'does not answer' : 'ended the session'}`),
      )
    })
    made.on('connect', () => {
      connectedAt = performance.now()
      client = made
      options.onConnect(made)
      condition.set('ok', `connected to ${url}`)
    })
    if (signal.aborted) stop()
    const reason = await ended
    if (connectedAt !== null && signal.aborted) {
      const said = Promise.resolve(options.farewell?.(made)).then(() => made.endAsync())
      await Promise.race([said.catch(() => undefined), new Promise(done => setTimeout(done, FAREWELL_MS))])
    }
    client = null
    options.onLost?.()
    made.end(true)
    if (connectedAt === null) return reason
    if (performance.now() - connectedAt >= STEADY_MS) {
      cutShort = 0
      backoff.reset()
    } else if (++cutShort >= 3) {
      return `the broker ${url} ends each session soon after it began: somebody else may use the same client id`
    }
    return reason
  }

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const reason = await serve()
      if (signal.aborted) return
      condition.set('strained', reason)
      await pause(backoff.next(), signal)
    }
  }

  // What is not the broker's doing (a checkpoint that cannot be saved) must reach the log, not vanish.
  const ended = run().catch(error => {
    if (!signal.aborted) condition.set('strained', String(error))
  })

  return {
    get client() {
      return client
    },
    close() {
      closing.abort()
      return ended
    },
  }
}

const brokerReason = (url: string, error: Error & { code?: unknown }): string => {
  if (error.code === 'ECONNREFUSED') return `the broker ${url} refuses the connection: nothing listens there`
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') return `the name in ${url} is not known`
  if (/^(keepalive|connack) timeout$/i.test(error.message)) return `the broker ${url} does not answer`
  if (typeof error.code === 'number') return `the broker ${url} turns this gateway away (code ${error.code})`
  return `the broker ${url} cannot be used (${String(error.code ?? error.message)})`
}
