// How soon a mesh of real processes knows who is here, and what knowing costs. One
// line a figure beside its budget. Words choose parts (`kill`, `silent`, `partition`,
// `together`, `serf`), `--quick` makes all small, `--runs=N` sets the kills.
//
//   node dist/test/bench/membership.js kill --quick

import { membershipLan } from '../../src/core/membership/config.js'
import {
  Fleet,
  type FleetNode,
  type FleetUsage,
  median,
  nowMs,
  quantile,
  sleep,
  until,
} from '../fleet/fleet.js'
import { SerfFleet } from '../fleet/serf.js'
import { part, remark, request, row } from '../fleet/table.js'
import { createNetwork, type Network, requireTool } from '../machine/namespaces.js'

const { wants, number, isQuick } = request()
const LIMIT_MS = 60_000
/** Between two faults: observers find each other and their links get used. */
const CALM_MS = isQuick ? 2_000 : 4_000
const AFTER_HEAL_MS = Math.max(membershipLan.crowdQuietMs, membershipLan.starvedMs)
const RUNS = number('runs', 10, 2)
const KILL_BUDGET = new Map([
  [5, 25],
  [20, 60],
  [50, 200],
])
const SILENT_BUDGET_MS = 2_500
const JOIN_BUDGET_MS = 1_000
const AGREE_BUDGET_MS = 5_000
const IDLE_BYTES_BUDGET = 600
const IDLE_CPU_BUDGET = 0.5
const MEMORY_BUDGET_MB = process.version.startsWith('v20.') ? 85 : 105
/** Medians of detection, for the ratio to Serf. */
const shoalKills = new Map<number, number>()

const withFleet = async (fleet: Fleet, use: (fleet: Fleet) => Promise<void>): Promise<void> => {
  try {
    await use(fleet)
  } finally {
    await fleet.stop()
  }
}

const withNetwork = async (hosts: number, use: (network: Network) => Promise<void>): Promise<void> => {
  let network: Network
  try {
    for (const tool of ['unshare', 'nsenter', 'ip', 'iptables']) requireTool(tool)
    network = await createNetwork()
  } catch (error) {
    remark(`not measured: ${(error as Error).message}`)
    return
  }
  try {
    await network.addHosts(hosts)
    await use(network)
  } finally {
    await network.close()
  }
}

/** Until the last of them told of `kind`; throws when one does not in time. */
const lastTold = async (
  among: readonly FleetNode[],
  kind: string,
  member: string,
  from: number,
): Promise<number> => {
  await until(
    LIMIT_MS,
    `${among.length} nodes tell ${kind}`,
    () => among.every(node => node.heard(kind, member, from)),
    10,
  )
  return Math.max(...among.map(node => node.heard(kind, member, from)?.at ?? Number.NaN)) - from
}

const victimOf = (fleet: Fleet, run: number): FleetNode => fleet.node((run * 7 + 1) % fleet.nodes.length)
const others = (fleet: Fleet, node: FleetNode): FleetNode[] => fleet.up.filter(other => other !== node)

/** Verdicts of these nodes on members that were well all the time. */
const falseDeaths = (judges: readonly FleetNode[], healthy: readonly FleetNode[], from: number): number =>
  judges
    .flatMap(node => node.events)
    .filter(event => event.at >= from && event.kind === 'member.dead')
    .filter(event => healthy.some(node => node.id === event.member)).length

const cpuMs = ({ cpu }: FleetUsage): number => (cpu.user + cpu.system) / 1_000

/** What a start left is collected after 10 s, and V8 tidies up once more 20 to 70 s after that: 100 ms of processor, once. */
const AT_REST_MS = 90_000

const idle = async (fleet: Fleet, count: number): Promise<void> => {
  const seconds = number('idle', 60, 10)
  const before = await Promise.all(fleet.up.map(node => node.usage()))
  await sleep(seconds * 1_000)
  const after = await Promise.all(fleet.up.map(node => node.usage()))
  const share = after.map(
    (usage, i) => ((cpuMs(usage) - cpuMs(before[i] as FleetUsage)) / (seconds * 1_000)) * 100,
  )
  row({
    what: `idle CPU a node, ${count} nodes, ${seconds} s`,
    unit: '%',
    values: share,
    budget: IDLE_CPU_BUDGET,
  })
  row({
    what: `resident memory of an idle node, ${count} nodes`,
    unit: 'MB',
    values: after.map(usage => usage.rss / 1e6),
    // The budget is that of the bundled daemon in a mesh of 20.
    budget: count === 20 ? MEMORY_BUDGET_MB : null,
  })
  const sent = after.map(
    (usage, i) => ((usage.traffic?.bytesSent ?? 0) - (before[i]?.traffic?.bytesSent ?? 0)) / seconds,
  )
  row({ what: `idle payload sent a node as the transport counts, ${count} nodes`, unit: 'B/s', values: sent })
}

const killAndFreeze = async (count: number): Promise<void> => {
  await withFleet(new Fleet({ bundled: true, inside: true }), async fleet => {
    await fleet.start(count)
    await sleep(isQuick ? 5_000 : AT_REST_MS)
    await idle(fleet, count)

    const [dead, first, joined, frozen, back] = [[], [], [], [], []] as number[][]
    const causes = new Map<string, number>()
    const from = nowMs()
    let wrong = 0
    for (let run = 0; run < RUNS; run++) {
      const victim = victimOf(fleet, run)
      const survivors = others(fleet, victim)
      const at = nowMs()
      victim.signal('SIGKILL')
      dead?.push(await lastTold(survivors, 'member.dead', victim.id, at))
      for (const node of survivors) {
        const event = node.heard('member.dead', victim.id, at)
        causes.set(`${event?.cause}`, (causes.get(`${event?.cause}`) ?? 0) + 1)
      }
      first?.push(
        Math.min(...survivors.map(node => node.heard('member.dead', victim.id, at)?.at ?? Number.NaN)) - at,
      )
      wrong += falseDeaths(survivors, survivors, at)
      await victim.ended
      await sleep(500)
      const again = fleet.launch(victim.index)
      await again.ready
      joined?.push(await lastTold(survivors, 'member.alive', victim.id, again.startedAt))
      await fleet.agree(LIMIT_MS)
      await sleep(CALM_MS)
    }
    shoalKills.set(count, median(dead ?? []))
    row({
      what: `SIGKILL → every survivor holds it dead, ${count} nodes`,
      unit: 'ms',
      values: dead ?? [],
      budget: KILL_BUDGET.get(count) ?? null,
    })
    row({
      what: `SIGKILL → the first survivor holds it dead, ${count} nodes`,
      unit: 'ms',
      values: first ?? [],
    })
    remark(`causes: ${[...causes].map(([cause, n]) => `${cause} ${n}`).join(', ')}`)
    row({
      what: `its process is started → every node holds it alive, ${count} nodes`,
      unit: 'ms',
      values: joined ?? [],
      budget: JOIN_BUDGET_MS,
    })

    for (let run = 0; run < number('freezes', 5, 1); run++) {
      const victim = victimOf(fleet, run + 3)
      const survivors = others(fleet, victim)
      const at = nowMs()
      victim.signal('SIGSTOP')
      frozen?.push(await lastTold(survivors, 'member.dead', victim.id, at))
      wrong += falseDeaths(survivors, survivors, at)
      const thawedAt = nowMs()
      victim.signal('SIGCONT')
      await fleet.agree(LIMIT_MS)
      back?.push(nowMs() - thawedAt)
      await sleep(CALM_MS)
    }
    row({
      what: `SIGSTOP → every survivor holds it dead, ${count} nodes`,
      unit: 'ms',
      values: frozen ?? [],
      budget: SILENT_BUDGET_MS,
    })
    row({ what: `SIGCONT → all agree again, ${count} nodes`, unit: 'ms', values: back ?? [] })
    row({ what: `healthy members held dead meanwhile, ${count} nodes`, unit: '', values: [wrong], budget: 0 })
    const suspected = fleet.nodes
      .flatMap(node => node.events)
      .filter(event => event.at >= from && event.kind === 'member.suspect')
    remark(`${suspected.length} suspicions in all`)
  })
}

/** What a host put on its cable, as its kernel counts: Ethernet bytes. */
const cableBytes = async (network: Network): Promise<number[]> =>
  Promise.all(
    network.hosts.map(async host => {
      const { stdout } = await network.exec(host, ['ip', '-s', '-j', 'link', 'show', 'eth0'])
      const [link] = JSON.parse(stdout) as { stats64: { tx: { bytes: number } } }[]
      return link?.stats64.tx.bytes ?? Number.NaN
    }),
  )

const silent = async (count: number): Promise<void> => {
  await withNetwork(count, async network => {
    await withFleet(new Fleet({ bundled: true, network, inside: true }), async fleet => {
      await fleet.start(count)
      await sleep(isQuick ? 5_000 : 25_000)
      const seconds = number('idle', 60, 10)
      const before = await cableBytes(network)
      const began = nowMs()
      await sleep(seconds * 1_000)
      const after = await cableBytes(network)
      const took = (nowMs() - began) / 1_000
      row({
        what: `idle Ethernet bytes sent a node, ${count} nodes, ${seconds} s`,
        unit: 'B/s',
        values: after.map((bytes, i) => (bytes - (before[i] ?? Number.NaN)) / took),
        budget: IDLE_BYTES_BUDGET,
      })

      const dropped: number[] = []
      let wrong = 0
      for (let run = 0; run < number('cuts', 5, 1); run++) {
        const victim = victimOf(fleet, run)
        const survivors = others(fleet, victim)
        const at = nowMs()
        await network.cut(network.hosts[victim.index] as Network['hosts'][number])
        dropped.push(await lastTold(survivors, 'member.dead', victim.id, at))
        wrong += falseDeaths(survivors, survivors, at)
        await network.heal()
        await fleet.agree(LIMIT_MS)
        await sleep(CALM_MS)
      }
      row({
        what: `all packets of a node dropped → every survivor, ${count} nodes`,
        unit: 'ms',
        values: dropped,
        budget: SILENT_BUDGET_MS,
      })

      const mute: number[] = []
      for (let run = 0; run < number('mutes', 3, 1); run++) {
        const victim = victimOf(fleet, run + 2)
        const survivors = others(fleet, victim)
        const from = network.hosts[victim.index] as Network['hosts'][number]
        const at = nowMs()
        // One after another takes a while by itself; the clock starts before the first.
        await Promise.all(
          survivors.map(node => network.dropOneWay(from, network.hosts[node.index] as typeof from)),
        )
        mute.push(await lastTold(survivors, 'member.dead', victim.id, at))
        wrong += falseDeaths(survivors, survivors, at)
        await network.heal()
        await fleet.agree(LIMIT_MS)
        await sleep(CALM_MS)
      }
      row({
        what: `a node hears and is not heard → every other, ${count} nodes`,
        unit: 'ms',
        values: mute,
        budget: SILENT_BUDGET_MS,
      })

      // One of its observers no longer hears it; the others do, so nobody is dead.
      const at = nowMs()
      const [one, two] = network.hosts as [Network['hosts'][number], Network['hosts'][number]]
      await network.dropOneWay(one, two)
      await sleep(number('oneway', 30, 8) * 1_000)
      row({
        what: `one direction between two nodes silent: members held dead, ${count} nodes`,
        unit: '',
        values: [falseDeaths(fleet.up, fleet.up, at)],
        budget: 0,
      })
      await network.heal()
      await fleet.agree(LIMIT_MS)

      const lossAt = nowMs()
      const lossSeconds = number('loss', 120, 10)
      await network.setLoss(5)
      await sleep(lossSeconds * 1_000)
      row({
        what: `5 % loss for ${lossSeconds} s: members held dead, ${count} nodes`,
        unit: '',
        values: [falseDeaths(fleet.up, fleet.up, lossAt)],
        budget: 0,
      })
      await network.heal()
      await fleet.agree(LIMIT_MS)
      row({
        what: `healthy members held dead in the cuts, ${count} nodes`,
        unit: '',
        values: [wrong],
        budget: 0,
      })
    })
  })
}

const partition = async (count: number): Promise<void> => {
  await withNetwork(count, async network => {
    await withFleet(new Fleet({ bundled: true, network, inside: true }), async fleet => {
      await fleet.start(count)
      await sleep(CALM_MS * 2)
      for (const smaller of [Math.floor(count / 2), 1]) {
        const [split, heal] = [[], []] as [number[], number[]]
        for (let run = 0; run < number('splits', 3, 1); run++) {
          const side = (from: number, to: number) =>
            [
              network.hosts.slice(from, to),
              fleet.nodes.filter(node => node.index >= from && node.index < to),
            ] as const
          const [hostsA, nodesA] = side(0, count - smaller)
          const [hostsB, nodesB] = side(count - smaller, count)
          const at = nowMs()
          await network.split(hostsA, hostsB)
          const agreedAt = await Promise.all([nodesA, nodesB].map(nodes => fleet.agree(LIMIT_MS, nodes)))
          split.push(Math.max(...agreedAt) - at)
          await sleep(CALM_MS)
          const healedAt = nowMs()
          await network.heal()
          heal.push((await fleet.agree(LIMIT_MS * 2)) - healedAt)
          // For some seconds after a heal nobody's silence counts: that is not to be part of the next.
          await sleep(CALM_MS + AFTER_HEAL_MS)
        }
        const what = `${count - smaller} and ${smaller}`
        row({
          what: `cut into ${what} → both sides agree`,
          unit: 'ms',
          values: split,
          budget: AGREE_BUDGET_MS,
        })
        row({ what: `${what} healed → all agree`, unit: 'ms', values: heal, budget: AGREE_BUDGET_MS })
      }
    })
  })
}

/** A power cut ends: nodes that know each other are switched on in the same moment. */
const together = async (count: number): Promise<void> => {
  await withFleet(new Fleet({ bundled: true, inside: true, keepPorts: true }), async fleet => {
    await fleet.start(count)
    const [agreed, afterReady, dials] = [[], [], []] as [number[], number[], number[]]
    for (let run = 0; run < number('powercuts', 3, 1); run++) {
      // Long enough for all to have learned, and kept, the others' addresses.
      await sleep(CALM_MS)
      await Promise.all(fleet.up.map(node => node.kill()))
      const at = nowMs()
      const started = Array.from({ length: count }, (_, i) => fleet.launch(i, { join: [] }))
      await Promise.all(started.map(node => node.ready))
      const readyAt = Math.max(...started.map(node => node.readyAt))
      await fleet.agree(LIMIT_MS)
      agreed.push(nowMs() - at)
      afterReady.push(nowMs() - readyAt)
      for (const { traffic } of await Promise.all(started.map(node => node.usage())))
        dials.push(traffic?.dials ?? Number.NaN)
    }
    row({
      what: `${count} nodes switched on at once → all agree`,
      unit: 'ms',
      values: agreed,
      budget: AGREE_BUDGET_MS,
    })
    row({ what: `the last of them is ready → all agree`, unit: 'ms', values: afterReady })
    row({ what: `dials a node until then`, unit: '', values: dials })
  })
}

const serf = async (count: number): Promise<void> => {
  const fleet = new SerfFleet()
  try {
    await fleet.start(count, LIMIT_MS)
    const times: number[] = []
    for (let run = 0; run < number('serf', 5, 1); run++) {
      times.push(await fleet.killOne((run * 7 + 1) % count, LIMIT_MS))
      await fleet.restart((run * 7 + 1) % count, LIMIT_MS)
    }
    row({ what: `Serf: SIGKILL → every survivor holds it failed, ${count} nodes`, unit: 'ms', values: times })
    const ours = shoalKills.get(count)
    if (ours !== undefined) {
      remark(
        `Serf ${(median(times) / ours).toFixed(0)} times as long as Shoal at ${count} nodes (slowest ${quantile(times, 1).toFixed(0)} ms)`,
      )
    }
  } finally {
    await fleet.stop()
  }
}

const SIZES = [5, 20, 50].filter(size => size <= number('nodes', 50, 5))
for (const size of SIZES) if (wants('kill')) await part(`kill ${size}`, () => killAndFreeze(size))
if (wants('serf')) {
  if (SerfFleet.isInstalled()) {
    for (const size of SIZES) await part(`serf ${size}`, () => serf(size))
  } else remark('Serf is not installed (apt-get install serf): no comparison')
}
for (const size of SIZES) if (wants('silent')) await part(`silent ${size}`, () => silent(size))
if (wants('partition')) await part('partition', () => partition(SIZES.at(-1) ?? 5))
if (wants('together')) await part('together', () => together(Math.min(20, SIZES.at(-1) ?? 5)))
