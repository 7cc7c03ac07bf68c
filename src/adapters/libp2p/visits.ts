// What is sent to a node that need not be a neighbor: a direct message, or a
// question with its answer. Each is a short stream on whatever connection there is;
// without one, a connection is dialled for it and closed again when it is idle.

import type { Connection, Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { ShoalError } from '../../core/errors.js'
import type { Millis, NodeId } from '../../core/ids.js'
import type { TransportListener } from '../../ports.js'
import type { Guard } from './guard.js'
import { limits } from './limits.js'
import { asError, isFraming } from './links.js'

export const DIRECT_PROTOCOL = '/shoal/direct/1'
export const ASK_PROTOCOL = '/shoal/ask/1'

export interface VisitsHooks {
  readonly guard: Guard
  readonly listener: TransportListener
  /** An open connection to this node, dialled if need be. */
  reach(node: NodeId, addresses: readonly string[], signal: AbortSignal): Promise<Connection>
}

export class Visits {
  readonly #hooks: VisitsHooks
  #atOnce = 0
  dropped = 0

  constructor(hooks: VisitsHooks) {
    this.#hooks = hooks
  }

  async send(node: NodeId, addresses: readonly string[], bytes: Uint8Array): Promise<void> {
    if (bytes.byteLength > limits.linkFrameBytesMax || this.#atOnce >= limits.dialsWaiting) {
      this.dropped++
      return
    }
    this.#atOnce++
    try {
      const signal = AbortSignal.timeout(limits.dialTimeoutMs + limits.negotiationMs)
      const connection = await this.#hooks.reach(node, addresses, signal)
      const stream = await connection.newStream(DIRECT_PROTOCOL, { signal })
      await finish(stream, async () => {
        await lpStream(stream).write(bytes, { signal })
      })
    } catch {
      this.dropped++
    } finally {
      this.#atOnce--
    }
  }

  async receive(stream: Stream, connection: Connection): Promise<void> {
    const node = connection.remotePeer.toString() as NodeId
    const signal = AbortSignal.timeout(limits.negotiationMs)
    await this.#guarded(node, stream, async () => {
      const frame = await lpStream(stream, { maxDataLength: limits.linkFrameBytesMax }).read({ signal })
      const waitMs = this.#hooks.guard.frame(node, frame.byteLength)
      // These streams are too short to be slowed down; beyond its rate a peer's messages are dropped.
      if (waitMs > 0) this.dropped++
      else this.#hooks.listener.onMessage(node, 'direct', frame.subarray())
    })
  }

  async ask(
    node: NodeId,
    addresses: readonly string[],
    bytes: Uint8Array,
    timeoutMs: Millis,
  ): Promise<Uint8Array> {
    if (bytes.byteLength > limits.askBytesMax) {
      throw new ShoalError(
        'REQUEST_TOO_LARGE',
        `the request has ${bytes.byteLength} bytes; at most ${limits.askBytesMax} are accepted`,
      )
    }
    const signal = AbortSignal.timeout(timeoutMs)
    try {
      const connection = await this.#hooks.reach(node, addresses, signal)
      const stream = await connection.newStream(ASK_PROTOCOL, { signal })
      return await finish(stream, async () => {
        const frames = lpStream(stream, { maxDataLength: limits.askBytesMax })
        await frames.write(bytes, { signal })
        return (await frames.read({ signal })).subarray()
      })
    } catch (error) {
      const why = signal.aborted ? `no answer within ${timeoutMs} ms` : asError(error).message
      throw new ShoalError('PEER_UNREACHABLE', `${node} could not be asked: ${why}`, { cause: error })
    }
  }

  async answer(stream: Stream, connection: Connection): Promise<void> {
    const node = connection.remotePeer.toString() as NodeId
    const signal = AbortSignal.timeout(limits.negotiationMs)
    await this.#guarded(node, stream, async () => {
      const frames = lpStream(stream, { maxDataLength: limits.askBytesMax })
      const question = await frames.read({ signal })
      if (this.#hooks.guard.frame(node, question.byteLength) > 0) throw new Error('too many questions')
      const answer = await this.#hooks.listener.onRequest(node, question.subarray())
      if (answer.byteLength > limits.askBytesMax) throw new Error('the answer is too large')
      await frames.write(answer)
    })
  }

  async #guarded(node: NodeId, stream: Stream, work: () => Promise<void>): Promise<void> {
    try {
      await finish(stream, work)
    } catch (error) {
      if (isFraming(error)) this.#hooks.guard.malformed(node, 'frame-invalid')
    }
  }
}

/** Runs the work and closes the stream; if the work fails, the stream is reset, so that the other end need not wait. */
const finish = async <T>(stream: Stream, work: () => Promise<T>): Promise<T> => {
  try {
    const value = await work()
    await stream.close({ signal: AbortSignal.timeout(limits.negotiationMs) })
    return value
  } catch (error) {
    stream.abort(asError(error))
    throw error
  }
}
