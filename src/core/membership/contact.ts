// What a link's coming, going and frames mean: who is heard, what is answered at once,
// and which part has to look. It also says what goes out by itself: a heartbeat to the
// observers, and now and then a comparison with a random neighbor. It judges nobody.

import type { Millis, NodeId } from '../ids.js'
import type { MemberRecord, Sealed } from '../member.js'
import type { Channel, CoreEvent } from '../step.js'
import type { MembershipMessage } from './message.js'
import type { Parts } from './parts.js'
import { ping, type Shared, send, soon } from './shared.js'

export class Contact {
  readonly #shared: Shared
  readonly #parts: Parts
  #primariesAt = -1
  #primaryObservers: readonly NodeId[] = []
  lastHeardAt: Millis | null = null

  constructor(parts: Parts) {
    this.#shared = parts.shared
    this.#parts = parts
  }

  up(id: NodeId, address: string, outbound: boolean): void {
    const { now, links, roster, self, stage } = this.#shared
    if (stage !== 'booting' && stage !== 'here') return
    if (links.size === 0) {
      this.#parts.solitude.meet()
      this.#parts.selfKeeping.introduce()
    }
    if (outbound) {
      // Of two nodes, one may never dial the other by its name.
      const joinedSince = this.#parts.connect.joined(address)
      const startedAt = links.dialStartedAt(id) ?? joinedSince
      if (startedAt !== null) this.#shared.awareness.dialTook(now, now - startedAt)
    }
    const link = links.opened(now, id)
    this.lastHeardAt = now
    if (outbound) link.provenAddress = address
    // Before its generation is durable this node says nothing of itself.
    if (stage === 'here') send(this.#shared, id, { kind: 'hello', record: self.sealed })
    this.#parts.connect.tellWanted(id)
    // What a lonely node holds of others is of no worth, and perhaps taken back when it has heard who this is.
    if (outbound && roster.isAlone) link.owesDigest = true
    else if (outbound) this.#parts.spread.greet(id)
    ping(this.#shared, link)
    this.#parts.watches.linkUp(id)
    this.#parts.connect.linkUp()
    this.#parts.sweep.ended(id)
  }

  down(id: NodeId, reset: boolean): void {
    const { now, links, clock } = this.#shared
    const link = links.closed(now, id)
    if (link === undefined) return
    clock.forget(id)
    this.#shared.awareness.linkDown(id)
    this.#parts.spread.linkDown(id)
    if (this.#shared.stage === 'leaving') return
    const dialAt = this.#parts.watches.linkDown(link) ?? this.#parts.hosts.linkDown(link)
    if (dialAt !== null && reset) this.#parts.connect.dialAt(id, dialAt)
    // Links that nobody wanted are let go in crowds; that is no loss.
    if (reset && links.isWanted(id)) this.#parts.sweep.linkLost(id)
    if (links.size === 0) this.#parts.connect.alone()
  }

  /** Gossip may bring a member's own word before its hello. */
  gossip(from: NodeId, records: readonly Sealed<MemberRecord>[]): void {
    this.#parts.sweep.spoke(from)
    const own = records.find(record => record.body.id === from)
    if (own !== undefined) this.#parts.solitude.heardWord(own.body)
  }

  verified(id: NodeId, address: string): void {
    const { links, awareness, now } = this.#shared
    const link = links.get(id)
    if (link === undefined) return
    // In a small mesh, who was always dialled by the others learns only here how long a dial takes.
    if (link.verifyingSince !== null) awareness.dialTook(now, now - link.verifyingSince)
    link.verifyingSince = null
    if (link.instance !== null) this.#parts.admission.met(id, address, link.instance)
  }

  dialFailed(event: CoreEvent & { kind: 'dialFailed' }): void {
    const { links, now } = this.#shared
    if (event.node === null) {
      if (event.reason === 'self') this.#parts.connect.metSelf(event.address)
      this.#parts.connect.joinFailed(event.address)
      return
    }
    const link = links.get(event.node)
    if (link !== undefined && link.verifyingSince !== null) {
      link.verifyingSince = null
      soon(this.#shared, 'verify', now + this.#shared.config.redialMaxMs)
    }
    const wasTaken = links.dialAcceptedAt(event.node) !== null
    const wasLast = links.failed(now, event.node, event.address)
    this.#parts.watches.dialFailed(event.node, event.address, event.reason, wasTaken)
    if (wasLast) this.#parts.sweep.ended(event.node)
    if (event.reason === 'identity') this.#parts.connect.metStranger(event.address)
  }

  frame(from: NodeId, message: MembershipMessage, channel: Channel): void {
    const { now, links, clock, roster, awareness } = this.#shared
    const link = links.get(from)
    if (link === undefined) {
      if (message.kind === 'hearsay') this.#parts.admission.hearsay(message.lines)
      return
    }
    this.lastHeardAt = now
    if (message.kind === 'heartbeat') link.pulse.beat(now, this.#shared.config)
    else link.pulse.frame(now, this.#shared.config)
    this.#parts.watches.heard(link)
    if (message.kind === 'hello') this.#parts.solitude.heardWord(message.record.body)
    else this.#parts.solitude.heard(from, link.instance)
    if (link.owesCases) {
      link.owesCases = false
      this.#parts.admission.tellOpenCases(from)
    }
    if ('meshTime' in message) awareness.heard(now, from, message.meshTime)
    switch (message.kind) {
      case 'heartbeat':
        clock.observe(now, from, message.meshTime)
        return this.#parts.spread.heardView(from, message.view)
      case 'hello':
        this.#parts.admission.hello(from, message.record)
        if (!link.owesDigest) return
        link.owesDigest = false
        return this.#parts.spread.offerDigest(from)
      case 'ping':
        clock.observe(now, from, message.meshTime)
        return send(this.#shared, from, { kind: 'pong', nonce: message.nonce, meshTime: clock.wall(now) })
      case 'pong':
        clock.observe(now, from, message.meshTime)
        if (message.nonce === link.pingNonce && link.pingSentAt !== null) {
          // What it took longer because this node was busy says nothing about the path, and would be believed for long.
          link.pulse.roundTrip((now - link.pingSentAt) / awareness.stretch(now))
          awareness.answered(now, from, now - link.pingSentAt)
          link.pingSentAt = null
        }
        return
      case 'want':
        link.wantedByPeer = message.on
        return
      case 'rumor':
        return this.#parts.admission.rumor(message, from, false, channel === 'bulk')
      case 'memberDigest':
        if (link.instance === null && roster.isAlone) {
          link.owesDigest = true
          return
        }
        return this.#parts.spread.onDigest(from, message.buckets)
      case 'memberSummaries':
        return void this.#parts.spread.onSummaries(from, message.buckets, message.lines)
      case 'memberWants':
        return this.#parts.spread.give(
          from,
          message.ids.filter(id => roster.get(id) !== undefined),
        )
      case 'hearsay':
        return this.#parts.admission.hearsay(message.lines)
      default:
        return
    }
  }

  beat(): void {
    const { now, config, rng, chores, clock, links, roster } = this.#shared
    const beat = { kind: 'heartbeat', meshTime: clock.wall(now), view: roster.view } as const
    for (const id of this.#primaries()) if (links.get(id) !== undefined) send(this.#shared, id, beat)
    chores.set('heartbeat', now + rng.jitter(config.heartbeatMs, config.jitter))
  }

  /** Who gets this node's heartbeats: whoever watches it, and these change when views settle. */
  #primaries(): readonly NodeId[] {
    const { roster, config, id } = this.#shared
    const { settledRevision } = this.#parts.connect
    if (this.#primariesAt !== settledRevision) {
      this.#primariesAt = settledRevision
      this.#primaryObservers = roster.observersOf(id, config.primaryObservers)
    }
    return this.#primaryObservers
  }

  exchange(): void {
    const { now, config, rng, chores, links } = this.#shared
    const neighbors = [...links.all()].map(link => link.node).sort()
    if (neighbors.length > 0) this.#parts.spread.offerDigest(rng.pick(neighbors))
    chores.set('exchange', now + rng.jitter(config.exchangeMs, 0.3))
  }
}
