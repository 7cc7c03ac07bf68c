// How late words come here. A node with more to do than its processor manages reads each
// word long after it came, and its timers are hardly late all the same, for what is due is
// done with each word that it reads: it would take its own heap of unread words for the
// silence of others. Heartbeats, pings and pongs say when they were sent; by how much one
// took longer than the quickest from the same neighbor, it waited. On a link that was
// new in the midst of it none was quick: there an answer tells, by the time that it took.
//
// Only what most of several neighbors say counts: a clock that is set, a slow path and a
// liar say nothing about this node.

import type { Millis, NodeId } from '../ids.js'

interface Path {
  /** What the quickest word took; its sender's clock may be years off. */
  leastMs: number
  delayMs: Millis
  heardAt: Millis
}

/** Clocks drift apart by less than this share of the time; so fast the quickest is forgotten. */
const DRIFT = 0.001
/** What came before that says nothing of now. */
const RECENT_MS = 3_000
/** Nothing waits for so long that is read at all: a clock was set back. */
const WAIT_MAX_MS = 30_000
const PATHS_MIN = 3

export class Delays {
  readonly #paths = new Map<NodeId, Path>()

  get size(): number {
    return this.#paths.size
  }

  /** A word came that says when it was sent. */
  heard(now: Millis, from: NodeId, sentAt: number): void {
    const tookMs = now - sentAt
    if (!Number.isFinite(tookMs)) return
    const held = this.#paths.get(from)
    const leastMs =
      held === undefined ? tookMs : Math.min(tookMs, held.leastMs + (now - held.heardAt) * DRIFT)
    const delayMs = tookMs - leastMs
    if (delayMs > WAIT_MAX_MS) this.#paths.delete(from)
    else this.#paths.set(from, { leastMs, delayMs, heardAt: now })
  }

  /** Its answer came so late that it waited for so long at least, here or there. */
  answered(from: NodeId, waitedMs: Millis): void {
    const held = this.#paths.get(from)
    if (held !== undefined) held.delayMs = Math.max(held.delayMs, waitedMs)
  }

  forget(id: NodeId): void {
    this.#paths.delete(id)
  }

  /** By how much most words come late. */
  at(now: Millis): Millis {
    const delays: Millis[] = []
    for (const { heardAt, delayMs } of this.#paths.values())
      if (now - heardAt < RECENT_MS) delays.push(delayMs)
    if (delays.length < PATHS_MIN) return 0
    return delays.sort((a, b) => a - b)[Math.floor((delays.length - 1) / 2)] as Millis
  }
}
