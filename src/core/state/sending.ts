// What is sent to others of what they lack: pieces, confirmed one by one, of which only a
// few are under way to each, so that a node that was away for a month catches up in
// bounded memory on both sides. Decides when a series begins, what its next piece is and
// when it is given up.
//
// Who said up to how many bytes it takes gets no more unasked: it is told that there is more instead, and takes
// it from one neighbor at a time (asking.ts). What this node wrote itself goes to one of them first (turns.ts).
//
// A series says what the other lacked when it began, and what came since as long as there are deletes
// to tell; what came later is found by the next comparison. It never sends what is not durable here.

import type { DeadlineQueue } from '../deadline-queue.js'
import type { Millis, NodeId } from '../ids.js'
import type { Effect } from '../step.js'
import type { StateConfig } from './config.js'
import { EMPTY_DIGEST, type Vector } from './digest.js'
import { ALL_BYTES } from './message.js'
import type { Replica } from './replica.js'
import type { Cursor, Range } from './structs.js'
import { Throughput } from './throughput.js'
import { Turns } from './turns.js'

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
  /** Of what it began with, something was not durable when its turn came. */
  isCut: boolean
}

interface Left {
  readonly cursors: Cursor[]
  /** By client, those that are done too. */
  readonly all: Map<number, Cursor>
  readonly ranges: Range[]
}

interface Peer {
  readonly series: Map<string, Series>
  /** What is under way, and how fast it arrives. */
  readonly way: Throughput
}

export class Sending {
  readonly #host: SendingHost
  readonly #peers = new Map<NodeId, Peer>()
  readonly #turns: Turns
  #number = 0

  constructor(host: SendingHost) {
    this.#host = host
    this.#turns = new Turns(host.config)
  }

  linkUp(node: NodeId): void {
    this.#peers.set(node, { series: new Map(), way: new Throughput(this.#host.config) })
  }

  linkDown(node: NodeId): void {
    this.#peers.delete(node)
    this.#turns.linkDown(node)
    this.#host.deadlines.delete(`stalled ${node}`)
    this.#host.deadlines.delete(`disk ${node}`)
  }

  /** Lets go of all that is under way to a node; false when there is no link to it. */
  giveUp(node: NodeId): boolean {
    const peer = this.#peers.get(node)
    for (const document of peer?.series.keys() ?? []) this.#turns.ended(node, document)
    peer?.series.clear()
    peer?.way.giveUp()
    return peer !== undefined
  }

  /** `bytesMax`: up to how much is sent, as it said; undefined where it knows nothing of that. */
  begin(
    now: Millis,
    to: NodeId,
    replica: Replica,
    theirs: Vector,
    ranges: Range[],
    bytesMax: number | undefined,
  ): void {
    const peer = this.#peers.get(to)
    if (peer === undefined) return
    const { document } = replica
    if (peer.series.has(document)) {
      // A series under way covers it, or the next comparison will; unless it takes it from somebody else now.
      if (bytesMax !== 0) return
      peer.series.delete(document)
      this.#turns.ended(to, document)
    }
    const patientUntil = now + this.#host.config.diskPatienceMs
    const series = { replica, theirs, wanted: ranges, patientUntil, left: null, isCut: false }
    if (bytesMax !== undefined && this.#isKeptBack(now, to, series, bytesMax)) return
    peer.series.set(document, series)
    this.pump(now, to)
  }

  /** Whether there is nothing to send, or more than is asked for, or not now; says so. */
  #isKeptBack(now: Millis, to: NodeId, series: Series, bytesMax: number): boolean {
    const { replica } = series
    const left = leftOf(series)
    if (isDone(left)) {
      if (bytesMax === ALL_BYTES) this.sendNothing(to, replica.document)
      return true
    }
    const isOwn = left.cursors.some(({ client }) => client === replica.client)
    if (bytesMax === ALL_BYTES && !isOwn) return false
    const { smallGapBytes } = this.#host.config
    const bytes = replica.visible.sizeUpTo(smallGapBytes, left.cursors, left.ranges)
    const isMore = bytesMax !== ALL_BYTES && bytes > bytesMax
    const isLater = bytes > smallGapBytes && !isMore && !this.#turns.mayGo(now, to, replica.document)
    if (isMore || isLater) this.#sendHeld(to, replica, bytesMax, bytes, isLater)
    return isMore || isLater
  }

  /** To who asked for all. */
  sendNothing(to: NodeId, document: string): void {
    const { vector, hash } = EMPTY_DIGEST
    const told = { document, bytesMax: ALL_BYTES, bytes: 0, later: false, vector, hash }
    this.#host.emit({ kind: 'send', to, channel: 'bulk', message: { kind: 'stateHeld', ...told } })
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
        if (isDone(left)) this.#end(now, to, peer, document)
      }
      while (peer.series.has(document)) {
        if (peer.way.isFull) return
        if (series.left.ranges.length > 0)
          replica.visible.goOn(series.left.cursors, series.left.all, series.theirs)
        const { cursors, ranges } = series.left
        const { update, cut } = replica.visible.piece(cursors, ranges, peer.way.pieceBytes)
        const last = isDone(series.left)
        if (cut) {
          series.isCut = true
          deadlines.set(`again ${to}`, now + config.cutAgainMs)
        }
        if (last) this.#end(now, to, peer, document)
        const number = ++this.#number
        peer.way.sent(now, number, update.length)
        replica.own.expose()
        deadlines.set(`stalled ${to}`, now + config.catchUpTimeoutMs)
        this.#host.emit({
          kind: 'send',
          to,
          channel: 'bulk',
          message: {
            kind: 'statePiece',
            document,
            number,
            last,
            ...(series.isCut ? { cut: true } : {}),
            update,
          },
        })
        if (last) continue
        // Four in a row would be four times as long a turn.
        deadlines.set(`disk ${to}`, now + config.pieceGapMs)
        return
      }
    }
  }

  #end(now: Millis, to: NodeId, { series }: Peer, document: string): void {
    series.delete(document)
    this.#turns.sent(now, to, document)
  }

  #sendHeld(
    to: NodeId,
    { document, visible }: Replica,
    bytesMax: number,
    size: number,
    later: boolean,
  ): void {
    const { vector, hash } = visible.digest()
    const bytes = Math.min(size, this.#host.config.smallGapBytes + 1)
    const message = { kind: 'stateHeld', document, bytesMax, bytes, later, vector, hash } as const
    this.#host.emit({ kind: 'send', to, channel: 'bulk', message })
  }

  onGot(now: Millis, from: NodeId, number: number): void {
    const peer = this.#peers.get(from)
    if (peer === undefined || !peer.way.confirmed(now, number)) return
    if (peer.way.isIdle) this.#host.deadlines.delete(`stalled ${from}`)
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
