// Which process is meant: a pid alone may be another process's by now, so a process is
// named by its pid and the moment at which it began.

import { readdirSync, readFileSync } from 'node:fs'

/** When it began, in the kernel's ticks; null when there is no such process, '' where nobody can tell. */
export const beganAt = (pid: number): string | null => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null)
  } catch {
    if (process.platform === 'linux') return null
    try {
      process.kill(pid, 0)
      return ''
    } catch {
      return null
    }
  }
}

/** Sends a signal to exactly this process, and says whether it was there. */
export const signalProcess = (pid: number, began: string, signal: NodeJS.Signals): boolean => {
  if (!Number.isSafeInteger(pid) || pid <= 1 || pid === process.pid || beganAt(pid) !== began) return false
  try {
    process.kill(pid, signal)
    return true
  } catch {
    return false
  }
}

export interface Began {
  readonly pid: number
  readonly began: string
}

/** Everything that these processes started and that still runs under them. */
export const descendantsOf = (roots: readonly number[]): Began[] => {
  const children = new Map<number, number[]>()
  for (const name of listing('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = parentOf(Number(name))
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const found = new Set<number>()
  const look = (pid: number): void => {
    for (const child of children.get(pid) ?? []) {
      if (found.has(child)) continue
      found.add(child)
      look(child)
    }
  }
  for (const root of roots) look(root)
  return [...found].flatMap(pid => {
    const began = beganAt(pid)
    return began === null ? [] : [{ pid, began }]
  })
}

const parentOf = (pid: number): number | null => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return null
  }
}

const listing = (path: string): readonly string[] => {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
