// What is sent to others of what they lack: pieces, confirmed one by one, of which only a
// few are under way to each, so that a node that was away for a month catches up in
// bounded memory on both sides. Decides when a series begins, what its next piece is and
// when it is given up.
//
// A series says what the other lacked when it began, and what came since as long as there are deletes
// to tell; what came later is found by the next comparison. It never sends what is not durable here.

import type { DeadlineQueue } from '../deadline-queue.js'
import type { Millis, NodeId } from '../ids.js'
import type { Effect } from '../step.js'
import type { StateConfig } from './config.js'
import type { Vector } from './digest.js'
import type { Replica } from './replica.js'
import type { Cursor, Range } from './structs.js'

export interface SendingHost {
  readonly config: StateConfig
  readonly deadlines: DeadlineQueue<string>
  emit(effect: Effect): void
}

/** What is being sent of one document to one peer. */
interface Series {
  readonly replica: Replica
  readonly theirs: Vector
  /** Where their deletes differ. */
  readonly wanted: readonly Range[]
  /** How long it waits for the disk rather than be cut in two. */
  readonly patientUntil: Millis
  /** What of it is not sent; null before the first piece, which is made of what is here by then. */
  left: Left | null
}

interface Left {
  readonly cursors: Cursor[]
  /** By client, those that are done too. */
  readonly all: Map<number, Cursor>
  readonly ranges: Range[]
}

interface Peer {
  readonly series: Map<string, Series>
  readonly unconfirmed: Set<number>
}

export class Sending {
  readonly #host: SendingHost
  readonly #peers = new Map<NodeId, Peer>()
  #number = 0

  constructor(host: SendingHost) {
    this.#host = host
  }

  linkUp(node: NodeId): void {
    this.#peers.set(node, { series: new Map(), unconfirmed: new Set() })
  }

  linkDown(node: NodeId): void {
    this.#peers.delete(node)
    this.#host.deadlines.delete(`stalled ${node}`)
    this.#host.deadlines.delete(`disk ${node}`)
  }

  /** Lets go of all that is under way to a node; false when there is no link to it. */
  giveUp(node: NodeId): boolean {
    const peer = this.#peers.get(node)
    peer?.series.clear()
    peer?.unconfirmed.clear()
    return peer !== undefined
  }

  begin(now: Millis, to: NodeId, replica: Replica, theirs: Vector, ranges: Range[]): void {
    const peer = this.#peers.get(to)
    // A series under way covers it, or the next comparison will.
    if (peer === undefined || peer.series.has(replica.document)) return
    const patientUntil = now + this.#host.config.diskPatienceMs
    peer.series.set(replica.document, { replica, theirs, wanted: ranges, patientUntil, left: null })
    this.pump(now, to)
  }

  /** Sends what may be under way now. */
  pump(now: Millis, to: NodeId): void {
    const { config, deadlines } = this.#host
    const peer = this.#peers.get(to)
    if (peer === undefined) return
    for (const [document, series] of peer.series) {
      const { replica } = series
      if (series.left === null) {
        const left = leftOf(series)
        // A write without the delete of what it replaces, or the other way round, leaves its key absent there.
        if (now < series.patientUntil && replica.visible.cutsInto(left.cursors)) {
          deadlines.set(`disk ${to}`, now + config.diskLookMs)
          continue
        }
        series.left = left
        if (isDone(left)) peer.series.delete(document)
      }
      while (peer.series.has(document)) {
        if (peer.unconfirmed.size >= config.pieceWindow) return
        if (series.left.ranges.length > 0)
          replica.visible.goOn(series.left.cursors, series.left.all, series.theirs)
        const { update, cut } = replica.visible.piece(series.left.cursors, series.left.ranges)
        const last = isDone(series.left)
        if (cut) deadlines.set(`again ${to}`, now + 10 * config.tellDelayMs)
        if (last) peer.series.delete(document)
        const number = ++this.#number
        peer.unconfirmed.add(number)
        replica.own.expose()
        deadlines.set(`stalled ${to}`, now + config.catchUpTimeoutMs)
        this.#host.emit({
          kind: 'send',
          to,
          channel: 'bulk',
          message: { kind: 'statePiece', document, number, last, update },
        })
        if (last) continue
        // Four in a row would be four times as long a turn.
        deadlines.set(`disk ${to}`, now + config.pieceGapMs)
        return
      }
    }
  }

  onGot(now: Millis, from: NodeId, number: number): void {
    const peer = this.#peers.get(from)
    if (peer === undefined || !peer.unconfirmed.delete(number)) return
    if (peer.unconfirmed.size === 0) this.#host.deadlines.delete(`stalled ${from}`)
    else this.#host.deadlines.set(`stalled ${from}`, now + this.#host.config.catchUpTimeoutMs)
    this.pump(now, from)
  }
}

const leftOf = ({ replica, theirs, wanted }: Series): Left => {
  // Only structs that they have can be deleted there; the others come deleted.
  const known = wanted.filter(({ client, from }) => from < (theirs.get(client) ?? 0))
  const cursors = replica.visible.cursorsBeyond(theirs)
  return {
    cursors,
    all: new Map(cursors.map(cursor => [cursor.client, cursor])),
    ranges: replica.visible.hasDeletes(known) ? known : [],
  }
}

const isDone = ({ cursors, ranges }: Left): boolean => cursors.length === 0 && ranges.length === 0
