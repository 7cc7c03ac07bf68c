// Which tasks of a group a member concerns that comes or goes. For every slot four numbers
// stand in lists: so one loop over integers, in the order of memory, answers for ten
// thousand tasks, and nothing is looked at that is not concerned.

import type { MemberRow, TaskRow } from './placement-group.js'
import { slotPoint } from './placement-score.js'

/** Whoever comes concerns this slot, or nobody does. */
const ANYBODY = 0x7fffffff
const NOBODY = -1
/** Who is chosen: no one, or several, and the row has to be asked. */
const NONE = -1
const SEVERAL = -2

const LENGTH_AT_FIRST = 8

export class Watch {
  readonly rows: TaskRow[] = []
  /** Of each place: which of its row's slots it stands for, … */
  #slots: Int32Array = new Int32Array(LENGTH_AT_FIRST)
  /** … the task's seed, where the slot stands on the ring, … */
  #seeds: Int32Array = new Int32Array(LENGTH_AT_FIRST)
  #points: Int32Array = new Int32Array(LENGTH_AT_FIRST)
  /** … how near a newcomer must be to it to be of interest, … */
  #reach: Int32Array = new Int32Array(LENGTH_AT_FIRST)
  /** … and the number of the member that is chosen for it. */
  #chosen: Int32Array = new Int32Array(LENGTH_AT_FIRST)

  add(row: TaskRow): void {
    const { replicas } = row.task
    if (replicas === 'all' || replicas < 2) row.at = this.#push(row, 0)
    else row.ats = Array.from({ length: replicas }, (_, slot) => this.#push(row, slot))
  }

  drop(row: TaskRow): void {
    if (row.ats === null) this.#remove(row.at)
    // What moves into a place that is left may be another of this row: the place is read anew each time.
    else for (let slot = row.ats.length - 1; slot >= 0; slot--) this.#remove(row.ats[slot] as number)
  }

  /** What was chosen for the row's slots and how far each is; `isOpen`: any newcomer may change that. */
  set(row: TaskRow, choice: readonly (MemberRow | null)[], apart: readonly number[], isOpen: boolean): void {
    if (row.task.replicas === 'all') this.#put(row.at, ANYBODY, SEVERAL)
    else if (row.task.replicas === 0) this.#put(row.at, NOBODY, NONE)
    else if (row.ats === null) this.setOne(row, choice[0] ?? null, isOpen ? ANYBODY : (apart[0] as number))
    else
      for (let slot = 0; slot < row.ats.length; slot++) {
        const reach = !isOpen ? (apart[slot] as number) : slot === 0 ? ANYBODY : NOBODY
        this.#put(row.ats[slot] as number, reach, choice[slot]?.number ?? NONE)
      }
  }

  /** The same for a row with one slot. */
  setOne(row: TaskRow, chosen: MemberRow | null, reach: number): void {
    this.#put(row.at, chosen === null ? ANYBODY : reach, chosen?.number ?? NONE)
  }

  /** Adds the rows whose choice this newcomer might change; a wrong one costs time only. */
  addComing({ seed }: MemberRow, found: Set<TaskRow>): void {
    const seeds = this.#seeds
    const points = this.#points
    const reach = this.#reach
    const { length } = this.rows
    for (let at = 0; at < length; at++) {
      // `distance(placeOf(…), …)`, written out.
      let x = (seeds[at] as number) ^ seed
      x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
      x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
      x = ((x ^ (x >>> 16)) - (points[at] as number)) | 0
      x ^= x >> 31
      if (x <= (reach[at] as number)) found.add(this.rows[at] as TaskRow)
    }
  }

  /** Adds the rows whose choice names this member. */
  addGoing(member: MemberRow, found: Set<TaskRow>): void {
    const chosen = this.#chosen
    const { number } = member
    const { length } = this.rows
    for (let at = 0; at < length; at++) {
      const one = chosen[at]
      if (one === number) found.add(this.rows[at] as TaskRow)
      else if (one === SEVERAL && (this.rows[at] as TaskRow).choice.includes(member))
        found.add(this.rows[at] as TaskRow)
    }
  }

  #put(at: number, reach: number, chosen: number): void {
    this.#reach[at] = reach
    this.#chosen[at] = chosen
  }

  #push(row: TaskRow, slot: number): number {
    const at = this.rows.push(row) - 1
    if (at === this.#seeds.length) {
      this.#slots = widened(this.#slots)
      this.#seeds = widened(this.#seeds)
      this.#points = widened(this.#points)
      this.#reach = widened(this.#reach)
      this.#chosen = widened(this.#chosen)
    }
    this.#slots[at] = slot
    this.#seeds[at] = row.seed
    this.#points[at] = slotPoint(slot)
    this.#put(at, ANYBODY, NONE)
    return at
  }

  /** The last place moves into this one. */
  #remove(at: number): void {
    const from = this.rows.length - 1
    const last = this.rows.pop() as TaskRow
    if (from === at) return
    this.rows[at] = last
    if (last.ats === null) last.at = at
    else last.ats[this.#slots[from] as number] = at
    for (const list of [this.#slots, this.#seeds, this.#points, this.#reach, this.#chosen])
      list[at] = list[from] as number
  }
}

export const widened = (list: Int32Array): Int32Array => {
  const wider = new Int32Array(Math.max(LENGTH_AT_FIRST, list.length * 2))
  wider.set(list)
  return wider
}
