// Runs the command as its users do: real processes, on loopback, with folders of their own.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createClient } from '../../src/cli/client.js'
import { messages } from '../../src/cli/follow.js'
import type { JournalEvent } from '../../src/runtime/journal.js'
import { shippedCommand } from '../fleet/shipped.js'

const CLI = await shippedCommand()
const IN_MODULES = fileURLToPath(new URL('../../src/cli.js', import.meta.url))
const BOUND_MS = 60_000

export interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  readonly api?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** Ends it once its output has this in it. */
  readonly until?: RegExp
  readonly cwd?: string
  /** The command as it is compiled, module by module, in place of the one file that is shipped. */
  readonly inModules?: boolean
}

export const makeDirectory = (): string => mkdtempSync(join(tmpdir(), 'shoal-cli-'))

export const environment = (extra: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  PATH: process.env.PATH ?? '',
  // No data of a real node is found there.
  HOME: '/nonexistent',
  ...extra,
})

export const shoal = (args: readonly string[], options: RunOptions = {}): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [options.inModules ? IN_MODULES : CLI, ...args], {
      env: environment({ ...(options.api === undefined ? {} : { SHOAL_API: options.api }), ...options.env }),
      cwd: options.cwd,
    })
    let out = ''
    let err = ''
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`shoal ${args.join(' ')} did not end in ${BOUND_MS} ms: ${out}${err}`))
    }, BOUND_MS)
    child.stdout.on('data', chunk => {
      out += chunk
      if (options.until?.test(out)) child.kill('SIGTERM')
    })
    child.stderr.on('data', chunk => {
      err += chunk
    })
    child.on('error', reject)
    child.on('close', code => {
      clearTimeout(timer)
      resolve({ code, out, err })
    })
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
  })

export interface RunningShoal {
  readonly id: string
  readonly name: string
  readonly addrs: readonly string[]
  readonly api: string
  readonly child: ChildProcess
  /** Everything that it wrote to stderr so far. */
  log(): string
  /** Resolves with the exit code after this signal. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

/** Starts a node that finds nobody by itself; the test ends it. */
export const up = (
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<RunningShoal> =>
  new Promise((resolve, reject) => {
    const all = ['up', '--json', '--no-mdns', ...args]
    if (!args.includes('--listen')) all.push('--listen', '/ip4/127.0.0.1/tcp/0')
    if (!args.includes('--api')) all.push('--api', '127.0.0.1:0')
    const child = spawn(process.execPath, [CLI, ...all], {
      env: environment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let err = ''
    child.stderr.on('data', chunk => {
      err += chunk
    })
    const ended = new Promise<number | null>(done => child.once('close', code => done(code)))
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`not ready in ${BOUND_MS} ms: ${err}`))
    }, BOUND_MS)
    createInterface({ input: child.stdout }).once('line', line => {
      clearTimeout(timer)
      resolve({
        ...(JSON.parse(line) as { id: string; name: string; addrs: string[]; api: string }),
        child,
        log: () => err,
        end: signal => {
          child.kill(signal)
          return ended
        },
      })
    })
    child.once('close', code => {
      clearTimeout(timer)
      reject(new Error(`ended with ${code}: ${err}`))
    })
  })

/** Ends what a test started and removes its folder, whatever became of the test. */
export const cleanUp = async (nodes: readonly RunningShoal[], directory: string): Promise<void> => {
  await Promise.all(nodes.map(node => node.end('SIGKILL')))
  rmSync(directory, { recursive: true, force: true })
}

/** Resolves with the first event, past or to come, that is the one. */
export const eventOf = async (
  node: Pick<RunningShoal, 'api'>,
  isIt: (event: JournalEvent) => boolean,
): Promise<JournalEvent> => {
  const stream = await createClient({ api: node.api, token: null }).stream('/v1/events?since=0', null)
  const timer = setTimeout(() => stream.destroy(new Error('the event did not come')), BOUND_MS)
  try {
    for await (const { data } of messages(stream)) {
      const event = JSON.parse(data) as JournalEvent
      if (isIt(event)) return event
    }
  } finally {
    clearTimeout(timer)
    stream.destroy()
  }
  throw new Error('the stream ended before the event came')
}
