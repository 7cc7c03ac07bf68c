// The city gateway over real MQTT: what is wrong with a broker or with the sensors is
// said once, and the story of the city in small: no uplink, a gateway lost, every
// aggregate there afterwards.

import test, { type ExecutionContext } from 'ava'
import mqtt from 'mqtt'
import { createCollector } from '../../devices/city-sensor-gateway/collect.js'
import { createForwarder } from '../../devices/city-sensor-gateway/forward.js'
import { type Aggregate, MINUTE_MS } from '../../devices/city-sensor-gateway/windows.js'
import { createVirtualSensors, districtNames } from '../../devices/virtual/sensors.js'
import { createNode, type ShoalNode, type TaskContext } from '../../src/index.js'
import { createTestBroker, type TestBroker } from './broker.js'
import { until } from './until.js'

/** A city minute passes in a tenth of a second. */
const SCALE = 600
const DISTRICTS = districtNames(2)

interface City {
  readonly street: TestBroker
  readonly uplink: TestBroker
  readonly lines: string[]
  readonly word: (source: string) => string
  readonly now: () => number
  gateway(name: string, join: readonly ShoalNode[]): Promise<ShoalNode>
}

const createCity = async (t: ExecutionContext): Promise<City> => {
  const origin = Date.now()
  const now = (): number => origin + (Date.now() - origin) * SCALE
  const street = await createTestBroker()
  const uplink = await createTestBroker()
  const lines: string[] = []
  const words = new Map<string, string>()
  const nodes: ShoalNode[] = []
  t.teardown(async () => {
    for (const node of nodes) await node.close()
    await street.close()
    await uplink.close()
  })
  return {
    street,
    uplink,
    lines,
    word: source => words.get(source) ?? '',
    now,
    async gateway(name, others) {
      const node = await createNode({
        name,
        listen: ['/ip4/127.0.0.1/tcp/0'],
        mdns: false,
        join: others.flatMap(other => other.self().addrs),
        labels: { street: 'yes', uplink: 'yes' },
      })
      nodes.push(node)
      const options = {
        street: street.url,
        uplink: uplink.url,
        log: (line: string) => lines.push(line),
        report: (source: string, level: 'ok' | 'strained' | 'failing', reason: string) => {
          words.set(source, `${level} ${reason}`)
          node.report(source, level, reason)
        },
        now,
        steadyMs: 200,
      }
      node.handle('collect', createCollector(options))
      node.handle('forward', createForwarder(options))
      return node
    },
  }
}

const applyTasks = async (node: ShoalNode, change: object = {}): Promise<void> => {
  for (const district of DISTRICTS) {
    const input = { district, closeAfterMs: MINUTE_MS, checkpointMs: 50, retryMaxMs: 100, ...change }
    await node.tasks.put({
      id: `collect-${district}`,
      run: { handler: 'collect' },
      needs: { street: 'yes' },
      input,
    })
  }
  await node.tasks.put({
    id: 'forward',
    run: { handler: 'forward' },
    needs: { uplink: 'yes' },
    input: { retryMaxMs: 100 },
  })
}

const listen = async (
  t: ExecutionContext,
  url: string,
  topic: string,
  heard: (topic: string, payload: Buffer) => void,
) => {
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 50 })
  client.on('error', () => {})
  client.on('message', heard)
  await client.subscribeAsync(topic, { qos: 1 })
  t.teardown(() => client.endAsync(true))
}

test.serial('no uplink, a gateway lost: every aggregate is there once the uplink is back', async t => {
  const city = await createCity(t)
  const { street, uplink } = city
  await uplink.down()
  const nodes = [await city.gateway('one', [])]
  for (const name of ['two', 'three']) nodes.push(await city.gateway(name, nodes.slice(0, 1)))
  const [one] = nodes as [ShoalNode]
  await until('one mesh', () => nodes.every(node => node.members().length === 3))
  await applyTasks(one)
  await until('all collect', () => street.clients >= 2)

  // What the sensors say is the truth to compare with.
  const truth = new Map<string, number>()
  await listen(t, street.url, 'city/#', (topic, payload) => {
    const [, district = ''] = topic.split('/')
    const { at } = JSON.parse(payload.toString())
    const minute = new Date(Math.floor(at / MINUTE_MS) * MINUTE_MS).toISOString().slice(0, 16)
    const id = `${district}/${minute}Z`
    truth.set(id, (truth.get(id) ?? 0) + 1)
  })
  const field = createVirtualSensors({
    broker: street.url,
    districts: 2,
    perDistrict: 4,
    everyMs: 100,
    now: city.now,
  })
  t.teardown(() => field.close())
  await until('a while of no uplink', () => truth.size > 40)
  const ownerOf = (id: string): string => {
    const { copies } = one.tasks.get(id) as { copies: { node: string; phase: string }[] }
    return copies.find(({ phase }) => phase === 'running')?.node ?? ''
  }
  const lost = nodes.find(node => node.id === ownerOf('collect-district-1')) as ShoalNode
  await lost.close()
  await until('another while', () => truth.size > 100)

  const arrived = new Map<string, Aggregate>()
  await uplink.up()
  await listen(t, uplink.url, 'aggregates/#', (_topic, payload) => {
    const aggregate: Aggregate = JSON.parse(payload.toString())
    const countOf = ({ kinds }: Aggregate): number =>
      Object.values(kinds).reduce((sum, { count }) => sum + count, 0)
    const known = arrived.get(aggregate.id)
    if (known === undefined || countOf(aggregate) > countOf(known)) arrived.set(aggregate.id, aggregate)
  })
  const expected = [...truth.keys()].sort().slice(0, 90)
  const missing = (): readonly string[] => expected.filter(id => !arrived.has(id))
  await until('every aggregate', () => missing().length === 0).catch(error => {
    t.log(missing(), city.lines)
    throw error
  })
  const wrong = expected.filter(id => {
    const kinds = Object.values(arrived.get(id)?.kinds ?? {})
    return kinds.reduce((sum, { count }) => sum + count, 0) !== truth.get(id)
  })
  // The first minute of each district began before anybody listened.
  t.true(
    wrong.length <= 2,
    wrong.map(id => `${id}: ${truth.get(id)} said, ${JSON.stringify(arrived.get(id))}`).join('\n'),
  )
})

interface Station {
  readonly queue: ReadonlyMap<string, Aggregate>
  /** What reached the next in rank, as JSON. */
  readonly checkpoint: string | null
  readonly saves: number
  /** It is gone, and so is what its queue had told to nobody. */
  lose(): Promise<void>
}

/** A collector whose queue never reaches anybody, and whose checkpoint does. */
const createStation = (street: string, checkpoint: string | null, now: number, settleMs: number): Station => {
  const queue = new Map<string, Aggregate>()
  const gone = new AbortController()
  const space = {
    entries: () => queue.entries(),
    has: (key: string) => queue.has(key),
    set: async (key: string, value: Aggregate) => void queue.set(key, value),
    delete: async (key: string) => void queue.delete(key),
  }
  let saved = checkpoint
  let saves = 0
  const quiet = (): void => {}
  const collector = createCollector({
    street,
    uplink: null,
    report: quiet,
    log: quiet,
    now: () => now,
    settleMs,
  })
  const ended = collector({
    task: 'collect-mitte',
    input: { district: 'mitte', checkpointMs: 10, holdMax: 500, closeAfterMs: 0 },
    checkpoint: checkpoint === null ? null : JSON.parse(checkpoint),
    signal: gone.signal,
    space: () => space,
    async save(value: unknown) {
      saved = JSON.stringify(value)
      saves += 1
    },
  } as unknown as TaskContext)
  return {
    queue,
    get checkpoint() {
      return saved
    },
    get saves() {
      return saves
    },
    async lose() {
      gone.abort()
      await ended
    },
  }
}

/** A day that the broker has kept: one reading for each minute. */
const backlogOf = async (t: ExecutionContext, minutes: number): Promise<{ url: string; end: number }> => {
  const street = await createTestBroker()
  t.teardown(() => street.close())
  const start = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS
  const keeper = await mqtt.connectAsync(street.url, { clientId: 'shoal.city.mitte', clean: false })
  await keeper.subscribeAsync('city/mitte/+/+', { qos: 1 })
  await keeper.endAsync()
  const sensor = await mqtt.connectAsync(street.url)
  for (let n = 0; n < minutes; n += 1) {
    const reading = { sensor: 'a', seq: n + 1, value: 50, at: start + n * MINUTE_MS }
    await sensor.publishAsync('city/mitte/noise/a', JSON.stringify(reading), { qos: 1 })
  }
  await sensor.endAsync()
  return { url: street.url, end: start + minutes * MINUTE_MS }
}

const NEVER_MS = 3_600_000

test.serial(
  'a gateway closes hundreds of minutes at once and is lost before its queue reached anybody, and so is the next: none is missing',
  async t => {
    const { url, end } = await backlogOf(t, 200)
    const first = createStation(url, null, end, NEVER_MS)
    t.teardown(() => first.lose())
    // Its readings are confirmed two checkpoints after the one that contains them.
    await until('all closed', () => first.queue.size === 199)
    const { saves } = first
    await until('all confirmed', () => first.saves > saves + 3)
    await first.lose()
    const second = createStation(url, first.checkpoint, end, NEVER_MS)
    t.teardown(() => second.lose())
    await until('all in the queue of the next', () => second.queue.size === 199)
    await until('a checkpoint of its own', () => second.saves > 0)
    await second.lose()
    const third = createStation(url, second.checkpoint, end, NEVER_MS)
    t.teardown(() => third.lose())
    await until('all in the queue of the one after', () => third.queue.size === 199)
    for (const { kinds } of third.queue.values()) t.is(kinds.noise?.count, 1)
  },
)

test.serial('lost while it holds more minutes than a checkpoint has room for: none is missing', async t => {
  const { url, end } = await backlogOf(t, 1_000)
  const first = createStation(url, null, end, NEVER_MS)
  t.teardown(() => first.lose())
  await until('the first closed', () => first.queue.size >= 75)
  await first.lose()
  const second = createStation(url, first.checkpoint, end, 50)
  t.teardown(() => second.lose())
  await until('all in the queue of the next', () => second.queue.size === 999)
  for (const { kinds } of second.queue.values()) t.is(kinds.noise?.count, 1)
  const { saves } = second
  await until('it goes on', () => second.saves > saves)
  t.true(Buffer.byteLength(second.checkpoint ?? '') < 60_000)
})

test.serial('a street without a broker is said once for each district, and recovers by itself', async t => {
  const city = await createCity(t)
  await city.street.down()
  const node = await city.gateway('one', [])
  await applyTasks(node)
  const of = (): readonly string[] =>
    city.lines.filter(line => line.startsWith('street broker for district-1'))
  await until('the line', () => of().length > 0)
  t.regex(of()[0] ?? '', /^street broker for district-1: strained: the broker \S+ refuses the connection/)
  t.regex(city.word('street broker for district-1'), /^strained the broker/)
  await city.street.up()
  await until('the good word', () => city.word('street broker for district-1') === 'ok ')
  t.is(of().length, 2, of().join('\n'))
})

test.serial('no uplink is said once, and recovers by itself', async t => {
  const city = await createCity(t)
  await city.uplink.down()
  const node = await city.gateway('one', [])
  await applyTasks(node)
  const of = (): readonly string[] => city.lines.filter(line => line.startsWith('uplink'))
  await until('the line', () => of().length > 0)
  await city.uplink.up()
  await until('the good word', () => city.word('uplink') === 'ok ')
  t.is(of().length, 2, of().join('\n'))
})

test.serial('silent, garbled and misdated sensors are said once each, and they recover', async t => {
  const city = await createCity(t)
  const node = await city.gateway('one', [])
  await applyTasks(node, { quietMs: 1_000 })
  const field = createVirtualSensors({
    broker: city.street.url,
    districts: 2,
    perDistrict: 10,
    everyMs: 100,
    now: city.now,
  })
  t.teardown(() => field.close())
  const name = 'sensors of district-1'
  const becomes = (word: string): Promise<void> => until(word, () => city.word(name) === word)
  await becomes('ok ')
  field.fault('garbage', 1)
  await becomes('strained most payloads are no readings')
  field.fault('none', 1)
  await becomes('ok ')
  field.fault('clock', 1)
  await becomes('strained most sensors have a wrong clock; the time of arrival counts')
  field.fault('none', 1)
  await becomes('ok ')
  field.fault('silent', 1)
  await becomes('strained no sensor says anything')
  field.fault('none', 1)
  await becomes('ok ')
  t.is(city.lines.filter(line => line.startsWith(name)).length, 7, city.lines.join('\n'))
})

test.serial('a queue that is full drops the oldest and says so', async t => {
  const city = await createCity(t)
  await city.uplink.down()
  const node = await city.gateway('one', [])
  await applyTasks(node, { queueMax: 10 })
  const space = node.space('city.queue')
  for (let n = 0; n < 30; n += 1) await space.set(`${String(n).padStart(13, '0')}.district-9`, { n })
  await until('the word', () =>
    /^strained it is full/.test(city.word('queue of district-1') + city.word('queue of district-2')),
  )
  await until('the oldest to go', () => space.entries().length <= 10)
  t.true(space.entries().every(([key]) => Number(key.slice(0, 13)) >= 20))
})
