// The last lines of each task that ran here, for `shoal tasks logs`. In memory only:
// logs at rate would wear an SD card out, and who wants to keep them has a journal.
// A task's lines are bounded by `taskLogBytesMax`, all tasks together by
// `totalLogBytesMax`; beyond that the task that has been quiet longest is forgotten.

import type { Millis, NodeId, TaskId } from '../../core/ids.js'
import { cleanLine } from './lines.js'

export const taskLogBytesMax = 262_144
export const totalLogBytesMax = 4_194_304
/** What a line costs beside its text when it is sent: time, node, epoch and stream as JSON. */
const lineOverheadBytes = 224

export interface LogLine {
  readonly at: Millis
  readonly node: NodeId
  readonly epoch: string
  readonly stream: 'out' | 'err' | 'log'
  readonly line: string
}

export interface LogBuffer {
  append(task: TaskId, line: LogLine): void
  /** The newest `count` lines, oldest first. */
  read(task: TaskId, count?: number): readonly LogLine[]
  forget(task: TaskId): void
  readonly bytes: number
}

interface Ring {
  lines: { readonly entry: LogLine; readonly bytes: number }[]
  first: number
  bytes: number
}

export const createLogBuffer = (perTask = taskLogBytesMax, total = totalLogBytesMax): LogBuffer => {
  // In the order of last use: a map keeps the order in which its keys were set.
  const rings = new Map<TaskId, Ring>()
  let bytes = 0

  const dropOldest = (ring: Ring): void => {
    const dropped = ring.lines[ring.first]
    if (dropped === undefined) return
    ring.first += 1
    ring.bytes -= dropped.bytes
    bytes -= dropped.bytes
    // The dead front is cut off when it is half of the list, so each line is moved once on average.
    if (ring.first * 2 > ring.lines.length) {
      ring.lines = ring.lines.slice(ring.first)
      ring.first = 0
    }
  }

  const forget = (task: TaskId): void => {
    bytes -= rings.get(task)?.bytes ?? 0
    rings.delete(task)
  }

  return {
    append(task, line) {
      const entry = { ...line, line: cleanLine(line.line) }
      const cost = Buffer.byteLength(entry.line) + lineOverheadBytes
      const ring = rings.get(task) ?? { lines: [], first: 0, bytes: 0 }
      rings.delete(task)
      rings.set(task, ring)
      ring.lines.push({ entry, bytes: cost })
      ring.bytes += cost
      bytes += cost
      while (ring.bytes > perTask) dropOldest(ring)
      while (bytes > total) {
        const quietest = rings.keys().next().value
        if (quietest === undefined || quietest === task) break
        forget(quietest)
      }
    },
    read(task, count = Number.POSITIVE_INFINITY) {
      const ring = rings.get(task)
      if (ring === undefined) return []
      const first = Math.max(ring.first, ring.lines.length - count)
      return ring.lines.slice(first).map(line => line.entry)
    },
    forget,
    get bytes() {
      return bytes
    },
  }
}
