// The factory story: three gateways as processes, two PLCs, and the gateway that polls is
// killed while a batch runs and an alarm stands. No sample is lost beyond the take-over,
// none is published twice with the same number, and the alarm is raised once.

import { readFileSync } from 'node:fs'
import type { ExecutionContext } from 'ava'
import mqtt from 'mqtt'
import { get } from 'sparkplug-payload'
import { createVirtualPlc } from '../../devices/virtual/plc.js'
import { createNode } from '../../src/index.js'
import { createGateways, type Gateway, knowEachOther } from './gateways.js'
import { until } from './until.js'

const PERIOD_MS = 200
const RESERVE_MS = 400
const LINES = ['line-3', 'line-4']

interface Sample {
  readonly number: number
  readonly at: number
}
interface Message {
  readonly kind: string
  readonly seq: number
  readonly bdSeq: number | null
}

export const factoryStory = async (t: ExecutionContext, broker: string): Promise<void> => {
  const payloads = get('spBv1.0')
  if (payloads === null) throw new Error('no Sparkplug')
  const plcs = [await createVirtualPlc({ speed: 20 }), await createVirtualPlc({ speed: 20, seed: 2 })]
  const [first] = plcs as [(typeof plcs)[0]]
  const gateways = createGateways()
  const observer = await createNode({ name: 'observer', listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false })
  const client = await mqtt.connectAsync(broker)
  t.teardown(async () => {
    await client.endAsync(true)
    await gateways.close()
    await observer.close()
    for (const plc of plcs) await plc.close()
  })

  // What a host application hears.
  const samples = new Map<string, Sample[]>(LINES.map(line => [line, []]))
  const messages = new Map<string, Message[]>(LINES.map(line => [line, []]))
  const alarms: { readonly name: string; readonly id: string; readonly active: boolean }[] = []
  client.on('message', (topic, payload) => {
    if (topic.startsWith('plant/alarms/'))
      return alarms.push({ ...JSON.parse(payload.toString()), heardAt: Date.now() })
    const [, , kind = '', line = ''] = topic.split('/')
    const { seq, timestamp, metrics } = payloads.decodePayload(payload)
    const metricOf = (name: string): number | null => {
      const metric = metrics?.find(each => each.name === name)
      return metric === undefined ? null : Number(metric.value)
    }
    messages.get(line)?.push({ kind, seq: Number(seq), bdSeq: metricOf('bdSeq') })
    if (kind === 'DDATA') samples.get(line)?.push({ number: metricOf('sample') ?? 0, at: Number(timestamp) })
    return undefined
  })
  await client.subscribeAsync(['spBv1.0/plant/#', 'plant/alarms/#'], { qos: 1 })

  const paths = plcs.map(({ port }, index) => [LINES[index], { host: '127.0.0.1', port, unit: 1 }])
  const started: Gateway[] = []
  for (const reach of [paths.slice(0, 1), paths, paths]) {
    started.push(
      await gateways.start('factory-gateway', {
        group: 'plant',
        broker,
        plcs: Object.fromEntries(reach),
        node: {
          name: `gateway-${started.length + 1}`,
          listen: ['/ip4/127.0.0.1/tcp/0'],
          mdns: false,
          api: '127.0.0.1:0',
          join: observer.self().addrs,
        },
      }),
    )
  }
  await until('one mesh', () => knowEachOther(started, 4))
  const [spec] = JSON.parse(readFileSync('devices/factory-gateway/tasks.json', 'utf8'))
  for (const line of LINES) {
    const input = { ...spec.input, plc: line, periodMs: PERIOD_MS, reserveMs: RESERVE_MS, retryMaxMs: 500 }
    await observer.tasks.put({ ...spec, id: `plc-${line}`, needs: { [`plc.${line}`]: 'yes' }, input })
  }
  const samplesOf = (line: string): Sample[] => samples.get(line) ?? []
  await until('samples of both', () => LINES.every(line => samplesOf(line).length > 10))

  // A batch that goes on being mixed, hot enough for the alarm.
  first.tank.setpoints.mixSeconds = 3_600
  await observer.space('factory.setpoints').set('line-3.temperature-setpoint', 95)
  await until('the alarm', () => alarms.some(({ active }) => active), 60_000)
  await until('the batch', () => first.tank.state === 'mix', 60_000)
  const { copies } = observer.tasks.get('plc-line-3') as { copies: { node: string }[] }
  const owner = started.find(({ id }) => id === copies[0]?.node) as Gateway
  const killedAt = Date.now()
  await owner.kill()
  const after = (line: string): Sample[] => samplesOf(line).filter(({ at }) => at > killedAt)
  await until('the successors', () => LINES.every(line => after(line).length > 15), 60_000)
  t.is(first.tank.state, 'mix')

  // The end of the alarm is told once too, by the successor.
  await observer.space('factory.setpoints').set('line-3.temperature-setpoint', 40)
  await until('the end of the alarm', () => alarms.some(({ active }) => !active), 60_000)
  await until('some more samples', () => after('line-3').length > 20)

  // A gateway that dies between the broker's word and its own next write leaves it to its successor to
  // tell the change again; the id says that it is the same one, and a host application tells them apart by it.
  const told = [...new Map(alarms.map(alarm => [alarm.id, alarm])).values()].map(
    ({ name, active }) => `${name} ${active ? 'raised' : 'cleared'}`,
  )
  t.deepEqual(
    told,
    ['hot raised', 'hot cleared'],
    JSON.stringify({ alarms, killedAt, logs: started.map(({ log }) => log) }, null, 1),
  )
  for (const line of LINES) {
    const all = samplesOf(line)
    const takeOverAt = after(line)[0]?.at ?? 0
    for (const [index, sample] of all.entries()) {
      const before = all[index - 1]
      if (before === undefined) continue
      t.true(
        sample.number > before.number,
        `${line}: ${before.number} and then ${sample.number}, ${sample.at - before.at} ms after it, ${before.at - killedAt} ms from the kill`,
      )
      // A number is only missing where nobody polled for as long, or was reserved by who is gone.
      const missing = sample.number - before.number - 1
      const silence = Math.ceil((sample.at - before.at) / PERIOD_MS)
      const reserved = sample.at === takeOverAt ? RESERVE_MS / PERIOD_MS : 0
      t.true(missing <= Math.max(silence, reserved), `${line}: ${missing} missing in ${silence} periods`)
    }
    checkSessions(t, line, messages.get(line) ?? [])
  }
  const [last] = samplesOf('line-3')
    .filter(({ at }) => at <= killedAt)
    .slice(-1)
  const [next] = after('line-3')
  t.log(
    `kill to next sample: ${(next?.at ?? 0) - killedAt} ms; numbers missing: ${(next?.number ?? 0) - (last?.number ?? 0) - 1}`,
  )
}

/** Each session begins with NBIRTH and 0, counts without a hole, and has a number of its own. */
const checkSessions = (t: ExecutionContext, line: string, messages: readonly Message[]): void => {
  const numbers: (number | null)[] = []
  let expected = 0
  for (const { kind, seq, bdSeq } of messages) {
    if (kind === 'NDEATH') continue
    if (kind === 'NBIRTH') {
      expected = 0
      numbers.push(bdSeq)
    }
    t.is(seq, expected, `${line}: ${kind}`)
    expected = (expected + 1) % 256
  }
  t.is(new Set(numbers).size, numbers.length, `${line}: sessions ${numbers.join(', ')}`)
}
