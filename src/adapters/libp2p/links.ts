// Links: the standing stream to each neighbor, its bulk stream, and their ends.
// A link is up when its stream is ready on this side and down when its last
// connection is gone, told within the turn in which the socket says so. Which of
// several connections is the link is decided in `peers.ts`.

import type { Connection, Stream } from '@libp2p/interface'
import type { Millis, NodeId } from '../../core/ids.js'
import type { TransportListener } from '../../ports.js'
import { BulkWriter, readBulk } from './bulk.js'
import type { Ends } from './ends.js'
import { FrameReader, toFrame } from './frames.js'
import type { Guard } from './guard.js'
import { limits } from './limits.js'
import { type Line, Peers } from './peers.js'

export const LINK_PROTOCOL = '/shoal/link/1'
export const BULK_PROTOCOL = '/shoal/bulk/1'
export const GOSSIP_PROTOCOLS = '/meshsub/'

export interface LinksHooks {
  readonly self: NodeId
  readonly guard: Guard
  readonly listener: TransportListener
  readonly ends: Ends
  now(): Millis
  /** The link's connection is chosen: start what else runs over it. */
  onChosen(connection: Connection): void
}

interface LiveLine extends Line {
  readonly connection: Connection
  readonly stream: Stream
}

export class Links {
  readonly #hooks: LinksHooks
  readonly #peers: Peers<LiveLine>
  readonly #bulk = new Map<NodeId, BulkWriter>()
  /** Connections that this node is closing on purpose. */
  readonly #hungUp = new WeakSet<Connection>()
  #resuming: LiveLine | null = null
  #stopped = false
  dropped = 0

  constructor(hooks: LinksHooks) {
    this.#hooks = hooks
    this.#peers = new Peers(hooks.self)
  }

  isUp(node: NodeId): boolean {
    return this.#peers.isUp(node)
  }

  /** The connections that are links. */
  connections(): readonly Connection[] {
    return this.#peers.nodes().flatMap(node => this.#peers.current(node)?.connection ?? [])
  }

  /** A connection that this node dialled for a link: open its stream, unless a link came up meanwhile. */
  async dialled(
    connection: Connection,
    node: NodeId,
    address: string,
  ): Promise<'linked' | 'failed' | 'spared'> {
    if (this.isUp(node)) {
      close(connection)
      return 'spared'
    }
    try {
      const signal = AbortSignal.timeout(limits.negotiationMs)
      const stream = await connection.newStream(LINK_PROTOCOL, { signal })
      this.#ready(connection, stream, node, address, true)
      return 'linked'
    } catch (error) {
      connection.abort(asError(error))
      return this.isUp(node) ? 'spared' : 'failed'
    }
  }

  /** The other end opened its link stream. */
  accepted(stream: Stream, connection: Connection): void {
    const node = connection.remotePeer.toString() as NodeId
    this.#ready(connection, stream, node, connection.remoteAddr.toString(), false)
  }

  send(node: NodeId, bytes: Uint8Array): void {
    const stream = this.#peers.current(node)?.stream
    if (
      stream === undefined ||
      bytes.byteLength > limits.linkFrameBytesMax ||
      stream.writeBufferLength + bytes.byteLength > limits.linkBacklogBytesMax
    ) {
      this.dropped++
      return
    }
    try {
      stream.send(toFrame(bytes))
    } catch {
      // The stream has just closed; its end is reported by its own event.
      this.dropped++
    }
  }

  sendBulk(node: NodeId, bytes: Uint8Array): void {
    const writer = this.#bulk.get(node) ?? this.#openBulk(node)
    if (writer === null || bytes.byteLength > limits.bulkFrameBytesMax || !writer.push(bytes)) this.dropped++
  }

  acceptedBulk(stream: Stream, connection: Connection): void {
    const node = connection.remotePeer.toString() as NodeId
    if (!this.isUp(node)) {
      stream.abort(new Error('bulk without a link'))
      return
    }
    readBulk(stream, chunk => {
      if (this.#stopped || !this.isUp(node)) return 0
      const waitMs = this.#hooks.guard.bulk(node, chunk.byteLength)
      this.#hooks.listener.onMessage(node, 'bulk', chunk)
      return waitMs
    }).then(
      () => void stream.close().catch(error => stream.abort(error)),
      error => {
        if (isFraming(error)) this.#hooks.guard.malformed(node, 'bulk-frame-invalid')
        stream.abort(asError(error))
      },
    )
  }

  hangUp(node: NodeId, connections: readonly Connection[]): void {
    for (const connection of connections) {
      this.#hungUp.add(connection)
      close(connection)
    }
    // Told in a turn of its own, so that who asks is not called back before it returns.
    queueMicrotask(() => {
      for (const line of [...this.#peers.lines(node)]) this.#ended(line)
    })
  }

  stop(): void {
    this.#stopped = true
    for (const writer of this.#bulk.values()) writer.end()
  }

  #ready(connection: Connection, stream: Stream, node: NodeId, address: string, outbound: boolean): void {
    if (this.#stopped || connection.status !== 'open' || stream.status !== 'open') {
      stream.abort(new Error('not wanted any more'))
      return
    }
    if (this.#peers.lines(node).some(line => line.connection === connection)) {
      // It would replace the first one, and end with it: the link would be up on a connection that is gone.
      stream.abort(new Error('a second link over one connection'))
      return
    }
    const line: LiveLine = { node, outbound, address, connection, stream, readyAt: this.#hooks.now() }
    const decision = this.#peers.decide(line)
    if (decision === 'replace') {
      for (const dead of [...this.#peers.lines(node)])
        dead.connection.abort(new Error('the peer opened a new link'))
    }
    this.#peers.add(line, decision)
    const ended = (): void => this.#ended(line)
    stream.addEventListener('close', ended, { once: true })
    connection.addEventListener('close', ended, { once: true })
    this.#hooks.ends.watch(connection, () => {
      ended()
      // Gossip has to move to a line that is left, and a question that is open has to fail.
      return !this.isUp(node) && connection.streams.every(isStanding)
    })

    if (decision === 'up' || decision === 'replace') this.#hooks.listener.onLinkUp(node, address, outbound)
    if (decision === 'switch' || decision === 'spare') this.#closeCrossed(node)
    this.#read(line)
    // One end is enough, and the smaller id knows first which connection stays.
    if (decision !== 'spare' && this.#hooks.self < node) this.#hooks.onChosen(connection)
  }

  #read(line: LiveLine): void {
    const reader = new FrameReader(limits.linkFrameBytesMax, limits.linkFrameBytesMax * 16)
    line.stream.addEventListener('message', event => {
      const frames = reader.read(event.data)
      // Resuming hands over what has waited before it reopens the window; pausing again
      // within that would leave the window open, so such frames wait for its end.
      if (this.#resuming === line) queueMicrotask(() => this.#take(line, frames))
      else this.#take(line, frames)
    })
    // A peer that ends its half of the standing stream ends the link.
    line.stream.addEventListener('remoteCloseWrite', () => close(line.connection), { once: true })
  }

  /** Hands frames on, and stops in their middle when the peer is too fast: the rest waits unread. */
  #take(line: LiveLine, frames: Iterator<{ byteLength: number; subarray(): Uint8Array }>): void {
    const { guard, listener } = this.#hooks
    while (true) {
      let frame: ReturnType<typeof frames.next>
      try {
        frame = frames.next()
      } catch (error) {
        if (!isFraming(error)) throw error
        if (!this.#isLive(line)) return
        guard.malformed(line.node, 'link-frame-invalid')
        line.connection.abort(asError(error))
        return
      }
      if (frame.done === true || !this.#isLive(line)) break
      const waitMs = guard.frame(line.node, frame.value.byteLength)
      listener.onMessage(line.node, 'link', frame.value.subarray())
      if (waitMs > 0) {
        if (line.stream.readStatus === 'readable') line.stream.pause()
        setTimeout(() => this.#take(line, frames), waitMs).unref()
        return
      }
    }
    if (line.stream.readStatus !== 'paused') return
    this.#resuming = line
    line.stream.resume()
    this.#resuming = null
  }

  #isLive(line: LiveLine): boolean {
    return !this.#stopped && this.#peers.lines(line.node).includes(line)
  }

  #ended(line: LiveLine): void {
    const wasCurrent = this.#peers.current(line.node) === line
    if (!this.#peers.lines(line.node).includes(line)) return
    const isDown = this.#peers.remove(line)
    const isOurs = this.#hungUp.has(line.connection)
    if (line.connection.status === 'open' && !isOurs)
      line.connection.abort(new Error('the link stream ended'))
    if (wasCurrent) {
      this.#bulk.get(line.node)?.end()
      this.#bulk.delete(line.node)
    }
    if (this.#stopped) return
    if (isDown) this.#hooks.listener.onLinkDown(line.node, !isOurs)
    else {
      // Gossip runs over whichever connection came first, which may be the one that has just ended.
      const left = this.#peers.current(line.node)
      if (left !== undefined) this.#hooks.onChosen(left.connection)
    }
  }

  /** Of two crossing connections, the one that lost is closed by its dialer after all that was in flight has come. */
  #closeCrossed(node: NodeId): void {
    const [current, ...spares] = this.#peers.lines(node)
    for (const spare of spares) {
      if (!spare.outbound) continue
      setTimeout(() => {
        if (this.#peers.current(node) === current) close(spare.connection)
      }, limits.lingerMs).unref()
    }
  }

  #openBulk(node: NodeId): BulkWriter | null {
    const line = this.#peers.current(node)
    if (line === undefined) return null
    const writer = new BulkWriter()
    this.#bulk.set(node, writer)
    const forget = (): void => {
      if (this.#bulk.get(node) === writer) this.#bulk.delete(node)
    }
    line.connection.newStream(BULK_PROTOCOL, { signal: AbortSignal.timeout(limits.negotiationMs) }).then(
      stream =>
        writer.run(stream).then(forget, error => {
          forget()
          this.dropped++
          stream.abort(asError(error))
        }),
      () => {
        forget()
        this.dropped++
      },
    )
    return writer
  }
}

/** Closes with a farewell; a connection that does not close in time is cut. */
export const close = (connection: Connection): void => {
  if (connection.status !== 'open') return
  connection
    .close({ signal: AbortSignal.timeout(limits.lingerMs) })
    .catch(error => connection.abort(asError(error)))
}

/** A stream on which nobody waits for an answer. */
const isStanding = ({ protocol }: Stream): boolean =>
  protocol === LINK_PROTOCOL || protocol === BULK_PROTOCOL || protocol.startsWith(GOSSIP_PROTOCOLS)

const FRAMING = new Set([
  'InvalidMessageLengthError',
  'InvalidDataLengthError',
  'InvalidDataLengthLengthError',
  'InvalidParametersError',
])

export const isFraming = (error: unknown): boolean => FRAMING.has((error as Error).name)

export const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))
