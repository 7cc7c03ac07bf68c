// The task of one district: take the readings of its sensors from the street broker,
// aggregate them by minute, queue each minute that is over. Readings are confirmed to the
// broker only after the checkpoint that contains them, so what a lost gateway had not
// saved comes again to its successor, and repeats are recognised.

import type { Handler, Json, TaskContext } from '../../src/index.js'
import { createCondition, type LogLine, type Report } from '../plug/condition.js'
import { sayingFailures } from '../plug/failures.js'
import { createMqttLink } from '../plug/mqtt-link.js'
import { pause } from '../plug/pause.js'
import { createHeldAcks } from './held-acks.js'
import { enqueue, keyOf, QUEUE_SPACE, trim } from './queue.js'
import { createRecent, SETTLE_TICKS } from './recent.js'
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
  /** How long it takes until what is queued here is certainly in the queue of others. */
  readonly settleMs?: number
}

interface Checkpoint {
  readonly windows: WindowState
  /** What was closed lately, which may be in no other gateway's queue yet. */
  readonly recent: readonly Aggregate[]
}

/** A node on a busy machine gathers what it writes for 2 s at most before it tells the others. */
const SETTLE_MS = 5_000
/** Of the 64 KB that a checkpoint may be. */
const CHECKPOINT_BYTES_MAX = 60_000
/** Of those for what is still open; the rest is for what was closed lately. */
const WINDOWS_BYTES_MAX = 50_000
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
  { report, log, steadyMs, settleMs = SETTLE_MS, now = Date.now }: CityOptions,
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
  const recent = createRecent(before.recent)
  const tickMs = settleMs / SETTLE_TICKS
  const ticking = setInterval(recent.tick, tickMs)
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

  /** Queues these; from then on they are in each checkpoint until they have settled. */
  const put = async (closed: readonly Aggregate[]): Promise<void> => {
    await Promise.all(closed.map(aggregate => enqueue(queue, aggregate)))
    recent.add(closed)
  }

  const over = (): readonly Aggregate[] => {
    const isQuiet = Date.now() - heardAt > task.quietMs
    return windows.close(isQuiet ? now() : Math.min(now(), windows.heardUpTo))
  }

  /** Queues what is over, saves, and only then confirms what was read. */
  const settle = async (): Promise<void> => {
    await put(over())
    const confirm = acks.collect()
    const checkpoint = await fittingCheckpoint()
    if (checkpoint === null) return
    await save(checkpoint as unknown as Json)
    if (signal.aborted) return
    confirmEarlier()
    confirmEarlier = confirm
  }

  /**
   * What a checkpoint has no room for is let go, the least missed first. Aggregates that may be
   * in no other queue are waited for: until they have settled nothing more is confirmed, and the
   * broker keeps it. Null when the task is to stop meanwhile.
   */
  const fittingCheckpoint = async (): Promise<Checkpoint | null> => {
    recent.trim()
    while (!signal.aborted) {
      const checkpoint = { windows: windows.state(), recent: recent.aggregates }
      if (bytesOf(checkpoint) <= CHECKPOINT_BYTES_MAX) return checkpoint
      if (recent.forgetSettled()) continue
      if (bytesOf(checkpoint.windows) <= WINDOWS_BYTES_MAX) {
        await pause(tickMs, signal)
        continue
      }
      const closed = over()
      if (closed.length > 0) {
        await put(closed)
        continue
      }
      sensorCondition.set(
        'strained',
        'there are too many for one district: some minutes close early, some repeats count twice',
      )
      if (windows.coarsen() || windows.forgetSensors()) continue
      const oldest = windows.closeOldest()
      if (oldest !== null) await put([oldest])
    }
    return null
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
    const unheard = before.recent.filter(aggregate => !queue.has(keyOf(aggregate)))
    await Promise.all(unheard.map(aggregate => enqueue(queue, aggregate)))
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
    clearInterval(ticking)
    await link.close()
    for (const condition of [brokerCondition, sensorCondition, queueCondition]) condition.release()
  }

  function wakeUp(): void {
    wake()
  }
}

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

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
