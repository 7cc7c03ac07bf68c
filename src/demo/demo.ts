// `shoal demo`: five nodes on this machine, a dozen tasks, and ways to lose a node. It
// holds the parts together and sees that nothing that it started outlives it.

import { createClient } from '../cli/client.js'
import { line, printJsonLine } from '../cli/output.js'
import { ShoalError } from '../core/errors.js'
import { type Act, createActions, ms, tellFault } from './actions.js'
import { type Control, openDoor } from './door.js'
import { type DemoNode, type Fleet, startFleet } from './fleet.js'
import { openScreen } from './screen.js'
import { playStory, sumUp } from './story.js'
import { demoTasks } from './tasks.js'
import { type Fault, Watch } from './watch.js'

export interface DemoOptions {
  readonly nodes: number
  readonly seconds?: number | undefined
  readonly headless?: true
  readonly json?: true
}

const STARTED_MS = 20_000
const HEADLESS_SECONDS = 30
const NODES_MAX = 9

/** Returns the exit code. */
export const demo = async (options: DemoOptions): Promise<number> => {
  const began = performance.now()
  if (options.nodes > NODES_MAX) {
    throw new ShoalError('OPTION_INVALID', `--nodes is ${options.nodes}; the demo takes 3 to ${NODES_MAX}`)
  }
  const stop = new AbortController()
  const onSignal = (): void => stop.abort()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  const json = options.json === true
  const isPlain = options.headless === true || !process.stdout.isTTY || !process.stdin.isTTY
  const say = (text: string): void => (json ? printJsonLine({ step: text }) : line(text))
  if (!isPlain) process.stderr.write(`starting ${options.nodes} nodes…\n`)

  const fleet = await startFleet(options.nodes)
  try {
    if (isPlain) say(`started ${options.nodes} nodes in ${ms(performance.now() - began)}`)
    const watch = new Watch(fleet)
    const act = createActions(fleet, watch)
    const door = await openDoor(fleet, async (action, node) => void (await act(action, node)))
    try {
      if (isPlain) say(`the dashboard is at ${door.url}`)
      await declareTasks(fleet, watch, stop.signal, isPlain ? say : () => {})
      const seconds = options.seconds ?? (options.headless ? HEADLESS_SECONDS : null)
      const endAt = seconds === null ? Number.POSITIVE_INFINITY : began + seconds * 1_000
      if (options.headless) {
        const isStopped = (): boolean => stop.signal.aborted
        return await playStory({ fleet, watch, act, endAt, json, isStopped })
      }
      if (isPlain) {
        tellAlong(watch, say)
        await endOf(stop.signal, endAt)
      } else await play(fleet, watch, act, door.url, stop, endAt)
      sumUp(watch, json)
      // Whoever ends it while a node lies killed has seen what there was to see.
      return 0
    } finally {
      door.close()
      watch.close()
    }
  } finally {
    await fleet.close()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, onSignal)
    // Streams of events may still be closing; nothing is left to wait for.
    setImmediate(() => process.exit())
  }
}

const declareTasks = async (
  fleet: Fleet,
  watch: Watch,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<void> => {
  const [first] = fleet.nodes as readonly [DemoNode]
  const began = performance.now()
  await watch.until(() => watch.members.length === fleet.nodes.length || signal.aborted, STARTED_MS)
  const client = createClient({ api: first.api, token: fleet.token })
  const tasks = demoTasks(fleet.plcPort)
  for (const task of tasks) await client.send('PUT', `/v1/tasks/${task.id}`, task)
  const isRunning = await watch.until(
    () => (watch.tasks.length === tasks.length && watch.uncovered().length === 0) || signal.aborted,
    STARTED_MS,
  )
  if (!isRunning) throw new ShoalError('DEMO_FAILED', `not every task runs: ${watch.uncovered().join(', ')}`)
  if (!signal.aborted)
    say(`${tasks.length} tasks run on ${fleet.nodes.length} nodes after ${ms(performance.now() - began)}`)
}

/** Without a terminal: every fault that the page causes is told once its measurements are whole. */
const tellAlong = (watch: Watch, say: (text: string) => void): void => {
  const told = new Set<Fault>()
  watch.onChange(() => {
    for (const fault of watch.faults) {
      if (told.has(fault) || !watch.isOver(fault)) continue
      told.add(fault)
      say(tellFault(fault))
    }
  })
}

const KEYS: Readonly<Record<string, Control>> = { k: 'kill', f: 'freeze', c: 'cut', r: 'revive' }
const DONE: Readonly<Record<Control, string>> = {
  kill: 'is killed (SIGKILL); r starts it again',
  freeze: 'is frozen (SIGSTOP); r lets it go on',
  cut: 'is cut off from the mesh; r joins it again',
  revive: 'is back; it takes tasks again once it is settled',
}

/** On a terminal, until q, Ctrl-C or the end of its time. */
const play = async (
  fleet: Fleet,
  watch: Watch,
  act: Act,
  url: string,
  stop: AbortController,
  endAt: number,
): Promise<void> => {
  let chosen = 0
  const selected = (): DemoNode => fleet.nodes[chosen] as DemoNode
  const screen = openScreen({ fleet, watch, url, selected })
  fleet.onLost(node => screen.say(`${node.name} ended by itself; r starts it again`))
  const onKeys = (text: string): void => {
    // Several keys may come at a time.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: this is how terminals send the arrows.
    for (const [key] of text.matchAll(/\u001b\[[A-D]|[^\u001b]/g)) onKey(key)
  }
  const onKey = (key: string): void => {
    const count = fleet.nodes.length
    if (key === 'q' || key === '\u0003' || key === '\u0004') stop.abort()
    else if (key === '\u001b[A') chosen = (chosen + count - 1) % count
    else if (key === '\u001b[B') chosen = (chosen + 1) % count
    else if (/^[1-9]$/.test(key) && Number(key) <= count) chosen = Number(key) - 1
    const action = KEYS[key]
    if (action === undefined) {
      screen.say(`${selected().name} is chosen`)
      return
    }
    const node = selected()
    screen.say(`${action} ${node.name} …`)
    act(action, node).then(
      () => screen.say(`${node.name} ${DONE[action]}`),
      error => screen.say(error instanceof Error ? error.message : String(error)),
    )
  }
  const { stdin } = process
  stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  stdin.resume()
  stdin.on('data', onKeys)
  // A crash leaves the terminal as it was found.
  const restore = (): void => screen.close()
  process.once('exit', restore)
  try {
    await endOf(stop.signal, endAt)
  } finally {
    process.off('exit', restore)
    stdin.off('data', onKeys)
    stdin.setRawMode(false)
    stdin.pause()
    screen.close()
  }
}

const endOf = (signal: AbortSignal, endAt: number): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) {
      resolve()
      return
    }
    const leftMs = endAt - performance.now()
    // A timer also keeps the process there while nothing else does.
    const timer = setTimeout(resolve, Math.min(leftMs, 2 ** 31 - 1))
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
