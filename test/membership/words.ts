// Records and accusations for tests that speak with parts of membership directly.

import type { NodeId } from '../../src/core/ids.js'
import type { Accusation, MemberRecord, Sealed } from '../../src/core/member.js'
import { type MembershipConfig, membershipLan } from '../../src/core/membership/config.js'
import { Jury } from '../../src/core/membership/jury.js'
import { Roster } from '../../src/core/membership/roster.js'
import { simSealer } from '../../src/sim/seals.js'

export const id = (index: number): NodeId => `n${String(index).padStart(4, '0')}` as NodeId

export const recordOf = (node: NodeId, patch: Partial<MemberRecord> = {}): Sealed<MemberRecord> =>
  simSealer.record({
    id: node,
    name: node,
    generation: { number: 1, instance: '00000000000000aa' },
    refutation: 0,
    left: false,
    addresses: [`sim/${node}`],
    dialable: true,
    labels: {},
    capacity: null,
    runs: [],
    spaces: ['*'],
    settled: true,
    draining: false,
    health: 'ok',
    reasons: [],
    version: '0.1.0',
    startedAt: 0,
    ...patch,
  })

export type Evidence = Accusation['evidence']

export const accusationOf = (
  accuser: NodeId,
  { body }: Pick<Sealed<MemberRecord>, 'body'>,
  evidence: Evidence = 'silent',
  at = 0,
): Sealed<Accusation> =>
  simSealer.accusation({
    accuser,
    subject: body.id,
    generation: body.generation,
    refutation: body.refutation,
    evidence,
    at,
  })

export interface Court {
  readonly roster: Roster
  readonly jury: Jury
  readonly config: MembershipConfig
  readonly subject: Sealed<MemberRecord>
  /** The subject's observers, first in rank first, the judge among them or not. */
  readonly observers: readonly NodeId[]
}

/** A mesh of so many members as one judge sees it; the subject is member 1. */
export const courtOf = (members: number, judge = id(0)): Court => {
  const config = membershipLan
  const roster = new Roster(judge, config.observersPerMember, config.digestBuckets)
  const records = Array.from({ length: members }, (_, index) => recordOf(id(index)))
  for (const record of records) roster.put(record, { verdict: 'alive', cause: null, since: 0 })
  const subject = records[1] as Sealed<MemberRecord>
  return {
    roster,
    jury: new Jury(roster, config),
    config,
    subject,
    observers: roster.rings.successors(subject.body.id, 2 * config.observersPerMember),
  }
}
