// The task of one district: take the readings of its sensors from the street broker,
// aggregate them by minute, queue each minute that is over. Readings are confirmed to the
// broker only after the checkpoint that contains them, so what a lost gateway had not
// saved comes again to its successor, and repeats are recognised.

import type { Handler, Json, TaskContext } from '../../src/index.js'
import { createCondition, type LogLine, type Report } from '../plug/condition.js'
import { sayingFailures } from '../plug/failures.js'
import { createMqttLink } from '../plug/mqtt-link.js'
import { createHeldAcks } from './held-acks.js'
import { enqueue, keyOf, QUEUE_SPACE, trim } from './queue.js'
import { type CollectTask, checkCollectTask } from './settings.js'
import { type Aggregate, createWindows, emptyWindows, type WindowState, type Windows } from './windows.js'

export interface CityOptions {
  readonly street: string | null
  readonly uplink: string | null
  readonly report: Report
  readonly log: LogLine
  /** Milliseconds since 1970, as the city has it. */
  readonly now?: () => number
  /** How long a trouble must have stayed away before it is over. */
  readonly steadyMs?: number
}

interface Checkpoint {
  readonly windows: WindowState
  /** The last few that were closed. Their way into the queue of a successor may have been shorter than the gateway's life. */
  readonly recent: readonly Aggregate[]
}

const RECENT_MAX = 20
/** Of the 64 KB that a checkpoint may be. */
const CHECKPOINT_BYTES_MAX = 60_000
/** Looking at the length of the queue costs a walk over it. */
const TRIM_EVERY_MS = 10_000
const SILENT = 'no sensor says anything'
/** Below this many payloads in a look, their quality means nothing. */
const QUALITY_MIN = 20

/** The handler `collect`. */
export const createCollector = (options: CityOptions): Handler =>
  sayingFailures(options, async context => {
    const task = checkCollectTask(context.input)
    if (options.street === null) throw new Error('this gateway reaches no street broker; its file names none')
    await collect(options, options.street, context, task)
  })

const collect = async (
  { report, log, steadyMs, now = Date.now }: CityOptions,
  url: string,
  context: TaskContext,
  task: CollectTask,
): Promise<void> => {
  const { signal, save } = context
  const { district } = task
  const queue = context.space(QUEUE_SPACE)
  const brokerCondition = createCondition(`street broker for ${district}`, report, log, steadyMs)
  const sensorCondition = createCondition(`sensors of ${district}`, report, log, steadyMs)
  const queueCondition = createCondition(`queue of ${district}`, report, log, steadyMs)
  const before = (context.checkpoint ?? { windows: emptyWindows, recent: [] }) as unknown as Checkpoint
  const windows = createWindows(district, task.closeAfterMs, before.windows)
  const acks = createHeldAcks()
  let recent = before.recent
  let heardAt = Date.now()
  let trimmedAt = 0
  let wake = (): void => {}

  const link = createMqttLink({
    url,
    condition: brokerCondition,
    retryMaxMs: task.retryMaxMs,
    signal,
    open: acks.open,
    // The same session for whoever collects: the broker keeps what comes while nobody does.
    prepare: async () => ({ clientId: `shoal.city.${district}`, clean: false }),
    onConnect(client) {
      client.on('message', (topic, payload, { dup }) => {
        heardAt = Date.now()
        windows.take(topic.split('/')[2] ?? '', payload, now(), dup)
        if (acks.count >= task.holdMax) wake()
      })
      client.subscribe(`city/${district}/+/+`, { qos: 1 })
    },
  })

  // Confirmed is what the checkpoint before the last one contained: it has reached the next in
  // rank by now, also if this gateway is gone in the next moment. A copy that stops confirms
  // nothing more; its successor gets those readings again and knows them as repeats.
  let confirmEarlier = (): void => {}

  /** Queues what is over, saves, and only then confirms what was read. */
  const settle = async (): Promise<void> => {
    const isQuiet = Date.now() - heardAt > task.quietMs
    const closed = windows.close(isQuiet ? now() : Math.min(now(), windows.heardUpTo))
    await Promise.all(closed.map(aggregate => enqueue(queue, aggregate)))
    recent = [...recent, ...closed].slice(-RECENT_MAX)
    const confirm = acks.collect()
    await save((await fittingCheckpoint()) as unknown as Json)
    if (signal.aborted) return
    confirmEarlier()
    confirmEarlier = confirm
  }

  /** What a checkpoint has no room for is let go, the least missed first. */
  const fittingCheckpoint = async (): Promise<Checkpoint> => {
    for (;;) {
      const checkpoint = { windows: windows.state(), recent }
      if (Buffer.byteLength(JSON.stringify(checkpoint)) <= CHECKPOINT_BYTES_MAX) return checkpoint
      sensorCondition.set(
        'strained',
        'there are too many for one district: some minutes close early, some repeats count twice',
      )
      if (windows.coarsen()) continue
      if (recent.length > 0) recent = recent.slice(Math.ceil(recent.length / 2))
      else {
        const closed = windows.forgetSensors() ? null : windows.closeOldest()
        if (closed !== null) await enqueue(queue, closed)
      }
    }
  }

  const look = createQualityLook(windows)
  const judge = async (): Promise<void> => {
    const isQuiet = link.client !== null && Date.now() - heardAt > task.quietMs
    if (isQuiet) sensorCondition.set('strained', SILENT)
    else if (sensorCondition.reason === SILENT) sensorCondition.set('ok', 'readings come in')
    else look(quality => sensorCondition.set(...quality))
    if (Date.now() - trimmedAt < TRIM_EVERY_MS) return
    trimmedAt = Date.now()
    const dropped = await trim(queue, task.queueMax)
    if (dropped > 0) queueCondition.set('strained', 'it is full: the oldest aggregates are dropped')
    else if (queueCondition.level !== 'ok') queueCondition.set('ok', 'there is room again')
  }

  try {
    for (const aggregate of recent) if (!queue.has(keyOf(aggregate))) await enqueue(queue, aggregate)
    while (!signal.aborted) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, task.checkpointMs)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
        if (signal.aborted || acks.count >= task.holdMax) wake()
        signal.addEventListener('abort', wakeUp, { once: true })
      })
      signal.removeEventListener('abort', wakeUp)
      await settle()
      await judge()
    }
  } finally {
    await link.close()
    for (const condition of [brokerCondition, sensorCondition, queueCondition]) condition.release()
  }

  function wakeUp(): void {
    wake()
  }
}

type Quality = readonly ['ok' | 'strained', string]

/** Looks at what was dropped since the last look, once enough has come to judge by. */
const createQualityLook = (windows: Windows): ((tell: (quality: Quality) => void) => void) => {
  const countsOf = () => windows.state().counts
  let last = countsOf()
  return tell => {
    const counts = countsOf()
    const taken = counts.taken - last.taken
    if (taken < QUALITY_MIN) return
    const garbage = counts.garbage - last.garbage
    const clock = counts.clock - last.clock
    const late = counts.late - last.late
    last = counts
    if (garbage * 2 > taken) tell(['strained', 'most payloads are no readings'])
    else if (clock * 2 > taken)
      tell(['strained', 'most sensors have a wrong clock; the time of arrival counts'])
    else if (late * 2 > taken) tell(['strained', 'most readings are of minutes that are closed'])
    else tell(['ok', 'readings come in'])
  }
}
