// Which process is meant: a pid alone may be another process's by now, so a process is
// named by its pid and the moment at which it began.

import { readFileSync } from 'node:fs'

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
