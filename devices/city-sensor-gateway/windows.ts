// The minutes of one district that are still open: takes readings, drops repeats and
// nonsense, and closes a minute when enough time has passed for stragglers. Pure; its
// whole state is small JSON, so that it can be a checkpoint and a successor goes on in
// the middle of a minute.

import { addValue, coarsen, createSketch, type Sketch, type Summary, summaryOf } from './sketch.js'

export const MINUTE_MS = 60_000
/** Minutes open at once. More means that time is broken somewhere; the oldest is closed early. */
const OPEN_MAX = 60
/** Kinds of a minute: each is a summary, and all must fit a checkpoint. */
const KINDS_MAX = 64
/** What is left of a summary where there is no room for more: two decades of values. */
const COARSE_BUCKETS = 256
/** A kind comes from a topic, in which anybody can write anything. */
const KIND = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
/** Sensors remembered for telling repeats; the one heard longest ago is forgotten. */
const SENSORS_MAX = 1_000
/** A number that is this little below the last one is a repeat; one far below is a sensor that began anew. */
const REPEATS_MAX = 32
/** The same for what the broker says it had sent before: as many as two checkpoints confirm, where it sends a thousand ahead. */
const REDELIVERED_MAX = 2_000
/** A clock that is ahead by more than this is not believed, the time of arrival counts instead … */
const AHEAD_MS = 10 * MINUTE_MS
/** … nor one that is behind by more: for a day the broker may have kept a reading for us. */
const BEHIND_MS = 26 * 60 * MINUTE_MS

export interface WindowState {
  /** Minute → kind → summary so far. */
  readonly open: Readonly<Record<string, Readonly<Record<string, Sketch>>>>
  /** Sensor → number of its last reading. */
  readonly last: Readonly<Record<string, number>>
  /** All minutes before this one are closed. */
  readonly closedBefore: number
  readonly counts: Counts
}

/** What became of the payloads. */
export interface Counts {
  readonly taken: number
  readonly garbage: number
  readonly repeated: number
  readonly late: number
  readonly clock: number
}

/** One minute of one district, as it is queued and forwarded. */
export interface Aggregate {
  /** `district/minute`: the same for ever, whoever computes or forwards it. */
  readonly id: string
  readonly district: string
  /** The beginning of the minute, milliseconds since 1970. */
  readonly minute: number
  readonly kinds: Readonly<Record<string, Summary>>
}

export interface Windows {
  /** Takes a payload that was published for this kind; `isAgain` when the broker had sent it before, to us or to a predecessor. */
  take(kind: string, payload: Uint8Array, now: number, isAgain?: boolean): void
  /** The latest time that a reading was taken at. Minutes are closed by it: after a pause of the gateway the broker's backlog comes first. */
  readonly heardUpTo: number
  /** The minutes that are over by now, oldest first; they are closed by this. */
  close(now: number): readonly Aggregate[]
  /** For a state that has become too large: makes summaries of values that are all over the place coarse at their low end. False when none is. */
  coarsen(): boolean
  /** The same: forgets half of the sensors, the longest ago heard first. False when there are none. */
  forgetSensors(): boolean
  /** The same: closes the oldest minute before its time. */
  closeOldest(): Aggregate | null
  state(): WindowState
}

export const emptyWindows: WindowState = {
  open: {},
  last: {},
  closedBefore: 0,
  counts: { taken: 0, garbage: 0, repeated: 0, late: 0, clock: 0 },
}

interface Reading {
  readonly sensor: string
  readonly seq: number
  readonly value: number
  readonly at: number
}

/** What a value may be, whatever it measures. A reading beyond is a broken sensor. */
const VALUE_MAX = 1e9

export const readingOf = (payload: Uint8Array): Reading | null => {
  try {
    const { sensor, seq, value, at } = JSON.parse(Buffer.from(payload).toString('utf8'))
    const isReading =
      typeof sensor === 'string' &&
      sensor.length <= 64 &&
      Number.isSafeInteger(seq) &&
      typeof value === 'number' &&
      Math.abs(value) <= VALUE_MAX &&
      typeof at === 'number'
    return isReading ? { sensor, seq, value, at } : null
  } catch {
    // Anybody can publish anything: what is no reading is counted and forgotten.
    return null
  }
}

export const createWindows = (
  district: string,
  closeAfterMs: number,
  state: WindowState = emptyWindows,
): Windows => {
  const open = new Map(
    Object.entries(structuredClone(state.open)).map(([minute, kinds]) => [
      Number(minute),
      new Map(Object.entries(kinds)),
    ]),
  )
  const last = new Map(Object.entries(state.last))
  const counts = { ...state.counts }
  let { closedBefore } = state
  let heardUpTo = 0

  const aggregateOf = (minute: number): Aggregate => {
    const kinds = open.get(minute) ?? new Map<string, Sketch>()
    open.delete(minute)
    closedBefore = Math.max(closedBefore, minute + MINUTE_MS)
    return {
      id: `${district}/${new Date(minute).toISOString().slice(0, 16)}Z`,
      district,
      minute,
      kinds: Object.fromEntries([...kinds].map(([kind, sketch]) => [kind, summaryOf(sketch)])),
    }
  }

  return {
    get heardUpTo() {
      return heardUpTo
    },
    take(kind, payload, now, isAgain = false) {
      counts.taken += 1
      const reading = KIND.test(kind) ? readingOf(payload) : null
      if (reading === null) {
        counts.garbage += 1
        return
      }
      const { sensor, seq, value } = reading
      const before = last.get(sensor) ?? Number.NEGATIVE_INFINITY
      if (seq <= before && seq > before - (isAgain ? REDELIVERED_MAX : REPEATS_MAX)) {
        counts.repeated += 1
        return
      }
      last.delete(sensor)
      last.set(sensor, seq)
      if (last.size > SENSORS_MAX) last.delete(last.keys().next().value ?? '')
      const isOff = reading.at - now > AHEAD_MS || now - reading.at > BEHIND_MS
      if (isOff) counts.clock += 1
      else heardUpTo = Math.max(heardUpTo, reading.at)
      const at = isOff ? now : reading.at
      const minute = Math.floor(at / MINUTE_MS) * MINUTE_MS
      if (minute < closedBefore) {
        counts.late += 1
        return
      }
      const kinds = open.get(minute) ?? new Map<string, Sketch>()
      const sketch = kinds.get(kind) ?? createSketch()
      if (kinds.size >= KINDS_MAX && !kinds.has(kind)) {
        counts.garbage += 1
        return
      }
      addValue(sketch, value)
      kinds.set(kind, sketch)
      open.set(minute, kinds)
    },
    close(now) {
      const minutes = [...open.keys()].sort((a, b) => a - b)
      const over = minutes.filter(
        (minute, index) => now >= minute + MINUTE_MS + closeAfterMs || index < minutes.length - OPEN_MAX,
      )
      return over.map(aggregateOf)
    },
    coarsen() {
      const sketches = [...open.values()].flatMap(kinds => [...kinds.values()])
      return sketches.filter(sketch => coarsen(sketch, COARSE_BUCKETS)).length > 0
    },
    forgetSensors() {
      const forgotten = [...last.keys()].slice(0, Math.ceil(last.size / 2))
      for (const sensor of forgotten) last.delete(sensor)
      return forgotten.length > 0
    },
    closeOldest() {
      const [oldest] = [...open.keys()].sort((a, b) => a - b)
      return oldest === undefined ? null : aggregateOf(oldest)
    },
    state: () => ({
      open: structuredClone(
        Object.fromEntries([...open].map(([minute, kinds]) => [minute, Object.fromEntries(kinds)])),
      ),
      last: Object.fromEntries(last),
      closedBefore,
      counts: { ...counts },
    }),
  }
}
