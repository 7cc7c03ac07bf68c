// The connections that this node keeps: which it wants, which it has, whom it is
// dialling and when it tries again. Either end may dial; of two that want each
// other the smaller id goes first. It never forgets a member that it was not told
// to forget, and never gives up on one that it wants.

import { DeadlineQueue } from '../deadline-queue.js'
import type { Millis, NodeId } from '../ids.js'
import type { MemberRecord } from '../member.js'
import type { Rng } from '../rng.js'
import type { MembershipConfig } from './config.js'
import { Pulse } from './pulse.js'

export interface Link {
  readonly node: NodeId
  readonly pulse: Pulse
  readonly since: Millis
  /** The life of the peer that speaks here; null until its hello. */
  instance: string | null
  wantedByPeer: boolean
  /** Views are compared once it has said who it is. */
  owesDigest: boolean
  /** And of open cases it is told with its next word: by then it counts as company. */
  owesCases: boolean
  toldWanted: boolean | null
  /** When it was last given what it had missed of those that it accuses. */
  givenAt: Millis
  idleSince: Millis | null
  pingSentAt: Millis | null
  pingNonce: number
  /** Since when a dial to prove its address is under way. */
  verifyingSince: Millis | null
  /** Where this node dialled it, to be believed once the peer has said which life it is in. */
  provenAddress: string | null
}

const DIAL_FORGOTTEN_MS = 6_000

interface Dial {
  readonly startedAt: Millis
  pending: number
  /** Where a host took the call, and when: what follows waits for the process there. */
  readonly accepted: Map<string, Millis>
}

export class Links {
  readonly #self: NodeId
  readonly #config: MembershipConfig
  readonly #rng: Rng
  readonly #links = new Map<NodeId, Link>()
  readonly #dials = new Map<NodeId, Dial>()
  readonly #backoffMs = new Map<NodeId, Millis>()
  /** Addresses at which this node itself authenticated a certain life of a member. */
  readonly #proven = new Map<NodeId, { readonly addresses: Set<string>; readonly instance: string }>()
  /** The last life in which each member said hello to this node. */
  readonly #met = new Map<NodeId, string>()
  readonly redials = new DeadlineQueue<NodeId>()
  #wanted: ReadonlySet<NodeId> = new Set()

  constructor(self: NodeId, config: MembershipConfig, rng: Rng) {
    this.#self = self
    this.#config = config
    this.#rng = rng
  }

  get size(): number {
    return this.#links.size
  }

  get tableSize(): number {
    const { size: met } = this.#met
    return (
      this.#links.size + this.#dials.size + this.#backoffMs.size + this.#proven.size + met + this.redials.size
    )
  }

  get(id: NodeId): Link | undefined {
    return this.#links.get(id)
  }

  all(): Iterable<Link> {
    return this.#links.values()
  }

  isWanted(id: NodeId): boolean {
    return this.#wanted.has(id)
  }

  get wanted(): ReadonlySet<NodeId> {
    return this.#wanted
  }

  /** A dial whose outcome never came is not waited for any longer. */
  isDialing(now: Millis, id: NodeId): boolean {
    const dial = this.#dials.get(id)
    return dial !== undefined && now - dial.startedAt < DIAL_FORGOTTEN_MS
  }

  dialStartedAt(id: NodeId): Millis | null {
    return this.#dials.get(id)?.startedAt ?? null
  }

  /** A host took the call: it is up, and whether its process is shows when that had the time of a handshake. */
  accepted(now: Millis, id: NodeId, address: string): void {
    this.#dials.get(id)?.accepted.set(address, now)
  }

  /** Since when the handshake of a dial is under way; null where nobody took the call. */
  dialAcceptedAt(id: NodeId): Millis | null {
    const accepted = [...(this.#dials.get(id)?.accepted.values() ?? [])]
    return accepted.length === 0 ? null : Math.min(...accepted)
  }

  /** How many handshakes of its own dials are under way. */
  get handshakes(): number {
    let count = 0
    for (const { accepted } of this.#dials.values()) if (accepted.size > 0) count++
    return count
  }

  /** Sets whom this node wants, and plans the dials that follow, within that time. */
  want(now: Millis, wanted: ReadonlySet<NodeId>, withinMs: Millis): void {
    for (const id of this.#wanted) {
      if (!wanted.has(id)) {
        this.redials.delete(id)
        this.#backoffMs.delete(id)
      }
    }
    for (const id of wanted) {
      if (this.#links.has(id) || this.isDialing(now, id) || this.redials.get(id) !== null) continue
      const turn = this.#self < id ? 0 : this.#config.dialTurnMs
      this.redials.set(id, now + turn + this.#rng.below(Math.max(1, withinMs)))
    }
    this.#wanted = wanted
  }

  opened(now: Millis, id: NodeId): Link {
    this.#dials.delete(id)
    this.redials.delete(id)
    const link: Link = {
      node: id,
      pulse: new Pulse(this.#config.heartbeatMs, now),
      since: now,
      instance: null,
      wantedByPeer: true,
      owesDigest: false,
      owesCases: false,
      toldWanted: null,
      givenAt: Number.NEGATIVE_INFINITY,
      idleSince: null,
      pingSentAt: null,
      pingNonce: 0,
      verifyingSince: null,
      provenAddress: null,
    }
    this.#links.set(id, link)
    return link
  }

  closed(now: Millis, id: NodeId): Link | undefined {
    const link = this.#links.get(id)
    this.#links.delete(id)
    if (this.#wanted.has(id) && link !== undefined) {
      // A link that stood for a while starts its back-off anew; one that keeps breaking does not.
      if (now - link.since > this.#config.redialMaxMs) this.#backoffMs.delete(id)
      const { redialAfterMs, redialMinMs } = this.#config
      this.redials.set(id, now + redialAfterMs + this.#rng.below(Math.max(1, redialMinMs)))
    }
    return link
  }

  /** A dial begins: the addresses that were given to the transport each end in a failure or in one link. */
  dialled(now: Millis, id: NodeId, addresses: number): void {
    // Should no outcome come, it is tried again; an outcome moves this.
    if (this.#wanted.has(id)) this.redials.set(id, now + DIAL_FORGOTTEN_MS)
    else this.redials.delete(id)
    this.#dials.set(id, { startedAt: now, pending: addresses, accepted: new Map() })
  }

  /** One address failed; true when it was the last one, and the next attempt is planned. */
  failed(now: Millis, id: NodeId, address: string): boolean {
    const dial = this.#dials.get(id)
    // Somebody else took that call, or nobody was behind the door.
    dial?.accepted.delete(address)
    if (dial === undefined || --dial.pending > 0) return false
    this.#dials.delete(id)
    const backoffMs = this.#backoffMs.get(id) ?? this.#config.redialMinMs
    this.#backoffMs.set(id, Math.min(this.#config.redialMaxMs, backoffMs * 2))
    if (this.#wanted.has(id)) this.redials.set(id, now + this.#rng.jitter(backoffMs, 0.3))
    return true
  }

  /** Whether the last dials to it failed. */
  hasFailed(id: NodeId): boolean {
    return this.#backoffMs.has(id)
  }

  /** The peer was heard in its present life: the next loss is dialled from the shortest pause. */
  steady(id: NodeId): void {
    this.#backoffMs.delete(id)
  }

  /** It was held dead and is back: what failed while it was away says nothing of the next dial, which need not wait for long. */
  returned(now: Millis, id: NodeId): void {
    this.steady(id)
    const dueAt = this.redials.get(id)
    const { redialMinMs, upheavalSpreadMs } = this.#config
    if (dueAt === null || dueAt <= now + upheavalSpreadMs || this.isDialing(now, id)) return
    this.redials.set(id, now + redialMinMs + this.#rng.below(upheavalSpreadMs))
  }

  /** The peer said which life it is in. */
  hello(link: Link, instance: string): void {
    link.instance = instance
    this.#met.set(link.node, instance)
    this.steady(link.node)
  }

  lifeMet(id: NodeId): string | null {
    return this.#met.get(id) ?? null
  }

  /** This life of the member was met at this address. */
  prove(id: NodeId, address: string, instance: string): void {
    const held = this.#proven.get(id)
    if (held?.instance === instance) held.addresses.add(address)
    else this.#proven.set(id, { addresses: new Set([address]), instance })
  }

  /** Whether a refusal at this address says something about this life of the member. */
  isProven(record: MemberRecord, address: string): boolean {
    const held = this.#proven.get(record.id)
    return held !== undefined && held.instance === record.generation.instance && held.addresses.has(address)
  }

  /** One that was met by another name (a host's name, a port that is forwarded) is still to be met at its own. */
  hasProof(record: MemberRecord): boolean {
    return record.addresses.some(address => this.isProven(record, address))
  }

  forget(id: NodeId): void {
    this.#backoffMs.delete(id)
    this.#proven.delete(id)
    this.#met.delete(id)
    this.redials.delete(id)
  }

  /** Dials whose outcome never came are not kept. */
  expire(now: Millis): void {
    for (const id of [...this.#dials.keys()]) if (!this.isDialing(now, id)) this.#dials.delete(id)
  }

  postpone(now: Millis, byMs: Millis): void {
    for (const link of this.#links.values()) {
      link.pulse.postpone(now, byMs)
      if (link.pingSentAt !== null) link.pingSentAt += byMs
    }
  }
}
