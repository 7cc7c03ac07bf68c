// What this node writes: the application's changes to spaces and raw documents, and what
// Shoal's own parts keep in them. Decides what is refused, and how a write becomes durable.
//
// The order never varies: a write is readable at once, it is persisted, and when it is
// durable it is acknowledged and may leave (voice.ts).
//
// A refusal comes before anything has changed. A write beyond a limit by Shoal's own parts
// is a defect of theirs and is thrown.

import * as Y from 'yjs'
import { ShoalError } from '../errors.js'
import type { HybridClock } from '../hybrid-clock.js'
import type { Millis } from '../ids.js'
import type { Json } from '../json.js'
import type { CoreEvent, StateChange } from '../step.js'
import type { Entry } from './entries.js'
import type { Frame } from './frame.js'
import type { Holdings } from './holdings.js'
import type { Interest } from './interest.js'
import { checkWrite, isReserved, ownParts, refuseUnheld } from './limits.js'
import type { Clocks } from './own-clocks.js'
import type { Applied, Forgotten, Replica } from './replica.js'
import { clientOf, newLineage } from './writer.js'

export interface OwnWritesHost {
  readonly frame: Frame
  readonly holdings: Holdings
  readonly interest: Interest
  readonly clock: HybridClock
  /** Something of it has changed. */
  changed(replica: Replica): void
  /** What was written may be told, in so long at the latest. */
  mayLeave(now: Millis, replica: Replica, lazyMs: Millis): void
  /** Whether what is written to it now is kept from others. */
  isSilent(replica: Replica): boolean
}

/** Who is told when it is durable, and how long the others may do without it. */
interface Wish {
  readonly request: number | null
  readonly lazyMs: Millis
}

/** What is to be done when a token is durable. */
interface Waiter extends Wish {
  readonly replica: Replica | null
}

const NOBODY: Wish = { request: null, lazyMs: 0 }

export class OwnWrites {
  readonly #host: OwnWritesHost
  readonly #waiters = new Map<number, Waiter>()

  constructor(host: OwnWritesHost) {
    this.#host = host
  }

  // ── spaces ──

  /** For Shoal's own parts: any space, any number of changes. */
  byShoal(
    now: Millis,
    space: string,
    changes: readonly StateChange[],
    token: number | null,
    lazyMs: Millis,
  ): void {
    const parts = ownParts(changes, this.#host.frame.config)
    const replica = this.#host.holdings.ensure(`space/${space}`)
    if (replica === undefined) throw new ShoalError('STATE_LIMIT', `the space ${space} is one too many`)
    // The log is ordered: what stands in the last part is durable when all are.
    parts.forEach((part, i) => {
      this.#writeTo(now, replica, part, { request: null, lazyMs }, i === parts.length - 1 ? token : null)
    })
  }

  onStateWrite(now: Millis, { space, changes, request }: CoreEvent & { kind: 'stateWrite' }): void {
    const { frame, holdings, interest } = this.#host
    const document = `space/${space}`
    let fault = refuseUnheld(space, interest)
    fault ??= checkWrite(space, changes, holdings.find(document), holdings.totalBytes, frame.config)
    if (fault === null && isReserved(space)) {
      fault = new ShoalError(
        'SPACE_RESERVED',
        `the space is ${space}; spaces that begin with shoal. are read-only here`,
      )
    }
    const replica = fault === null ? holdings.ensure(document) : undefined
    if (fault === null && replica === undefined) fault = holdings.tooMany(`the space ${space}`)
    if (fault !== null) frame.emit({ kind: 'refuse', request, code: fault.code, message: fault.message })
    else this.#writeTo(now, replica as Replica, changes, { request, lazyMs: 0 }, null)
  }

  /**
   * Writes again, under the new lineage, what was lost together with its clocks, as old as it is: what was
   * written after it elsewhere stands. All of it goes to the disk with the snapshot that no longer has the
   * old: it was acknowledged, and a power cut between the two would lose it.
   */
  again(replica: Replica, { entries, deletes, first, moved }: Forgotten): void {
    const { frame } = this.#host
    if (moved !== null) {
      const [former] = first.keys()
      const to = (client: number): number =>
        client === former ? replica.client : clientOf(frame.self, newLineage(frame.rng))
      const moves = new Map([...first].map(([client, from]) => [client, { from, to: to(client) }]))
      replica.moveIn(moved(moves), moves)
    }
    let bytes = 0
    const updates: Uint8Array[] = []
    for (const [key, stamp, value] of entries) {
      if ((replica.entries.winner(key)?.content[1] ?? 0) >= stamp) continue
      const applied = replica.write([{ key, value }], stamp)
      if (applied === null) continue
      updates.push(applied.update)
      bytes += applied.update.length
      for (const range of applied.deletes) deletes.push(range)
    }
    const token = frame.nextToken()
    this.#host.changed(replica)
    this.#waiters.set(token, { ...NOBODY, replica })
    replica.await(token, deletes, bytes <= frame.config.broadcastBytesMax ? joined(updates) : null)
    frame.emit({ kind: 'persist', writes: replica.foldAll(), flush: true, token })
  }

  /** Removes entries that lost; `isOverOwn`: all of them against what was written under this very lineage. */
  strike(replica: Replica, losers: readonly Entry[], isOverOwn: boolean): void {
    const applied = replica.strike(losers)
    this.#commit(replica, applied, NOBODY, null)
    // A broadcast cannot say which entries of others have to be there: a comparison brings them along.
    if (applied !== null && !isOverOwn) replica.keepQuiet()
  }

  // ── raw documents ──

  /** What the application changed in its copy of one, once it has been checked (documents.ts). */
  byCopy(replica: Replica, update: Uint8Array, request: number | null): void {
    const others = replica.own.othersIn(update)
    const applied = replica.applyLocal(update)
    this.#commit(replica, applied, { request, lazyMs: 0 }, null, others)
    // What the application brought in from elsewhere is not this node's to broadcast.
    if (applied === null || others.size === 0) return
    replica.keepQuiet()
    replica.own.keepAlone(others)
  }

  // ── durability ──

  onDurable(now: Millis, token: number): void {
    const waiter = this.#waiters.get(token)
    if (waiter === undefined) return
    this.#waiters.delete(token)
    const { replica, request, lazyMs } = waiter
    if (replica?.settle(token)) this.#host.mayLeave(now, replica, lazyMs)
    if (request !== null) this.#host.frame.emit({ kind: 'reply', request, value: null })
  }

  #writeTo(
    now: Millis,
    replica: Replica,
    changes: readonly StateChange[],
    wish: Wish,
    token: number | null,
  ): void {
    const { clock, frame } = this.#host
    // One transaction writes a key once: the last word counts. The copy is ours alone.
    const last = new Map<string, Json | undefined>()
    for (const { key, value } of changes) last.set(key, value === undefined ? undefined : copyOf(value))
    const stamp = clock.next(frame.wall(now))
    const applied = replica.write(
      [...last].map(([key, value]) => ({ key, value })),
      stamp,
    )
    this.#commit(replica, applied, wish, token)
  }

  /** Persists an own change, and remembers who waits for it. */
  #commit(
    replica: Replica,
    applied: Applied | null,
    { request, lazyMs }: Wish,
    given: number | null,
    others?: Clocks,
  ): void {
    const { frame } = this.#host
    const token = given ?? frame.nextToken()
    this.#host.changed(replica)
    this.#waiters.set(token, { replica: applied === null ? null : replica, request, lazyMs })
    if (applied !== null && replica.own.mayClash && this.#host.isSilent(replica))
      replica.own.beginAlone(others)
    const writes = applied === null ? [] : replica.log(applied.update, true)
    if (applied !== null) {
      const fits = applied.update.length <= frame.config.broadcastBytesMax
      replica.await(token, applied.deletes, fits ? applied.update : null)
    }
    frame.emit({ kind: 'persist', writes, flush: true, token })
  }
}

const joined = (updates: readonly Uint8Array[]): Uint8Array | null =>
  updates.length < 2 ? (updates[0] ?? null) : Y.mergeUpdates([...updates])

/** A copy that later changes of the caller's value do not reach. */
const copyOf = (value: Json): Json => JSON.parse(JSON.stringify(value)) as Json
