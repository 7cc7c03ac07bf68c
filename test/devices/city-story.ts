// The city story: three gateways as processes, the uplink gone for a simulated day, the
// gateway that collects killed meanwhile; once the uplink is back every aggregate of that
// day is there, with every reading in it.

import type { ExecutionContext } from 'ava'
import mqtt from 'mqtt'
import { type Aggregate, MINUTE_MS } from '../../devices/city-sensor-gateway/windows.js'
import { createVirtualSensors, districtNames } from '../../devices/virtual/sensors.js'
import { createNode } from '../../src/index.js'
import { createGateways, type Gateway, knowEachOther } from './gateways.js'
import { until } from './until.js'

export interface CityStory {
  readonly street: string
  readonly uplink: string
  /** City time over real time. */
  readonly scale: number
  /** How long the uplink is gone, in city minutes. */
  readonly minutes: number
  readonly uplinkBack: () => Promise<void>
}

export const cityStory = async (t: ExecutionContext, story: CityStory): Promise<void> => {
  const { street, uplink, scale, minutes } = story
  const origin = Date.now()
  const now = (): number => origin + (Date.now() - origin) * scale
  const districts = districtNames(2)
  const gateways = createGateways()
  const observer = await createNode({ name: 'observer', listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false })
  const clients: mqtt.MqttClient[] = []
  const listen = async (url: string, topic: string, heard: (topic: string, payload: Buffer) => void) => {
    const client = await mqtt.connectAsync(url)
    clients.push(client)
    client.on('message', heard)
    await client.subscribeAsync(topic, { qos: 1 })
  }

  const started: Gateway[] = []
  for (const name of ['one', 'two', 'three']) {
    const node = {
      name,
      listen: ['/ip4/127.0.0.1/tcp/0'],
      mdns: false,
      api: '127.0.0.1:0',
      join: observer.self().addrs,
    }
    started.push(
      await gateways.start('city-sensor-gateway', { node, street, uplink, simulate: { origin, scale } }),
    )
  }
  await until('one mesh', () => knowEachOther(started, 4))
  for (const district of districts) {
    await observer.tasks.put({
      id: `collect-${district}`,
      run: { handler: 'collect' },
      needs: { street: 'yes' },
      input: { district, closeAfterMs: 2 * MINUTE_MS, checkpointMs: 200, holdMax: 500, retryMaxMs: 500 },
    })
  }
  const forward = { id: 'forward', run: { handler: 'forward' }, needs: { uplink: 'yes' } }
  await observer.tasks.put({ ...forward, input: { retryMaxMs: 500 } })
  const ownerOf = (id: string): string | undefined => {
    const { copies } = observer.tasks.get(id) as { copies: { node: string; phase: string }[] }
    return copies.find(({ phase }) => phase === 'running')?.node
  }
  await until('all run', () => districts.every(district => ownerOf(`collect-${district}`) !== undefined))
  const isListening = (district: string): boolean =>
    started.some(({ log }) => log.some(line => line.includes(`street broker for ${district}: ok`)))
  await until('all listen', () => districts.every(isListening))

  // What the sensors say is the truth to compare with.
  const truth = new Map<string, number>()
  await listen(street, 'city/#', (topic, payload) => {
    const { at } = JSON.parse(payload.toString())
    const minute = new Date(Math.floor(at / MINUTE_MS) * MINUTE_MS).toISOString().slice(0, 16)
    const id = `${topic.split('/')[1]}/${minute}Z`
    truth.set(id, (truth.get(id) ?? 0) + 1)
  })
  const everyMs = MINUTE_MS / scale
  const field = createVirtualSensors({ broker: street, districts: 2, perDistrict: 4, everyMs, now })
  t.teardown(async () => {
    await field.close()
    for (const client of clients) await client.endAsync(true)
    await gateways.close()
    await observer.close()
  })

  const from = now()
  const passed = (share: number): boolean => now() - from > share * minutes * MINUTE_MS
  await until('half of the day', () => passed(0.5), 200_000)
  const lost = started.find(({ id }) => id === ownerOf('collect-district-1')) as Gateway
  await lost.kill()
  await until('the rest of the day', () => passed(1), 200_000)

  const arrived = new Map<string, number>()
  let repeats = 0
  const expected = [...truth.keys()]
  await story.uplinkBack()
  await listen(uplink, 'aggregates/#', (_topic, payload) => {
    const { id, kinds }: Aggregate = JSON.parse(payload.toString())
    const count = Object.values(kinds).reduce((sum, summary) => sum + summary.count, 0)
    if (arrived.has(id)) repeats += 1
    arrived.set(id, Math.max(count, arrived.get(id) ?? 0))
  })
  const missing = (): readonly string[] => expected.filter(id => !arrived.has(id))
  await until('every aggregate', () => missing().length === 0, 120_000).catch(error => {
    t.log(
      missing(),
      started.map(({ log }) => log),
    )
    throw error
  })
  // The last minutes had only begun when they were written down.
  const complete = expected.slice(0, -4 * districts.length)
  const wrong = complete.filter(id => arrived.get(id) !== truth.get(id))
  t.deepEqual(
    wrong.map(id => `${id}: ${truth.get(id)} said, ${arrived.get(id)} arrived`),
    [],
  )
  t.log(`${expected.length} aggregates expected, ${arrived.size} arrived, ${repeats} of them twice`)
}
