// Aggregates that wait for the uplink, in a space: every gateway holds them all, so none
// is lost with a gateway, and whoever forwards finds them. It is bounded: when the uplink
// is away for longer than there is room, the oldest go first, and that is said.

import type { Json, TaskSpace } from '../../src/index.js'
import type { Aggregate } from './windows.js'

export const QUEUE_SPACE = 'city.queue'

/** Sorts by time, since thirteen digits last until the year 2286. */
export const keyOf = ({ minute, district }: Aggregate): string =>
  `${String(minute).padStart(13, '0')}.${district}`

export const enqueue = (space: TaskSpace, aggregate: Aggregate): Promise<void> =>
  space.set(keyOf(aggregate), aggregate as unknown as Json)

/** The oldest ones first. */
export const oldest = (space: TaskSpace, count: number): readonly (readonly [string, Aggregate])[] =>
  [...space.entries()]
    .map(([key, value]) => [key, value as unknown as Aggregate] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, count)

/** Drops what is beyond the limit; resolves with how many that were. */
export const trim = async (space: TaskSpace, queueMax: number): Promise<number> => {
  const keys = [...space.entries()].map(([key]) => key)
  const excess = keys.length - queueMax
  if (excess <= 0) return 0
  await Promise.all(
    keys
      .sort()
      .slice(0, excess)
      .map(key => space.delete(key)),
  )
  return excess
}
