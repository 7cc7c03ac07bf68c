// How soon what one node writes is everywhere, what a steady stream of writes costs, and
// how a node that was cut off catches up: real nodes as processes. Words choose parts
// (`reach`, `sustained`, `apart`, `few`), `--quick` makes all small.

import { Fleet, type FleetNode, median, nowMs, quantile, sleep, until } from '../fleet/fleet.js'
import { part, remark, request, row } from '../fleet/table.js'
import { createNetwork, type Network, requireTool } from '../machine/namespaces.js'

const { wants, number, isQuick } = request()
const LIMIT_MS = 120_000
const REACH_BUDGET_MS = 100
const CALM_MS = isQuick ? 3_000 : 10_000

interface Seen {
  readonly key: string
  readonly writtenAt: number
  readonly lagMs: number
}

const withFleet = async (fleet: Fleet, use: (fleet: Fleet) => Promise<void>): Promise<void> => {
  try {
    await use(fleet)
  } finally {
    await fleet.stop()
  }
}

const seenBy = (nodes: readonly FleetNode[]): Promise<Seen[][]> =>
  Promise.all(nodes.map(node => node.ask<Seen[]>({ kind: 'seen' })))

const watch = (nodes: readonly FleetNode[], space: string): Promise<unknown> =>
  Promise.all(nodes.map(node => node.ask({ kind: 'watch', space })))

/** Waits until these hold the same, so many keys of it. */
const equal = (nodes: readonly FleetNode[], space: string, keys: number, everyMs: number): Promise<void> =>
  until(
    LIMIT_MS,
    `${nodes.length} nodes hold the same ${keys} keys`,
    async () => {
      // To hash all of it takes as long as to synchronise it: first the cheap look.
      const counts = await Promise.all(nodes.map(node => node.ask<number>({ kind: 'count', space })))
      if (counts.some(count => count !== keys)) return false
      const contents = await Promise.all(
        nodes.map(node => node.ask<{ count: number; digest: string }>({ kind: 'content', space })),
      )
      return contents.every(({ count, digest }) => count === keys && digest === contents[0]?.digest)
    },
    everyMs,
  )

const reach = (): Promise<void> =>
  withFleet(new Fleet({ bundled: true, inside: true }), async fleet => {
    const count = number('nodes', 50, 5)
    await fleet.start(count)
    await watch(fleet.up, 'probe')
    await sleep(CALM_MS)
    const writes = number('writes', 100, 10)
    // The first write makes the space: nobody has subscribed to it yet, and it goes out on the topic of what is new.
    for (let i = 0; i <= writes; i++) {
      const order = { kind: 'load', space: 'probe', perSecond: 1_000, count: 1, keys: 1 }
      await fleet.node((i * 7 + 3) % count).ask({ ...order, prefix: i === 0 ? 'first-' : `probe-${i}-` })
      await sleep(i === 0 ? CALM_MS : 300)
    }
    await equal(fleet.up, 'probe', writes + 1, 250)
    const lags = new Map<string, number[]>()
    for (const { key, lagMs } of (await seenBy(fleet.up)).flat())
      lags.set(key, [...(lags.get(key) ?? []), lagMs])
    row({
      what: `the first write of a new space reaches all`,
      unit: 'ms',
      values: [Math.max(...(lags.get('first-0') ?? []))],
    })
    lags.delete('first-0')
    const all = [...lags.values()]
    const last = all.map(each => Math.max(...each))
    row({ what: `a write reaches all of ${count} nodes`, unit: 'ms', values: last, budget: REACH_BUDGET_MS })
    remark(
      `p99 ${quantile(last, 0.99).toFixed(0)} ms; to any one node median ${median(all.flat()).toFixed(1)} ms`,
    )
    remark(`${all.flat().length} of ${writes * count} were seen by an observer`)
  })

const cpuMs = (cpu: { user: number; system: number }): number => (cpu.user + cpu.system) / 1_000

const sustained = (): Promise<void> =>
  withFleet(new Fleet({ bundled: true, inside: true }), async fleet => {
    const count = number('nodes', 20, 5)
    const seconds = number('seconds', 60, 5)
    const perSecond = 200 / count
    await fleet.start(count)
    await watch(fleet.up, 'stream')
    await sleep(CALM_MS)
    const before = await Promise.all(fleet.up.map(node => node.usage()))
    const began = nowMs()
    const load = { kind: 'load', space: 'stream', perSecond, count: perSecond * seconds, keys: 50 }
    await Promise.all(
      fleet.up.map(node => node.ask({ ...load, prefix: `n${node.index}-` }, (seconds + 60) * 1_000)),
    )
    const took = nowMs() - began
    await equal(fleet.up, 'stream', count * Math.min(50, perSecond * seconds), 100)
    const equalAfter = nowMs() - began - took
    const after = await Promise.all(fleet.up.map(node => node.usage()))
    const seen = (await seenBy(fleet.up)).flat()
    const lags = seen.map(({ lagMs }) => lagMs)
    const what = `200 writes/s over ${count} nodes for ${seconds} s`
    row({ what: `${what}: from the write until a node has it`, unit: 'ms', values: lags })
    remark(
      `p99 ${quantile(lags, 0.99).toFixed(0)} ms; all equal ${equalAfter.toFixed(0)} ms after the last write; it took ${(took / 1_000).toFixed(1)} s`,
    )
    const sixths = Array.from({ length: 6 }, (_, i) =>
      seen
        .filter(({ writtenAt }) => Math.floor(((writtenAt - began) * 6) / took) === i)
        .map(({ lagMs }) => lagMs),
    )
    remark(
      `median and p99 of each sixth of the time: ${sixths.map(each => `${median(each).toFixed(0)}/${quantile(each, 0.99).toFixed(0)}`).join(', ')} ms`,
    )
    const share = after.map(({ cpu }, i) => ((cpuMs(cpu) - cpuMs(before[i]?.cpu ?? cpu)) / took) * 100)
    row({ what: `${what}: CPU a node`, unit: '%', values: share })
    const sent = after.map(
      ({ traffic }, i) => ((traffic?.bytesSent ?? 0) - (before[i]?.traffic?.bytesSent ?? 0)) / took,
    )
    row({ what: `${what}: sent a node`, unit: 'kB/s', values: sent })
  })

const bytesOf = async (network: Network, index: number): Promise<number> => {
  const host = network.hosts[index] as Network['hosts'][number]
  const { stdout } = await network.exec(host, ['ip', '-s', '-j', 'link', 'show', 'eth0'])
  const [link] = JSON.parse(stdout) as { stats64: { tx: { bytes: number }; rx: { bytes: number } } }[]
  return (link?.stats64.tx.bytes ?? Number.NaN) + (link?.stats64.rx.bytes ?? Number.NaN)
}

/** One of five nodes is cut off; both sides write, and delete what both had. */
const apart = async (): Promise<void> => {
  let network: Network
  try {
    for (const tool of ['unshare', 'nsenter', 'ip', 'iptables']) requireTool(tool)
    network = await createNetwork()
  } catch (error) {
    remark(`apart not measured: ${(error as Error).message}`)
    return
  }
  const keys = number('keys', 10_000, 1_000)
  const old = keys / 5
  const space = 'plant'
  try {
    await network.addHosts(5)
    const [times, bytes, sizes] = [[], [], []] as [number[], number[], number[]]
    for (let run = 0; run < number('runs', 3, 1); run++) {
      await withFleet(new Fleet({ bundled: true, network }), async fleet => {
        await fleet.start(5)
        await fleet.node(0).ask({ kind: 'fill', space, prefix: 'old-', count: old })
        await equal(fleet.up, space, old, 250)
        const lone = fleet.node(4)
        const mesh = fleet.up.filter(node => node !== lone)
        await network.cut(network.hosts[4] as Network['hosts'][number])
        await Promise.all([fleet.agree(LIMIT_MS, mesh), fleet.agree(LIMIT_MS, [lone])])
        await Promise.all([
          fleet.node(1).ask({ kind: 'fill', space, prefix: 'mesh-', count: keys }),
          lone.ask({ kind: 'fill', space, prefix: 'lone-', count: keys }),
        ])
        // A state vector does not see deletions; the digests have to.
        await fleet.node(2).ask({ kind: 'erase', space, prefix: 'old-', count: old / 2 })
        await equal(mesh, space, keys + old / 2, 250)
        const difference =
          JSON.stringify(await lone.ask({ kind: 'entries', space })).length +
          JSON.stringify(await fleet.node(0).ask({ kind: 'entries', space })).length
        const before = await bytesOf(network, 4)
        const at = nowMs()
        await network.heal()
        await equal(fleet.up, space, 2 * keys + old / 2, 100)
        times.push(nowMs() - at)
        bytes.push(((await bytesOf(network, 4)) - before) / 1e3)
        sizes.push(difference / 1e3)
      })
    }
    row({
      what: `cut off, ${keys} keys on each side and ${old / 2} deleted: heal → equal`,
      unit: 'ms',
      values: times,
    })
    row({ what: 'Ethernet bytes of that node meanwhile, both directions', unit: 'kB', values: bytes })
    row({ what: 'what the two sides held, as JSON', unit: 'kB', values: sizes })
  } finally {
    await network.close()
  }
}

/** A space that three nodes hold, which need not be neighbors of each other. */
const few = (): Promise<void> =>
  withFleet(new Fleet({ bundled: true }), async fleet => {
    const count = number('nodes', 40, 8)
    const holders = [1, Math.floor(count / 2), count - 1]
    await fleet.start(count, 4, index => ({
      spaces: holders.includes(index) ? ['rare', 'usual'] : ['usual'],
    }))
    const held = holders.map(index => fleet.node(index))
    await watch(held, 'rare')
    await sleep(CALM_MS)
    const writes = number('writes', 50, 10)
    for (let i = 0; i < writes; i++) {
      const order = { kind: 'load', space: 'rare', prefix: `rare-${i}-`, perSecond: 1_000, count: 1, keys: 1 }
      await (held[i % held.length] as FleetNode).ask(order)
      await sleep(200)
    }
    await equal(held, 'rare', writes, 100)
    const lags = new Map<string, number>()
    for (const { key, lagMs } of (await seenBy(held)).flat())
      lags.set(key, Math.max(lagMs, lags.get(key) ?? 0))
    row({
      what: `a write to a space held by 3 of ${count} nodes reaches all three`,
      unit: 'ms',
      values: [...lags.values()],
    })
    const strangers = fleet.up.filter(node => !held.includes(node))
    const stored = await Promise.all(
      strangers.map(node =>
        node.ask<{ count: number }>({ kind: 'content', space: 'rare' }).then(
          ({ count }) => count,
          // It says that it does not hold the space, which is what is wanted.
          () => 0,
        ),
      ),
    )
    row({
      what: 'keys of it that other nodes hold',
      unit: '',
      values: [stored.reduce((sum, keys) => sum + keys, 0)],
      budget: 0,
    })
  })

const PARTS = { reach, sustained, apart, few }
for (const [name, run] of Object.entries(PARTS)) if (wants(name)) await part(name, run)
