// A hybrid logical clock (Kulkarni et al., 2014): stamps that follow the machine's
// clock, never run backwards, and come after every stamp that was seen. They order
// concurrent writes, alike on every node, whatever the order of arrival.
//
// A stamp is one number: milliseconds × 2,048 plus a counter, 53 bits in all, good
// until the year 2109. It never follows a stamp from the far future: one peer with
// a clock years ahead would otherwise drag every clock of the mesh along for ever. Only where the
// machine's clock shows a time before there was any of this (no battery, no NTP yet), it says nothing
// of what is far: such a node follows what it sees, or all it writes would lose against what it saw.

import type { Millis } from './ids.js'

/** Milliseconds and a counter in one number; compared as numbers. */
export type Stamp = number

const COUNTS_PER_MS = 2_048
const LAST_MS = 2 ** 42 - 1

export const packStamp = (ms: Millis, counter: number): Stamp => ms * COUNTS_PER_MS + counter
export const stampMs = (stamp: Stamp): Millis => Math.floor(stamp / COUNTS_PER_MS)
export const stampCounter = (stamp: Stamp): number => stamp % COUNTS_PER_MS
export const isStamp = (value: unknown): value is Stamp =>
  Number.isSafeInteger(value) && (value as number) >= 0

export interface HybridClock {
  /** A stamp later than all that were given out or followed. */
  next(wall: Millis): Stamp
  /** Follows a stamp that was seen, unless it lies too far ahead; says whether it did. */
  observe(stamp: Stamp, wall: Millis): boolean
  /** The machine's clock shows this now. Once it is set, what was followed before and lies too far ahead of it is let go of. */
  look(wall: Millis): void
  readonly last: Stamp
}

/** `aheadMsMax`: how far a stamp may lie before the wall clock and still be followed. */
export const createHybridClock = (aheadMsMax: Millis, start: Stamp = 0): HybridClock => {
  let last = start
  let wasSet = true
  return {
    next: wall => {
      // A counter that runs over carries into the milliseconds, as integer arithmetic does by itself.
      last = Math.max(last + 1, packStamp(clampMs(wall), 0))
      return last
    },
    observe: (stamp, wall) => {
      const most = wall < CLOCKS_FROM_MS ? CLOCKS_TO_MS : clampMs(wall)
      if (!isStamp(stamp) || stampMs(stamp) > most + aheadMsMax) return false
      if (stamp > last) last = stamp
      return true
    },
    look: wall => {
      const isSet = wall >= CLOCKS_FROM_MS
      // Each write comes after what it replaces all the same, whatever stamp that bears.
      if (isSet && !wasSet && stampMs(last) > clampMs(wall) + aheadMsMax) last = packStamp(clampMs(wall), 0)
      wasSet = isSet
    },
    get last() {
      return last
    },
  }
}

/** 2020 and 2070: a clock that is set shows something between. */
const CLOCKS_FROM_MS = 1_577_836_800_000
const CLOCKS_TO_MS = 3_155_760_000_000

/** The latest stamp that a clock which is not set follows. */
export const LAST_FOLLOWED: Stamp = packStamp(CLOCKS_TO_MS, 0)

const clampMs = (ms: Millis): Millis => Math.min(LAST_MS, Math.max(0, Math.floor(ms)))
