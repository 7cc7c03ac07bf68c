// What one task would get if nobody's room were short. This depends on the task and its
// group alone, so that a change of a member touches only the tasks that it is near to.
// `placement-room.ts` takes over where a member has been chosen beyond its room.

import { hashText } from '../hash.js'
import { type Group, type MemberRow, seedsOf, type TaskRow } from './placement-group.js'
import { distance, nearestToZero, placeOf, SURVEYED_MAX, slotPoint, survey } from './placement-score.js'

const ONE_SLOT: readonly number[] = [0]
const NOBODY: readonly null[] = [null]

/** Sets the task's slots, choice and what belongs to it. */
export const choose = (row: TaskRow): void => {
  const { group, task, seed } = row
  const { available, known } = group
  row.isSeated = false
  if (task.replicas === 'all') {
    const isHere = new Set(available)
    const seats = numberedSeats(known).filter(([, member]) => isHere.has(member))
    row.slots = seats.map(([slot]) => slot)
    row.choice = seats.map(([, member]) => member)
    row.isSeated = true
    group.watch.set(row, row.choice, [], true)
    return
  }
  const count = task.replicas
  if (row.slots.length !== count)
    row.slots = count === 1 ? ONE_SLOT : Array.from({ length: count }, (_, slot) => slot)
  if (count === 1 && known.length > 1) {
    const at = nearestToZero(seed, group.seeds, available.length)
    const member = available[at] ?? null
    if (member === null) row.choice = NOBODY
    else {
      member.alone ??= [member]
      row.choice = member.alone
    }
    group.watch.setOne(row, member, member === null ? 0 : distance(placeOf(seed, member.seed), 0))
    return
  }
  if (known.length <= count) {
    const isHere = new Set(available)
    const seats = assign(
      row,
      known,
      seedsOf(known),
      task.spread === null ? null : codesOf(known, task.spread),
    )
    row.choice = seats.owners.map(member => (member !== null && isHere.has(member) ? member : null))
    row.isSeated = true
    group.watch.set(row, row.choice, seats.apart, true)
    return
  }
  const { owners, apart, isWishful } = assign(
    row,
    available,
    group.seeds,
    task.spread === null ? null : groupCodes(group, task.spread),
  )
  row.choice = owners
  group.watch.set(row, owners, apart, isWishful)
}

/** What a task that has no seats would get without these members; nothing is kept of it. */
export const chooseWithout = (row: TaskRow, gone: ReadonlySet<MemberRow>): readonly (MemberRow | null)[] => {
  const rows = row.group.available.filter(member => !gone.has(member))
  const { spread } = row.task
  return assign(row, rows, seedsOf(rows), spread === null ? null : codesOf(rows, spread)).owners
}

/** Whether the task's choice looks at the members that are known, present or not. */
export const looksAtKnown = (row: TaskRow, knownLength: number): boolean =>
  row.task.replicas === 'all' || row.task.replicas >= knownLength

interface Assigned {
  readonly owners: (MemberRow | null)[]
  readonly apart: number[]
  readonly isWishful: boolean
}

/** Nearest pairs first, each member once, spread first where it is asked for. */
const assign = (
  row: TaskRow,
  rows: readonly MemberRow[],
  seeds: Int32Array,
  codes: Int32Array | null,
): Assigned => {
  const count = row.slots.length
  const length = rows.length
  growScratch(length)
  const places = scratch
  survey(row.seed, seeds, length, count, places, surveyed)
  if (count <= SURVEYED_MAX && isSimple(count, codes)) {
    // As long as needed and no longer: a list that grew by `push` has room for 17.
    const owners = new Array<MemberRow>(count)
    const apart = new Array<number>(count)
    for (let slot = 0; slot < count; slot++) {
      const at = surveyed[slot] as number
      owners[slot] = rows[at] as MemberRow
      apart[slot] = distance(places[at] as number, slotPoint(slot))
    }
    return { owners, apart, isWishful: false }
  }
  const owners: (MemberRow | null)[] = new Array(count).fill(null)
  const apart: number[] = new Array(count).fill(-1)
  const candidate: number[] = new Array(count).fill(-1)
  /** Positions in `rows` that hold a copy. */
  const holders: number[] = []
  let isWishful = false

  for (const values of codes === null ? [null] : [codes, null]) {
    // While nobody holds a copy, the nearest of all is the candidate.
    const isFresh = holders.length === 0
    for (let slot = 0; slot < count; slot++) {
      if (owners[slot] !== null) candidate[slot] = -1
      else if (isFresh && slot < SURVEYED_MAX) candidate[slot] = surveyed[slot] as number
      else candidate[slot] = nearest(places, length, slot, values)
    }
    for (;;) {
      let winner = -1
      let least = -1
      for (let slot = 0; slot < count; slot++) {
        const at = candidate[slot] as number
        if (at < 0) continue
        const away = distance(places[at] as number, slotPoint(slot))
        if (winner < 0 || away < least || (away === least && at < (candidate[winner] as number))) {
          winner = slot
          least = away
        }
      }
      if (winner < 0) break
      const at = candidate[winner] as number
      owners[winner] = rows[at] as MemberRow
      apart[winner] = least
      holders.push(at)
      isTaken[at] = 1
      if (codes !== null) isUsed[codes[at] as number] = 1
      candidate[winner] = -1
      if (codes !== null && values === null) isWishful = true
      for (let slot = 0; slot < count; slot++) {
        const held = candidate[slot] as number
        if (held < 0) continue
        if (isTaken[held] === 1 || (values !== null && isUsed[values[held] as number] === 1)) {
          candidate[slot] = nearest(places, length, slot, values)
        }
      }
    }
  }
  for (const at of holders) {
    isTaken[at] = 0
    if (codes !== null) isUsed[codes[at] as number] = 0
  }
  return { owners, apart, isWishful: isWishful || holders.length < count }
}

/** Whether the slots do not get in each other's way: each has its own nearest member, and these have different values. */
const isSimple = (count: number, codes: Int32Array | null): boolean => {
  for (let slot = 0; slot < count; slot++) {
    const at = surveyed[slot] as number
    if (at < 0) return false
    for (let other = 0; other < slot; other++) {
      const held = surveyed[other] as number
      if (held === at || (codes !== null && codes[held] === codes[at])) return false
    }
  }
  return true
}

/** The position of the nearest member that holds nothing yet and has a new value, or −1. */
const nearest = (places: Int32Array, length: number, slot: number, values: Int32Array | null): number => {
  const point = slotPoint(slot)
  // Small enough to stay an integer: the first that is taken may be as far as that.
  let least = 0x7fffffff
  let found = -1
  for (let i = 0; i < length; i++) {
    const away = distance(places[i] as number, point)
    if (away > least || (away === least && found >= 0)) continue
    if (isTaken[i] === 0 && (values === null || isUsed[values[i] as number] === 0)) {
      least = away
      found = i
    }
  }
  return found
}

/** Arrays for all calls: they never outlive one, and the marks are back at 0 after each. */
let scratch = new Int32Array(256)
const surveyed = new Int32Array(SURVEYED_MAX)
let isTaken = new Uint8Array(256)
let isUsed = new Uint8Array(256)
const growScratch = (length: number): void => {
  if (scratch.length >= length) return
  scratch = new Int32Array(2 * length)
  isTaken = new Uint8Array(2 * length)
  isUsed = new Uint8Array(2 * length)
}

/** The values of a label as numbers, alike for equal values. */
const codesOf = (rows: readonly MemberRow[], label: string): Int32Array => {
  const numbers = new Map<string, number>()
  return Int32Array.from(rows, row => {
    const value = spreadValue(row, label)
    const number = numbers.get(value) ?? numbers.size
    numbers.set(value, number)
    return number
  })
}

/** The codes of the group's available members; kept with the group until these change. */
const groupCodes = (group: Group, label: string): Int32Array => {
  let codes = group.codes.get(label)
  if (codes === undefined) {
    codes = codesOf(group.available, label)
    group.codes.set(label, codes)
  }
  return codes
}

/** A member's value of the label to spread over; those without it count as one more value. */
export const spreadValue = (row: MemberRow, label: string): string =>
  Object.hasOwn(row.member.labels, label) ? `=${row.member.labels[label]}` : ''

/** For `all`: each member's slot is a hash of its id, so that nobody's number depends on who else is there (two in a mesh with the same hash: the larger id takes the next free one). */
const numberedSeats = (known: readonly MemberRow[]): (readonly [number, MemberRow])[] => {
  const taken = new Set<number>()
  const seats = known.map(member => {
    let slot = hashText(member.id, 0x736c6f74)
    while (taken.has(slot)) slot = (slot + 1) >>> 0
    taken.add(slot)
    return [slot, member] as const
  })
  return seats.sort(([a], [b]) => a - b)
}
