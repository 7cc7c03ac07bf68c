// What nodes say to each other about who is here.

import type { Millis, NodeId } from '../ids.js'
import type { Accusation, MemberRecord, Sealed, Strike, Verdict } from '../member.js'

/** A line of a digest: what one node holds of one member. */
export interface MemberSummary {
  readonly id: NodeId
  readonly generationNumber: number
  readonly generationInstance: string
  readonly refutation: number
  readonly verdict: Verdict
  /** How long the verdict has stood; an age, because clocks differ. */
  readonly ageMs: Millis
}

export type MembershipMessage =
  /** First on every link: who is speaking, in which life. */
  | { readonly kind: 'hello'; readonly record: Sealed<MemberRecord> }
  /** A sign of life, to the primary observers; carries mesh time, and a hash of whom the sender holds for what. */
  | { readonly kind: 'heartbeat'; readonly meshTime: Millis; readonly view: number | null }
  | { readonly kind: 'ping'; readonly nonce: number; readonly meshTime: Millis }
  | { readonly kind: 'pong'; readonly nonce: number; readonly meshTime: Millis }
  /** Whether the sender wants this link kept; one that neither end wants is closed. */
  | { readonly kind: 'want'; readonly on: boolean }
  | {
      readonly kind: 'rumor'
      readonly records: readonly Sealed<MemberRecord>[]
      readonly accusations: readonly Sealed<Accusation>[]
      readonly strikes: readonly Sealed<Strike>[]
    }
  /** Bucketed hashes of everything held; an answer is expected only when they differ. */
  | { readonly kind: 'memberDigest'; readonly buckets: readonly number[] }
  /** The lines of the buckets that differed. */
  | {
      readonly kind: 'memberSummaries'
      readonly buckets: readonly number[]
      readonly lines: readonly MemberSummary[]
      readonly answer: boolean
    }
  | { readonly kind: 'memberWants'; readonly ids: readonly NodeId[] }
  /** Verdicts without proof, for those who never heard of the subject: believed only of strangers, and of old deaths by who was away since. */
  | { readonly kind: 'hearsay'; readonly lines: readonly MemberSummary[] }
