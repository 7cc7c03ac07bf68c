// Every open connection, link or not, and who is banned. A connection that is no
// link (a direct message, a question) is closed when it is idle, sooner by its dialer.

import type { Connection } from '@libp2p/interface'
import type { Millis, NodeId } from '../../core/ids.js'
import { limits } from './limits.js'
import { close, GOSSIP_PROTOCOLS } from './links.js'

export class Connections {
  readonly #open = new Map<NodeId, Set<Connection>>()
  readonly #busyAt = new WeakMap<Connection, Millis>()
  readonly #bannedUntil = new Map<NodeId, Millis>()

  add(connection: Connection): void {
    const node = connection.remotePeer.toString() as NodeId
    if (connection.status !== 'open') return
    const known = this.#open.get(node) ?? new Set()
    known.add(connection)
    this.#open.set(node, known)
    this.#busyAt.set(connection, performance.now())
    connection.addEventListener('close', () => {
      known.delete(connection)
      if (known.size === 0 && this.#open.get(node) === known) this.#open.delete(node)
    })
  }

  of(node: NodeId): readonly Connection[] {
    return [...(this.#open.get(node) ?? [])]
  }

  /** The connection that has been open longest: the link, as a rule. */
  openTo(node: NodeId): Connection | undefined {
    const connection = this.of(node).find(each => each.status === 'open')
    if (connection !== undefined) this.#busyAt.set(connection, performance.now())
    return connection
  }

  /** Whether this node can send gossip over any connection to that peer. */
  hasGossip(connection: Connection): boolean {
    return this.of(connection.remotePeer.toString() as NodeId).some(each =>
      each.streams.some(
        stream => stream.direction === 'outbound' && stream.protocol.startsWith(GOSSIP_PROTOCOLS),
      ),
    )
  }

  closeIdle(links: ReadonlySet<Connection>): void {
    const now = performance.now()
    for (const connection of [...this.#open.values()].flatMap(each => [...each])) {
      if (links.has(connection) || connection.streams.some(stream => stream.protocol.startsWith('/shoal/'))) {
        this.#busyAt.set(connection, now)
        continue
      }
      const idleMs = connection.direction === 'outbound' ? limits.idleDialledMs : limits.idleAcceptedMs
      if (now - (this.#busyAt.get(connection) ?? now) >= idleMs) close(connection)
    }
  }

  ban(node: NodeId, forMs: Millis): void {
    // Beyond the bound the oldest ban is forgotten; a peer that is still a nuisance earns a new one.
    if (this.#bannedUntil.size >= limits.bansMax)
      this.#bannedUntil.delete(this.#bannedUntil.keys().next().value as NodeId)
    this.#bannedUntil.set(node, performance.now() + forMs)
  }

  isBanned(node: NodeId): boolean {
    const until = this.#bannedUntil.get(node)
    if (until === undefined) return false
    if (performance.now() < until) return true
    this.#bannedUntil.delete(node)
    return false
  }
}
