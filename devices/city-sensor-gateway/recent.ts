// The aggregates that were queued lately, which the checkpoint holds as well. The queue of
// a gateway that is lost may not have reached anybody: a node gathers what it writes, for
// up to two seconds when its machine is busy, and one more thing may be on the way. Its
// checkpoint goes straight to the next in rank, who queues what is missing.
//
// So each stays until it has settled. That is counted in ticks in which this process ran,
// because while it stands still nothing of the queue leaves either; and never in
// aggregates: a day that the broker kept closes a thousand minutes at once. Pure.

import type { Aggregate } from './windows.js'

/** After so many ticks an aggregate is in the queue of others. */
export const SETTLE_TICKS = 10
/** So many stay for longer, where there is room: a mesh that is cut may need it. */
const LAST_MAX = 20

export interface Recent {
  /** The oldest first. */
  readonly aggregates: readonly Aggregate[]
  add(aggregates: readonly Aggregate[]): void
  tick(): void
  /** Lets go of what has settled, but for the last few. */
  trim(): void
  /** Lets go of half of what has settled, the oldest, where there is no room; false when nothing has. */
  forgetSettled(): boolean
}

/** What a predecessor had counts as new: it may be in nobody's queue but ours. */
export const createRecent = (before: readonly Aggregate[]): Recent => {
  let ticks = 0
  let held = before.map(aggregate => ({ aggregate, addedAt: 0 }))
  const isFresh = ({ addedAt }: { readonly addedAt: number }): boolean => ticks - addedAt <= SETTLE_TICKS
  return {
    get aggregates() {
      return held.map(({ aggregate }) => aggregate)
    },
    add(aggregates) {
      held = [...held, ...aggregates.map(aggregate => ({ aggregate, addedAt: ticks }))]
    },
    tick() {
      ticks += 1
    },
    trim() {
      const { length } = held
      held = held.filter((one, index) => isFresh(one) || index >= length - LAST_MAX)
    },
    forgetSettled() {
      const settled = held.filter(one => !isFresh(one)).length
      held = held.slice(Math.ceil(settled / 2))
      return settled > 0
    },
  }
}
