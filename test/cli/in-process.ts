// Runs a command line in this process: the same words, exit code and output as the command's
// own process has, at a twentieth of its cost. What belongs to a process itself (signals, its
// input, what keeps it from ending) is for `shoal` of shoal.ts, which starts one.

import { main } from '../../src/cli/main.js'
import { environment, type Outcome } from './shoal.js'

export interface InProcessOptions {
  readonly api?: string
  readonly env?: Readonly<Record<string, string>>
}

let isBusy = false

/** One after the other: what a process has once is lent to the command meanwhile. */
export const inProcess = async (
  args: readonly string[],
  { api, env = {} }: InProcessOptions = {},
): Promise<Outcome> => {
  if (isBusy) throw new Error(`shoal ${args.join(' ')} was asked for while another command line runs`)
  isBusy = true
  const before = { env: process.env, exitCode: process.exitCode, listeners: listenersNow() }
  const out = keepWrites(process.stdout)
  const err = keepWrites(process.stderr)
  process.env = environment({ ...(api === undefined ? {} : { SHOAL_API: api }), ...env })
  process.exitCode = undefined
  try {
    await main(args)
    return { code: Number(process.exitCode ?? 0), out: out.text(), err: err.text() }
  } finally {
    out.giveBack()
    err.giveBack()
    process.env = before.env
    process.exitCode = before.exitCode
    removeListenersBut(before.listeners)
    isBusy = false
  }
}

const keepWrites = (stream: NodeJS.WriteStream) => {
  const { write } = stream
  const chunks: string[] = []
  stream.write = (chunk: string | Uint8Array): boolean => {
    chunks.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())
    return true
  }
  return {
    text: () => chunks.join(''),
    giveBack: () => {
      stream.write = write
    },
  }
}

/** What a command listens to until its process ends. */
const HEARD: readonly (readonly [NodeJS.EventEmitter, string])[] = [
  [process.stdout, 'error'],
  [process, 'SIGINT'],
  [process, 'SIGTERM'],
  [process, 'SIGHUP'],
]

const listenersNow = () => HEARD.map(([emitter, event]) => emitter.listeners(event))

const removeListenersBut = (kept: ReturnType<typeof listenersNow>): void => {
  HEARD.forEach(([emitter, event], i) => {
    for (const listener of emitter.listeners(event)) {
      if (kept[i]?.includes(listener) !== true) emitter.off(event, listener as () => void)
    }
  })
}
