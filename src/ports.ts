// Every seam of the house, on one page. The core knows none of them but `Sealer`;
// the runtime holds them, adapters implement them, the simulator has its own.
// Each has a contract suite under test/contracts that every implementation passes.

import type { Millis, NodeId } from './core/ids.js'
import type { Json } from './core/json.js'
import type { Accusation, MemberRecord, Sealed, Strike } from './core/member.js'
import type { Message } from './core/message.js'
import type { Channel, CopyId, DialFailure, StoreEntry, StoreWrite } from './core/step.js'
import type { TaskSpec } from './core/tasks/spec.js'

/** Time. `now` never runs backwards; `wall` is what the machine's clock says and may jump. */
export interface Clock {
  now(): Millis
  wall(): Millis
  /** Calls back once, at or after `at` on the scale of `now`; returns its cancellation. */
  setTimer(at: Millis, callback: () => void): () => void
}

/** Chance that nobody can guess. */
export interface Entropy {
  bytes(length: number): Uint8Array
}

/** Signs what this node says. Pure: the same words give the same seal. */
export interface Sealer {
  record(body: MemberRecord): Sealed<MemberRecord>
  accusation(body: Accusation): Sealed<Accusation>
  strike(body: Strike): Sealed<Strike>
}

/** Turns messages into bytes and back; `decode` checks every seal and throws on what it cannot accept. */
export interface Codec {
  encode(message: Message): Uint8Array
  decode(bytes: Uint8Array): Message
}

/** Bytes between nodes. Everything asked for is tried at once, or as soon as it listens; outcomes come to the listener. */
export interface Transport {
  readonly self: NodeId
  /** Resolves when it listens and its addresses are final (no port 0). */
  start(listener: TransportListener): Promise<void>
  stop(): Promise<void>
  /**
   * With `node` null the first address that answers decides who it is. Every address that fails is reported.
   * With `verify` it only finds out whether this node answers there, apart from any link that stands.
   */
  dial(node: NodeId | null, addresses: readonly string[], verify?: boolean): void
  /** Its end is told right after, before a new link with that node can begin. */
  hangUp(node: NodeId): void
  ban(node: NodeId, forMs: Millis): void
  /** `addresses` are for `direct` only: where to dial when there is no connection. What cannot be sent is dropped and counted. */
  send(to: NodeId, channel: Channel, bytes: Uint8Array, addresses?: readonly string[]): void
  publish(topic: string, bytes: Uint8Array): void
  subscribe(topic: string): void
  unsubscribe(topic: string): void
  /** A question to any member, answered by its `onRequest`; rejects after the timeout. */
  request(to: NodeId, addresses: readonly string[], bytes: Uint8Array, timeoutMs: Millis): Promise<Uint8Array>
  /** Search the local network for other nodes (mDNS). */
  discover(on: boolean): void
  /** Totals since start. */
  traffic(): TransportTraffic
}

export interface TransportTraffic {
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly dials: number
  readonly refusedKeys: number
  readonly dropped: number
}

export interface TransportListener {
  onLinkUp(node: NodeId, address: string, outbound: boolean): void
  /** `reset` is true when the other end's process or host broke it, false when this node hung up. */
  onLinkDown(node: NodeId, reset: boolean): void
  /** A dial with `verify` met the node at this address. */
  onVerified(node: NodeId, address: string): void
  /** A dial to make a link: the host at this address took the call. Who answers is not known yet. */
  onDialAccepted(node: NodeId, address: string): void
  onDialFailed(node: NodeId | null, address: string, reason: DialFailure): void
  onMessage(from: NodeId, channel: Channel, bytes: Uint8Array): void
  /** `from` is the author, however the message came. Says whether it may be passed on: `reject` counts against whoever did. */
  onGossip(from: NodeId, topic: string, bytes: Uint8Array): 'accept' | 'ignore' | 'reject'
  onRequest(from: NodeId, bytes: Uint8Array): Promise<Uint8Array>
  onDiscovered(addresses: readonly string[]): void
  onAddresses(addresses: readonly string[], dialable: boolean): void
  onMisbehaved(node: NodeId, offence: string): void
}

/** A small ordered log of changes over a sorted map. Opened by its adapter's factory, which recovers it first. */
export interface Store {
  /**
   * Applies a batch, all or nothing, after every batch before it. With `flush` it resolves
   * when this batch and all before it survive power loss (grouped with others that wait);
   * without, it may stay in memory for `lazyCommitMs`, and resolves when it was committed.
   */
  write(writes: readonly StoreWrite[], flush: boolean): Promise<void>
  /** Every entry whose key begins with the prefix, by key; sees all earlier writes. */
  read(prefix: string): AsyncIterable<StoreEntry>
  /** Commits what is pending, then lets go of the directory. */
  close(): Promise<void>
  stats(): StoreStats
}

export interface StoreStats {
  readonly commits: number
  readonly bytesWritten: number
  readonly pendingWrites: number
}

/** Runs copies of tasks. */
export interface Executor {
  start(order: CopyOrder, listener: CopyListener): void
  /** Signals the copy to stop; after the grace it is ended by force. `exited` follows in any case. */
  stop(copy: CopyId, graceMs: Millis): void
  /** Ends everything at once, by force if need be. */
  close(): Promise<void>
}

export interface CopyOrder {
  readonly copy: CopyId
  readonly spec: TaskSpec
  readonly checkpoint: Json
}

export interface CopyListener {
  /** The process was spawned or the function called. */
  started(): void
  /** Once, at the very end. */
  exited(outcome: { readonly error: string | null; readonly result: Json }): void
  /** Resolves when the checkpoint is durable. */
  saved(checkpoint: Json): Promise<void>
  logged(stream: 'out' | 'err' | 'log', line: string): void
}

export interface Log {
  debug(text: string, fields?: Readonly<Record<string, unknown>>): void
  info(text: string, fields?: Readonly<Record<string, unknown>>): void
  warn(text: string, fields?: Readonly<Record<string, unknown>>): void
  error(text: string, fields?: Readonly<Record<string, unknown>>): void
}
