// Which of this node's own clocks in a document others can know, and whether they mean the
// same by them: those that were loaded, those given out since this boot, and those of
// earlier boots that wrote and met nobody.
//
// A clock that others know, and of which this disk says that nobody can, was given out by
// another life of this node (a restored backup, a cloned card). What others show of it is
// weighed here (doubt.ts); what follows from that is decided in arrivals.ts.
//
// It never changes the document, and never lets out what nobody is to see (own-commits.ts).

import * as Y from 'yjs'
import type { NodeId } from '../ids.js'
import type { StoreWrite } from '../step.js'
import type { DecodedDeletes } from './check.js'
import type { Vector } from './digest.js'
import { both, type Evidence, evidenceOf } from './doubt.js'
import type { OwnCommits } from './own-commits.js'
import type { Because, StoredLog } from './stored-log.js'
import type { Range } from './structs.js'
import type { Visible } from './visible.js'

/** By client. */
export type Clocks = ReadonlyMap<number, number>

/** Others know own clocks of which this disk says that nobody can. */
export interface Doubt {
  readonly from: NodeId
  readonly theirs: Vector
  /** Why the lineage is given up if they mean something else there. */
  readonly because: Because
  /** What was shown so far. */
  evidence: Evidence
}

/** The document itself, which may be replaced by another, and under what this node writes to it. */
export interface Owned {
  readonly doc: Y.Doc
  readonly kind: 'space' | 'doc'
  readonly lineage: string
  readonly client: number
  clockOf(client: number): number
}

export class OwnClocks {
  readonly #of: Owned
  readonly #commits: OwnCommits
  readonly #stored: StoredLog
  readonly #visible: Visible
  /** What the own clock must be; if it is higher, somebody else used it. */
  clock = 0
  /** The own clock when this boot began, or the first one before it in which somebody was met. */
  bootClock = 0
  /** The own clock when this boot began. */
  #loadedClock = 0
  /** The lineage was when this boot began, though perhaps nothing was written under it in the copy that is here. */
  #isLineageStored = false
  /** Own clients that were given up since boot, and how far others said that they know them. */
  readonly #claims = new Map<number, number>()
  /** Whether others know what earlier boots wrote alone, or something else, is about to be seen. */
  doubt: Doubt | null = null
  /** Whether anything written since boot may have reached another node. */
  exposed = false

  constructor(of: Owned, commits: OwnCommits, stored: StoredLog, visible: Visible) {
    this.#of = of
    this.#commits = commits
    this.#stored = stored
    this.#visible = visible
  }

  /** What is there now was loaded, or is the first of a new lineage. `deletes`: what may have been deleted alone. */
  begin(isLineageStored: boolean, deletes: readonly Range[] = []): void {
    const { client } = this.#of
    this.#isLineageStored = isLineageStored
    this.doubt = null
    this.clock = this.#of.clockOf(client)
    this.#loadedClock = this.clock
    this.bootClock = Math.min(this.clock, this.#stored.aloneFrom ?? this.clock)
    this.#commits.reset(this.clock)
    if (this.bootClock < this.clock)
      this.#commits.beginAlone([[client, this.bootClock], ...this.#stored.aloneOthers], deletes)
  }

  /** It was written to since boot, and none of that can be known elsewhere: if its clocks are, they mean something else. */
  get mayClash(): boolean {
    return !this.exposed && this.clock > this.bootClock
  }

  /** Its lineage is of an earlier boot, and nobody can have heard of what this boot wrote. */
  get mayBeOld(): boolean {
    return !this.exposed && this.#isLineageStored
  }

  /** How many lineages were given up because nobody showed what was known of them. */
  get left(): number {
    return this.#stored.left
  }

  /** How many were given up at the word of others, who have not shown yet what they know. */
  get claimed(): number {
    return this.#stored.claimed
  }

  /** This lineage is given up because its clocks are said to be known so far. */
  noteClaim(clock: number): void {
    this.#claims.set(this.#of.client, clock)
  }

  /** More has come; perhaps what was said to be known. */
  lookAtClaims(): void {
    for (const [client, clock] of this.#claims) {
      if (this.#of.clockOf(client) < clock) continue
      this.#claims.delete(client)
      this.#stored.claimShown()
    }
  }

  /** How many openings wrote under a clientID of their own. */
  get early(): number {
    return this.#stored.early
  }

  /** One more does now. */
  noteEarly(): void {
    this.#stored.noteEarly()
  }

  /** Whether these are of own clocks since boot, or of some that are yet to be given out. */
  deletesOfThisBoot(deletes: DecodedDeletes): boolean {
    return (deletes.get(this.#of.client) ?? []).some(({ clock, len }) => clock + len > this.bootClock)
  }

  /** Others are sent what they may see of it. */
  expose(): void {
    if (this.#commits.visible(this.#of.client, this.clock) > this.bootClock) this.exposed = true
  }

  // ── what was written alone ──

  /** What it wrote since boot, and in earlier lives that met nobody, is kept from others. */
  get isAlone(): boolean {
    return this.#commits.isAlone
  }

  /** What was written since boot is kept from others until `met`, also after another boot; and what `others` write on top of it. */
  beginAlone(others: Clocks = NO_CLOCKS): void {
    this.#stored.beginAlone(this.#loadedClock, others)
    if (this.#commits.isAlone) return
    this.#commits.beginAlone([[this.#of.client, this.bootClock]])
    this.#visible.changed()
  }

  /** Under which other clientIDs an update of the application's copy writes, and from which clocks on. */
  othersIn(update: Uint8Array): Clocks {
    const { client: own } = this.#of
    const others = new Map<number, number>()
    for (const [client, clock] of Y.parseUpdateMeta(update).from)
      if (client !== own) others.set(client, Math.max(clock, this.#of.clockOf(client)))
    return others
  }

  /** What they wrote builds on own clocks that nobody may see: as long as that lasts, it is not to be seen either. */
  keepAlone(others: Clocks): void {
    for (const [client, clock] of others) this.#commits.addAlone(client, clock)
    this.#visible.changed()
  }

  /** Whether earlier boots wrote something of which the disk says that nobody can know it. */
  get wasAlone(): boolean {
    return this.isAlone && this.bootClock < this.#loadedClock
  }

  /** The store's writes before it may be told. */
  endAlone(): StoreWrite[] {
    return this.#stored.endAlone(this.#of.lineage)
  }

  /** These are durable. */
  met(): void {
    this.#commits.endAlone()
    this.#visible.changed()
  }

  // ── what others show of it ──

  /**
   * Looks at what another sent of the own clocks that are in doubt, before it is applied.
   * Returns whether all was shown that decides.
   */
  weigh(update: Uint8Array, doubt: Doubt): boolean {
    const { client, doc, kind } = this.#of
    const { bootClock } = this
    const loaded = this.#loadedClock
    const shown = evidenceOf(doc.store, kind, update, client, bootClock, loaded)
    doubt.evidence = both(doubt.evidence, shown)
    const { differsAt, end } = doubt.evidence
    return differsAt !== null || end >= Math.min(loaded, doubt.theirs.get(client) ?? 0)
  }

  /** No more is shown. What has proved to be known elsewhere is in doubt no longer, with all that the same boot wrote. */
  decide({ evidence: { differsAt, sameUpTo } }: Doubt): void {
    const loaded = this.#loadedClock
    this.doubt = null
    if (sameUpTo === null) return
    // A disk is copied as a whole, and its log is in order: what one boot wrote is all known, or none of it.
    const same = this.#stored.aloneWith(sameUpTo - 1, loaded).to
    const other = differsAt === null ? loaded : this.#stored.aloneWith(differsAt, loaded).from
    this.bootClock = Math.max(this.bootClock, Math.min(same, other))
  }
}

const NO_CLOCKS: Clocks = new Map()
