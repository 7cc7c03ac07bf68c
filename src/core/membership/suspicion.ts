// How long a suspicion stands before it becomes a verdict: the sooner the more
// observers agree (Lifeguard, arXiv 1707.00788, section IV-B). With one accuser
// the subject has the whole time to refute; one short of the quorum, the least.

import type { Millis } from '../ids.js'

export const suspicionTimeoutMs = (
  accusers: number,
  quorum: number,
  minMs: Millis,
  maxMs: Millis,
): Millis => {
  if (accusers >= quorum) return 0
  if (quorum <= 2 || accusers <= 1) return maxMs
  const share = (accusers - 1) / (quorum - 2)
  return Math.round(maxMs - (maxMs - minMs) * Math.min(1, share))
}
