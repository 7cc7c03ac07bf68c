// Looks at processes through /proc, and waits for what is said of them, with a bound.

import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { TaskRun } from '../../src/core/tasks/spec.js'

const read = (path: string): string => {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

const statOf = (pid: number): readonly string[] => {
  const text = read(`/proc/${pid}/stat`)
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** A zombie that nobody waits for has ended all the same. */
export const isAlive = (pid: number): boolean => /^[^ZX]$/.test(statOf(pid)[0] ?? '')

const pids = (): number[] => readdirSync('/proc').map(Number).filter(Number.isSafeInteger)

/** Who has this in its environment. To count them by: never to kill what is found. */
export const carriers = (mark: string): number[] =>
  pids().filter(pid => isAlive(pid) && read(`/proc/${pid}/environ`).includes(mark))

export const reaperOf = (parent: number): number | undefined =>
  pids().find(
    pid =>
      isAlive(pid) &&
      Number(statOf(pid)[1]) === parent &&
      read(`/proc/${pid}/cmdline`).includes('shoal-reaper'),
  )

/** Waits until it holds; false when it did not within the bound. */
export const eventually = async (holds: () => boolean, boundMs = 15_000): Promise<boolean> => {
  const until = performance.now() + boundMs
  while (!holds()) {
    if (performance.now() > until) return false
    await sleep(5)
  }
  return true
}

export interface NodeProcess {
  readonly child: ChildProcess
  readonly pid: number
  readonly lines: string[]
  /** Ends it, if a failed test left it. */
  end(): void
}

export const startNode = (runs: readonly TaskRun[], times = 1, killAt?: number): NodeProcess => {
  const script = fileURLToPath(new URL('./executor-node.js', import.meta.url))
  const more = killAt === undefined ? [] : [String(killAt)]
  const child = spawn(process.execPath, [script, JSON.stringify(runs), String(times), ...more], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  let rest = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
  })
  if (child.pid === undefined) throw new Error('node could not be spawned')
  return { child, pid: child.pid, lines, end: () => void child.kill('SIGKILL') }
}

/** The numbers after a word, in the order in which they were printed. */
export const pidsAfter = (lines: readonly string[], word: string): number[] =>
  lines.flatMap(line => (line.startsWith(`${word} `) ? [Number(line.slice(word.length + 1))] : []))
