// What this node has written to one document and its disk does not hold yet: until when
// it must not leave, in any form.
//
// Nothing of this node's own leaves before it is durable, neither by broadcast nor in the
// answer to a comparison. A leaked overwrite that is then lost would take the older,
// acknowledged value with it; a leaked struct's clock would be given out twice.
//
// It never encodes anything: it says how far, and less what, others may be given.

import { type Cursor, firstBeyond, inOrder, type Range } from './structs.js'

/** An own update on its way to the disk. */
interface Commit {
  readonly token: number
  /** Own clock after it. */
  readonly clock: number
  readonly deletes: readonly Range[]
  readonly update: Uint8Array | null
}

/** What was written before anybody was met: from which clock of each client on, and what it deleted of all before. */
interface Alone {
  readonly from: Map<number, number>
  readonly deletes: Range[]
}

export class OwnCommits {
  readonly #list: Commit[] = []
  #durableClock = 0
  #alone: Alone | null = null
  /** As found when it was last asked for, until something changes. */
  #deletes: ReadonlyMap<number, readonly Range[]> | null = null

  /**
   * Another lineage, of which all up to this own clock is durable. What still waits was written under the
   * one before: its clocks say nothing of this one, and nobody would take it for a broadcast of it.
   */
  reset(clock: number): void {
    this.#durableClock = clock
    for (const [i, commit] of this.#list.entries()) this.#list[i] = { ...commit, clock, update: null }
    this.endAlone()
  }

  clear(): void {
    this.#list.length = 0
    this.endAlone()
  }

  /**
   * What is written under these clients from here on is for nobody's eyes, durable or not, until `endAlone`; nor is
   * what was deleted with it: who heard of that alone would have neither what was replaced nor what replaced it.
   */
  beginAlone(from: Iterable<readonly [client: number, clock: number]>, deletes: readonly Range[] = []): void {
    this.#alone = { from: new Map(from), deletes: [] }
    this.#deletes = null
    this.#keepDeletes(this.#alone, deletes)
  }

  #keepDeletes(alone: Alone, deletes: readonly Range[]): void {
    // As many as there are entries to delete: its own are hidden as it is.
    for (const range of deletes) if (range.from < this.limitAlone(range.client)) alone.deletes.push(range)
  }

  /** While that lasts: what was written here under another client builds on what nobody may see. */
  addAlone(client: number, from: number): void {
    const alone = this.#alone?.from
    alone?.set(client, Math.min(from, alone.get(client) ?? from))
  }

  endAlone(): void {
    this.#alone = null
    this.#deletes = null
  }

  get isAlone(): boolean {
    return this.#alone !== null
  }

  /** `update` null: never broadcast. */
  add(commit: Commit): void {
    this.#list.push(commit)
    this.#deletes = null
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
    const alone = this.#alone
    this.#deletes = null
    return this.#list.splice(0, index + 1).map(({ clock, deletes, update }) => {
      this.#durableClock = Math.max(this.#durableClock, clock)
      if (alone !== null) this.#keepDeletes(alone, deletes)
      return update
    })
  }

  /** How far others may see the own clocks. */
  visible(client: number, ownClock: number): number {
    const durable = this.#list.length === 0 ? ownClock : this.#durableClock
    return Math.min(durable, this.limitAlone(client))
  }

  /** How far others may see a client's clocks, of all that are durable. */
  limitAlone(client: number): number {
    return this.#alone?.from.get(client) ?? Number.POSITIVE_INFINITY
  }

  /** The deletes that wait, by client, in order and apart from one another. */
  deletes(): ReadonlyMap<number, readonly Range[]> {
    this.#deletes ??= inOrder(
      [...this.#list.map(({ deletes }) => deletes), this.#alone?.deletes ?? []].flat(),
    )
    return this.#deletes
  }

  /** How far a cursor may go now: not to any struct whose delete waits. */
  limitOf({ client, from }: Cursor, most: number): number {
    const waiting = this.deletes().get(client) ?? []
    const next = waiting[firstBeyond(waiting, from)]
    return next === undefined ? most : Math.min(most, Math.max(next.from, from))
  }
}
