// Broadcast as gossipsub does it, at the price of a few array look-ups: a message
// floods along the open links between subscribers, each node passes it on once,
// and what meets a cut is lost. A hint, as in life; nothing repeats it.
//
// A copy that would arrive after one that is already on its way to the same node
// is weighed (its bytes were sent) but never planned.

import type { Message } from '../core/message.js'
import type { Kernel } from './kernel.js'
import { CHANNELS, type Link, otherEnd } from './link.js'
import type { SimNode } from './node.js'
import { Pending } from './pending.js'
import { FRAME_OVERHEAD_BYTES, GOSSIP_OVERHEAD_BYTES, PACKET_OVERHEAD_BYTES, packetsOf } from './size.js'
import type { Streams } from './streams.js'

/** One message on its way through everybody. */
export interface Flood {
  readonly author: SimNode
  readonly topic: string
  readonly message: Message
  readonly size: number
  readonly subscribed: Uint8Array
  readonly seen: Uint8Array
  /** The earliest arrival that is planned, by node. */
  readonly dueUs: Float64Array
}

export class Gossip {
  readonly #kernel: Kernel
  readonly #streams: Streams
  readonly #topics = new Map<string, Uint8Array>()

  constructor(kernel: Kernel, streams: Streams) {
    this.#kernel = kernel
    this.#streams = streams
  }

  subscribe(node: SimNode, topic: string): void {
    this.#subscribers(topic)[node.index] = 1
  }

  unsubscribe(node: SimNode, topic: string): void {
    this.#subscribers(topic)[node.index] = 0
  }

  /** A process that is gone is subscribed to nothing. */
  forget(node: SimNode): void {
    for (const subscribed of this.#topics.values()) subscribed[node.index] = 0
  }

  publish(from: SimNode, topic: string, message: Message): void {
    const { processors } = this.#kernel
    processors.errand(from, processors.costs.publishUs, () => this.#send(from, topic, message))
  }

  #send(from: SimNode, topic: string, message: Message): void {
    this.#kernel.tally.gossipPublished++
    const count = this.#kernel.nodes.length
    const flood: Flood = {
      author: from,
      topic,
      message,
      size: this.#kernel.sizeOf(message) + GOSSIP_OVERHEAD_BYTES,
      subscribed: this.#subscribers(topic),
      seen: new Uint8Array(count),
      dueUs: new Float64Array(count).fill(Number.POSITIVE_INFINITY),
    }
    flood.seen[from.index] = 1
    this.#forward(from, flood, null)
  }

  /** A copy reached a node that runs: the first is delivered and passed on. */
  arrive(pending: Pending): void {
    const node = pending.node as SimNode
    const flood = pending.flood as Flood
    const link = pending.link as Link
    const { tally, paths } = this.#kernel
    const from = link.ends[otherEnd(link.endOf(node))]
    if (link.states[link.endOf(node)] !== 'open' || !paths.isOpen(from.index, node.index)) {
      tally.messagesLost++
      return
    }
    node.bytesReceived += wireBytes(flood.size)
    if (flood.seen[node.index] === 1 || flood.subscribed[node.index] === 0) {
      tally.gossipDuplicates++
      return
    }
    flood.seen[node.index] = 1
    tally.gossipDelivered++
    const { topic, message, size } = flood
    this.#forward(node, flood, link)
    this.#kernel.deliver(node, { kind: 'gossip', from: flood.author.id, topic, message, bytes: size }, size)
  }

  #forward(node: SimNode, flood: Flood, arrivedOn: Link | null): void {
    const { tally, paths, processors, nowUs } = this.#kernel
    const { passUs, duplicateUs } = processors.costs
    const bytes = wireBytes(flood.size)
    for (const link of node.links.values()) {
      if (link === arrivedOn) continue
      const end = link.ends[0] === node ? 0 : 1
      const peer = link.ends[otherEnd(end)]
      if (link.states[end] !== 'open' || flood.subscribed[peer.index] === 0) continue
      node.bytesSent += bytes
      tally.messagesSent++
      processors.charge(node, passUs)
      if (!paths.isOpen(node.index, peer.index) || link.states[otherEnd(end)] === 'closed') {
        tally.messagesLost++
        continue
      }
      // Known there already, or certain to come second: no draw and no event is spent on it.
      const soonestUs = nowUs + paths.leastLatencyUs
      if (flood.seen[peer.index] === 1 || (flood.dueUs[peer.index] as number) <= soonestUs) {
        this.#repeat(peer, bytes, duplicateUs)
        continue
      }
      const atUs = this.#streams.arrivalUs(link, end, CHANNELS.link, flood.size)
      if (atUs < (flood.dueUs[peer.index] as number)) {
        flood.dueUs[peer.index] = atUs
        this.#kernel.plan(atUs, new Pending('gossip', peer, flood.size, link, null, flood, null))
      } else if (atUs === Number.POSITIVE_INFINITY) tally.messagesLost++
      else this.#repeat(peer, bytes, duplicateUs)
    }
  }

  /** A copy that is not worth a place on the plan; who gets it has to look at it all the same. */
  #repeat(peer: SimNode, bytes: number, costUs: number): void {
    this.#kernel.tally.gossipDuplicates++
    peer.bytesReceived += bytes
    this.#kernel.processors.work(peer, costUs, nothing)
  }

  #subscribers(topic: string): Uint8Array {
    let subscribed = this.#topics.get(topic)
    if (subscribed === undefined) {
      subscribed = new Uint8Array(this.#kernel.nodes.length)
      this.#topics.set(topic, subscribed)
    }
    return subscribed
  }
}

const nothing = (): void => {}

const wireBytes = (size: number): number => {
  const bytes = size + FRAME_OVERHEAD_BYTES
  return bytes + packetsOf(bytes) * PACKET_OVERHEAD_BYTES
}
