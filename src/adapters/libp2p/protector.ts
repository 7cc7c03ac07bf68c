// The door of the mesh: libp2p's private-network cipher, and one check more. Both
// ends send a fixed word through the cipher first; who cannot read the other's has
// another key. Without this check a wrong key shows as garbage somewhere in the
// handshake, and often only as a timeout, so it could be neither named nor counted.
//
// A node without a mesh key uses a key that everybody knows: it protects nothing
// (such a node listens on loopback only), and it lets one path serve both.
// It also counts the bytes of every socket, because it sees each connection first.

import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AbortOptions, ConnectionProtector, MessageStream } from '@libp2p/interface'
import { preSharedKey } from '@libp2p/pnet'
import { byteStream } from '@libp2p/utils'
import type { Ends } from './ends.js'
import { limits } from './limits.js'
import { quickenBox, quickenSocket } from './quick-layers.js'

const WORD = Buffer.from('shoal mesh key 1')
const PLAYGROUND_KEY = createHash('sha256').update('shoal: no mesh key').digest()

/** The progress event that says: the other host accepted, and its process has to answer now. */
export const ACCEPTED = 'shoal:accepted'

interface ProtectOptions extends AbortOptions {
  onProgress?(event: { type: string }): void
}

export class MeshKeyError extends Error {
  override readonly name = 'MeshKeyError'
}

/** Accepted and closed before a byte came: a process that is dying, or one too busy to greet. */
export class DoorClosedError extends Error {
  override readonly name = 'DoorClosedError'
}

export interface Meter {
  bytesSent: number
  bytesReceived: number
  refusedKeys: number
}

/** The `libp2p.connectionProtector` for this mesh key (32 bytes, or null without one). */
export const protector = (
  meshKey: Uint8Array | null,
  meter: Meter,
  ends: Ends,
): (() => ConnectionProtector) => {
  const key = Buffer.from(meshKey ?? PLAYGROUND_KEY).toString('hex')
  const cipher = preSharedKey({ psk: Buffer.from(`/key/swarm/psk/1.0.0/\n/base16/\n${key}`) })()

  const protect = async <Stream extends MessageStream>(
    socket: Stream,
    options?: ProtectOptions,
  ): Promise<Stream> => {
    quickenSocket(socket)
    ends.guard(socket)
    measure(socket, meter)
    letGo(socket)
    options?.onProgress?.(new CustomEvent(ACCEPTED))
    try {
      const boxed: MessageStream = await cipher.protect(socket as never, options)
      quickenBox(boxed)
      const bytes = byteStream(boxed)
      const [word] = await Promise.all([
        bytes.read({ bytes: WORD.length, ...options }),
        bytes.write(WORD, options),
      ])
      if (!WORD.equals(word.subarray())) throw new MeshKeyError('the other end has another mesh key')
      return bytes.unwrap() as never
    } catch (error) {
      if (error instanceof MeshKeyError) {
        // A reset would destroy what the other end has not read yet: the word that tells it why.
        await sleep(limits.keyRefusalLingerMs)
        meter.refusedKeys++
        throw error
      }
      if (options?.signal?.aborted !== true) {
        throw new DoorClosedError('the connection was closed before the other end had said a word', {
          cause: error,
        })
      }
      // Who connects, speaks something else and is silent or waits, has no key at all.
      if (socket.direction === 'inbound') meter.refusedKeys++
      throw error
    }
  }
  return () => ({ protect }) as ConnectionProtector
}

const measure = (socket: MessageStream, meter: Meter): void => {
  const send = socket.send.bind(socket)
  socket.send = data => {
    meter.bytesSent += data.byteLength
    return send(data)
  }
  socket.addEventListener('message', event => {
    meter.bytesReceived += event.data.byteLength
  })
}

/** Who ended its half and read no more would keep this end's, with all that waits to be sent, for good. */
const letGo = (socket: MessageStream): void => {
  const { socket: handle } = socket as { socket?: { destroy(): void } }
  socket.addEventListener('close', () => handle?.destroy(), { once: true })
}
