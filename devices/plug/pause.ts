// Waiting that ends at once when the waiter is told to stop.

import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves after the pause, or as soon as the signal aborts; the caller looks at the signal. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined)
