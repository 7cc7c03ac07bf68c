// Who gets what where room is short: the whole rule of `placement.ts`, over all tasks at
// once. Used only when some member was chosen beyond its room; otherwise the free choices
// are the answer already, because no pair would have been refused for want of room.
//
// Pairs are never listed. Each slot offers its nearest member that would still take it,
// and the nearest of all offers is settled first. Room, new spread values and members
// without a copy only ever become fewer within a round, so that a pair that was passed
// over stays refused, and the outcome is that of walking through all pairs in order.

import { spreadValue } from './placement-choice.js'
import type { MemberRow, TaskRow } from './placement-group.js'
import { compareEdges, distance, type Edge, placeOf, slotPoint } from './placement-score.js'

interface Offer extends Edge {
  readonly row: TaskRow
  readonly index: number
  readonly to: MemberRow
}

interface Round {
  /** Slots that have one possible member, or the others. */
  readonly isSeated: boolean
  readonly isStrict: boolean
  /** Whether the bound of `balance` holds in this round. */
  readonly isEven: boolean
}

const SEATS: Round = { isSeated: true, isStrict: false, isEven: false }
const ROUNDS: readonly Round[] = [
  { isSeated: false, isStrict: true, isEven: true },
  { isSeated: false, isStrict: true, isEven: false },
  { isSeated: false, isStrict: false, isEven: true },
  { isSeated: false, isStrict: false, isEven: false },
]

/** Sets every task's owners and every member's load. `bound` is the wish of `balance`, or null. */
export const settleRoom = (
  tasks: Iterable<TaskRow>,
  members: Iterable<MemberRow>,
  bound: number | null,
): void => {
  for (const member of members) member.load = 0
  const rows = [...tasks]
  const owners = new Map<TaskRow, (MemberRow | null)[]>()
  for (const row of rows) owners.set(row, new Array(row.slots.length).fill(null))
  settleRound(rows, owners, SEATS, null)
  for (const round of ROUNDS) {
    if (round.isEven && bound === null) continue
    settleRound(rows, owners, round, bound)
  }
  for (const [row, list] of owners) row.owners = list
}

/** The most weight that a member may be given. */
export const roomOf = (member: MemberRow, bound: number | null): number => {
  const capacity = member.member.capacity ?? Number.POSITIVE_INFINITY
  return bound === null ? capacity : Math.min(capacity, bound)
}

const settleRound = (
  rows: readonly TaskRow[],
  owners: ReadonlyMap<TaskRow, (MemberRow | null)[]>,
  round: Round,
  bound: number | null,
): void => {
  const limit = round.isEven ? bound : null
  const offers = createOfferHeap()
  for (const row of rows) {
    if (row.isSeated !== round.isSeated) continue
    if (!round.isSeated && !round.isStrict && row.task.spread === null) continue
    const held = owners.get(row) as (MemberRow | null)[]
    for (let index = 0; index < held.length; index++) {
      if (held[index] !== null) continue
      const offer = offerOf(row, index, held, round, limit)
      if (offer !== null) offers.push(offer)
    }
  }
  for (let offer = offers.pop(); offer !== undefined; offer = offers.pop()) {
    const { row, index, to } = offer
    const held = owners.get(row) as (MemberRow | null)[]
    if (takes(row, to, held, round, limit)) {
      held[index] = to
      to.load += row.task.weight
    } else {
      const next = offerOf(row, index, held, round, limit)
      if (next !== null) offers.push(next)
    }
  }
}

/** Whether the member would take one more copy of this task now. */
const takes = (
  row: TaskRow,
  member: MemberRow,
  held: readonly (MemberRow | null)[],
  round: Round,
  limit: number | null,
): boolean => {
  const { weight, spread } = row.task
  if (weight > 0 && member.load + weight > roomOf(member, limit)) return false
  if (held.length === 1) return true
  if (row.isSeated) return true
  if (held.includes(member)) return false
  if (!round.isStrict || spread === null) return true
  const value = spreadValue(member, spread)
  return !held.some(other => other !== null && spreadValue(other, spread) === value)
}

const offerOf = (
  row: TaskRow,
  index: number,
  held: readonly (MemberRow | null)[],
  round: Round,
  limit: number | null,
): Offer | null => {
  const { available, seeds } = row.group
  const slot = row.slots[index] as number
  const offer = (to: MemberRow): Offer => {
    const point = row.task.replicas === 'all' ? 0 : slotPoint(slot)
    const apart = distance(placeOf(row.seed, to.seed), point)
    return { apart, member: to.id, task: row.task.id, slot, row, index, to }
  }
  if (row.isSeated) {
    const seat = row.choice[index] ?? null
    return seat !== null && takes(row, seat, held, round, limit) ? offer(seat) : null
  }
  if (held.length === 1) {
    // The nearest of all is known from the free choice, and mostly takes it.
    const chosen = row.choice[0] ?? null
    if (chosen === null) return null
    if (takes(row, chosen, held, round, limit)) return offer(chosen)
  }
  const point = slotPoint(slot)
  let least = -1
  let found: MemberRow | null = null
  for (let i = 0; i < available.length; i++) {
    const away = distance(placeOf(row.seed, seeds[i] as number), point)
    if (found !== null && away >= least) continue
    const member = available[i] as MemberRow
    if (!takes(row, member, held, round, limit)) continue
    least = away
    found = member
  }
  return found === null ? null : offer(found)
}

const createOfferHeap = (): { push(offer: Offer): void; pop(): Offer | undefined } => {
  const heap: Offer[] = []
  const isBefore = (a: number, b: number): boolean => compareEdges(heap[a] as Offer, heap[b] as Offer) < 0
  const swap = (a: number, b: number): void => {
    const held = heap[a] as Offer
    heap[a] = heap[b] as Offer
    heap[b] = held
  }
  return {
    push: offer => {
      let at = heap.push(offer) - 1
      while (at > 0) {
        const parent = (at - 1) >> 1
        if (!isBefore(at, parent)) break
        swap(at, parent)
        at = parent
      }
    },
    pop: () => {
      if (heap.length <= 1) return heap.pop()
      swap(0, heap.length - 1)
      const first = heap.pop()
      for (let at = 0; ; ) {
        const left = 2 * at + 1
        let least = at
        if (left < heap.length && isBefore(left, least)) least = left
        if (left + 1 < heap.length && isBefore(left + 1, least)) least = left + 1
        if (least === at) return first
        swap(at, least)
        at = least
      }
    },
  }
}
