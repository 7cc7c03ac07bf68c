// The end of a link's socket is told at once, and libp2p hears of it a little later.
// It takes 2 to 4 ms of a cold process to take a connection apart, in every neighbor of
// who has died, and all that time they kept the processor from the few that have to find
// out whether it is dead: with 20 nodes on two cores, 20 ms of a kill.
//
// Nothing may meet a connection that is half gone. What is sent to it is lost, as it would
// be anyway; who waits for an answer over it need not wait longer, and then nothing is put
// off; and before another connection begins, all that wait are taken apart. An end can also
// come while the next connection is being made, so this is done twice: when its socket
// comes, and right before libp2p knows of it. Gossip would otherwise find its old stream,
// open none to the peer that has come back, and then lose the old one.

import type { MessageStream } from '@libp2p/interface'
import type { Millis } from '../../core/ids.js'

/** By then the verdict has gone round; drawn anew each time, so that neighbors do it one after the other. */
const WAIT_MS = { least: 150, most: 400 }

type Timeline = MessageStream['timeline']

/** Tells of the end, and says whether libp2p may hear of it later. */
type Tell = () => boolean

export class Ends {
  /** By what a socket and the connection that was made of it have in common. */
  readonly #watchers = new WeakMap<Timeline, Tell>()
  readonly #waiting = new Map<() => void, NodeJS.Timeout>()
  readonly #waitMs: () => Millis
  #stopped = false

  constructor(waitMs?: () => Millis) {
    const { least, most } = WAIT_MS
    this.#waitMs = waitMs ?? (() => least + Math.random() * (most - least))
  }

  /** To be called for every socket, before anything else listens to it. */
  guard(socket: MessageStream): void {
    this.finish()
    const dispatch = socket.dispatchEvent.bind(socket)
    socket.dispatchEvent = event => {
      const tell = event.type === 'close' ? this.#watchers.get(socket.timeline) : undefined
      if (tell === undefined || this.#stopped) return dispatch(event)
      this.#watchers.delete(socket.timeline)
      const mayWait = tell()
      // Who was told may have stopped everything.
      if (!mayWait || this.#stopped) return dispatch(event)
      socket.send = () => true
      const end = (): void => {
        clearTimeout(this.#waiting.get(end))
        if (this.#waiting.delete(end)) dispatch(event)
      }
      this.#waiting.set(end, setTimeout(end, this.#waitMs()))
      return true
    }
  }

  /** Who wants to know when the socket of this connection ends, before libp2p does. */
  watch(connection: { readonly timeline: Timeline }, tell: Tell): void {
    this.#watchers.set(connection.timeline, tell)
  }

  /** What waits is done now. To be called before a connection begins. */
  finish(): void {
    for (const end of [...this.#waiting.keys()]) end()
  }

  /** From now on nothing waits. */
  stop(): void {
    this.#stopped = true
    this.finish()
  }
}
