// One Sparkplug B edge node over MQTT: births, data, deaths, and the two counters that
// hold them together. The edge node is the PLC, not the gateway: whoever polls it speaks
// under the same name, so a host application sees one line of the plant that was away for
// a moment, not a new one. The client id is the same too, so the broker itself ends the
// session of a predecessor that still hangs, and publishes its death.
//
// `seq` begins at 0 with each NBIRTH; `bdSeq` grows with each session and is saved by the
// caller before it is used, so a late NDEATH of an earlier session is known as such.
// While there is no session, data waits in a bounded queue and follows as historical.

import { get } from 'sparkplug-payload'
import type { UMetric } from 'sparkplug-payload/lib/sparkplugbpayload.js'
import type { Condition } from '../plug/condition.js'
import { createMqttLink } from '../plug/mqtt-link.js'

export type Metric = UMetric

export interface SessionOptions {
  readonly url: string
  readonly group: string
  readonly edge: string
  readonly device: string
  readonly bufferMax: number
  readonly retryMaxMs: number
  readonly condition: Condition
  /** Resolves with the number of the next session, when it is durable. */
  nextBdSeq(): Promise<number>
  /** All metrics of the device with their present values. */
  birth(): Metric[]
  /** A host wrote to a metric. */
  command(metric: string, value: unknown): void
  readonly signal: AbortSignal
  readonly now: () => number
}

export interface SparkplugSession {
  /** The device is there: data follows. */
  deviceUp(): void
  deviceDown(): void
  data(metrics: Metric[], at: number): void
  /** Plain JSON beside Sparkplug, confirmed by the broker; resolves with false where there is no session. */
  tell(topic: string, value: unknown): Promise<boolean>
  /** How much waits, and how much was dropped because too much waited. */
  backlog(): { readonly waiting: number; readonly dropped: number }
  /** Says goodbye; resolves when the broker has heard it or did not answer. */
  close(): Promise<void>
}

const payloads = get('spBv1.0')
if (payloads === null) throw new Error('sparkplug-payload does not know spBv1.0')
const { encodePayload, decodePayload } = payloads

const REBIRTH = 'Node Control/Rebirth'

export const createSparkplugSession = (options: SessionOptions): SparkplugSession => {
  const { group, edge, device, now } = options
  const topic = (kind: string, ...rest: readonly string[]): string =>
    ['spBv1.0', group, kind, edge, ...rest].join('/')
  const queue: { readonly metrics: Metric[]; readonly at: number }[] = []
  let bdSeq = 0
  let seq = 0
  let isUp = false
  let isBorn = false
  let isClosing = false
  let dropped = 0

  const nextSeq = (): number => {
    const current = seq
    seq = (seq + 1) % 256
    return current
  }

  const send = (kind: string, metrics: Metric[], at: number, ...rest: readonly string[]): void => {
    const payload = encodePayload({ timestamp: at, seq: nextSeq(), metrics })
    link.client?.publish(topic(kind, ...rest), Buffer.from(payload), { qos: 0 })
  }

  const bearNode = (): void => {
    seq = 0
    const metrics: Metric[] = [
      { name: 'bdSeq', type: 'Int64', value: bdSeq },
      { name: REBIRTH, type: 'Boolean', value: false },
    ]
    send('NBIRTH', metrics, now())
    isBorn = false
    if (isUp) bearDevice()
  }

  const bearDevice = (): void => {
    isBorn = true
    send('DBIRTH', options.birth(), now(), device)
    for (const { metrics, at } of queue.splice(0)) {
      send(
        'DDATA',
        metrics.map(metric => ({ ...metric, isHistorical: true })),
        at,
        device,
      )
    }
  }

  const heard = (from: string, payload: Uint8Array): void => {
    let metrics: readonly UMetric[]
    try {
      metrics = decodePayload(payload).metrics ?? []
    } catch {
      // Anybody can publish anything to this topic; what is no Sparkplug is none of ours.
      return
    }
    for (const { name, value } of metrics) {
      if (typeof name !== 'string') continue
      if (from === topic('NCMD')) {
        if (name === REBIRTH && value === true && link.client !== null) bearNode()
      } else options.command(name, value)
    }
  }

  let death = Buffer.alloc(0)
  const link = createMqttLink({
    url: options.url,
    condition: options.condition,
    retryMaxMs: options.retryMaxMs,
    signal: options.signal,
    async prepare() {
      bdSeq = await options.nextBdSeq()
      const metrics: Metric[] = [{ name: 'bdSeq', type: 'Int64', value: bdSeq }]
      death = Buffer.from(encodePayload({ timestamp: now(), metrics }))
      const will = { topic: topic('NDEATH'), payload: death, qos: 1, retain: false } as const
      return { clientId: `${group}.${edge}`, clean: true, will }
    },
    onConnect(client) {
      client.on('message', heard)
      client.subscribe([topic('NCMD'), topic('DCMD', device)], { qos: 1 })
      bearNode()
    },
    onLost() {
      isBorn = false
    },
    // A clean end takes the will back, so the death is said aloud.
    farewell: client => client.publishAsync(topic('NDEATH'), death, { qos: 1 }),
  })

  return {
    deviceUp() {
      if (isUp) return
      isUp = true
      if (link.client !== null) bearDevice()
    },
    deviceDown() {
      if (!isUp) return
      isUp = false
      if (link.client !== null && isBorn) send('DDEATH', [], now(), device)
      isBorn = false
    },
    data(metrics, at) {
      if (isClosing) return
      if (link.client !== null && isBorn) return send('DDATA', metrics, at, device)
      queue.push({ metrics, at })
      while (queue.length > options.bufferMax) {
        queue.shift()
        dropped += 1
      }
    },
    async tell(where, value) {
      const { client } = link
      if (client === null) return false
      return client.publishAsync(where, JSON.stringify(value), { qos: 1 }).then(
        () => true,
        () => false,
      )
    },
    backlog: () => ({ waiting: queue.length, dropped }),
    async close() {
      isClosing = true
      await link.close()
    },
  }
}
