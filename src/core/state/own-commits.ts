// What this node has written to one document and its disk does not hold yet: until when
// it must not leave, in any form.
//
// Nothing of this node's own leaves before it is durable, neither by broadcast nor in the
// answer to a comparison. A leaked overwrite that is then lost would take the older,
// acknowledged value with it; a leaked struct's clock would be given out twice.
//
// It never encodes anything: it says how far, and less what, others may be given.

import type { Cursor, Range } from './structs.js'

/** An own update on its way to the disk. */
interface Commit {
  readonly token: number
  /** Own clock after it. */
  readonly clock: number
  readonly deletes: readonly Range[]
  readonly update: Uint8Array | null
}

export class OwnCommits {
  readonly #list: Commit[] = []
  #durableClock = 0

  /** All up to this own clock is durable, and nothing waits. */
  reset(clock: number): void {
    this.#durableClock = clock
  }

  clear(): void {
    this.#list.length = 0
  }

  /** `update` null: never broadcast. */
  add(commit: Commit): void {
    this.#list.push(commit)
  }

  /** The last one is not to be broadcast. */
  keepQuiet(): void {
    const last = this.#list[this.#list.length - 1]
    if (last !== undefined) this.#list[this.#list.length - 1] = { ...last, update: null }
  }

  /** Everything up to this token is durable; the updates that may be broadcast now, or null if none was waiting for it. */
  settle(token: number): (Uint8Array | null)[] | null {
    const index = this.#list.findIndex(commit => commit.token === token)
    if (index < 0) return null
    // The log is ordered: what came before is durable too, whatever became of its event.
    return this.#list.splice(0, index + 1).map(({ clock, update }) => {
      this.#durableClock = Math.max(this.#durableClock, clock)
      return update
    })
  }

  /** How far others may see the own clocks. */
  visible(ownClock: number): number {
    return this.#list.length === 0 ? ownClock : this.#durableClock
  }

  /** The deletes that wait, by client. */
  deletes(): Map<number, Range[]> {
    const out = new Map<number, Range[]>()
    for (const { deletes } of this.#list)
      for (const range of deletes) out.set(range.client, [...(out.get(range.client) ?? []), range])
    return out
  }

  /** How far a cursor may go now: not to any struct whose delete waits. */
  limitOf({ client, from }: Cursor, most: number): number {
    let limit = most
    for (const { deletes } of this.#list) {
      for (const range of deletes)
        if (range.client === client && range.to > from) limit = Math.min(limit, Math.max(range.from, from))
    }
    return limit
  }
}
