// The harness itself, before anything leans on it.

import { once } from 'node:events'
import test from 'ava'
import { createNetwork, type Host, type Network, requireTool } from './namespaces.js'

test('a missing tool is named', t => {
  t.throws(() => requireTool('no-such-tool'), { message: /no-such-tool/ })
})

const withNetwork = async (count: number, use: (network: Network) => Promise<void>): Promise<void> => {
  requireTool('ping')
  const network = await createNetwork()
  try {
    await network.addHosts(count)
    await use(network)
  } finally {
    await network.close()
  }
}

const hostOf = (network: Network, index: number): Host => network.hosts[index] as Host

/** How many of `count` pings were answered. */
const ping = async (network: Network, from: Host, to: Host, count = 1): Promise<number> => {
  const { stdout } = await network.exec(from, [
    'ping',
    '-c',
    `${count}`,
    '-i',
    '0.01',
    '-W',
    '1',
    '-q',
    to.address,
  ])
  const received = /(\d+) received/.exec(stdout)
  if (received === null) throw new Error(`ping said nothing: ${stdout}`)
  return Number(received[1])
}

test('hosts reach each other, and a cut host nobody, until it is healed', async t => {
  await withNetwork(3, async network => {
    const [a, b, c] = [hostOf(network, 0), hostOf(network, 1), hostOf(network, 2)]
    t.is(await ping(network, a, b), 1)
    t.is(await ping(network, c, a), 1)
    await network.cut(b)
    t.is(await ping(network, a, b), 0)
    t.is(await ping(network, b, c), 0)
    t.is(await ping(network, a, c), 1)
    await network.heal()
    t.is(await ping(network, a, b), 1)
  })
})

test('a split keeps the groups apart and each whole', async t => {
  await withNetwork(4, async network => {
    const [a, b, c, d] = [0, 1, 2, 3].map(i => hostOf(network, i)) as [Host, Host, Host, Host]
    await network.split([a, b], [c, d])
    t.is(await ping(network, a, b), 1)
    t.is(await ping(network, c, d), 1)
    t.is(await ping(network, a, c), 0)
    await network.heal()
    t.is(await ping(network, a, c), 1)
  })
})

test('one direction is silenced and the other is not', async t => {
  await withNetwork(2, async network => {
    const [a, b] = [hostOf(network, 0), hostOf(network, 1)]
    await network.dropOneWay(a, b)
    t.is(await ping(network, a, b), 0)
    // What b sends arrives at a: only a's own words are lost on their way to b.
    const before = await packetsReceived(network, a)
    await ping(network, b, a)
    t.true((await packetsReceived(network, a)) > before)
  })
})

test('loss is lost in about its share', async t => {
  await withNetwork(2, async network => {
    const [a, b] = [hostOf(network, 0), hostOf(network, 1)]
    await network.setLoss(50, [b])
    // Of 200 with an even chance, fewer than 50 or more than 150 come once in 10¹².
    const answered = await ping(network, a, b, 200)
    t.true(answered > 50 && answered < 150, `${answered} of 200 answered`)
  })
})

test('hosts that come later know those before them', async t => {
  await withNetwork(40, async network => {
    const [late] = await network.addHosts(1)
    t.is(await ping(network, late as Host, hostOf(network, 0)), 1)
    t.is(await ping(network, hostOf(network, 39), late as Host), 1)
    const { stdout } = await network.exec(hostOf(network, 0), ['ip', 'neigh', 'show', 'nud', 'permanent'])
    t.is(stdout.trim().split('\n').length, 40)
  })
})

test('a program that was started on a host has its own pid and ends with the network', async t => {
  const network = await createNetwork()
  const [host] = await network.addHosts(1)
  const child = network.spawn(host as Host, ['sleep', '600'], { stdio: 'ignore' })
  const other = network.spawn(host as Host, ['sleep', '600'], { stdio: 'ignore' })
  const end = once(other, 'close')
  process.kill(other.pid as number, 'SIGTERM')
  await end
  t.is(child.exitCode, null)
  await network.close()
  t.is(child.signalCode, 'SIGKILL')
})

const packetsReceived = async (network: Network, host: Host): Promise<number> => {
  const { stdout } = await network.exec(host, ['cat', '/proc/net/dev'])
  return Number(/eth0:\s*\d+\s+(\d+)/.exec(stdout)?.[1])
}
