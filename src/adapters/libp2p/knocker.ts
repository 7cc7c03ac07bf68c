// Finds out whether anybody accepts connections at a member's addresses, by TCP alone:
// a hundredth of the work of a link, at either end. It never says a word, so it can't
// tell who is there, nor whether a process stands behind the kernel that accepted.

import { connect, type Socket } from 'node:net'
import type { NodeId } from '../../core/ids.js'
import { type Address, parseAddress } from './address.js'
import { limits } from './limits.js'

export class Knocker {
  readonly #tell: (node: NodeId, isOpen: boolean) => void
  readonly #sockets = new Set<Socket>()
  #stopped = false

  constructor(tell: (node: NodeId, isOpen: boolean) => void) {
    this.#tell = tell
  }

  /** Tells of the first address that accepts, or that none did. */
  knock(node: NodeId, addresses: readonly string[]): void {
    if (this.#stopped) return
    const places = addresses.slice(0, limits.addressesPerDial).flatMap(address => placeOf(address) ?? [])
    const sockets = new Set<Socket>()
    const over = (isOpen: boolean): void => {
      for (const socket of sockets) this.#close(socket)
      sockets.clear()
      if (!this.#stopped) this.#tell(node, isOpen)
    }
    if (places.length === 0) return over(false)
    for (const { host, port } of places) {
      const socket = connect({ host, port, timeout: limits.dialTimeoutMs })
      const failed = (): void => {
        this.#close(socket)
        if (sockets.delete(socket) && sockets.size === 0) over(false)
      }
      sockets.add(socket)
      this.#sockets.add(socket)
      socket.once('connect', () => {
        if (sockets.has(socket)) over(true)
      })
      socket.once('timeout', failed)
      socket.on('error', failed)
    }
  }

  stop(): void {
    this.#stopped = true
    for (const socket of this.#sockets) this.#close(socket)
  }

  #close(socket: Socket): void {
    this.#sockets.delete(socket)
    socket.destroy()
  }
}

/** An address that can't be read is one where nobody can be met. */
const placeOf = (text: string): Address | null => {
  try {
    return parseAddress(text)
  } catch {
    return null
  }
}
