// When this node dials, and whom: the neighbors that the observer graph asks for,
// the addresses it was told to join, everybody it remembers while it is alone, and the
// dead now and then. Whom it reaches for after a heavy loss stands in `sweep`.

import type { Millis, NodeId } from '../ids.js'
import { isPresent } from './roster.js'
import { knownAddresses, type Search } from './search.js'
import { type Shared, send, soon } from './shared.js'
import type { Watches } from './watch.js'

const ALONE_DIALS_AT_ONCE = 8
/** When it starts: one link is enough to be known, and in a process that has just started each takes long. */
const ALONE_DIALS_FIRST = 2
/** As many a second, but one never has to wait long for the next. */
const ALONE_DIALS_OFTEN = 2
const OLD_DEATH_MS = 600_000

const JOIN_ADDRESSES_MAX = 256

interface JoinAttempt {
  backoffMs: Millis
  nextAt: Millis
  /** Since when it is dialled without an outcome. */
  dialledAt: Millis | null
  /** Somebody answered there once: in company it need not be tried again. */
  isMet: boolean
  isOwn: boolean
}

export class Connect {
  readonly #shared: Shared
  readonly #watches: Watches
  readonly #search: Search
  readonly #join = new Map<string, JoinAttempt>()
  #extra: readonly NodeId[] = []
  #seenRingRevision = -1
  /** The rings as they stood when it last chose its neighbors. */
  settledRevision = -1
  /** Since when they have been other ones. */
  #unsettledSince: Millis | null = null
  /** Whether it has already tried a few, when it started. */
  #hasTriedSome = false
  /** Whom it remembered when it started and has not tried yet: each gets one try before anybody gets a second. */
  #untried: NodeId[] | null = null

  constructor(shared: Shared, watches: Watches, search: Search) {
    this.#shared = shared
    this.#watches = watches
    this.#search = search
  }

  get size(): number {
    return this.#join.size
  }

  /**
   * Addresses to join, tried for ever until somebody was met there: quickly while
   * this node is alone, slowly in company, which may be an island.
   */
  join(addresses: readonly string[]): void {
    for (const address of addresses) {
      if (this.#join.size >= JOIN_ADDRESSES_MAX) break
      const { now, config } = this.#shared
      this.#join.set(address, {
        backoffMs: config.joinMinMs,
        nextAt: now,
        dialledAt: null,
        isMet: false,
        isOwn: false,
      })
    }
    this.#shared.chores.set('join', this.#shared.now)
  }

  /** Members that other parts of the core want as neighbors too. */
  wantExtra(ids: readonly NodeId[]): void {
    if (ids.length === this.#extra.length && ids.every((id, i) => id === this.#extra[i])) return
    this.#extra = ids
    this.#seenRingRevision = -1
    soon(this.#shared, 'view', this.#shared.now + this.#shared.config.viewDebounceMs)
  }

  /** The rings changed: neighbors follow a little later. */
  viewChanged(): void {
    const { now, config, chores, roster } = this.#shared
    if (roster.ringRevision === this.#seenRingRevision || chores.get('view') !== null) return
    chores.set('view', now + config.viewDebounceMs)
  }

  /** After a split neighbors are sought when all is known: a handshake takes as long as ten words of others. */
  settleLater(): void {
    const { now, config, roster, chores, awareness, jury } = this.#shared
    this.#unsettledSince ??= now
    // A machine that is busy with words has no time for handshakes.
    const isMore = awareness.isBusy(now) && (awareness.isCrowded(now) || jury.isTorn)
    const mayWait = now - this.#unsettledSince < config.upheavalMaxMs
    const seekAt = isMore && mayWait ? now + config.seekLaterMs : awareness.upheavalUntil
    if (now >= seekAt) return this.settleView()
    this.#seenRingRevision = roster.ringRevision
    chores.set('seek', seekAt)
  }

  /** Computes whom this node wants and watches, from the rings as they stand. */
  settleView(): void {
    const { now, config, roster, links, chores, id, awareness } = this.#shared
    this.#seenRingRevision = roster.ringRevision
    this.settledRevision = roster.ringRevision
    this.#unsettledSince = null
    const k = config.observersPerMember
    const subjects = roster.subjects(k)
    const observers = roster.observersOf(id, k)
    const wanted = new Set<NodeId>([...observers, ...subjects])
    for (const extra of this.#extra) {
      const entry = roster.get(extra)
      if (extra !== id && entry !== undefined && isPresent(entry.verdict)) wanted.add(extra)
    }
    const areAllSeeking = now < awareness.upheavalUntil + config.upheavalSpreadMs || awareness.isCrowded(now)
    links.want(now, wanted, areAllSeeking ? config.upheavalSpreadMs : config.dialTurnMs / 4)
    for (const link of links.all()) this.tellWanted(link.node)
    this.#watches.setSubjects(subjects)
    chores.delete('seek')
    soon(
      this.#shared,
      'verify',
      Math.max(now, awareness.upheavalUntil + config.sweepPauseMs) + config.verifyAfterMs,
    )
    chores.set('branches', now + config.branchesAfterMs)
  }

  tellWanted(id: NodeId): void {
    const { links } = this.#shared
    const link = links.get(id)
    if (link === undefined) return
    const on = links.isWanted(id)
    if (link.toldWanted === on) return
    link.toldWanted = on
    send(this.#shared, id, { kind: 'want', on })
  }

  /** A dial that is due. */
  redial(id: NodeId): void {
    const { roster, links } = this.#shared
    const entry = roster.get(id)
    if (entry === undefined || !isPresent(entry.verdict) || links.get(id) !== undefined) return
    const { now, config, rng } = this.#shared
    if (this.#isOccupied) links.redials.set(id, now + rng.jitter(config.occupiedMs, 0.3))
    else this.dial(id)
  }

  /**
   * Handshakes are under way that its machine is too busy to end: more of them would end none. Fifty nodes that had
   * too little of theirs dialled each other so often that no handshake was done in its time, and never met again.
   */
  get #isOccupied(): boolean {
    const { now, config, awareness, links } = this.#shared
    return awareness.isBusy(now) && links.handshakes >= config.handshakesBusy
  }

  /** Dials at that time, or before if it was to be dialled before. */
  dialAt(id: NodeId, at: Millis): void {
    const { now, links } = this.#shared
    if (at <= now) return this.dial(id)
    const heldAt = links.redials.get(id)
    if (heldAt === null || heldAt > at) links.redials.set(id, at)
  }

  dial(id: NodeId): void {
    const { now, roster, links, out } = this.#shared
    const record = roster.get(id)?.record
    if (record === undefined || links.isDialing(now, id) || links.get(id) !== undefined) return
    if (!record.dialable || record.addresses.length === 0) return
    links.dialled(now, id, record.addresses.length)
    out.push({ kind: 'dial', node: id, addresses: record.addresses })
  }

  linkUp(): void {
    this.#search.met()
  }

  /** Somebody else answers there, as after new leases: whoever it is can tell where the others are. */
  metStranger(address: string): void {
    const { links, roster, out } = this.#shared
    if (links.size === 0 || !knownAddresses(roster).has(address))
      out.push({ kind: 'dial', node: null, addresses: [address] })
  }

  /** No link at all: try the remembered members, look around, ask the given addresses. */
  alone(): void {
    const { now, config, links, roster, rng, chores, id } = this.#shared
    if (links.size > 0) return
    this.#search.alone(roster.size > 1 || this.#join.size > 0)
    const others = roster
      .all()
      .filter(entry => entry.id !== id && entry.verdict !== 'left' && !links.isDialing(now, entry.id))
    const isFresh = roster.isAlone && others.some(entry => now - entry.since < OLD_DEATH_MS)
    const isFirst = !this.#hasTriedSome
    this.#hasTriedSome = true
    const dials = isFresh ? ALONE_DIALS_OFTEN : isFirst ? ALONE_DIALS_FIRST : ALONE_DIALS_AT_ONCE
    this.#untried ??= rng.shuffle(others.map(entry => entry.id))
    const next = this.#isOccupied ? [] : this.#untried.splice(0, dials)
    const again = this.#isOccupied ? [] : rng.shuffle(others.map(entry => entry.id)).slice(0, dials)
    const chosen = next.length > 0 ? next : again
    for (const each of chosen) this.dial(each)
    for (const [, attempt] of this.#join) attempt.nextAt = Math.min(attempt.nextAt, now + config.joinMinMs)
    if (this.#join.size > 0) soon(this.#shared, 'join', now + config.joinMinMs)
    const hasMore = isFresh || this.#untried.length > 0
    const againMs = isFirst ? config.firstLinkMs : hasMore ? config.aloneRedialMs : config.deadRedialMs
    chores.set('alone', now + rng.jitter(againMs, 0.3))
  }

  tryJoin(): void {
    const { now, config, links, rng, out, chores, roster } = this.#shared
    const isAlone = links.size === 0
    const known = isAlone ? null : knownAddresses(roster)
    let next: Millis | null = null
    for (const [address, attempt] of this.#join) {
      if (attempt.isOwn || (known !== null && (attempt.isMet || known.has(address)))) continue
      if (attempt.nextAt <= now) {
        out.push({ kind: 'dial', node: null, addresses: [address] })
        attempt.dialledAt ??= now
        attempt.nextAt =
          now +
          rng.jitter(isAlone ? attempt.backoffMs : Math.max(attempt.backoffMs, config.joinInCompanyMs), 0.3)
        attempt.backoffMs = Math.min(config.joinMaxMs, attempt.backoffMs * 2)
      }
      next = next === null ? attempt.nextAt : Math.min(next, attempt.nextAt)
    }
    if (next !== null) chores.set('join', next)
  }

  /** A dial without a name led to a link; returns when it began. */
  joined(address: string): Millis | null {
    const attempt = this.#join.get(address)
    if (attempt === undefined) return null
    const { dialledAt } = attempt
    attempt.isMet = true
    attempt.dialledAt = null
    return dialledAt
  }

  /** A dial without a name failed: the next one is another. */
  joinFailed(address: string): void {
    const attempt = this.#join.get(address)
    if (attempt !== undefined) attempt.dialledAt = null
  }

  /** An address that was given to join means this node itself. */
  metSelf(address: string): void {
    const attempt = this.#join.get(address)
    if (attempt !== undefined) attempt.isOwn = true
  }

  /**
   * Tries one of the dead that fall to this node, so that a healed cut closes by itself: those
   * of its neighborhood, and those that it accused, whom perhaps nobody else holds dead.
   */
  tryDead(): void {
    const { now, config, roster, rng, chores, id, awareness } = this.#shared
    // In a split it is too soon, and those who are back tell all of each other by now.
    if (now < awareness.upheavalUntil || awareness.isCrowded(now) || this.#isOccupied)
      return void chores.set('dead', now + rng.jitter(config.deadRedialMs, 0.4))
    const k = config.observersPerMember
    const mine = roster
      .all()
      .filter(
        entry =>
          entry.verdict === 'dead' &&
          entry.record.dialable &&
          (entry.proof.some(({ body }) => body.accuser === id) ||
            roster.rings.successors(entry.id, 2 * k).includes(id)),
      )
    if (mine.length === 0) {
      chores.delete('dead')
      return
    }
    this.dial(rng.pick(mine).id)
    const isFresh = mine.some(entry => now - entry.since < OLD_DEATH_MS)
    chores.set('dead', now + rng.jitter(isFresh ? config.deadRedialMs : config.oldDeadRedialMs, 0.4))
  }

  /** Links that neither end wants are let go after a while. */
  trimIdle(): void {
    const { now, config, links, roster, out, chores } = this.#shared
    // The rings have changed since: whose link it would let go it may have to watch.
    const isSettled = roster.ringRevision === this.settledRevision
    for (const link of isSettled ? links.all() : []) {
      const isIdle = !links.isWanted(link.node) && !link.wantedByPeer
      if (!isIdle) link.idleSince = null
      else if (link.idleSince === null) link.idleSince = now
      else if (now - link.idleSince >= config.lingerMs)
        out.push({ kind: 'hangUp', node: link.node, why: 'no longer neighbors' })
    }
    chores.set('idle', now + config.lingerMs / 2)
  }

  /** Meets each subject once at its own address, so that a refusal there can be believed. */
  verifyNext(): void {
    const { now, config, roster, links, out, chores, rng } = this.#shared
    for (const link of links.all()) {
      const record = roster.get(link.node)?.record
      if (record === undefined || !record.dialable || !this.#watches.isSubject(link.node)) continue
      if (link.instance !== record.generation.instance || links.hasProof(record)) continue
      if (link.verifyingSince !== null) continue
      link.verifyingSince = now
      out.push({ kind: 'dial', node: link.node, addresses: record.addresses, verify: true })
      chores.set('verify', now + rng.jitter(config.verifyAfterMs, 0.5))
      return
    }
    chores.delete('verify')
  }
}
