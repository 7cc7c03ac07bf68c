// The `Transport` of production: libp2p over TCP, with nothing of its own will. It
// dials, keeps, redials and measures nothing by itself; it does what it is told and
// says at once what happened. libp2p's connection monitor, reconnect queue, peer
// store and keep-alives are unused or off: who is alive is decided by the core.

import { gossipsub } from '@chainsafe/libp2p-gossipsub'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Connection, Ed25519PrivateKey as PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { ShoalError } from '../../core/errors.js'
import type { Millis, NodeId } from '../../core/ids.js'
import type { Channel } from '../../core/step.js'
import type { Transport, TransportListener, TransportTraffic } from '../../ports.js'
import { Connections } from './connections.js'
import { Dialer } from './dialer.js'
import { Discovery } from './discovery.js'
import { Ends } from './ends.js'
import { Gossip, gossipOptions } from './gossip.js'
import { Guard } from './guard.js'
import { limits } from './limits.js'
import { asError, BULK_PROTOCOL, LINK_PROTOCOL, Links } from './links.js'
import { listenAddresses, ownAddresses } from './own-addresses.js'
import { answerFromMemory } from './peer-store.js'
import { ACCEPTED, type Meter, protector } from './protector.js'
import { quickNoise } from './quick-noise.js'
import { quietYamux } from './quiet-yamux.js'
import { silentLogger } from './silent-logger.js'
import { ASK_PROTOCOL, DIRECT_PROTOCOL, Visits } from './visits.js'

export interface Libp2pTransportOptions {
  /** The 32-byte seed of the node's Ed25519 identity. */
  readonly seed: Uint8Array
  /** The 32 bytes of the mesh key; null is a playground on loopback. */
  readonly meshKey: Uint8Array | null
  /** Multiaddrs to listen on; default all interfaces at port 4701, loopback without a mesh key. */
  readonly listen?: readonly string[]
  /** Multiaddrs to tell others instead of those of the interfaces. */
  readonly announce?: readonly string[]
  /** False for a node that nobody can dial; default: whether it has an address. */
  readonly dialable?: boolean
}

/** The `Transport` over libp2p. Nothing is opened before its `start`. */
export const createLibp2pTransport = async (options: Libp2pTransportOptions): Promise<Transport> => {
  const privateKey = await generateKeyPairFromSeed('Ed25519', options.seed)
  const self = peerIdFromPrivateKey(privateKey).toString() as NodeId
  return new Libp2pTransport(self, privateKey, options)
}

/** What was asked for at the start, and where every connection is counted and known until it has ended. */
interface Session {
  readonly options: Libp2pTransportOptions
  readonly meter: Meter
  readonly connections: Connections
  readonly ends: Ends
}

type Host = Awaited<ReturnType<typeof startHost>>

class Libp2pTransport implements Transport {
  readonly self: NodeId
  readonly #privateKey: PrivateKey
  readonly #options: Libp2pTransportOptions
  readonly #meter: Meter = { bytesSent: 0, bytesReceived: 0, refusedKeys: 0 }
  readonly #listen: readonly string[]
  #running: Running | null = null
  /** What was asked for while it started. A topic that was dropped here left its node deaf for good. */
  readonly #early: ((running: Running) => void)[] = []

  constructor(self: NodeId, privateKey: PrivateKey, options: Libp2pTransportOptions) {
    this.self = self
    this.#privateKey = privateKey
    this.#options = options
    this.#listen = listenAddresses(options.listen, options.meshKey !== null)
  }

  async start(listener: TransportListener): Promise<void> {
    if (this.#running !== null) throw new ShoalError('STARTED', 'the transport has been started already')
    const session: Session = {
      options: this.#options,
      meter: this.#meter,
      connections: new Connections(),
      ends: new Ends(),
    }
    let host: Host
    try {
      host = await startHost(this.#privateKey, this.#listen, session)
    } catch (error) {
      const why = listenFailure(asError(error).message)
      throw new ShoalError('LISTEN_FAILED', `cannot listen on ${this.#listen.join(', ')}: ${why}`, {
        cause: error,
      })
    }
    const running = new Running(this.self, host, listener, session)
    this.#running = running
    for (const ask of this.#early.splice(0)) ask(running)
    await running.serve()
  }

  async stop(): Promise<void> {
    await this.#running?.stop()
  }

  #do(ask: (running: Running) => void): void {
    if (this.#running === null) this.#early.push(ask)
    else ask(this.#running)
  }

  dial(node: NodeId | null, addresses: readonly string[], verify = false): void {
    this.#do(running => running.dial(node, addresses, verify))
  }

  hangUp(node: NodeId): void {
    this.#do(running => running.hangUp(node))
  }

  ban(node: NodeId, forMs: Millis): void {
    this.#do(running => running.ban(node, forMs))
  }

  send(to: NodeId, channel: Channel, bytes: Uint8Array, addresses: readonly string[] = []): void {
    this.#do(running => running.send(to, channel, bytes, addresses))
  }

  publish(topic: string, bytes: Uint8Array): void {
    this.#do(running => running.gossip.publish(topic, bytes))
  }

  subscribe(topic: string): void {
    this.#do(running => running.gossip.subscribe(topic))
  }

  unsubscribe(topic: string): void {
    this.#do(running => running.gossip.unsubscribe(topic))
  }

  async request(
    to: NodeId,
    addresses: readonly string[],
    bytes: Uint8Array,
    timeoutMs: Millis,
  ): Promise<Uint8Array> {
    if (this.#running === null) throw new ShoalError('NOT_STARTED', 'the transport has not been started')
    return this.#running.visits.ask(to, addresses, bytes, timeoutMs)
  }

  discover(on: boolean): void {
    this.#do(running => running.discovery.set(on))
  }

  traffic(): TransportTraffic {
    const running = this.#running
    return {
      ...this.#meter,
      dials: running?.dialer.dials ?? 0,
      dropped: running === null ? 0 : running.links.dropped + running.visits.dropped + running.gossip.dropped,
    }
  }
}

/** Everything that exists between `start` and `stop`. */
class Running {
  readonly #host: Host
  readonly #listener: TransportListener
  readonly #session: Session
  readonly #timers: NodeJS.Timeout[] = []
  readonly links: Links
  readonly dialer: Dialer
  readonly visits: Visits
  readonly gossip: Gossip
  readonly discovery: Discovery
  #addresses = ''
  #stopped = false

  constructor(self: NodeId, host: Host, listener: TransportListener, session: Session) {
    const { connections, ends, options } = session
    this.#host = host
    this.#listener = listener
    this.#session = session
    const now = (): Millis => performance.now()
    const guard = new Guard((node, offence) => {
      if (!this.#stopped) listener.onMisbehaved(node, offence)
    }, now)
    this.links = new Links({
      self,
      guard,
      listener,
      ends,
      now,
      onChosen: connection => this.#startGossip(connection),
    })
    const { components } = host.services.insides
    this.dialer = new Dialer({
      self,
      connect: (address, signal, onAccepted) => {
        const onProgress = (event: { type: string }): void => {
          if (event.type === ACCEPTED) onAccepted()
        }
        return components.transportManager.dial(multiaddr(address), { signal, onProgress })
      },
      onConnected: (connection, node, address) => this.#onConnected(connection, node, address),
      onAccepted: (node, address) => listener.onDialAccepted(node, address),
      onFailed: (node, address, reason) => listener.onDialFailed(node, address, reason),
      onVerified: (node, address) => listener.onVerified(node, address),
      isBanned: node => connections.isBanned(node),
      isWanted: node => !this.links.isUp(node),
    })
    this.visits = new Visits({
      guard,
      listener,
      reach: (node, addresses, signal) => this.#reach(node, addresses, signal),
    })
    this.gossip = new Gossip(host.services.gossip, guard, (from, topic, bytes) =>
      this.#stopped ? 'ignore' : listener.onGossip(from, topic, bytes),
    )
    this.discovery = new Discovery(components, self, options.meshKey, addresses =>
      listener.onDiscovered(addresses),
    )
  }

  async serve(): Promise<void> {
    const host = this.#host
    const few = { maxInboundStreams: 4, maxOutboundStreams: 4 }
    const many = {
      maxInboundStreams: limits.asksAtOncePerPeer * 4,
      maxOutboundStreams: limits.streamsPerConnection,
    }
    const asks = { ...many, maxInboundStreams: limits.asksAtOncePerPeer }
    await host.handle(
      LINK_PROTOCOL,
      (stream, connection) => {
        this.dialer.cancel(connection.remotePeer.toString() as NodeId)
        this.links.accepted(stream, connection)
      },
      few,
    )
    await host.handle(BULK_PROTOCOL, (stream, connection) => this.links.acceptedBulk(stream, connection), few)
    await host.handle(
      DIRECT_PROTOCOL,
      (stream, connection) => void this.visits.receive(stream, connection),
      many,
    )
    await host.handle(ASK_PROTOCOL, (stream, connection) => void this.visits.answer(stream, connection), asks)
    this.#checkAddresses()
    this.#every(limits.addressCheckMs, () => this.#checkAddresses())
    this.#every(limits.idleDialledMs / 2, () => this.#tidy())
  }

  dial(node: NodeId | null, addresses: readonly string[], verify: boolean): void {
    if (verify && node !== null) return this.dialer.verify(node, addresses)
    if (this.#stopped || (node !== null && this.links.isUp(node))) return
    this.dialer.dial(node, addresses)
  }

  send(to: NodeId, channel: Channel, bytes: Uint8Array, addresses: readonly string[]): void {
    if (this.#stopped) return
    if (channel === 'link') this.links.send(to, bytes)
    else if (channel === 'bulk') this.links.sendBulk(to, bytes)
    else void this.visits.send(to, addresses, bytes)
  }

  hangUp(node: NodeId): void {
    this.dialer.cancel(node)
    this.links.hangUp(node, this.#session.connections.of(node))
  }

  ban(node: NodeId, forMs: Millis): void {
    this.#session.connections.ban(node, forMs)
    this.hangUp(node)
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    for (const timer of this.#timers) clearInterval(timer)
    this.dialer.stop()
    this.links.stop()
    this.#session.ends.stop()
    this.gossip.stop()
    await this.discovery.stop()
    await this.#host.stop()
  }

  #onConnected(connection: Connection, node: NodeId, address: string): void {
    void this.links.dialled(connection, node, address).then(outcome => {
      if (this.#stopped) return
      if (outcome === 'failed') this.#listener.onDialFailed(node, address, 'failed')
      else this.dialer.cancel(node)
    })
  }

  async #reach(node: NodeId, addresses: readonly string[], signal: AbortSignal): Promise<Connection> {
    const open = this.#session.connections.openTo(node)
    if (open !== undefined) return open
    return this.dialer.reach(node, addresses, signal)
  }

  #startGossip(connection: Connection): void {
    this.gossip.start(connection)
  }

  #checkAddresses(): void {
    const addresses = ownAddresses(this.#host.getMultiaddrs().map(String))
    const text = addresses.join()
    if (text === this.#addresses) return
    this.#addresses = text
    this.#listener.onAddresses(addresses, this.#session.options.dialable ?? addresses.length > 0)
  }

  #tidy(): void {
    const links = new Set(this.links.connections())
    this.#session.connections.closeIdle(links)
    // Gossipsub does not notice when its stream alone is lost, with its connection or by overflow.
    for (const connection of links) {
      const age = Date.now() - connection.timeline.open
      if (age > limits.crossingMs && !this.#session.connections.hasGossip(connection))
        this.#startGossip(connection)
    }
  }

  #every(ms: Millis, work: () => void): void {
    this.#timers.push(setInterval(work, ms).unref())
  }
}

const startHost = async (
  privateKey: PrivateKey,
  listen: readonly string[],
  { options, meter, connections, ends }: Session,
) => {
  const noneWaits = (): boolean => {
    ends.finish()
    return false
  }
  const host = await createLibp2p({
    privateKey,
    logger: silentLogger(),
    nodeInfo: { name: 'shoal', version: '1' },
    addresses: { listen: [...listen], announce: [...(options.announce ?? [])] },
    // Heartbeats keep links alive; a socket that is silent by agreement is not closed.
    transports: [
      tcp({ inboundSocketInactivityTimeout: 0, outboundSocketInactivityTimeout: 0, backlog: 1_024 }),
    ],
    connectionProtector: protector(options.meshKey, meter, ends),
    connectionEncrypters: [quickNoise()],
    streamMuxers: [quietYamux()],
    connectionMonitor: { enabled: false },
    connectionManager: {
      maxConnections: limits.connectionsMax,
      inboundConnectionThreshold: limits.inboundPerSecondAndHost,
      maxIncomingPendingConnections: limits.inboundPending,
      inboundUpgradeTimeout: limits.inboundUpgradeMs,
      inboundStreamProtocolNegotiationTimeout: limits.negotiationMs,
      outboundStreamProtocolNegotiationTimeout: limits.negotiationMs,
      reconnectRetries: 0,
    },
    connectionGater: {
      denyInboundEncryptedConnection: peer => connections.isBanned(peer.toString() as NodeId),
      denyDialMultiaddr: () => false,
      // The last that is asked before a connection exists: see `ends.ts`.
      denyInboundUpgradedConnection: noneWaits,
      denyOutboundUpgradedConnection: noneWaits,
    },
    services: {
      identify: identify({
        runOnConnectionOpen: false,
        maxMessageSize: 8_192,
        timeout: limits.negotiationMs,
      }),
      gossip: gossipsub(gossipOptions),
      insides: (components: Insides) => ({ components }),
    },
    start: false,
  })
  host.addEventListener('connection:open', event => connections.add(event.detail))
  const { components } = host.services.insides
  answerFromMemory(components.peerStore, components.peerId)
  await host.start()
  return host
}

type Components = Parameters<NonNullable<Libp2pOptions['transports']>[number]>[0]
/** Libp2p tells of each address on a line of its own, with its stack. */
const listenFailure = (message: string): string => {
  if (message.includes('EADDRINUSE')) return 'the port is used by something else (EADDRINUSE)'
  if (message.includes('EADDRNOTAVAIL')) return 'this machine has no such address (EADDRNOTAVAIL)'
  if (message.includes('EACCES')) return 'this user may not open the port (EACCES)'
  return message.split(/\s*\n\s*/).join('; ')
}

type Insides = Pick<Components, 'transportManager' | 'addressManager' | 'logger' | 'peerStore' | 'peerId'>
