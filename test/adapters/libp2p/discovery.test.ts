// When a node asks by mDNS and when it answers, without the multicast itself.

import test from 'ava'
import { Discovery } from '../../../src/adapters/libp2p/discovery.js'
import { nodeId } from '../../../src/core/ids.js'

type Parts = ConstructorParameters<typeof Discovery>

/** A service as libp2p's: it has its socket once it was started, and asks when it starts, under the name that it then bears. */
class Service extends EventTarget {
  readonly asked: string[] = []
  serviceTag: string
  isRunning = false
  mdns?: { query(query: { questions: { name: string }[] }): void }

  constructor(serviceTag: string) {
    super()
    this.serviceTag = serviceTag
  }

  async start(): Promise<void> {
    this.isRunning = true
    this.mdns = { query: ({ questions }) => this.asked.push(...questions.map(({ name }) => name)) }
    this.mdns.query({ questions: [{ name: this.serviceTag }] })
  }

  async stop(): Promise<void> {
    this.isRunning = false
  }
}

const observed = () => {
  const services: Service[] = []
  let load = (): void => {}
  const waits = new Promise<void>(resolve => {
    load = resolve
  })
  const mdns =
    ({ serviceTag }: { serviceTag: string }) =>
    () => {
      const service = new Service(serviceTag)
      services.push(service)
      return service
    }
  const from = (async () => {
    await waits
    return { mdns }
  }) as unknown as Parts[4]
  const discovery = new Discovery({} as Parts[0], nodeId('self'), null, () => {}, from)
  return {
    discovery,
    load,
    /** Everything that waits for the module waits in promises alone. */
    loaded: (): Promise<void> => new Promise(resolve => setImmediate(resolve)),
    /** Under how many names it is answered, and how many questions others answer. */
    running: () => services.filter(({ isRunning }) => isRunning).map(({ serviceTag }) => serviceTag),
    asked: () =>
      services.flatMap(({ asked, serviceTag }) => asked.filter(name => name === serviceTag)).length,
  }
}

test('who has met somebody before the module was loaded answers, and does not ask', async t => {
  const { discovery, load, loaded, running, asked } = observed()
  discovery.set(true)
  discovery.set(false)
  load()
  await loaded()
  t.regex(running().join(), /^_shoal-[0-9a-f]{12}\._udp\.local$/)
  t.is(asked(), 0)
  await discovery.stop()
})

test('who was never alone answers, and does not ask', async t => {
  const { discovery, load, loaded, running, asked } = observed()
  load()
  discovery.set(false)
  await loaded()
  t.is(running().length, 1)
  t.is(asked(), 0)
  await discovery.stop()
})

test('each time that it is switched on it asks once at once, and one service answers throughout', async t => {
  const { discovery, load, loaded, running, asked } = observed()
  for (const on of [true, false, true, false, true]) discovery.set(on)
  load()
  await loaded()
  t.is(running().length, 1)
  t.is(asked(), 1)
  for (const on of [true, false, true, true, false]) discovery.set(on)
  await loaded()
  t.is(running().length, 1)
  t.is(asked(), 2)
  await discovery.stop()
})

test('who stops before the module was loaded begins nothing', async t => {
  const { discovery, load, loaded, running } = observed()
  discovery.set(true)
  const stopped = discovery.stop()
  load()
  await stopped
  await loaded()
  t.is(running().length, 0)
})

test('nothing runs after a stop', async t => {
  const { discovery, load, loaded, running, asked } = observed()
  discovery.set(true)
  load()
  await loaded()
  await discovery.stop()
  discovery.set(true)
  await loaded()
  t.is(running().length, 0)
  t.is(asked(), 1)
})
