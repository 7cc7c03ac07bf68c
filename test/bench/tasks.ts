// How long a task is nowhere when its node is killed, frozen, drained, leaves or is cut
// off, what else moves, and which periods run twice or never: real nodes as processes.
// What runs is taken from the handlers themselves, not from anybody's opinion. Words
// choose parts (`kill`, `silent`, `leave`, `drain`, `rolling`, `every`, `partition`),
// `--quick` makes all small, `--nodes=N --tasks=N --runs=N` set the numbers.

import { Fleet, type FleetNode, nowMs, sleep, until } from '../fleet/fleet.js'
import { part, remark, request, row } from '../fleet/table.js'
import { createNetwork, type Network, requireTool } from '../machine/namespaces.js'

const { wants, number } = request()
const NODES = number('nodes', 20, 5)
const TASKS = number('tasks', 200, 30)
const LIMIT_MS = 90_000
const FAILOVER_BUDGET_MS = 300
const FAILOVER_P99_MS = 800
const GAP_BUDGET_MS = 150
/** Nothing begins for this long: what had to move has moved. */
const STILL_MS = 1_500

const specs = (count: number, run = 'wait', when?: object) =>
  Array.from({ length: count }, (_, i) => ({
    id: `${run}-${i}`,
    run: { handler: run },
    ...(when && { when }),
  }))

/** Each task has exactly one runner, and from now on nothing changes for a while. */
const still = async (fleet: Fleet, count: number): Promise<Map<string, FleetNode>> => {
  const since = nowMs()
  let owners = new Map<string, FleetNode>()
  await until(
    LIMIT_MS,
    `${count} tasks run once each`,
    () => {
      const runners = fleet.runners()
      const last = Math.max(since, fleet.runs().at(-1)?.at ?? 0)
      owners = new Map(
        [...runners].flatMap(([task, [node]]) => (node === undefined ? [] : [[task, node] as const])),
      )
      return (
        runners.size === count &&
        [...runners.values()].every(nodes => nodes.length === 1) &&
        nowMs() - last > STILL_MS
      )
    },
    200,
  )
  return owners
}

const withTasks = async (
  use: (fleet: Fleet, owners: Map<string, FleetNode>) => Promise<void>,
): Promise<void> => {
  const fleet = new Fleet({ bundled: true })
  try {
    await fleet.start(NODES)
    await fleet.settle(LIMIT_MS)
    await fleet.node(0).ask({ kind: 'put', specs: specs(TASKS) })
    await use(fleet, await still(fleet, TASKS))
  } finally {
    await fleet.stop()
  }
}

const tasksOf = (owners: Map<string, FleetNode>, node: FleetNode): string[] =>
  [...owners].filter(([, owner]) => owner === node).map(([task]) => task)

/** When each of these tasks began elsewhere, after a time. */
const begunElsewhere = async (fleet: Fleet, tasks: readonly string[], not: FleetNode, from: number) => {
  const begun = new Map<string, number>()
  await until(
    LIMIT_MS,
    `${tasks.length} tasks run elsewhere`,
    () => {
      for (const { task, at, by, what } of fleet.runs()) {
        if (what === 'began' && at >= from && by !== not.id && !begun.has(task)) begun.set(task, at)
      }
      return tasks.every(task => begun.has(task))
    },
    100,
  )
  return begun
}

/** Runs of tasks that began though their node was well. */
const movedOfHealthy = (
  fleet: Fleet,
  owners: Map<string, FleetNode>,
  victim: FleetNode,
  from: number,
): number =>
  fleet.runs().filter(({ task, at, what }) => what === 'began' && at >= from && owners.get(task) !== victim)
    .length

/** A victim that has tasks, another one each time. */
const victimOf = (fleet: Fleet, owners: Map<string, FleetNode>, run: number): FleetNode => {
  for (let i = 0; i < NODES; i++) {
    const node = fleet.node((run * 7 + 1 + i) % NODES)
    if (tasksOf(owners, node).length > 0) return node
  }
  throw new Error('no node has a task')
}

const comeBack = async (fleet: Fleet, index: number): Promise<void> => {
  await fleet.launch(index).ready
  await fleet.agree(LIMIT_MS)
  await fleet.settle(LIMIT_MS)
}

const kill = () =>
  withTasks(async (fleet, first) => {
    let owners = first
    const gaps: number[] = []
    const moved: number[] = []
    for (let run = 0; run < number('runs', 10, 2); run++) {
      const victim = victimOf(fleet, owners, run)
      const orphans = tasksOf(owners, victim)
      const at = await victim.kill()
      const begun = await begunElsewhere(fleet, orphans, victim, at)
      gaps.push(...orphans.map(task => (begun.get(task) as number) - at))
      await sleep(STILL_MS)
      moved.push(movedOfHealthy(fleet, owners, victim, at))
      await comeBack(fleet, victim.index)
      owners = await still(fleet, TASKS)
    }
    row({
      what: `SIGKILL → each of its tasks runs elsewhere, ${NODES} nodes, ${TASKS} tasks`,
      unit: 'ms',
      values: gaps,
      budget: FAILOVER_BUDGET_MS,
      p99: FAILOVER_P99_MS,
    })
    row({ what: 'tasks of healthy nodes moved, each kill', unit: '', values: moved, budget: 0 })
  })

const silent = () =>
  withTasks(async (fleet, first) => {
    let owners = first
    const [gaps, overlaps, moved] = [[], [], []] as [number[], number[], number[]]
    for (let run = 0; run < number('freezes', 5, 1); run++) {
      const victim = victimOf(fleet, owners, run)
      const orphans = tasksOf(owners, victim)
      const at = nowMs()
      victim.signal('SIGSTOP')
      const begun = await begunElsewhere(fleet, orphans, victim, at)
      gaps.push(...orphans.map(task => (begun.get(task) as number) - at))
      await sleep(STILL_MS)
      moved.push(movedOfHealthy(fleet, owners, victim, at))
      const thawedAt = nowMs()
      victim.signal('SIGCONT')
      await until(LIMIT_MS, 'one runner each again', () =>
        orphans.every(task => fleet.runners().get(task)?.length === 1),
      )
      for (const { task, at, what } of victim.runs) {
        if (what === 'ended' && at >= thawedAt && orphans.includes(task)) overlaps.push(at - thawedAt)
      }
      await fleet.agree(LIMIT_MS)
      await fleet.settle(LIMIT_MS)
      owners = await still(fleet, TASKS)
    }
    row({ what: 'SIGSTOP → each of its tasks runs elsewhere', unit: 'ms', values: gaps })
    row({ what: 'tasks of healthy nodes moved, each freeze', unit: '', values: moved, budget: 0 })
    row({ what: 'SIGCONT → its copy of a task that was taken over ends', unit: 'ms', values: overlaps })
  })

/** Between the old owner's end and the new owner's begin; negative is an overlap. */
const gapsOf = (fleet: Fleet, tasks: readonly string[], from: number): number[] => {
  const runs = fleet.runs().filter(run => run.at >= from)
  return tasks.flatMap(task => {
    const ended = runs.find(run => run.task === task && run.what === 'ended')
    const began = runs.find(run => run.task === task && run.what === 'began')
    return ended === undefined || began === undefined ? [] : [began.at - ended.at]
  })
}

const leave = () =>
  withTasks(async (fleet, first) => {
    let owners = first
    const [gaps, moved] = [[], []] as [number[], number[]]
    for (let run = 0; run < number('leaves', 5, 1); run++) {
      const victim = victimOf(fleet, owners, run)
      const tasks = tasksOf(owners, victim)
      const at = nowMs()
      await victim.ask({ kind: 'leave' })
      await victim.ended
      await begunElsewhere(fleet, tasks, victim, at)
      await sleep(STILL_MS)
      gaps.push(...gapsOf(fleet, tasks, at))
      moved.push(movedOfHealthy(fleet, owners, victim, at))
      await comeBack(fleet, victim.index)
      owners = await still(fleet, TASKS)
    }
    row({ what: 'graceful leave: gap of each task', unit: 'ms', values: gaps, budget: GAP_BUDGET_MS })
    row({ what: 'tasks of healthy nodes moved, each leave', unit: '', values: moved, budget: 0 })
  })

const drain = () =>
  withTasks(async (fleet, first) => {
    let owners = first
    const [gaps, back, moved] = [[], [], []] as [number[], number[], number[]]
    for (let run = 0; run < number('drains', 5, 1); run++) {
      const victim = victimOf(fleet, owners, run)
      const tasks = tasksOf(owners, victim)
      const at = nowMs()
      await victim.ask({ kind: 'drain', on: true })
      await begunElsewhere(fleet, tasks, victim, at)
      await sleep(STILL_MS)
      gaps.push(...gapsOf(fleet, tasks, at))
      moved.push(movedOfHealthy(fleet, owners, victim, at))
      const offAt = nowMs()
      await victim.ask({ kind: 'drain', on: false })
      await until(LIMIT_MS, 'its tasks are back', () =>
        tasks.every(task => fleet.runners().get(task)?.[0] === victim),
      )
      owners = await still(fleet, TASKS)
      back.push(...gapsOf(fleet, tasks, offAt))
    }
    row({ what: 'drain: gap of each task', unit: 'ms', values: gaps, budget: GAP_BUDGET_MS })
    row({
      what: 'drain off: gap of each task on its way back',
      unit: 'ms',
      values: back,
      budget: GAP_BUDGET_MS,
    })
    row({ what: 'tasks of healthy nodes moved, each drain', unit: '', values: moved, budget: 0 })
  })

/** One node after another leaves and starts again, the next when the last is settled. */
const rolling = () =>
  withTasks(async (fleet, owners) => {
    const from = nowMs()
    const nodes = number('roll', NODES, 2)
    for (let index = 0; index < nodes; index++) {
      const node = fleet.node(index)
      await node.ask({ kind: 'leave' })
      await node.ended
      await comeBack(fleet, index)
    }
    await still(fleet, TASKS)
    const runs = fleet.runs().filter(run => run.at >= from)
    const moves: number[] = []
    const longest: number[] = []
    for (const task of owners.keys()) {
      const own = runs.filter(run => run.task === task)
      moves.push(own.filter(run => run.what === 'began').length)
      let gap = 0
      for (const [i, run] of own.entries()) {
        const next = own[i + 1]
        if (run.what === 'ended' && next?.what === 'began') gap = Math.max(gap, next.at - run.at)
      }
      longest.push(gap)
    }
    row({
      what: `rolling restart of ${nodes} of ${NODES} nodes: moves a task`,
      unit: '',
      values: moves,
    })
    row({
      what: 'rolling restart: longest gap of each task',
      unit: 'ms',
      values: longest,
      budget: GAP_BUDGET_MS,
    })
  })

/** Periods that ran twice, and those that never ran, of tasks that are handed from node to node. */
const every = async (): Promise<void> => {
  const fleet = new Fleet({ bundled: true })
  const tasks = specs(number('periodic', 20, 6), 'tick', { every: '1s' })
  try {
    await fleet.start(5)
    await fleet.settle(LIMIT_MS)
    await fleet.node(0).ask({ kind: 'put', specs: tasks })
    const began = () => fleet.runs().filter(run => run.what === 'began')
    await until(LIMIT_MS, 'each ran', () => new Set(began().map(run => run.task)).size === tasks.length)
    const stamps = new Map<string, number>()
    for (const { id } of tasks) {
      const stored = await fleet
        .node(0)
        .ask<{ createdAt?: number }>({ kind: 'get', space: 'shoal.tasks', key: id })
      stamps.set(id, stored.createdAt ?? Number.NaN)
    }
    for (const how of ['drain', 'kill'] as const) {
      const from = nowMs()
      const wanted = how === 'drain' ? number('handovers', 100, 6) : number('deaths', 30, 3)
      const handOvers = () => {
        const last = new Map<string, string>()
        let count = 0
        for (const { task, by, at } of began()) {
          if (at >= from && last.has(task) && last.get(task) !== by) count++
          last.set(task, by)
        }
        return count
      }
      const end = nowMs() + 400_000
      for (let round = 0; handOvers() < wanted && nowMs() < end; round++) {
        const node = fleet.node(round % 5)
        if (how === 'drain') {
          await node.ask({ kind: 'drain', on: true })
          // At another moment of the period each time.
          await sleep(2_000 + ((round * 137) % 1_000))
          await node.ask({ kind: 'drain', on: false })
          await sleep(2_000 + ((round * 311) % 1_000))
        } else {
          await node.kill()
          await sleep(3_000 + ((round * 137) % 1_000))
          await comeBack(fleet, node.index)
          await sleep(2_000)
        }
      }
      const endedAt = nowMs()
      let [twice, missed, late, total] = [0, 0, 0, 0]
      for (const { id } of tasks) {
        const stamp = stamps.get(id) as number
        const runners = new Map<number, Set<string>>()
        let runs = 0
        let doubled = 0
        for (const { task, at, by } of began()) {
          if (task !== id || at < from || at >= endedAt) continue
          // A hair early is the same period: two clocks of one machine differ by so much.
          const number = Math.floor((at + 5 - stamp) / 1_000)
          if ((at + 5 - stamp) % 1_000 > 500) late++
          runs++
          // A node never runs a period twice itself: two of its runs in one are a late one and the next.
          runners.set(number, (runners.get(number) ?? new Set()).add(by))
        }
        for (const nodes of runners.values()) doubled += nodes.size - 1
        const numbers = [...runners.keys()]
        const span = numbers.length === 0 ? 0 : Math.max(...numbers) - Math.min(...numbers) + 1
        total += span
        twice += doubled
        missed += Math.max(0, span - (runs - doubled))
      }
      const what = `every 1s, ${handOvers()} hand-overs by ${how}, ${total} periods`
      row({ what: `${what}: run by two nodes`, unit: '', values: [twice], budget: 0 })
      row({ what: `${what}: missed`, unit: '', values: [missed] })
      if (late > 0)
        remark(
          `${late} runs began in the second half of a period: late ones may be taken for the next period's`,
        )
    }
  } finally {
    await fleet.stop()
  }
}

const partition = async (): Promise<void> => {
  let network: Network
  try {
    for (const tool of ['unshare', 'nsenter', 'ip', 'iptables']) requireTool(tool)
    network = await createNetwork()
  } catch (error) {
    remark(`partition not measured: ${(error as Error).message}`)
    return
  }
  const fleet = new Fleet({ bundled: true, network })
  const count = number('split', 50, 10)
  const small = Math.max(2, Math.round(NODES * 0.4))
  try {
    await network.addHosts(NODES)
    await fleet.start(NODES)
    await fleet.settle(LIMIT_MS)
    await fleet.node(0).ask({ kind: 'put', specs: specs(count) })
    await still(fleet, count)
    const [left, right] = [fleet.nodes.slice(0, NODES - small), fleet.nodes.slice(NODES - small)]
    const at = nowMs()
    await network.split(network.hosts.slice(0, NODES - small), network.hosts.slice(NODES - small))
    const runsOn = (side: readonly FleetNode[]): number =>
      [...fleet.runners().values()].filter(nodes => nodes.some(node => side.includes(node))).length
    await until(LIMIT_MS, 'both sides run all tasks', () => runsOn(left) === count && runsOn(right) === count)
    const what = `${NODES - small} and ${small} nodes, ${count} tasks`
    row({ what: `cut into ${what} → both sides run all`, unit: 'ms', values: [nowMs() - at] })
    await sleep(Math.max(0, at + number('cut', 60, 10) * 1_000 - nowMs()))
    const healedAt = nowMs()
    await network.heal()
    await until(LIMIT_MS * 2, 'one copy of each remains', () => {
      const runners = [...fleet.runners().values()]
      return runners.length === count && runners.every(nodes => nodes.length === 1)
    })
    row({ what: 'healed → one copy of each', unit: 'ms', values: [nowMs() - healedAt] })
    const owners = await still(fleet, count)
    const after = fleet.runs().filter(run => run.at >= healedAt)
    const overlap = [...owners.keys()].map(task => {
      const ended = after.filter(run => run.task === task && run.what === 'ended')
      return Math.max(0, ...ended.map(run => run.at)) - healedAt
    })
    row({ what: 'healed → the last superfluous copy of each task ended', unit: 'ms', values: overlap })
    let misplaced = 0
    for (const [task, owner] of owners) {
      const why = await fleet
        .node(0)
        .ask<{ candidates: { node: string; chosen: boolean }[] }>({ kind: 'why', task })
      if (!why.candidates.some(candidate => candidate.chosen && candidate.node === owner.id)) misplaced++
    }
    row({
      what: 'tasks that remained where placement does not name',
      unit: '',
      values: [misplaced],
      budget: 0,
    })
    const seen = new Map<string, number>()
    for (const run of fleet.runs()) {
      if (run.what === 'began')
        seen.set(`${run.task} ${run.epoch}`, (seen.get(`${run.task} ${run.epoch}`) ?? 0) + 1)
    }
    const repeated = [...seen.values()].filter(times => times > 1).length
    row({
      what: 'epochs (task, slot, number, node) that began twice',
      unit: '',
      values: [repeated],
      budget: 0,
    })
  } finally {
    await fleet.stop()
    await network.close()
  }
}

const PARTS = { kill, silent, leave, drain, rolling, every, partition }
for (const [name, run] of Object.entries(PARTS)) if (wants(name)) await part(name, run)
