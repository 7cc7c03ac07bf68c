// What this node says of itself. Every new word is one version higher, sealed
// once, and answers all accusations below it. It also notices another process
// that speaks under the same identity, and tells a restored backup from a clone.

import type { Millis } from '../ids.js'
import { compareGenerations, type MemberRecord, type Sealed } from '../member.js'
import type { Rng } from '../rng.js'
import type { MembershipConfig } from './config.js'

export interface RecordSealer {
  record(body: MemberRecord): Sealed<MemberRecord>
}

export type Encounter = 'own' | 'older' | 'backup' | 'clone'

export class SelfRecord {
  #sealed: Sealed<MemberRecord>
  readonly #sealer: RecordSealer
  /** Answers of another process: its number was exactly one above what this node had just announced. */
  #answers: { instance: string; count: number; firstAt: Millis } | null = null
  #announcedNumber: number

  constructor(initial: MemberRecord, sealer: RecordSealer) {
    this.#sealer = sealer
    this.#sealed = sealer.record(initial)
    this.#announcedNumber = initial.generation.number
  }

  get sealed(): Sealed<MemberRecord> {
    return this.#sealed
  }

  get record(): MemberRecord {
    return this.#sealed.body
  }

  /** A new word; `above` is a version that it has to overrule. */
  reissue(patch: Partial<MemberRecord>, above = 0): Sealed<MemberRecord> {
    const refutation = Math.max(this.record.refutation, above) + 1
    this.#sealed = this.#sealer.record({ ...this.record, ...patch, refutation })
    return this.#sealed
  }

  /** A new life after a foreign record of this identity: starts above it. */
  rise(aboveNumber: number): Sealed<MemberRecord> {
    const number = Math.max(this.record.generation.number, aboveNumber) + 1
    this.#announcedNumber = number
    const generation = { number, instance: this.record.generation.instance }
    this.#sealed = this.#sealer.record({ ...this.record, generation, refutation: 0 })
    return this.#sealed
  }

  /**
   * What a record of this identity, met somewhere in the mesh, means. A backup
   * that was restored meets the past: records that do not answer. A clone answers
   * what this node announces, each time by one number more; two answers within
   * the window are no coincidence.
   */
  meet(now: Millis, met: MemberRecord, config: MembershipConfig): Encounter {
    const own = this.record.generation
    if (met.generation.instance === own.instance) return 'own'
    if (compareGenerations(met.generation, own) < 0) return 'older'
    if (met.generation.number === this.#announcedNumber + 1) {
      const { instance } = met.generation
      const held = this.#answers
      const isFollowUp =
        held !== null && held.instance === instance && now - held.firstAt <= config.cloneWindowMs
      this.#answers = isFollowUp ? { ...held, count: held.count + 1 } : { instance, count: 1, firstAt: now }
      if (this.#answers.count >= 2) return 'clone'
    }
    return 'backup'
  }
}

/** 16 hex digits that tell this boot from every other. */
export const drawInstance = (rng: Rng): string =>
  rng.u32().toString(16).padStart(8, '0') + rng.u32().toString(16).padStart(8, '0')
