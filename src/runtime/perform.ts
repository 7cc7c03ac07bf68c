// Production's only switch over effects, and the only place where what peers, disks
// and copies of tasks say becomes an event. It decides nothing: the core did.
//
// What fails here. A message that cannot be encoded or sent is dropped and counted, as
// a network may drop it. A message that cannot be decoded is its sender's offence. A
// persist that fails ends the node: the store has waited for its disk as long as made
// sense, the core in memory is ahead of the log, and to go on would mean to say what will
// not survive, or to leave a hole in the log that hides all that follows.

import { ShoalError, unreachable } from '../core/errors.js'
import type { NodeId } from '../core/ids.js'
import type { Json } from '../core/json.js'
import type { MeshEvent } from '../core/mesh-event.js'
import type { CopyId, Effect } from '../core/step.js'
import type {
  Clock,
  Codec,
  CopyListener,
  Executor,
  Log,
  Store,
  Transport,
  TransportListener,
} from '../ports.js'
import type { LoopHandle } from './loop.js'

export interface PerformPorts {
  readonly transport: Transport
  readonly codec: Codec
  readonly store: Pick<Store, 'write'>
  readonly executor: Executor
  readonly log: Log
  readonly clock: Pick<Clock, 'now'>
}

/** What the application, the metrics and the view of the members have to do with effects. */
export interface PerformHooks {
  onEvent(event: MeshEvent): void
  /** Requests are numbered by the application, from 1. */
  onReply(request: number, value: Json): void
  onRefuse(request: number, code: string, message: string): void
  onDocumentChanged(effect: Extract<Effect, { kind: 'documentChanged' | 'documentEnded' }>): void
  onCount(metric: string, by: number, labels?: Readonly<Record<string, string>>): void
  onCopyLog(copy: CopyId, stream: 'out' | 'err' | 'log', line: string): void
  /** A question of another member that is none of the core's (logs, plans). */
  onRequest(from: NodeId, bytes: Uint8Array): Promise<Uint8Array>
  addressesOf(node: NodeId): readonly string[]
  /** Whether this node keeps that space or document. */
  isHeld(document: string): boolean
}

export interface Performer {
  perform(effect: Effect): void
  /** To be given to the transport. */
  readonly listener: TransportListener
  /** The loop has stopped: copies that wait for their checkpoint to be saved wait in vain. */
  close(): void
}

export const createPerformer = (ports: PerformPorts, hooks: PerformHooks, loop: LoopHandle): Performer => {
  const { transport, codec, store, executor, log, clock } = ports
  const copies = copyRequests(loop)

  const send = (effect: Extract<Effect, { kind: 'send' | 'publish' }>): void => {
    let bytes: Uint8Array
    try {
      bytes = codec.encode(effect.message)
    } catch (error) {
      hooks.onCount('encode_errors', 1, { message: effect.message.kind })
      log.error('a message could not be encoded', { message: effect.message.kind, error: String(error) })
      return
    }
    if (effect.kind === 'publish') transport.publish(effect.topic, bytes)
    else if (effect.channel !== 'direct') transport.send(effect.to, effect.channel, bytes)
    else transport.send(effect.to, 'direct', bytes, hooks.addressesOf(effect.to))
  }

  const persist = ({ writes, flush, token }: Extract<Effect, { kind: 'persist' }>): void => {
    store.write(writes, flush).then(
      () => {
        if (token !== null) loop.post({ kind: 'durable', token })
      },
      error => {
        hooks.onCount('store_errors', 1)
        log.error('a write did not reach the disk', { error: String(error) })
        loop.standDown(`the store failed: ${error instanceof Error ? error.message : error}`)
      },
    )
  }

  const perform = (effect: Effect): void => {
    switch (effect.kind) {
      case 'wake':
        loop.wake(effect.at)
        break
      case 'persist':
        persist(effect)
        break
      case 'dial':
        transport.dial(effect.node, effect.addresses, effect.verify)
        break
      case 'hangUp':
        log.debug('hanging up', { node: effect.node, why: effect.why })
        transport.hangUp(effect.node)
        break
      case 'ban':
        transport.ban(effect.node, Math.max(0, effect.untilAt - clock.now()))
        break
      case 'send':
      case 'publish':
        send(effect)
        break
      case 'subscribe':
        transport.subscribe(effect.topic)
        break
      case 'unsubscribe':
        transport.unsubscribe(effect.topic)
        break
      case 'discovery':
        transport.discover(effect.on)
        break
      case 'notify':
        loop.later(() => hooks.onEvent(effect.event))
        break
      case 'count':
        hooks.onCount(effect.metric, effect.by, effect.labels)
        break
      case 'log':
        log[effect.level](effect.text, effect.fields)
        break
      case 'reply':
        if (!copies.settle(effect.request, null))
          loop.later(() => hooks.onReply(effect.request, effect.value))
        break
      case 'refuse':
        if (!copies.settle(effect.request, effect))
          loop.later(() => hooks.onRefuse(effect.request, effect.code, effect.message))
        break
      case 'documentChanged':
      case 'documentEnded':
        loop.later(() => hooks.onDocumentChanged(effect))
        break
      case 'startCopy': {
        const { copy, spec, checkpoint, period } = effect
        const order = { copy, spec, checkpoint, period }
        executor.start(order, copies.listenerOf(copy, hooks))
        break
      }
      case 'stopCopy':
        executor.stop(effect.copy, effect.graceMs)
        break
      case 'standDown':
        loop.standDown(effect.reason)
        break
      default:
        unreachable(effect)
    }
  }
  return { perform, listener: listenerOf(codec, hooks, loop), close: copies.rejectAll }
}

const listenerOf = (codec: Codec, hooks: PerformHooks, loop: LoopHandle): TransportListener => {
  const decode = (node: NodeId, bytes: Uint8Array) => {
    try {
      return codec.decode(bytes)
    } catch (error) {
      hooks.onCount('decode_errors', 1)
      const why = error instanceof Error ? error.message : String(error)
      loop.post({ kind: 'misbehaved', node, offence: `undecodable: ${why.slice(0, OFFENCE_CHARS_MAX)}` })
      return null
    }
  }
  return {
    onLinkUp: (node, address, outbound) => loop.post({ kind: 'linkUp', node, address, outbound }),
    onLinkDown: (node, reset) => loop.post({ kind: 'linkDown', node, reset }),
    onVerified: (node, address) => loop.post({ kind: 'verified', node, address }),
    onDialAccepted: (node, address) => loop.post({ kind: 'dialAccepted', node, address }),
    onDialFailed: (node, address, reason) => loop.post({ kind: 'dialFailed', node, address, reason }),
    onMessage(from, channel, bytes) {
      const message = decode(from, bytes)
      if (message !== null) loop.post({ kind: 'message', from, channel, message, bytes: bytes.byteLength })
    },
    onGossip(from, topic, bytes) {
      const message = decode(from, bytes)
      if (message === null) return 'reject'
      // What is new goes to all, also to those who do not keep it: these do not pass it on either.
      if (message.kind === 'stateUpdate' && !hooks.isHeld(message.document)) return 'ignore'
      // A node that is too busy to listen still passes on what is well formed: others may have time.
      loop.post({ kind: 'gossip', from, topic, message, bytes: bytes.byteLength })
      return 'accept'
    },
    onRequest: (from, bytes) => hooks.onRequest(from, bytes),
    onDiscovered: addresses => loop.post({ kind: 'discovered', addresses }),
    onAddresses: (addresses, dialable) => loop.post({ kind: 'addresses', addresses, dialable }),
    onMisbehaved: (node, offence) => loop.post({ kind: 'misbehaved', node, offence }),
  }
}

/** A peer chooses what stands in an error's text; the log and the core need only so much of it. */
const OFFENCE_CHARS_MAX = 200

/** The requests that copies make of the core: numbered downwards, apart from the application's. */
const copyRequests = (loop: LoopHandle) => {
  const waiting = new Map<number, { resolve(): void; reject(error: Error): void }>()
  let last = 0
  return {
    /** Whether the request was a copy's; it is settled then. */
    settle(request: number, refusal: { readonly code: string; readonly message: string } | null): boolean {
      if (request >= 0) return false
      const waiter = waiting.get(request)
      waiting.delete(request)
      // Outside of the step, like everything that the application hears.
      loop.later(() => {
        if (refusal === null) waiter?.resolve()
        else waiter?.reject(new ShoalError(refusal.code, refusal.message))
      })
      return true
    },
    listenerOf: (copy: CopyId, hooks: Pick<PerformHooks, 'onCopyLog'>): CopyListener => ({
      started: () => loop.post({ kind: 'copyStarted', copy }),
      exited: ({ error, result }) => loop.post({ kind: 'copyExited', copy, error, result }),
      saved: checkpoint =>
        new Promise((resolve, reject) => {
          const request = --last
          waiting.set(request, { resolve, reject })
          if (loop.post({ kind: 'copySaved', copy, checkpoint, request })) return
          waiting.delete(request)
          reject(stoppedError())
        }),
      logged: (stream, line) => hooks.onCopyLog(copy, stream, line),
    }),
    rejectAll(): void {
      for (const waiter of waiting.values()) waiter.reject(stoppedError())
      waiting.clear()
    },
  }
}

const stoppedError = (): ShoalError =>
  new ShoalError('NODE_STOPPED', 'the node has stopped; this checkpoint was not saved')
