// Members as the contract shows them (section 5).

import type { Millis, NodeId } from '../core/ids.js'
import type { Cause, Health, Member, MembersView, Verdict } from '../core/member.js'

/** A member of the mesh, as this node sees it. */
export interface MemberInfo {
  readonly id: NodeId
  readonly name: string
  readonly verdict: Verdict
  readonly cause: Cause | null
  readonly health: Health
  readonly reasons: readonly string[]
  readonly generation: number
  readonly refutation: number
  readonly addrs: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly capacity: number | null
  readonly runs: readonly string[]
  readonly settled: boolean
  readonly draining: boolean
  /** When this node reached the verdict. */
  readonly since: Millis
  /** Round trip in ms; null for members that are not neighbors. */
  readonly rttMs: number | null
  readonly observers: readonly NodeId[]
}

export const memberInfo = (
  members: MembersView,
  { id, record, verdict, cause, since }: Member,
): MemberInfo => ({
  id,
  name: record.name,
  verdict,
  cause,
  health: record.health,
  reasons: record.reasons,
  generation: record.generation.number,
  refutation: record.refutation,
  addrs: record.addresses,
  labels: record.labels,
  capacity: record.capacity,
  runs: record.runs,
  settled: record.settled,
  draining: record.draining,
  since: Math.round(since),
  rttMs: members.rttMs(id),
  observers: members.observersOf(id),
})
