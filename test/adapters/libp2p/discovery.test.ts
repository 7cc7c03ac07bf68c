// When a node asks by mDNS and when it answers, without the multicast itself.

import test from 'ava'
import { Discovery } from '../../../src/adapters/libp2p/discovery.js'
import { nodeId } from '../../../src/core/ids.js'

interface Started {
  readonly asks: boolean
  isRunning: boolean
}

const observed = (): {
  discovery: Discovery
  started: Started[]
  load: () => void
  loaded: () => Promise<void>
} => {
  const started: Started[] = []
  let load = (): void => {}
  const waits = new Promise<void>(resolve => {
    load = resolve
  })
  const mdns =
    ({ broadcast }: { broadcast: boolean }) =>
    () => {
      const service: Started = { asks: !broadcast, isRunning: false }
      return Object.assign(new EventTarget(), {
        start: () => {
          service.isRunning = true
          started.push(service)
        },
        stop: () => {
          service.isRunning = false
        },
      })
    }
  type Parts = ConstructorParameters<typeof Discovery>
  const from = (async () => {
    await waits
    return { mdns }
  }) as unknown as Parts[4]
  const discovery = new Discovery({} as Parts[0], nodeId('self'), null, () => {}, from)
  // Everything that waits for the module waits in promises alone.
  const loaded = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
  return { discovery, started, load, loaded }
}

const running = (started: readonly Started[], asks: boolean): number =>
  started.filter(each => each.isRunning && each.asks === asks).length

test('who has met somebody before the module was loaded does not ask, and answers', async t => {
  const { discovery, started, load, loaded } = observed()
  discovery.set(true)
  discovery.set(false)
  load()
  await loaded()
  t.is(running(started, true), 0)
  t.is(running(started, false), 1)
})

test('who was never alone answers', async t => {
  const { discovery, started, load, loaded } = observed()
  load()
  discovery.set(false)
  await loaded()
  t.is(running(started, true), 0)
  t.is(running(started, false), 1)
})

test('however often it is switched on and off, one asks while it is on, and one answers', async t => {
  const { discovery, started, load, loaded } = observed()
  for (const on of [true, false, true, false, true]) discovery.set(on)
  load()
  await loaded()
  t.is(running(started, true), 1)
  t.is(running(started, false), 1)
  for (const on of [false, true, false]) discovery.set(on)
  await loaded()
  t.is(running(started, true), 0)
  t.is(running(started, false), 1)
})

test('who stops before the module was loaded begins nothing', async t => {
  const { discovery, started, load, loaded } = observed()
  discovery.set(true)
  const stopped = discovery.stop()
  load()
  await stopped
  await loaded()
  t.is(started.length, 0)
})

test('nothing runs after a stop', async t => {
  const { discovery, started, load, loaded } = observed()
  discovery.set(true)
  load()
  await loaded()
  t.is(started.filter(each => each.isRunning).length, 2)
  await discovery.stop()
  discovery.set(true)
  await loaded()
  t.is(started.filter(each => each.isRunning).length, 0)
})
