// Turns what a task prints into lines, at a bounded cost. A task may print without
// end, print no line feed, or print garbage; none of that may cost the node memory
// or keep its event loop busy. So a line is cut at `lineBytesMax`, no more than
// `linesPerSecondMax` are kept in a second (the rest is skipped without looking at it,
// and counted), and a source that sends more than `bytesPerSecondMax` is told to wait:
// the pipe fills up and its writer, not this node, is what slows down.

import type { Millis } from '../../core/ids.js'

export const lineBytesMax = 8_192
export const linesPerSecondMax = 500
export const bytesPerSecondMax = 1_048_576

const LINE_FEED = 10
const windowMs = 1_000
// C0 but tab, DEL and C1: escape sequences from a task must not reach an operator's terminal.
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is these characters that are looked for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g

export interface LineReader {
  /** Takes what was printed. Returns how long its source should wait before it sends more, or 0. */
  push(chunk: Uint8Array): Millis
  /** Gives out the last line, if it had no line feed, and the count of what was skipped. */
  end(): void
}

/** A line that may be shown: valid text, no control characters, of bounded length. */
export const cleanLine = (text: string): string => {
  const line = text.endsWith('\r') ? text.slice(0, -1) : text
  const bounded = line.length > lineBytesMax ? `${line.slice(0, lineBytesMax)}…` : line
  return bounded.replace(CONTROL, '\ufffd')
}

export const createLineReader = (now: () => Millis, emit: (line: string) => void): LineReader => {
  // The line that has no end yet: what is kept of it, and how much was cut off.
  let partial: Buffer[] = []
  let partialBytes = 0
  let cutBytes = 0
  // What this second has seen.
  let windowAt = Number.NEGATIVE_INFINITY
  let lines = 0
  let bytes = 0
  let skippedBytes = 0

  const keep = (piece: Buffer): void => {
    const room = lineBytesMax - partialBytes
    const kept = piece.length > room ? piece.subarray(0, room) : piece
    cutBytes += piece.length - kept.length
    if (kept.length === 0) return
    // A copy: a short line must not hold the 64 KB chunk that it came in.
    partial.push(Buffer.from(kept))
    partialBytes += kept.length
  }

  const finish = (): void => {
    const text = Buffer.concat(partial).toString('utf8')
    const tail = cutBytes > 0 ? `… (${cutBytes} more bytes)` : ''
    partial = []
    partialBytes = 0
    cutBytes = 0
    lines += 1
    emit(cleanLine(text) + tail)
  }

  const reportSkipped = (): void => {
    if (skippedBytes === 0) return
    emit(`… ${skippedBytes} bytes skipped: more than ${linesPerSecondMax} lines in a second`)
    skippedBytes = 0
  }

  return {
    push(input) {
      const chunk = Buffer.from(input.buffer, input.byteOffset, input.byteLength)
      const at = now()
      if (at - windowAt >= windowMs || at < windowAt) {
        windowAt = at
        lines = 0
        bytes = 0
        reportSkipped()
      }
      bytes += chunk.length
      let from = 0
      while (from < chunk.length) {
        if (lines >= linesPerSecondMax) {
          const last = chunk.lastIndexOf(LINE_FEED)
          if (last >= from) {
            skippedBytes += last + 1 - from + partialBytes + cutBytes
            partial = []
            partialBytes = 0
            cutBytes = 0
            from = last + 1
          }
          keep(chunk.subarray(from))
          break
        }
        const to = chunk.indexOf(LINE_FEED, from)
        keep(chunk.subarray(from, to === -1 ? chunk.length : to))
        if (to === -1) break
        finish()
        from = to + 1
      }
      return bytes > bytesPerSecondMax ? Math.max(1, windowAt + windowMs - at) : 0
    },
    end() {
      reportSkipped()
      if (partialBytes > 0) finish()
    },
  }
}
