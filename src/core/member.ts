// What a node says of itself (its record), what an observer says of it (an
// accusation), and how the mesh sees it (a member). Shared vocabulary: the rules
// that use it stand in `membership/`.

import { compareText, type Millis, type NodeId } from './ids.js'

/** Orders the lives of a node: the number grows at every boot, the instance is random. */
export interface Generation {
  readonly number: number
  /** 16 hex digits, drawn at boot: tells a cloned identity from a restart. */
  readonly instance: string
}

export type Verdict = 'alive' | 'suspect' | 'dead' | 'left'
export type Cause = 'crashed' | 'unreachable' | 'left' | 'refuted'
export type Health = 'ok' | 'strained' | 'failing'

/** Signed by its subject; the only source of what is known of a node. */
export interface MemberRecord {
  readonly id: NodeId
  readonly name: string
  readonly generation: Generation
  /** The record's version within its generation: every new word of the subject is one higher, and answers all accusations below it. */
  readonly refutation: number
  /** True in the last record of a life: the node said goodbye. */
  readonly left: boolean
  readonly addresses: readonly string[]
  /** False for a node that can only dial out (behind NAT). */
  readonly dialable: boolean
  readonly labels: Readonly<Record<string, string>>
  /** How much task weight it takes; null is unlimited, 0 is none. */
  readonly capacity: number | null
  /** What it is able and allowed to run: `exec`, `module`, `handler:<name>`. */
  readonly runs: readonly string[]
  /** The spaces it holds, as patterns (`*` matches any run of characters). */
  readonly spaces: readonly string[]
  readonly settled: boolean
  readonly draining: boolean
  readonly health: Health
  readonly reasons: readonly string[]
  readonly version: string
  readonly startedAt: Millis
}

/** An observer's signed word that its subject gave no sign of life. */
export interface Accusation {
  readonly accuser: NodeId
  readonly subject: NodeId
  readonly generation: Generation
  readonly refutation: number
  readonly evidence: 'refused' | 'silent'
  readonly at: Millis
}

/** An operator's signed word that a member will not come back: no record of it up to this generation counts any more. */
export interface Strike {
  readonly issuer: NodeId
  readonly subject: NodeId
  readonly generationNumber: number
  readonly at: Millis
}

/** A statement with the very bytes that were signed; they travel on unchanged. */
export interface Sealed<Body> {
  readonly body: Body
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
}

/** A node as this node sees it. */
export interface Member {
  readonly id: NodeId
  readonly record: MemberRecord
  readonly verdict: Verdict
  readonly cause: Cause | null
  /** When this node reached the verdict. */
  readonly since: Millis
}

/** Read access to the members, for the other parts of the core and for the runtime. */
export interface MembersView {
  readonly self: NodeId
  get(id: NodeId): Member | undefined
  /** Every known member, itself included, by id. */
  all(): readonly Member[]
  /** Grows with every change of a verdict or of a record. */
  readonly revision: number
  /** Members with an open link. */
  neighbors(): readonly NodeId[]
  isLinked(id: NodeId): boolean
  /** The ranked observers of a member, first K. */
  observersOf(id: NodeId): readonly NodeId[]
  rttMs(id: NodeId): Millis | null
  /** When a frame last came from any neighbor, or null if never. */
  readonly lastHeardAt: Millis | null
}

export const compareGenerations = (a: Generation, b: Generation): number =>
  a.number - b.number || compareText(a.instance, b.instance)

export const sameGeneration = (a: Generation, b: Generation): boolean =>
  a.number === b.number && a.instance === b.instance

/** Whether a space's name matches one of the patterns; Shoal's own spaces are held by everybody. */
export const holdsSpace = (patterns: readonly string[], space: string): boolean =>
  space.startsWith('shoal.') || patterns.some(pattern => matchesPattern(pattern, space))

const matchesPattern = (pattern: string, text: string): boolean => {
  // What nearly all hold, and asked for each space again and again.
  if (pattern === '*') return true
  const parts = pattern.split('*')
  if (parts.length === 1) return pattern === text
  const first = parts[0] as string
  const last = parts[parts.length - 1] as string
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last))
    return false
  let from = first.length
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, from)
    if (found < 0 || found + part.length > text.length - last.length) return false
    from = found + part.length
  }
  return true
}
