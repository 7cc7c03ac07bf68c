// A connection between two nodes, as TCP keeps it: two ends that may disagree on
// whether it stands, and two directions in each of which bytes keep their order.
// End and direction 0 belong to the dialer, 1 to the acceptor.

import type { Channel } from '../core/step.js'
import type { SimNode } from './node.js'
import type { Pending } from './pending.js'

export type End = 0 | 1
export type EndState = 'opening' | 'open' | 'closed'

/** Each channel is a stream: ordered in itself, overtaken by others. */
export const CHANNELS: Readonly<Record<Channel, number>> = { link: 0, bulk: 1, direct: 2 }
const STREAMS = 3

export class Link {
  readonly ends: readonly [SimNode, SimNode]
  readonly states: [EndState, EndState] = ['opening', 'open']
  /** What waits for its retransmission because nothing passes, by direction; null when all flows. */
  readonly blocked: [Pending[] | null, Pending[] | null] = [null, null]
  readonly blockedSinceUs: [number, number] = [0, 0]
  readonly flushPlanned: [boolean, boolean] = [false, false]
  /** Too many retransmissions were lost: this direction will break whatever happens. */
  readonly doomed: [boolean, boolean] = [false, false]
  /** Since when data was sent whose acknowledgements cannot come back; 0 when they can. */
  readonly unackedSinceUs: [number, number] = [0, 0]
  /** Lost segments hold up everything behind them, on every stream of that direction. */
  readonly stalledUntilUs: [number, number] = [0, 0]
  readonly #lastArrivalUs = new Float64Array(2 * STREAMS)
  readonly #freeAtUs = new Float64Array(2 * STREAMS)
  #sequence = 0

  constructor(dialer: SimNode, acceptor: SimNode) {
    this.ends = [dialer, acceptor]
  }

  endOf(node: SimNode): End {
    return this.ends[0] === node ? 0 : 1
  }

  nextSequence(): number {
    return this.#sequence++
  }

  /** When bytes given to a stream now have left this host, at its rate. */
  departUs(direction: End, stream: number, nowUs: number, bytes: number, bytesPerSecond: number): number {
    const index = direction * STREAMS + stream
    const start = Math.max(nowUs, this.#freeAtUs[index] as number)
    const end = start + (bytes * 1_000_000) / bytesPerSecond
    this.#freeAtUs[index] = end
    return end
  }

  /** The arrival, not before what was sent earlier on the same stream. */
  inOrderUs(direction: End, stream: number, arrivalUs: number): number {
    const index = direction * STREAMS + stream
    const ordered = Math.ceil(Math.max(arrivalUs, this.#lastArrivalUs[index] as number))
    this.#lastArrivalUs[index] = ordered
    return ordered
  }

  /** Nothing arrives in this direction before then. */
  holdUntil(direction: End, atUs: number): void {
    for (let stream = 0; stream < STREAMS; stream++) this.inOrderUs(direction, stream, atUs)
  }

  lastArrivalUs(direction: End): number {
    let last = 0
    for (let stream = 0; stream < STREAMS; stream++) {
      last = Math.max(last, this.#lastArrivalUs[direction * STREAMS + stream] as number)
    }
    return last
  }
}

export const otherEnd = (end: End): End => (end === 0 ? 1 : 0)
