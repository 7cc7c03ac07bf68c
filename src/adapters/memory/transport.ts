// A transport within one process, for tests of everything above it: several nodes,
// no sockets, no keys, no encryption. It keeps the promises of the port (order, one
// link per neighbor, who hung up, why a dial failed) and does things in turns of
// their own, so that nobody is called back before his own call returns.

import { ShoalError } from '../../core/errors.js'
import type { Millis, NodeId } from '../../core/ids.js'
import type { Channel, DialFailure } from '../../core/step.js'
import type { Transport, TransportListener, TransportTraffic } from '../../ports.js'

/** A network of its own; nodes on different ones know nothing of each other. */
export class MemoryNetwork {
  readonly #nodes = new Map<NodeId, MemoryTransport>()
  readonly #cuts = new Set<string>()

  /** A transport for this node, at the address `memory/<id>`. */
  transport(node: NodeId): Transport {
    return new MemoryTransport(node, this)
  }

  /** The node's process is killed: its links break, and dialling it is refused. */
  kill(node: NodeId): void {
    this.#nodes.get(node)?.vanish()
  }

  /** Nothing passes between the two any more, and nobody is told; with false it does again. */
  cut(a: NodeId, b: NodeId, on = true): void {
    for (const key of [`${a} ${b}`, `${b} ${a}`]) {
      if (on) this.#cuts.add(key)
      else this.#cuts.delete(key)
    }
  }

  isCut(from: NodeId, to: NodeId): boolean {
    return this.#cuts.has(`${from} ${to}`)
  }

  find(node: NodeId): MemoryTransport | undefined {
    return this.#nodes.get(node)
  }

  enter(transport: MemoryTransport): void {
    this.#nodes.set(transport.self, transport)
  }

  exit(transport: MemoryTransport): void {
    if (this.#nodes.get(transport.self) === transport) this.#nodes.delete(transport.self)
  }

  others(self: NodeId): readonly MemoryTransport[] {
    return [...this.#nodes.values()].filter(each => each.self !== self)
  }
}

const PREFIX = 'memory/'

class MemoryTransport implements Transport {
  readonly self: NodeId
  readonly #network: MemoryNetwork
  readonly #links = new Set<NodeId>()
  readonly #topics = new Set<string>()
  readonly #seen = new Set<Uint8Array>()
  readonly #bannedUntil = new Map<NodeId, Millis>()
  #listener: TransportListener | null = null
  #bytesSent = 0
  #bytesReceived = 0
  #dials = 0
  #dropped = 0

  constructor(self: NodeId, network: MemoryNetwork) {
    this.self = self
    this.#network = network
  }

  async start(listener: TransportListener): Promise<void> {
    if (this.#listener !== null) throw new ShoalError('STARTED', 'the transport has been started already')
    this.#listener = listener
    this.#network.enter(this)
    listener.onAddresses([PREFIX + this.self], true)
  }

  async stop(): Promise<void> {
    this.vanish()
  }

  /** Gone without a word to its own listener; the others learn of it. */
  vanish(): void {
    this.#network.exit(this)
    this.#listener = null
    for (const node of this.#links) this.#network.find(node)?.lose(this.self, true)
    this.#links.clear()
  }

  dial(node: NodeId | null, addresses: readonly string[], verify = false): void {
    if (verify && node !== null) {
      for (const address of addresses) this.#later(listener => this.#verify(listener, node, address))
      return
    }
    if (node !== null && this.#links.has(node)) return
    if (addresses.length === 0) this.#later(listener => listener.onDialFailed(node, '', 'unreachable'))
    for (const address of addresses) this.#later(listener => this.#try(listener, node, address))
  }

  hangUp(node: NodeId): void {
    if (!this.#links.has(node)) return
    this.lose(node, false)
    this.#network.find(node)?.lose(this.self, true)
  }

  ban(node: NodeId, forMs: Millis): void {
    this.#bannedUntil.set(node, performance.now() + forMs)
    this.hangUp(node)
  }

  send(to: NodeId, channel: Channel, bytes: Uint8Array, _addresses: readonly string[] = []): void {
    const isOpen = channel === 'direct' ? this.#network.find(to) !== undefined : this.#links.has(to)
    if (!isOpen) {
      this.#dropped++
      return
    }
    this.#bytesSent += bytes.byteLength
    if (!this.#network.isCut(this.self, to)) this.#network.find(to)?.receive(this.self, channel, bytes)
  }

  publish(topic: string, bytes: Uint8Array): void {
    this.#spread(this.self, topic, Uint8Array.from(bytes))
  }

  subscribe(topic: string): void {
    this.#topics.add(topic)
  }

  unsubscribe(topic: string): void {
    this.#topics.delete(topic)
  }

  async request(
    to: NodeId,
    _addresses: readonly string[],
    bytes: Uint8Array,
    timeoutMs: Millis,
  ): Promise<Uint8Array> {
    const peer = this.#network.isCut(this.self, to) ? undefined : this.#network.find(to)
    const timeout = new Promise<never>((_, reject) => {
      const fail = (): void =>
        reject(
          new ShoalError('PEER_UNREACHABLE', `${to} could not be asked: no answer within ${timeoutMs} ms`),
        )
      setTimeout(fail, peer === undefined ? 0 : timeoutMs).unref()
    })
    return Promise.race([timeout, ...(peer === undefined ? [] : [peer.answer(this.self, bytes)])])
  }

  discover(on: boolean): void {
    if (!on) return
    const found = this.#network.others(this.self).map(each => PREFIX + each.self)
    if (found.length > 0) this.#later(listener => listener.onDiscovered(found))
  }

  traffic(): TransportTraffic {
    return {
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      dials: this.#dials,
      refusedKeys: 0,
      dropped: this.#dropped,
    }
  }

  // What the other ends call.

  accept(from: NodeId): boolean {
    if (this.#listener === null || performance.now() < (this.#bannedUntil.get(from) ?? 0)) return false
    if (this.#links.has(from)) return true
    this.#links.add(from)
    this.#later(listener => listener.onLinkUp(from, PREFIX + from, false))
    return true
  }

  lose(node: NodeId, reset: boolean): void {
    if (this.#links.delete(node)) this.#later(listener => listener.onLinkDown(node, reset))
  }

  receive(from: NodeId, channel: Channel, bytes: Uint8Array): void {
    const copy = Uint8Array.from(bytes)
    this.#later(listener => {
      this.#bytesReceived += copy.byteLength
      listener.onMessage(from, channel, copy)
    })
  }

  hear(author: NodeId, topic: string, bytes: Uint8Array): void {
    if (!this.#topics.has(topic) || this.#seen.has(bytes)) return
    this.#seen.add(bytes)
    this.#later(listener => {
      if (listener.onGossip(author, topic, bytes) === 'accept') this.#spread(author, topic, bytes)
    })
  }

  async answer(from: NodeId, bytes: Uint8Array): Promise<Uint8Array> {
    if (this.#listener === null)
      throw new ShoalError('PEER_UNREACHABLE', `${this.self} could not be asked: it has stopped`)
    return this.#listener.onRequest(from, bytes)
  }

  #spread(author: NodeId, topic: string, bytes: Uint8Array): void {
    this.#seen.add(bytes)
    for (const node of this.#links) {
      if (!this.#network.isCut(this.self, node)) this.#network.find(node)?.hear(author, topic, bytes)
    }
  }

  #try(listener: TransportListener, node: NodeId | null, address: string): void {
    this.#dials++
    const found = address.slice(PREFIX.length) as NodeId
    if (this.#links.has(found)) return
    const unmet = this.#failureOf(node, address, found)
    if (node !== null && (unmet === null || unmet === 'identity')) listener.onDialAccepted(node, address)
    const failure = unmet ?? this.#welcomeOf(found)
    if (failure !== null) {
      listener.onDialFailed(node, address, failure)
      return
    }
    this.#links.add(found)
    listener.onLinkUp(found, address, true)
  }

  #verify(listener: TransportListener, node: NodeId, address: string): void {
    this.#dials++
    const failure = this.#failureOf(node, address, address.slice(PREFIX.length) as NodeId)
    if (failure === null) listener.onVerified(node, address)
    else listener.onDialFailed(node, address, failure)
  }

  #failureOf(node: NodeId | null, address: string, found: NodeId): DialFailure | null {
    if (!address.startsWith(PREFIX)) return 'unreachable'
    if (found === this.self) return 'self'
    if (this.#network.isCut(this.self, found)) return 'timeout'
    if (this.#network.find(found) === undefined) return 'refused'
    return node !== null && node !== found ? 'identity' : null
  }

  /** Whether the other end takes the link: it has it then. */
  #welcomeOf(found: NodeId): DialFailure | null {
    const isBanned = performance.now() < (this.#bannedUntil.get(found) ?? 0)
    return isBanned || !this.#network.find(found)?.accept(this.self) ? 'failed' : null
  }

  #later(work: (listener: TransportListener) => void): void {
    queueMicrotask(() => {
      if (this.#listener !== null) work(this.#listener)
    })
  }
}
