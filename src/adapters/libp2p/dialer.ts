// Tries addresses, all at once and at most so many in all, and says of each that
// failed exactly why: the reason is evidence in the failure detector, so "refused"
// is said only when the other host's kernel answered that nobody listens. Accepted
// and then closed is 'failed'. Who answers is compared here, after the handshake.

import { lookup } from 'node:dns/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from '@libp2p/interface'
import { ShoalError } from '../../core/errors.js'
import type { NodeId } from '../../core/ids.js'
import type { DialFailure } from '../../core/step.js'
import { type Address, multiaddrText, parseAddress } from './address.js'
import { limits } from './limits.js'
import { DoorClosedError, MeshKeyError } from './protector.js'

export interface DialerHooks {
  /** Opens and secures a connection; rejects with the error of the socket or of the handshake. */
  connect(multiaddr: string, signal: AbortSignal, onAccepted: () => void): Promise<Connection>
  /** A connection to whom it was meant for. The hook owns it from here. */
  onConnected(connection: Connection, node: NodeId, address: string): void
  /** The host at this address took the call that was meant for the node. */
  onAccepted(node: NodeId, address: string): void
  onFailed(node: NodeId | null, address: string, reason: DialFailure): void
  onVerified(node: NodeId, address: string): void
  isBanned(node: NodeId): boolean
  isWanted(node: NodeId): boolean
  readonly self: NodeId
}

interface Attempt {
  readonly node: NodeId | null
  readonly address: string
  readonly abort: AbortController
}

export class Dialer {
  readonly #hooks: DialerHooks
  readonly #waiting: Attempt[] = []
  /** By node and address: the same attempt is never made twice at a time. */
  readonly #attempts = new Map<string, Attempt>()
  #running = 0
  #stopped = false
  dials = 0

  constructor(hooks: DialerHooks) {
    this.#hooks = hooks
  }

  dial(node: NodeId | null, addresses: readonly string[]): void {
    if (this.#stopped) return
    if (addresses.length === 0) this.#hooks.onFailed(node, '', 'unreachable')
    for (const [i, address] of addresses.entries()) {
      const key = `${node ?? ''}|${address}`
      if (this.#attempts.has(key)) continue
      if (i >= limits.addressesPerDial || this.#waiting.length >= limits.dialsWaiting) {
        this.#hooks.onFailed(node, address, 'failed')
        continue
      }
      const attempt: Attempt = { node, address, abort: new AbortController() }
      this.#attempts.set(key, attempt)
      this.#waiting.push(attempt)
    }
    this.#next()
  }

  /** A connection for a short visit: the first address where this node answers. Failures are not reported. */
  async reach(node: NodeId, addresses: readonly string[], signal: AbortSignal): Promise<Connection> {
    if (this.#stopped || this.#hooks.isBanned(node)) throw new Error('not wanted')
    const done = new AbortController()
    const either = AbortSignal.any([signal, done.signal])
    try {
      return await Promise.any(
        addresses.slice(0, limits.addressesPerDial).map(async address => {
          const outcome = await this.#connect(parseAddress(address), either)
          if (typeof outcome === 'string') throw new Error(`${address}: ${outcome}`)
          if (outcome.remotePeer.toString() === node && !done.signal.aborted) return outcome
          void outcome.close().catch(error => outcome.abort(error))
          throw new Error(`${address}: identity`)
        }),
      )
    } catch (error) {
      const errors = error instanceof AggregateError ? error.errors : [error]
      throw new Error(errors.map(each => (each as Error).message).join('; ') || 'no address is known')
    } finally {
      done.abort()
    }
  }

  /** Finds out whether this node answers at these addresses, whatever connection stands; none is kept. */
  verify(node: NodeId, addresses: readonly string[]): void {
    for (const address of addresses.slice(0, limits.addressesPerDial)) {
      const key = `verify ${node}|${address}`
      if (this.#stopped || this.#attempts.has(key)) continue
      const attempt: Attempt = { node, address, abort: new AbortController() }
      this.#attempts.set(key, attempt)
      void this.#verify(node, address, attempt.abort.signal).finally(() => this.#attempts.delete(key))
    }
  }

  async #verify(node: NodeId, address: string, signal: AbortSignal): Promise<void> {
    let outcome: Connection | DialFailure
    try {
      outcome = await this.#connect(parseAddress(address), signal)
    } catch (error) {
      if (!(error instanceof ShoalError)) throw error
      outcome = 'unreachable'
    }
    if (typeof outcome === 'string') {
      if (!this.#stopped) this.#hooks.onFailed(node, address, outcome)
      return
    }
    const isNode = outcome.remotePeer.toString() === node
    void outcome.close().catch(error => (outcome as Connection).abort(error))
    if (this.#stopped) return
    if (isNode) this.#hooks.onVerified(node, address)
    else this.#hooks.onFailed(node, address, 'identity')
  }

  /** Gives up all attempts at a node, silently: it is connected, or no longer wanted. */
  cancel(node: NodeId): void {
    for (const [key, attempt] of this.#attempts) {
      if (attempt.node === node && !key.startsWith('verify ')) attempt.abort.abort()
    }
  }

  stop(): void {
    this.#stopped = true
    for (const attempt of this.#attempts.values()) attempt.abort.abort()
  }

  #next(): void {
    while (this.#running < limits.dialsAtOnce) {
      const attempt = this.#waiting.shift()
      if (attempt === undefined) return
      this.#running++
      void this.#run(attempt).finally(() => {
        this.#attempts.delete(`${attempt.node ?? ''}|${attempt.address}`)
        this.#running--
        this.#next()
      })
    }
  }

  async #run(attempt: Attempt): Promise<void> {
    const { node, address, abort } = attempt
    if (abort.signal.aborted) return
    const failed = (reason: DialFailure): void => {
      if (!abort.signal.aborted && !this.#stopped) this.#hooks.onFailed(node, address, reason)
    }
    let place: Address
    try {
      place = parseAddress(address)
    } catch (error) {
      if (!(error instanceof ShoalError)) throw error
      return failed('unreachable')
    }
    const expected = node ?? (place.node as NodeId | null)
    if (expected === this.#hooks.self) return failed('self')
    if (expected !== null && this.#hooks.isBanned(expected)) return failed('failed')
    const outcome = await this.#connect(place, abort.signal, () => {
      if (node !== null && !abort.signal.aborted && !this.#stopped) this.#hooks.onAccepted(node, address)
    })
    if (typeof outcome === 'string') return failed(outcome)
    const found = outcome.remotePeer.toString() as NodeId
    if (expected !== null && found !== expected) {
      void outcome.close().catch(error => outcome.abort(error))
      return failed('identity')
    }
    if (
      abort.signal.aborted ||
      this.#stopped ||
      this.#hooks.isBanned(found) ||
      !this.#hooks.isWanted(found)
    ) {
      void outcome.close().catch(error => outcome.abort(error))
      return
    }
    this.#hooks.onConnected(outcome, found, address)
  }

  /** The first place that a name leads to and that answers, or why none did. */
  async #connect(
    place: Address,
    cancelled: AbortSignal,
    onTaken: () => void = () => {},
  ): Promise<Connection | DialFailure> {
    // The signal stays with the socket for life and destroys it, so this one must never fire after success.
    const abort = new AbortController()
    let isLate = false
    const onLate = (): void => {
      isLate = true
      abort.abort()
    }
    let timer = setTimeout(onLate, limits.dialTimeoutMs)
    const onAccepted = (): void => {
      clearTimeout(timer)
      timer = setTimeout(onLate, limits.handshakeTimeoutMs)
      onTaken()
    }
    const onCancelled = (): void => abort.abort()
    cancelled.addEventListener('abort', onCancelled, { once: true })
    if (cancelled.aborted) abort.abort()
    try {
      const outcome = await this.#connectBefore(place, abort.signal, onAccepted)
      return isLate && typeof outcome === 'string' ? 'timeout' : outcome
    } finally {
      clearTimeout(timer)
      cancelled.removeEventListener('abort', onCancelled)
    }
  }

  async #connectBefore(
    place: Address,
    signal: AbortSignal,
    onAccepted: () => void,
  ): Promise<Connection | DialFailure> {
    let places: { readonly family: 'ip4' | 'ip6'; readonly host: string }[]
    if (place.family !== 'name') places = [{ family: place.family, host: place.host }]
    else {
      try {
        const found = await orAborted(lookup(place.host, { all: true }), signal)
        places = found.map(each => ({ family: each.family === 6 ? 'ip6' : 'ip4', host: each.address }))
      } catch {
        return 'unreachable'
      }
    }
    const reasons: DialFailure[] = []
    for (const { family, host } of places.slice(0, limits.addressesPerDial)) {
      const outcome = await this.#knock(multiaddrText(family, host, place.port), signal, onAccepted)
      if (typeof outcome !== 'string') return outcome
      reasons.push(outcome)
      if (signal.aborted) break
    }
    // A name is refused only if all that it leads to is refused.
    return reasons.find(reason => reason !== 'refused') ?? reasons[0] ?? 'unreachable'
  }

  async #knock(
    multiaddr: string,
    signal: AbortSignal,
    onAccepted: () => void,
  ): Promise<Connection | DialFailure> {
    for (const pauseMs of [...limits.doorRetriesMs, null]) {
      this.dials++
      try {
        return await this.#hooks.connect(multiaddr, signal, onAccepted)
      } catch (error) {
        const isDoorClosed = isReset(error) && !signal.aborted
        if (pauseMs === null || !isDoorClosed) return reasonOf(error)
        await sleep(pauseMs)
      }
    }
    return 'failed'
  }
}

const UNREACHABLE = new Set([
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EINVAL',
  'EACCES',
  'EPERM',
])

const reasonOf = (error: unknown): DialFailure => {
  const { code, name, message } = error as { code?: string; name?: string; message?: string }
  if (code === 'ECONNREFUSED') return 'refused'
  if (code === 'ETIMEDOUT') return 'timeout'
  if (code !== undefined && UNREACHABLE.has(code)) return 'unreachable'
  if (error instanceof MeshKeyError) return 'key'
  if (name === 'InvalidPeerIdError' && message === 'Can not dial self') return 'self'
  return 'failed'
}

const orAborted = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    promise.then(resolve, reject)
  })

const isReset = (error: unknown): boolean =>
  error instanceof DoorClosedError || (error as { code?: string }).code === 'ECONNRESET'
