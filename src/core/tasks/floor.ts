// The highest number of an epoch that is known to have been given out, as the store keeps
// it: a claim goes when its task does, and the next of that name must still be above it.

import type { StoreEntry, StoreWrite } from '../step.js'

const FLOOR_KEY = 't/floor'

export const readFloor = (entries: Iterable<StoreEntry>): number => {
  for (const { key, value } of entries) {
    if (key !== FLOOR_KEY) continue
    const floor = Number(new TextDecoder().decode(value))
    return Number.isSafeInteger(floor) ? floor : 0
  }
  return 0
}

export const writeFloor = (floor: number): StoreWrite => ({
  key: FLOOR_KEY,
  value: new TextEncoder().encode(String(floor)),
})
