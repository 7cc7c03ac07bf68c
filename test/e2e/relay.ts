// A wire between two transports, in the test's hands: it can be held, cut or reset.

import { connect, createServer, type Socket } from 'node:net'
import type { ExecutionContext } from 'ava'

export class Relay {
  address = ''
  /** What each side sends is kept back until it is called. */
  #held: (() => void)[] | null = null
  heldBytes = 0
  readonly #sockets = new Set<Socket>()

  /** A wire to this address; who dials the relay's own comes out there. */
  static async to(t: ExecutionContext, address: string): Promise<Relay> {
    const relay = new Relay()
    const port = Number(address.split('/').pop())
    const server = createServer(near => relay.#join(near, connect(port, '127.0.0.1')))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => {
      server.close()
      relay.cut()
    })
    const own = server.address()
    if (own === null || typeof own === 'string') throw new Error('no port')
    relay.address = `/ip4/127.0.0.1/tcp/${own.port}`
    return relay
  }

  /** Both ends hear that the other has gone, as when its process was killed. */
  cut(how: 'end' | 'reset' = 'end'): void {
    for (const socket of this.#sockets) {
      if (how === 'reset') socket.resetAndDestroy()
      else socket.end()
    }
    this.#sockets.clear()
  }

  hold(): void {
    this.#held ??= []
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = null
    for (const send of held) send()
  }

  #join(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from)
      const pass = (send: () => void): void => {
        if (this.#held === null) send()
        else this.#held.push(send)
      }
      from.setNoDelay(true)
      from.on('data', bytes => {
        if (this.#held !== null) this.heldBytes += bytes.byteLength
        pass(() => to.write(bytes))
      })
      from.on('end', () => pass(() => to.end()))
      from.on('error', () => to.destroy())
      from.on('close', () => this.#sockets.delete(from))
    }
  }
}
