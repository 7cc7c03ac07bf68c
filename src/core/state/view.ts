// What the rest of the core may ask of shared state.

import type { Millis } from '../ids.js'
import type { Json } from '../json.js'
import type { Effect, StateChange } from '../step.js'

export interface StateView {
  get(space: string, key: string): Json | undefined
  /** Entries of a space by key. */
  entries(space: string): Iterable<readonly [string, Json]>
}

/** Shared state as the task engine uses it. */
export interface StateAccess extends StateView {
  /**
   * Readable at once; the `durable` event with this token says that it survives. Null: nobody waits for it.
   * With `lazyMs` the others hear of it that much later, or together with the next write of this space.
   */
  write(
    now: Millis,
    space: string,
    changes: readonly StateChange[],
    token: number | null,
    lazyMs?: Millis,
  ): readonly Effect[]
}
