// Which of two things said about a member counts. Generation first, then the
// record's version, then the verdict: so an accusation is answered by a newer
// record, never by an older one, and every node that has seen the same words
// holds the same. Proved commutative, associative and idempotent in the tests.

import { compareGenerations, type Generation, type Verdict } from '../member.js'

export interface Standing {
  readonly generation: Generation
  readonly refutation: number
  readonly verdict: Verdict
}

const VERDICT_ORDER: Readonly<Record<Verdict, number>> = { alive: 0, suspect: 1, dead: 2, left: 3 }

export const verdictOrder = (verdict: Verdict): number => VERDICT_ORDER[verdict]

/** Which of two words of one subject is the later: negative when it is `b`. */
export const compareVersions = (
  a: Pick<Standing, 'generation' | 'refutation'>,
  b: Pick<Standing, 'generation' | 'refutation'>,
): number => compareGenerations(a.generation, b.generation) || a.refutation - b.refutation

/** Negative when `a` is overruled by `b`. */
export const compareStandings = (a: Standing, b: Standing): number =>
  compareVersions(a, b) || verdictOrder(a.verdict) - verdictOrder(b.verdict)

export const mergeStandings = <S extends Standing>(a: S, b: S): S => (compareStandings(a, b) >= 0 ? a : b)
