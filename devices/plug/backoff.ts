// How long to wait before the next try at something that is gone: doubled each time up
// to a ceiling, and never the same for two gateways. After a power cut a whole hall
// comes back at once; without the jitter it would also knock at once, again and again.

export interface Backoff {
  /** The next pause, in milliseconds. */
  next(): number
  /** It worked: the next pause is the shortest again. */
  reset(): void
}

export interface BackoffOptions {
  readonly minMs: number
  readonly maxMs: number
  /** From 0 up to 1; a test gives its own. */
  readonly random?: () => number
}

export const createBackoff = ({ minMs, maxMs, random = Math.random }: BackoffOptions): Backoff => {
  let failures = 0
  return {
    next() {
      const full = Math.min(maxMs, minMs * 2 ** Math.min(failures, 30))
      failures += 1
      return Math.round(full * (0.5 + random() / 2))
    },
    reset() {
      failures = 0
    },
  }
}
