// The members as this node holds them: one entry each, with the sealed record it
// came from. It applies the merge rule and keeps what is derived from the entries
// (rings, sorted list, digest) in step with them. It decides no verdict.

import { combine, hashText } from '../hash.js'
import { compareText, type Millis, type NodeId } from '../ids.js'
import type { Accusation, Cause, Member, MemberRecord, Sealed, Verdict } from '../member.js'
import { type Standing, verdictOrder } from './merge.js'
import type { MemberSummary } from './message.js'
import { Rings } from './rings.js'

export interface Entry extends Member, Standing {
  readonly sealed: Sealed<MemberRecord>
  /** Remembered from an earlier boot and not yet confirmed by anybody. */
  readonly provisional: boolean
  /** The accusations that led to the verdict dead, for those who were away. */
  readonly proof: readonly Sealed<Accusation>[]
  readonly digestHash: number
}

export interface Change {
  readonly before: Entry | undefined
  readonly after: Entry | undefined
}

const OBSERVERS_KEPT_MAX = 128

export class Roster {
  readonly rings: Rings
  readonly #self: NodeId
  readonly #observersPerMember: number
  /** Found for some members since the rings last changed: in a split one is asked for again and again. */
  readonly #observers = new Map<NodeId, { readonly limit: number; readonly ids: readonly NodeId[] }>()
  readonly #entries = new Map<NodeId, Entry>()
  readonly #digest: Int32Array
  #sorted: Entry[] | null = null
  #changed = new Set<NodeId>()
  #view = 0
  /** Grows with every change; the rings' own changes are counted apart. */
  revision = 0
  ringRevision = 0
  aliveCount = 0

  constructor(self: NodeId, observersPerMember: number, digestBuckets: number) {
    this.#self = self
    this.#observersPerMember = observersPerMember
    this.rings = new Rings(observersPerMember)
    this.#digest = new Int32Array(digestBuckets)
  }

  /** Whether this node knows others, and holds none of them present. */
  get isAlone(): boolean {
    return this.size > 1 && this.aliveCount <= 1
  }

  get size(): number {
    return this.#entries.size
  }

  get(id: NodeId): Entry | undefined {
    return this.#entries.get(id)
  }

  all(): readonly Entry[] {
    this.#sorted ??= [...this.#entries.values()].sort((a, b) => compareText(a.id, b.id))
    return this.#sorted
  }

  /** Puts an entry in the place of what stood there. */
  put(
    sealed: Sealed<MemberRecord>,
    state: {
      readonly verdict: Verdict
      readonly cause: Cause | null
      readonly since: Millis
      readonly provisional?: boolean
      readonly proof?: readonly Sealed<Accusation>[]
    },
  ): Change {
    const record = sealed.body
    const before = this.#entries.get(record.id)
    const after: Entry = {
      id: record.id,
      record,
      sealed,
      generation: record.generation,
      refutation: record.refutation,
      verdict: state.verdict,
      cause: state.cause,
      since: state.since,
      provisional: state.provisional ?? false,
      proof: state.proof ?? [],
      digestHash: hashStanding(record, state.verdict),
    }
    this.#replace(before, after)
    return { before, after }
  }

  delete(id: NodeId): Change | null {
    const before = this.#entries.get(id)
    if (before === undefined) return null
    this.#replace(before, undefined)
    return { before, after: undefined }
  }

  /** The first observers of a member; a node that can only dial out needs some that can be dialled. */
  observersOf(id: NodeId, limit: number): readonly NodeId[] {
    let found = this.#observers.get(id)
    if (found === undefined || found.limit < limit) {
      if (this.#observers.size >= OBSERVERS_KEPT_MAX) this.#observers.clear()
      // Whoever asks for the first few soon asks for more.
      const atOnce = Math.max(limit, 2 * this.#observersPerMember)
      found = { limit: atOnce, ids: this.#findObservers(id, atOnce) }
      this.#observers.set(id, found)
    }
    return found.ids.length > limit ? found.ids.slice(0, limit) : found.ids
  }

  #findObservers(id: NodeId, limit: number): readonly NodeId[] {
    const record = this.#entries.get(id)?.record
    if (record === undefined || record.dialable) return this.rings.successors(id, limit)
    return this.rings.successors(id, limit, observer => this.#entries.get(observer)?.record.dialable ?? false)
  }

  /** Those present that have this node among their first observers. */
  subjects(limit: number): NodeId[] {
    const nearby = this.rings.subjects(this.#self, limit).filter(id => this.#entries.get(id)?.record.dialable)
    // Their observers stand further off on the rings, for those between can't be dialled.
    const dialOnly = this.all()
      .filter(entry => !entry.record.dialable && isPresent(entry.verdict) && entry.id !== this.#self)
      .filter(entry => this.observersOf(entry.id, limit).includes(this.#self))
    return [...nearby, ...dialOnly.map(entry => entry.id)].sort(compareText)
  }

  digest(): readonly number[] {
    return [...this.#digest]
  }

  /** All of the digest in one number. */
  get view(): number {
    return this.#view >>> 0
  }

  bucketOf(id: NodeId): number {
    return hashText(id) % this.#digest.length
  }

  /** The lines of the given buckets, by id. */
  summaries(buckets: ReadonlySet<number>, now: Millis): MemberSummary[] {
    return this.all()
      .filter(entry => buckets.has(this.bucketOf(entry.id)))
      .map(entry => summaryOf(entry, now))
  }

  #replace(before: Entry | undefined, after: Entry | undefined): void {
    const id = (before ?? after)?.id as NodeId
    const bucket = this.bucketOf(id)
    const turned = (before?.digestHash ?? 0) ^ (after?.digestHash ?? 0)
    this.#digest[bucket] = (this.#digest[bucket] as number) ^ turned
    this.#view ^= turned
    if (after === undefined) this.#entries.delete(id)
    else this.#entries.set(id, after)
    const stood = before !== undefined && isPresent(before.verdict)
    const stands = after !== undefined && isPresent(after.verdict)
    const isDialableAnew = before?.record.dialable !== after?.record.dialable
    if (stood !== stands) {
      this.aliveCount += stands ? 1 : -1
      if (stands) this.rings.add(id)
      else this.rings.delete(id)
    }
    if (stood !== stands || (stands && isDialableAnew)) {
      this.ringRevision++
      this.#observers.clear()
    } else if (isDialableAnew) this.#observers.delete(id)
    this.#changed.add(id)
    this.#sorted = null
    this.revision++
  }

  /** Whose entries changed since this was last asked. */
  takeChanged(): ReadonlySet<NodeId> {
    const changed = this.#changed
    this.#changed = new Set()
    return changed
  }

  get self(): NodeId {
    return this.#self
  }
}

/** Whether a member with this verdict takes part: observes and is observed. */
export const isPresent = (verdict: Verdict): boolean => verdict === 'alive' || verdict === 'suspect'

export const summaryOf = (entry: Entry, now: Millis): MemberSummary => ({
  id: entry.id,
  generationNumber: entry.generation.number,
  generationInstance: entry.generation.instance,
  refutation: entry.refutation,
  verdict: entry.verdict,
  ageMs: Math.max(0, Math.round(now - entry.since)),
})

/** Negative when the entry is older than the line; suspicion is a passing opinion and makes no difference. */
export const compareToSummary = (entry: Entry, line: MemberSummary): number =>
  entry.generation.number - line.generationNumber ||
  compareText(entry.generation.instance, line.generationInstance) ||
  entry.refutation - line.refutation ||
  settledOrder(entry.verdict) - settledOrder(line.verdict)

const settledOrder = (verdict: Verdict): number => verdictOrder(verdict === 'suspect' ? 'alive' : verdict)

const hashStanding = (record: MemberRecord, verdict: Verdict): number =>
  combine(
    combine(hashText(record.id), hashText(record.generation.instance, record.generation.number)),
    combine(record.refutation, settledOrder(verdict)),
  )
