// What Prometheus sees of a node: `shoal_*`, in base units. Gauges are read off the node
// when somebody scrapes; what happens between two scrapes is counted from its events.
// The labels are bounded: verdicts, causes, phases, spaces, and tasks up to a limit.
// The registry is its own, so several nodes in one process do not meet in it.

import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { hashText53 } from '../../core/hash.js'
import { compareText } from '../../core/ids.js'
import { countersOf } from './counters.js'
import type { MetricsNode, MetricsOptions } from './metrics-node.js'
import { AVAILABILITY_TASKS_MAX, SPACES_MAX, type TasksSeen, tasksSeen } from './tasks-seen.js'

export interface Metrics {
  readonly contentType: string
  render(): Promise<string>
  close(): void
}

/** From a crash noticed in milliseconds to silence noticed in seconds. */
const DETECTION_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 5, 10, 30]
const FAILOVER_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1, 2, 5, 10, 30, 60]
/** Members whose death is remembered, until what they ran has moved. */
const DEATHS_MAX = 1_000

export const createMetrics = (options: MetricsOptions): Metrics => {
  const { node } = options
  const registry = new Registry()
  const registers = [registry]
  const gauge = (name: string, help: string, labelNames: string[], collect: (gauge: Gauge) => void): void => {
    new Gauge({
      name: `shoal_${name}`,
      help,
      labelNames,
      registers,
      collect() {
        this.reset()
        collect(this)
      },
    })
  }
  /** A total that something else keeps. */
  const total = (
    name: string,
    help: string,
    labelNames: string[],
    collect: (counter: Counter) => void,
  ): void => {
    new Counter({
      name: `shoal_${name}_total`,
      help,
      labelNames,
      registers,
      collect() {
        this.reset()
        collect(this)
      },
    })
  }

  gauge('build_info', 'Always 1; which version this is.', ['version', 'node_version'], it =>
    it.set({ version: options.version, node_version: process.version }, 1),
  )
  gauge('start_time_seconds', 'When this node started, in seconds since 1970.', [], it =>
    it.set(node.startedAt / 1_000),
  )
  gauge('ready', '1 while the node takes part in the mesh.', [], it =>
    it.set(node.status === 'ready' ? 1 : 0),
  )
  addMembers(node, gauge)
  // The list of tasks is long: one look at it serves a whole scrape.
  let seen = tasksSeen([])
  addTasks(node, () => seen, gauge, total)
  gauge('state_keys', 'Keys of shared state by space.', ['space'], it => {
    for (const { space, keys } of node.spaces().slice(0, SPACES_MAX)) it.set({ space }, keys)
  })
  gauge('state_bytes', 'Bytes of keys and values of shared state by space.', ['space'], it => {
    for (const { space, bytes } of node.spaces().slice(0, SPACES_MAX)) it.set({ space }, bytes)
  })
  total('mesh_bytes', 'Bytes on connections to other nodes.', ['direction'], it => {
    const { bytesSent, bytesReceived } = node.traffic()
    it.inc({ direction: 'sent' }, bytesSent)
    it.inc({ direction: 'received' }, bytesReceived)
  })
  total('mesh_dials', 'Connections that this node tried to open.', [], it => it.inc(node.traffic().dials))
  total('mesh_refused_keys', 'Connections refused for another mesh key.', [], it =>
    it.inc(node.traffic().refusedKeys),
  )
  total('mesh_dropped', 'Messages that could not be sent.', [], it => it.inc(node.traffic().dropped))
  total('store_commits', 'Commits of the store.', [], it => it.inc(node.storeStats().commits))
  total('store_written_bytes', 'Bytes written to the store.', [], it =>
    it.inc(node.storeStats().bytesWritten),
  )
  gauge('store_pending_writes', 'Writes that wait for a commit.', [], it =>
    it.set(node.storeStats().pendingWrites),
  )
  total('steps', 'Steps of the core.', [], it => it.inc(node.loopStats().steps))
  gauge('queued_events', 'Events that wait for the core.', [], it => it.set(node.loopStats().queued))
  total('process_cpu_seconds', 'Processor time of this process.', [], it => {
    const { user, system } = process.cpuUsage()
    it.inc((user + system) / 1e6)
  })
  gauge('process_resident_memory_bytes', 'Memory of this process.', [], it =>
    it.set(process.memoryUsage.rss()),
  )
  gauge('process_heap_bytes', 'JavaScript heap in use.', [], it => it.set(process.memoryUsage().heapUsed))
  gauge('process_handles', 'Handles that keep this process going, connections among them.', [], it =>
    it.set(process.getActiveResourcesInfo().length),
  )
  addVitals(options, gauge)
  addHttp(options, gauge, total)
  const unsubscribe = countEvents(node, registers)
  const counters = countersOf(node, registry)
  return {
    contentType: registry.contentType,
    render: () => {
      counters()
      seen = tasksSeen(node.tasks.list())
      return registry.metrics()
    },
    close: unsubscribe,
  }
}

type AddGauge = (name: string, help: string, labelNames: string[], collect: (gauge: Gauge) => void) => void
type AddTotal = (
  name: string,
  help: string,
  labelNames: string[],
  collect: (counter: Counter) => void,
) => void

const addMembers = (node: MetricsNode, gauge: AddGauge): void => {
  gauge('members', 'Members by verdict, this node included.', ['verdict'], it => {
    for (const verdict of ['alive', 'suspect', 'dead', 'left']) it.set({ verdict }, 0)
    for (const { verdict } of node.members()) it.inc({ verdict })
  })
  gauge('members_by_health', 'Present members by what they say of their own health.', ['health'], it => {
    for (const health of ['ok', 'strained', 'failing']) it.set({ health }, 0)
    for (const { verdict, health } of node.members()) {
      if (verdict === 'alive' || verdict === 'suspect') it.inc({ health })
    }
  })
  gauge(
    'member_dead_since_seconds',
    'When each dead member was found dead, in seconds since 1970.',
    ['member', 'name'],
    it => {
      const dead = node.members().filter(({ verdict }) => verdict === 'dead')
      for (const { id, name, since } of dead.slice(0, DEATHS_MAX)) it.set({ member: id, name }, since / 1_000)
    },
  )
  gauge('neighbors', 'Members with an open link to this node.', [], it =>
    it.set(node.view.neighbors().length),
  )
  gauge(
    'view_digest',
    'A number for who is present, in which life; nodes that agree show the same.',
    [],
    it => it.set(viewDigest(node)),
  )
  gauge('view_age_seconds', 'How long ago a neighbor was last heard; since the start if none was.', [], it =>
    it.set((node.viewAgeMs() ?? Math.max(0, node.clock.now() - node.startedAt)) / 1_000),
  )
}

/** A suspect is present: a doubt that some have a moment earlier is no disagreement. */
const viewDigest = (node: MetricsNode): number =>
  hashText53(
    node
      .members()
      .filter(({ verdict }) => verdict === 'alive' || verdict === 'suspect')
      .map(({ id, generation }) => `${id} ${generation}`)
      .sort(compareText)
      .join('\n'),
  )

const addTasks = (node: MetricsNode, seen: () => TasksSeen, gauge: AddGauge, total: AddTotal): void => {
  gauge('tasks', 'Declared tasks.', [], it => it.set(seen().declared))
  gauge('task_copies', 'Copies of tasks in the whole mesh by phase.', ['phase'], it => {
    for (const [phase, count] of seen().phases) it.set({ phase }, count)
  })
  gauge('tasks_uncovered', 'Tasks with a copy due that runs nowhere.', [], it => it.set(seen().uncovered))
  gauge('tasks_unreadable', 'Tasks that this node cannot understand.', [], it => it.set(seen().unreadable))
  gauge(
    'task_availability_ratio',
    `Time covered by a running copy over time since it was due, as this node saw it; the ${AVAILABILITY_TASKS_MAX} least available tasks.`,
    ['task'],
    it => {
      const all = [...node.tasks.availability()].sort(([, a], [, b]) => a.share - b.share)
      for (const [task, { share }] of all.slice(0, AVAILABILITY_TASKS_MAX)) it.set({ task }, share)
    },
  )
  total('task_due_seconds', 'Time in which copies of tasks were due, summed over slots.', [], it => {
    for (const { totalMs } of node.tasks.availability().values()) it.inc(totalMs / 1_000)
  })
  total('task_covered_seconds', 'Time of it in which a copy ran.', [], it => {
    for (const { coveredMs } of node.tasks.availability().values()) it.inc(coveredMs / 1_000)
  })
}

const addVitals = ({ vitals }: MetricsOptions, gauge: AddGauge): void => {
  gauge(
    'event_loop_lag_seconds',
    'How late the event loop ran in the last five seconds.',
    ['statistic'],
    it => {
      const lag = vitals()?.lag
      if (lag === undefined) return
      it.set({ statistic: 'median' }, lag.medianMs / 1_000)
      it.set({ statistic: 'p99' }, lag.p99Ms / 1_000)
      it.set({ statistic: 'max' }, lag.maxMs / 1_000)
    },
  )
  const share = (
    name: string,
    help: string,
    read: (sample: NonNullable<ReturnType<typeof vitals>>) => number | null,
  ) =>
    gauge(name, help, [], it => {
      const sample = vitals()
      const value = sample === null ? null : read(sample)
      if (value !== null) it.set(value)
    })
  share('machine_cpu_ratio', 'Share of all processors in use.', sample => sample.cpuShare)
  share('machine_memory_ratio', 'Share of memory in use.', sample => sample.memoryShare)
  share('data_disk_ratio', "Share of the data folder's disk in use.", sample => sample.diskShare)
  share('data_disk_free_bytes', "Free bytes of the data folder's disk.", sample => sample.diskFreeBytes)
  share('temperature_celsius', 'The warmest sensor of this machine.', sample => sample.celsius)
}

const addHttp = ({ http }: MetricsOptions, gauge: AddGauge, total: AddTotal): void => {
  total('http_answers', 'Answers of the HTTP interface by status.', ['status'], it => {
    for (const [status, count] of http().answers) it.inc({ status: String(status) }, count)
  })
  gauge('http_event_streams', 'Open live event streams.', [], it => it.set(http().streams))
  total('http_event_streams_dropped', 'Event streams dropped because they were too slow.', [], it =>
    it.inc(http().streamsDropped),
  )
}

/** What events tell: deaths, doubts that were wrong, tasks that moved and how long that took. */
const countEvents = (node: MetricsNode, registers: Registry[]): (() => void) => {
  const detection = new Histogram({
    name: 'shoal_detection_seconds',
    help: 'From the last sign of life of a neighbor to its death here.',
    labelNames: ['cause'],
    buckets: DETECTION_SECONDS,
    registers,
  })
  const failover = new Histogram({
    name: 'shoal_failover_seconds',
    help: 'From the death of a member to the start of its task elsewhere, as this node saw it.',
    buckets: FAILOVER_SECONDS,
    registers,
  })
  const refuted = new Counter({
    name: 'shoal_false_suspicions_total',
    help: 'Members that were held suspect or dead and answered; unreachable ones that came back among them.',
    labelNames: ['held'],
    registers,
  })
  const moves = new Counter({
    name: 'shoal_task_moves_total',
    help: 'Copies of tasks that changed hands, by cause.',
    labelNames: ['cause'],
    registers,
  })
  const failures = new Counter({
    name: 'shoal_task_failures_total',
    help: 'Copies of tasks that failed, as this node saw it.',
    registers,
  })
  const verdicts = new Counter({
    name: 'shoal_member_events_total',
    help: 'Verdicts on members as this node reached them.',
    labelNames: ['verdict', 'cause'],
    registers,
  })
  for (const held of ['suspect', 'dead']) refuted.inc({ held }, 0)
  const held = new Map<string, 'suspect' | 'dead'>()
  const deathAt = new Map<string, number>()

  return node.journal.subscribe(node.journal.lastSeq, event => {
    switch (event.kind) {
      case 'member.alive':
      case 'member.suspect':
      case 'member.dead':
      case 'member.left': {
        const { member, cause, at } = event
        verdicts.inc({ verdict: event.kind.slice('member.'.length), cause: cause ?? 'none' })
        const before = held.get(member)
        if (event.kind === 'member.alive') {
          if (cause === 'refuted' && before !== undefined) refuted.inc({ held: before })
          held.delete(member)
          deathAt.delete(member)
        } else if (event.kind === 'member.suspect') held.set(member, 'suspect')
        else if (event.kind === 'member.dead') {
          held.set(member, 'dead')
          const sign = node.lastSignOf(member)
          if (sign !== null) detection.observe({ cause: cause ?? 'none' }, Math.max(0, at - sign) / 1_000)
          deathAt.set(member, at)
          const oldest = deathAt.keys().next().value
          if (deathAt.size > DEATHS_MAX && oldest !== undefined) deathAt.delete(oldest)
        }
        return
      }
      case 'member.forgotten':
        held.delete(event.member)
        deathAt.delete(event.member)
        return
      case 'task.moved': {
        moves.inc({ cause: event.cause })
        const diedAt = deathAt.get(event.from ?? '')
        if (diedAt !== undefined && event.cause === 'died')
          failover.observe(Math.max(0, event.at - diedAt) / 1_000)
        return
      }
      case 'task.failed':
        failures.inc()
        return
      default:
        // Other events have no number of their own.
        return
    }
  })
}
