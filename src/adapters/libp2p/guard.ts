// Judges what a peer sends: how fast, and whether it can be read at all. Too fast
// is first answered by not reading (TCP then slows the sender); only a peer that
// stays at it, or breaks the framing, is named. What to do about it (a ban) is the core's.

import type { Millis, NodeId } from '../../core/ids.js'
import { Bucket } from './bucket.js'
import { limits } from './limits.js'

const PEERS_MAX = 4_096

interface Conduct {
  readonly frames: Bucket
  readonly bulk: Bucket
  readonly gossip: Bucket
  windowFrom: Millis
  throttledMs: Millis
  rejected: number
  reported: boolean
}

export class Guard {
  readonly #peers = new Map<NodeId, Conduct>()
  readonly #report: (node: NodeId, offence: string) => void
  readonly #now: () => Millis

  constructor(report: (node: NodeId, offence: string) => void, now: () => Millis) {
    this.#report = report
    this.#now = now
  }

  /** A small frame came: for how long to stop reading from this peer, 0 for not at all. */
  frame(node: NodeId, bytes: number): Millis {
    const now = this.#now()
    const conduct = this.#conduct(node, now)
    const owedMs = conduct.frames.take(now, bytes)
    if (owedMs === 0) return 0
    const waitMs = Math.max(owedMs, limits.throttleMs)
    this.#throttled(node, conduct, waitMs, 'flood')
    return waitMs
  }

  /** A chunk came. A large synchronisation is no offence: it is only slowed down. */
  bulk(node: NodeId, bytes: number): Millis {
    const now = this.#now()
    return this.#conduct(node, now).bulk.take(now, bytes)
  }

  /** A gossip message came: whether to look at it. */
  gossip(node: NodeId, bytes: number): boolean {
    const now = this.#now()
    const conduct = this.#conduct(node, now)
    const waitMs = conduct.gossip.take(now, bytes)
    if (waitMs > 0) this.#throttled(node, conduct, Math.min(waitMs, 100), 'gossip-flood')
    return waitMs === 0
  }

  /** Validation refused what this peer passed on. */
  rejected(node: NodeId): void {
    const conduct = this.#conduct(node)
    if (++conduct.rejected >= limits.rejectedReport) this.#tell(node, conduct, 'gossip-invalid')
  }

  malformed(node: NodeId, offence: string): void {
    this.#tell(node, this.#conduct(node), offence)
  }

  #throttled(node: NodeId, conduct: Conduct, ms: Millis, offence: string): void {
    conduct.throttledMs += ms
    if (conduct.throttledMs >= limits.throttledReportMs) this.#tell(node, conduct, offence)
  }

  #tell(node: NodeId, conduct: Conduct, offence: string): void {
    if (conduct.reported) return
    conduct.reported = true
    this.#report(node, offence)
  }

  #conduct(node: NodeId, now = this.#now()): Conduct {
    let conduct = this.#peers.get(node)
    if (conduct === undefined) {
      // The oldest entry goes; a peer that is still here gets a fresh one, which is lenient and bounded.
      if (this.#peers.size >= PEERS_MAX) this.#peers.delete(this.#peers.keys().next().value as NodeId)
      conduct = {
        frames: frameBucket(now),
        bulk: frameBucket(now),
        gossip: gossipBucket(now),
        windowFrom: now,
        throttledMs: 0,
        rejected: 0,
        reported: false,
      }
      this.#peers.set(node, conduct)
    }
    if (now - conduct.windowFrom >= limits.throttledWindowMs) {
      conduct.windowFrom = now
      conduct.throttledMs = 0
      conduct.rejected = 0
      conduct.reported = false
    }
    return conduct
  }
}

const frameBucket = (now: Millis): Bucket =>
  new Bucket(
    {
      framesPerSecond: limits.peerFramesPerSecond,
      framesBurst: limits.peerFramesBurst,
      bytesPerSecond: limits.peerBytesPerSecond,
      bytesBurst: limits.peerBytesBurst,
    },
    now,
  )

const gossipBucket = (now: Millis): Bucket =>
  new Bucket(
    {
      framesPerSecond: limits.peerGossipPerSecond,
      framesBurst: limits.peerGossipBurst,
      bytesPerSecond: limits.peerBytesPerSecond,
      bytesBurst: limits.peerBytesBurst,
    },
    now,
  )
