// Members and this node itself as the contract shows them (section 5), and as people name them.

import { ShoalError } from '../core/errors.js'
import { compareText, type Millis, type NodeId, nodeId } from '../core/ids.js'
import type { Cause, Health, Member, MemberRecord, MembersView, Verdict } from '../core/member.js'

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

/** This node, as it shows itself. */
export interface NodeInfo
  extends Omit<MemberInfo, 'verdict' | 'cause' | 'since' | 'rttMs' | 'observers' | 'refutation'> {
  readonly meshId: string | null
  readonly spaces: readonly string[]
  readonly dialable: boolean
  readonly version: string
  readonly startedAt: Millis
}

export const nodeInfo = (record: MemberRecord, meshId: string | null, startedAt: Millis): NodeInfo => ({
  id: record.id,
  name: record.name,
  meshId,
  generation: record.generation.number,
  addrs: record.addresses,
  labels: record.labels,
  capacity: record.capacity,
  runs: record.runs,
  spaces: record.spaces,
  dialable: record.dialable,
  settled: record.settled,
  draining: record.draining,
  health: record.health,
  reasons: record.reasons,
  version: record.version,
  startedAt,
})

/** Whom an id, a unique prefix of one of at least 8 characters, or a unique name means; otherwise what is wrong. */
export const resolveMember = (members: MembersView, text: string): NodeId => {
  const all = members.all()
  if (all.some(member => member.id === text)) return nodeId(text)
  const named = all.filter(
    member => member.record.name === text || (text.length >= 8 && member.id.startsWith(text)),
  )
  if (named.length === 1) return (named[0] as (typeof named)[number]).id
  if (named.length === 0) {
    throw new ShoalError(
      'NOT_FOUND',
      `no member is called ${text}; a name, an id, or its first 8 characters or more is accepted`,
    )
  }
  const ids = named.map(member => member.id).sort(compareText)
  throw new ShoalError(
    'AMBIGUOUS',
    `${text} means ${ids.length} members: ${ids.join(', ')}; say which by its id`,
  )
}
