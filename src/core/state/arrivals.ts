// What others wrote: by broadcast, or in answer to a comparison. Decides what of it is
// applied, what is held back and what is dropped, and when this node has to give up a
// lineage because somebody else has used it.
//
// An update is checked before anything is touched (check.ts, room.ts). A peer's fault is
// counted and forgotten; too many of them, and the peer is ignored for a while.
//
// It never throws for what a peer sent, and persists at leisure: the others have it too.

import * as Y from 'yjs'
import { type HybridClock, type Stamp, stampMs } from '../hybrid-clock.js'
import type { Millis, NodeId } from '../ids.js'
import { type Checked, checkUpdate, type DecodedDeletes } from './check.js'
import type { Vector } from './digest.js'
import { NO_EVIDENCE } from './doubt.js'
import { updateWithout } from './encode.js'
import { EMPTY_UPDATE } from './filling.js'
import type { Frame } from './frame.js'
import type { Gaps } from './gaps.js'
import type { Holdings } from './holdings.js'
import { isReserved } from './limits.js'
import type { StateMessage } from './message.js'
import { isDocument, nameOf } from './names.js'
import { type Offence, Offences } from './offences.js'
import { NEWS_TOPIC, topicOf } from './outbox.js'
import type { OwnWrites } from './own-writes.js'
import type { Replica } from './replica.js'
import { hasRoomFor } from './room.js'
import type { Because } from './stored-log.js'
import { clientOf, newLineage, nodeOfList } from './writer.js'

/** Who broadcast an update, and the only client that it may write as. */
interface Author {
  readonly node: NodeId
  readonly client: number
}

export interface ArrivalsHost {
  readonly frame: Frame
  readonly holdings: Holdings
  readonly gaps: Gaps
  readonly clock: HybridClock
  readonly own: OwnWrites
  /** Something of it has changed. */
  changed(replica: Replica): void
  /** The neighbors are to be told that there is something new. */
  tellSoon(now: Millis): void
  /** Whether it has still to be compared with somebody since this node booted. */
  isSilent(replica: Replica): boolean
}

export class Arrivals {
  readonly #host: ArrivalsHost
  readonly #offences: Offences
  /** The newest stamp of what is being applied. */
  #newest: Stamp = 0

  constructor(host: ArrivalsHost) {
    this.#host = host
    const { offencesMax, throttleMs } = host.frame.config
    this.#offences = new Offences(offencesMax, throttleMs)
  }

  /** A stamp came into a replica. */
  sawStamp(stamp: Stamp): void {
    const { clock, frame } = this.#host
    // What is loaded comes before the wall is known, and is looked at once it is.
    if (frame.isWallKnown) clock.observe(stamp, frame.wall())
    this.#newest = Math.max(this.#newest, stamp)
  }

  /** The wall is known: what was stored counts as seen. */
  sawWall(): void {
    const { clock, frame, holdings } = this.#host
    if (frame.isWallKnown) return
    frame.isWallKnown = true
    for (const { entries } of holdings.all())
      for (const stamp of entries.stamps()) clock.observe(stamp, frame.wall())
  }

  isIgnored(node: NodeId, now: Millis): boolean {
    return this.#offences.isIgnored(node, now)
  }

  /** Offences since this was last asked. */
  takeOffences(): Offence[] {
    return this.#offences.take()
  }

  onGossip(now: Millis, from: NodeId, topic: string, message: StateMessage): void {
    const { holdings } = this.#host
    if (this.isIgnored(from, now)) return
    if (
      message.kind !== 'stateUpdate' ||
      !isDocument(message.document) ||
      (topic !== NEWS_TOPIC && topicOf(message.document) !== topic)
    ) {
      this.offence(now, from, 'gossip')
      return
    }
    const { document, lineage, update } = message
    const author = { node: from, client: clientOf(from, lineage) }
    const replica = holdings.find(document) ?? this.begin(now, from, document, update, author)
    if (replica === undefined) return
    replica.pace.heard(now, from)
    this.receive(now, from, replica, update, author.client)
  }

  /**
   * Begins a document that is not here, if there is a place for it, and something is written by the update: a name alone
   * takes up none. `author`: who speaks for himself; null where it is passed on.
   */
  begin(
    now: Millis,
    from: NodeId,
    document: string,
    update: Uint8Array,
    author: Author | null,
  ): Replica | undefined {
    const { holdings } = this.#host
    if (!holdings.isWanted(document, from)) return undefined
    const checked = this.#check(document, update, author?.client ?? null)
    if (!checked.ok) this.offence(now, from, checked.reason)
    if (!checked.ok || checked.writers.size === 0) return undefined
    return holdings.ensureOf(document, author === null ? firstAuthor(update) : author.node, from)
  }

  #check(document: string, update: Uint8Array, author: number | null): Checked {
    const { config } = this.#host.frame
    if (update.length > config.updateBytesMax) return { ok: false, reason: 'too-large' }
    const { reservedValueBytesMax, valueBytesMax } = config
    const valueMax = isReserved(nameOf(document)) ? reservedValueBytesMax : valueBytesMax
    return checkUpdate(update, document.startsWith('space/') ? 'space' : 'doc', author, config, valueMax)
  }

  /**
   * Checks and applies an update; true when it brought something new. `author`: the only
   * client that it may write as, or null for any.
   */
  receive(now: Millis, from: NodeId, replica: Replica, update: Uint8Array, author: number | null): boolean {
    const { frame, gaps, holdings } = this.#host
    const { config } = frame
    const checked = this.#check(replica.document, update, author)
    if (!checked.ok) {
      this.offence(now, from, checked.reason)
      return false
    }
    const placeless = holdings.writers.withoutPlace(replica, checked, from, author !== null)
    if (placeless.size > 0) {
      frame.count('shoal_state_dropped_total', { reason: 'limit' })
      // What others wrote must not be lost for being in company.
      const rest = updateWithout(update, placeless)
      return rest !== null && this.receive(now, from, replica, rest, null)
    }
    if (!hasRoomFor(replica, checked, update.length, holdings.bytesFor(replica), config)) {
      // No fault of its sender, who may hold less than this node, and passes on what others wrote.
      frame.count('shoal_state_dropped_total', { reason: 'limit' })
      return false
    }
    // What refers to own clocks that others know better would be taken for a word on what stands under them here.
    // It comes again: all neighbors are asked once this node has been compared with one.
    const isUncompared =
      author !== null && (replica.own.clock > 0 || replica.own.mayBeOld) && this.#host.isSilent(replica)
    if (isUncompared && (replica.kind === 'doc' || replica.own.deletesOfThisBoot(checked.deletes))) {
      frame.count('shoal_state_dropped_total', { reason: 'uncompared' })
      return false
    }
    const [writer] = checked.writers
    if (author !== null && replica.kind === 'space' && writer !== undefined) {
      const [client, clock] = writer
      if (clock > replica.clockOf(client)) {
        holdings.writers.spoke(replica, checked, from, true)
        if (!gaps.hold(replica, { from, update, client, clock }))
          frame.count('shoal_state_dropped_total', { reason: 'early' })
        gaps.look(now, replica, from)
        return false
      }
    }
    const isNew = this.#apply(now, from, replica, update, checked.deletes)
    holdings.writers.spoke(replica, checked, from, author !== null)
    // Of spaces, in which nothing is nested.
    for (let early = gaps.takeReady(replica); early !== undefined; early = gaps.takeReady(replica))
      this.#apply(now, early.from, replica, early.update, NO_DELETES)
    gaps.look(now, replica, from)
    return isNew
  }

  /** Another node says that it knows more of this node's own writing than it does itself, or than was loaded. */
  sawVector(now: Millis, from: NodeId, replica: Replica, vector: Vector): void {
    // It is sent in any case, and then it is certain; to wait for that risks something, but not for ever more bytes.
    if (replica.own.claimed < this.#host.frame.config.claimedLineages)
      this.#saw(now, from, replica, vector, 'claimed')
  }

  #saw(now: Millis, from: NodeId, replica: Replica, vector: Vector, because: Because): void {
    const theirs = vector.get(replica.client) ?? 0
    const own = replica.clockOf(replica.client)
    if (own === replica.own.bootClock) {
      // What is written before that has arrived would stand under the same clocks.
      if (theirs > own) this.#retire(now, replica, false, vector, because)
      return
    }
    if (theirs <= own && (replica.own.exposed || theirs <= replica.own.bootClock)) return
    // A copy of a disk says that nobody can know what the disk itself may have told since: it is on its way here.
    if (replica.own.wasAlone) replica.own.doubt = { from, theirs: vector, because, evidence: NO_EVIDENCE }
    else this.#retire(now, replica, true, vector, because)
  }

  /**
   * A piece that shows what others know of own clocks that are in doubt; to be looked at before it is applied.
   * Returns whether it may be: as long as they are in doubt, a delete of one may mean something else. It comes again.
   */
  weigh(now: Millis, from: NodeId, replica: Replica, update: Uint8Array, isLast: boolean): boolean {
    const { own } = replica
    if (update.length > this.#host.frame.config.updateBytesMax) return own.doubt === null
    // A series may bring what its sender did not know yet when it last told a vector.
    if (own.doubt === null && own.mayClash) {
      const brought = vectorOf(update)
      if ((brought.get(replica.client) ?? 0) > own.bootClock) this.#saw(now, from, replica, brought, 'known')
    }
    const { doubt } = own
    if (doubt === null) return true
    if (own.weigh(update, doubt) || (isLast && from === doubt.from)) this.settle(now, replica)
    return own.doubt === null
  }

  /** Nothing more is to be waited for: what has not proved to be the same is something else. */
  settle(now: Millis, replica: Replica): void {
    const { doubt } = replica.own
    if (doubt === null) return
    replica.own.decide(doubt)
    const theirs = doubt.theirs.get(replica.client) ?? 0
    const own = replica.clockOf(replica.client)
    // What is written before the rest has arrived would stand under the same clocks.
    if (own === replica.own.bootClock ? theirs > own : theirs > replica.own.bootClock)
      this.#retire(now, replica, own > replica.own.bootClock, doubt.theirs, doubt.because)
    // What came while it was in doubt was not applied.
    this.#host.tellSoon(now)
  }

  /** Nobody who can be relied on has shown what is known of own clocks that were given out before this boot. */
  leaveBehind(now: Millis, replica: Replica): void {
    this.settle(now, replica)
    if (!replica.own.mayBeOld) return
    this.#retire(now, replica, replica.own.clock > replica.own.bootClock, NOTHING_KNOWN, 'left')
  }

  offence(now: Millis, from: NodeId, offence: string): void {
    const { frame } = this.#host
    frame.count('shoal_state_dropped_total', { reason: offence })
    if (!this.#offences.add(from, offence, now)) return
    frame.emit({
      kind: 'log',
      level: 'warn',
      text: 'a peer broke the rules of shared state too often and is ignored for a while',
      fields: { node: from, offence, forMs: frame.config.throttleMs },
    })
  }

  /** A checked update that builds on nothing that is missing, as far as its writer goes. */
  #apply(now: Millis, from: NodeId, replica: Replica, update: Uint8Array, deletes: DecodedDeletes): boolean {
    const { frame } = this.#host
    this.#newest = 0
    const applied = replica.applyRemote(update, deletes)
    if (this.#newest > 0) {
      frame.count('state_arrivals', {})
      frame.count('state_lag_ms', {}, Math.max(0, frame.wall(now) - stampMs(this.#newest)))
    }
    if (applied === 'unappliable') {
      this.offence(now, from, 'unappliable')
      return false
    }
    if (applied !== null) {
      replica.own.lookAtClaims()
      this.#host.changed(replica)
      frame.emit({ kind: 'persist', writes: replica.log(applied.update, false), flush: false, token: null })
      // A copy that is being filled gets it in its turn.
      if (replica.filling !== null) replica.filling.deleted(applied.deletes)
      else if (replica.opened) {
        const { update } = applied
        frame.emit({ kind: 'documentChanged', name: replica.name, update, clientId: null, fill: null })
      }
    }
    if (replica.clockOf(replica.client) !== replica.own.clock)
      this.#retire(now, replica, replica.own.clock > replica.own.bootClock, NOTHING_KNOWN, 'known')
    return applied !== null
  }

  /**
   * This clientID is in use elsewhere (a restored backup, a cloned card). It is given up;
   * with `conflict` the same clocks mean different things here and there, so what was
   * written here since boot is taken out and written again under the new one.
   */
  #retire(now: Millis, replica: Replica, conflict: boolean, theirs: Vector, because: Because): void {
    const { frame, own } = this.#host
    const { document, kind, opened } = replica
    frame.count('shoal_state_lineages_retired_total', {})
    frame.emit({
      kind: 'log',
      level: 'warn',
      text: `${BECAUSE[because]}: writing under a new lineage`,
      fields: { document, lineage: replica.lineage },
    })
    // What has left of a raw document is kept: it may be the only one that some have heard of.
    const isTakenOut = conflict && (kind === 'space' || !replica.own.exposed)
    const forgotten = isTakenOut ? replica.forgetThisBoot(theirs) : null
    if (because === 'claimed') replica.own.noteClaim(theirs.get(replica.client) ?? 0)
    replica.renew(newLineage(frame.rng), because)
    this.#host.changed(replica)
    if (forgotten !== null) own.again(replica, forgotten)
    if (opened && forgotten !== null && kind === 'doc') {
      replica.opened = false
      replica.filling = null
      frame.emit({ kind: 'documentEnded', name: replica.name })
      const text =
        'a document is ended here, because what was written to it bears other names now: open it again'
      frame.emit({ kind: 'log', level: 'warn', text, fields: { document } })
    } else if (opened)
      frame.emit({
        kind: 'documentChanged',
        name: replica.name,
        update: EMPTY_UPDATE,
        clientId: replica.client,
        fill: null,
      })
    this.#host.tellSoon(now)
  }
}

const BECAUSE: Readonly<Record<Because, string>> = {
  left: 'nobody who was up has shown yet what is known of this node',
  claimed: 'own entries are said to be known elsewhere that are not here',
  known: 'own entries are known elsewhere that are not here',
}

const NO_DELETES: DecodedDeletes = new Map()

/** Whose list is the first to begin in an update that was found sound; null in one of a raw document. */
const firstAuthor = (update: Uint8Array): NodeId | null => {
  for (const struct of Y.decodeUpdate(update).structs) {
    const parent: unknown = struct instanceof Y.Item ? struct.parent : null
    const node = typeof parent === 'string' ? nodeOfList(parent) : null
    if (node !== null) return node
  }
  return null
}

/** How far an update goes that is not checked yet; one that cannot be read goes nowhere. */
const vectorOf = (update: Uint8Array): Vector => {
  try {
    return Y.parseUpdateMeta(update).to
  } catch {
    return NOTHING_KNOWN
  }
}

/** Nothing is known of what the other has: all that builds on own clocks is kept. */
const NOTHING_KNOWN: Vector = new Map()
