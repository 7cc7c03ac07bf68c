// Connections under way: what is sent arrives in order, later when packets are
// lost, not at all when the connection breaks first. Nobody is told of a silent
// path: its ends find out by their own retransmissions, each by itself, or by the
// reset with which a living host answers for a process that is gone.

import type { NodeId } from '../core/ids.js'
import type { Message } from '../core/message.js'
import type { Channel } from '../core/step.js'
import type { Kernel } from './kernel.js'
import { CHANNELS, type End, type Link, otherEnd } from './link.js'
import type { SimNode } from './node.js'
import { Pending } from './pending.js'
import { FRAME_OVERHEAD_BYTES, PACKET_OVERHEAD_BYTES, packetsOf } from './size.js'

export class Streams {
  readonly #kernel: Kernel
  readonly #breakAfterUs: number
  readonly #troubled = new Set<Link>()

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    let breakAfterMs = 0
    let waitMs = kernel.config.rtoMs
    for (let i = 0; i <= kernel.config.retriesMax; i++) {
      breakAfterMs += waitMs
      waitMs = Math.min(waitMs * 2, kernel.config.rtoCeilingMs)
    }
    this.#breakAfterUs = breakAfterMs * 1000
  }

  /** Sends a core's message; what has no way is dropped and counted. */
  send(from: SimNode, to: NodeId, channel: Channel, message: Message): void {
    const { processors, tally, sizeOf } = this.#kernel
    tally.messagesSent++
    const target = this.#kernel.nodeOf(to)
    if (target === undefined || target === from) {
      tally.messagesLost++
      return
    }
    const size = sizeOf(message)
    const event = { kind: 'message', from: from.id, channel, message, bytes: size } as const
    const link = from.links.get(target.index)
    if (link !== undefined && link.states[link.endOf(from)] === 'open') {
      processors.charge(from, processors.costs.sendUs)
      const pending = new Pending('frame', target, size, link, event, null, null)
      this.transmit(link, link.endOf(from), CHANNELS[channel], pending)
    } else if (channel === 'direct') this.#sendDirect(from, target, size, event)
    else tally.messagesLost++
  }

  /** Puts a frame on its way along an open connection. */
  transmit(link: Link, direction: End, stream: number, frame: Pending): void {
    const from = link.ends[direction]
    const to = link.ends[otherEnd(direction)]
    const { paths } = this.#kernel
    frame.sequence = link.nextSequence()
    countSent(from, frame.size)
    if (link.blocked[direction] !== null || !paths.isOpen(from.index, to.index)) {
      this.#block(link, direction, frame)
      return
    }
    if (paths.isTroubled && !paths.isOpen(to.index, from.index)) {
      this.#watchAcks(link, direction)
      if (this.#isStuck(link, direction)) {
        this.#block(link, direction, frame)
        return
      }
    }
    if (link.states[otherEnd(direction)] === 'closed') {
      this.#kernel.tally.messagesLost++
      this.#answerReset(link, direction)
      return
    }
    const arrivalUs = this.arrivalUs(link, direction, stream, frame.size)
    if (arrivalUs === Number.POSITIVE_INFINITY) {
      link.doomed[direction] = true
      this.#block(link, direction, frame)
    } else this.#kernel.plan(arrivalUs, frame)
  }

  /** When a frame given to the connection now reaches the other end; infinity if never. */
  arrivalUs(link: Link, direction: End, stream: number, size: number): number {
    const from = link.ends[direction].index
    const to = link.ends[otherEnd(direction)].index
    const { paths, nowUs } = this.#kernel
    const bytes = size + FRAME_OVERHEAD_BYTES
    const rate = paths.bytesPerSecond(from, to, stream === CHANNELS.bulk)
    let arrivalUs = link.departUs(direction, stream, nowUs, bytes, rate) + paths.latencyUs(from, to)
    const delayUs = paths.lossDelayUs(from, to, packetsOf(bytes))
    if (delayUs === Number.POSITIVE_INFINITY) return delayUs
    arrivalUs = Math.max(arrivalUs + delayUs, link.stalledUntilUs[direction])
    if (delayUs > 0) link.stalledUntilUs[direction] = arrivalUs
    return link.inOrderUs(direction, stream, arrivalUs)
  }

  /** Whether a frame may be handed over now; if its packets were stopped on the way, it waits again. */
  arrives(frame: Pending): boolean {
    const link = frame.link as Link
    const to = frame.node as SimNode
    const direction = otherEnd(link.endOf(to))
    const from = link.ends[direction]
    if (this.#kernel.paths.isTroubled && !this.#kernel.paths.isOpen(from.index, to.index)) {
      if (link.states[direction] === 'open') this.#block(link, direction, frame)
      else this.#kernel.tally.messagesLost++
      return false
    }
    countReceived(from, to, frame.size)
    return true
  }

  /** A host without its process, or without power: its ends are gone; who can be told is told. */
  dropAll(node: SimNode, isHostUp: boolean): void {
    for (const link of node.links.values()) {
      const end = link.endOf(node)
      const peer = link.ends[otherEnd(end)]
      link.states[end] = 'closed'
      this.#discardBlocked(link, end)
      if (isHostUp && this.#kernel.paths.isOpen(node.index, peer.index)) {
        this.#planDown(link, otherEnd(end), this.#kernel.paths.latencyUs(node.index, peer.index))
      }
    }
    node.links.clear()
    if (isHostUp) return
    // A kernel goes on with what its processes have ended, until it has no power either.
    for (const link of this.#troubled)
      if (link.ends.includes(node)) this.#discardBlocked(link, link.endOf(node))
  }

  /** The node itself ends the connection, after what it sent before. */
  hangUp(node: SimNode, peer: SimNode): void {
    const link = node.links.get(peer.index)
    if (link === undefined) return
    const end = link.endOf(node)
    if (link.states[end] !== 'open') return
    const { nowUs, paths } = this.#kernel
    const isOpen = paths.isOpen(node.index, peer.index)
    const isHeldUp = link.blocked[end] !== null || this.#isStuck(link, end) || !isOpen
    link.states[end] = 'closed'
    node.links.delete(peer.index)
    node.farewells.push({ kind: 'linkDown', node: peer.id, reset: false })
    if (isHeldUp) {
      // The end of a connection waits in the same line as what was said before.
      const goodbye = new Pending('linkDown', peer, 0, link, null, null, null)
      goodbye.sequence = link.nextSequence()
      this.#block(link, end, goodbye)
    } else {
      const afterUs = Math.max(paths.latencyUs(node.index, peer.index), link.lastArrivalUs(end) - nowUs)
      this.#planDown(link, otherEnd(end), afterUs)
    }
  }

  /** The end at this node closes: a reset came, or its retransmissions were in vain. */
  close(link: Link, node: SimNode): void {
    const end = link.endOf(node)
    const state = link.states[end]
    if (state === 'closed') return
    const peer = link.ends[otherEnd(end)]
    link.states[end] = 'closed'
    this.#discardBlocked(link, end)
    if (node.links.get(peer.index) === link) node.links.delete(peer.index)
    this.#kernel.tally.linksBroken++
    if (state === 'open') this.#kernel.deliver(node, { kind: 'linkDown', node: peer.id, reset: true }, 0)
    else {
      const event = { kind: 'dialFailed', node: peer.id, address: peer.address, reason: 'failed' } as const
      this.#kernel.deliver(node, event, 0)
    }
  }

  /** Something was mended: what waited goes out with its next retransmission. */
  pathsChanged(): void {
    const { nowUs, paths } = this.#kernel
    for (const link of this.#troubled) {
      let isClear = true
      for (const direction of [0, 1] as const) {
        const from = link.ends[direction].index
        const to = link.ends[otherEnd(direction)].index
        if (link.unackedSinceUs[direction] > 0) {
          if (paths.isOpen(to, from)) link.unackedSinceUs[direction] = 0
          else isClear = false
        }
        if (link.blocked[direction] === null) continue
        isClear = false
        if (link.flushPlanned[direction] || link.doomed[direction]) continue
        if (!paths.isOpenBothWays(from, to)) continue
        link.flushPlanned[direction] = true
        const atUs = this.#nextRetryUs(link.blockedSinceUs[direction], nowUs)
        this.#kernel.call(atUs, () => this.#flush(link, direction))
      }
      if (isClear) this.#troubled.delete(link)
    }
  }

  #sendDirect(from: SimNode, to: SimNode, size: number, event: Pending['event']): void {
    const { paths, processors, nowUs } = this.#kernel
    const { dialUs, handshakeUs, sendUs } = processors.costs
    processors.charge(from, dialUs + handshakeUs + sendUs)
    countSent(from, size)
    const delayUs = paths.lossDelayUs(from.index, to.index, packetsOf(size))
    const passes = paths.isOpenBothWays(from.index, to.index)
    if (!to.dialable || !passes || to.status === 'down' || delayUs === Number.POSITIVE_INFINITY) {
      this.#kernel.tally.messagesLost++
      return
    }
    // Three round trips for the connection, then the message itself.
    const atUs = nowUs + 7 * paths.latencyUs(from.index, to.index) + delayUs
    this.#kernel.plan(Math.ceil(atUs), new Pending('direct', to, size, null, event, null, null))
  }

  #block(link: Link, direction: End, frame: Pending): void {
    let queue = link.blocked[direction]
    if (queue === null) {
      queue = []
      link.blocked[direction] = queue
      const sinceUs = this.#kernel.nowUs
      link.blockedSinceUs[direction] = sinceUs
      this.#troubled.add(link)
      this.#kernel.call(sinceUs + this.#breakAfterUs, () => {
        if (link.blocked[direction] === null || link.blockedSinceUs[direction] !== sinceUs) return
        if (link.states[direction] === 'closed') this.#discardBlocked(link, direction)
        else this.#planDown(link, direction, 0)
      })
    }
    // A frame that was stopped on its way goes before those that were sent after it.
    let place = queue.length
    while (place > 0 && (queue[place - 1] as Pending).sequence > frame.sequence) place--
    queue.splice(place, 0, frame)
  }

  #watchAcks(link: Link, direction: End): void {
    if (link.unackedSinceUs[direction] > 0) return
    const sinceUs = this.#kernel.nowUs
    link.unackedSinceUs[direction] = sinceUs
    this.#troubled.add(link)
    this.#kernel.call(sinceUs + this.#breakAfterUs, () => {
      if (link.unackedSinceUs[direction] === sinceUs) this.#planDown(link, direction, 0)
    })
  }

  /** Whose first segment is not acknowledged in time sends that one again and again, and nothing behind it. */
  #isStuck(link: Link, direction: End): boolean {
    const sinceUs = link.unackedSinceUs[direction]
    return sinceUs > 0 && this.#kernel.nowUs - sinceUs >= this.#kernel.config.rtoMs * 1000
  }

  #flush(link: Link, direction: End): void {
    link.flushPlanned[direction] = false
    const queue = link.blocked[direction]
    const from = link.ends[direction]
    const to = link.ends[otherEnd(direction)]
    const { paths } = this.#kernel
    if (queue === null || !paths.isOpenBothWays(from.index, to.index)) return
    if (link.states[otherEnd(direction)] === 'closed') {
      this.#discardBlocked(link, direction)
      this.#answerReset(link, direction)
      return
    }
    link.blocked[direction] = null
    for (const frame of queue) {
      // They lie in TCP's one line now, so they come out in one line, whatever their stream.
      const arrivalUs = this.#kernel.nowUs + this.#kernel.paths.latencyUs(from.index, to.index)
      link.holdUntil(direction, Math.max(arrivalUs, link.lastArrivalUs(direction)))
      this.#kernel.plan(link.lastArrivalUs(direction), frame)
    }
  }

  #answerReset(link: Link, direction: End): void {
    const from = link.ends[direction].index
    const to = link.ends[otherEnd(direction)].index
    const { paths } = this.#kernel
    if (!paths.isOpen(to, from)) return
    this.#planDown(link, direction, paths.latencyUs(from, to) + paths.latencyUs(to, from))
  }

  #planDown(link: Link, end: End, afterUs: number): void {
    const node = link.ends[end]
    if (link.states[end] === 'closed') return
    const pending = new Pending('linkDown', node, 0, link, null, null, null)
    this.#kernel.plan(Math.ceil(this.#kernel.nowUs + afterUs), pending)
  }

  #discardBlocked(link: Link, direction: End): void {
    this.#kernel.tally.messagesLost += link.blocked[direction]?.length ?? 0
    link.blocked[direction] = null
    link.unackedSinceUs[direction] = 0
  }

  #nextRetryUs(sinceUs: number, nowUs: number): number {
    let waitMs = this.#kernel.config.rtoMs
    let atUs = sinceUs + waitMs * 1000
    while (atUs < nowUs) {
      waitMs = Math.min(waitMs * 2, this.#kernel.config.rtoCeilingMs)
      atUs += waitMs * 1000
    }
    return atUs
  }
}

const countSent = (from: SimNode, size: number): void => {
  const bytes = size + FRAME_OVERHEAD_BYTES
  from.bytesSent += bytes + packetsOf(bytes) * PACKET_OVERHEAD_BYTES
}

/** The receiver acknowledges every second packet, and the last. */
const countReceived = (from: SimNode, to: SimNode, size: number): void => {
  const bytes = size + FRAME_OVERHEAD_BYTES
  const packets = packetsOf(bytes)
  const acks = Math.ceil(packets / 2) * PACKET_OVERHEAD_BYTES
  to.bytesReceived += bytes + packets * PACKET_OVERHEAD_BYTES
  to.bytesSent += acks
  from.bytesReceived += acks
}
