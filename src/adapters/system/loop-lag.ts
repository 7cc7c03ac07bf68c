// How late this process's event loop runs, for its metrics and its health. A node whose
// loop lags looks dead to others, so it must know before they do. The histogram is kept
// in native code, but each sample wakes the process: at ten a second that was more than
// all else for which an idle node wakes.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Millis } from '../../core/ids.js'

export interface LoopLag {
  readonly medianMs: Millis
  readonly p99Ms: Millis
  readonly maxMs: Millis
}

export interface LoopLagMeter {
  /** Lag since the last `take`; a loop that was blocked all along has not been sampled and shows 0. */
  take(): LoopLag
  stop(): void
}

const SAMPLE_MS = 250

export const startLoopLagMeter = (): LoopLagMeter => {
  const histogram = monitorEventLoopDelay({ resolution: SAMPLE_MS })
  histogram.enable()
  // A sample is the time between two ticks: the lag is what goes beyond the tick itself.
  const lag = (nanoseconds: number): Millis => Math.max(0, nanoseconds / 1e6 - SAMPLE_MS)
  return {
    take() {
      const isEmpty = histogram.count === 0
      const taken = {
        medianMs: isEmpty ? 0 : lag(histogram.percentile(50)),
        p99Ms: isEmpty ? 0 : lag(histogram.percentile(99)),
        maxMs: isEmpty ? 0 : lag(histogram.max),
      }
      histogram.reset()
      return taken
    },
    stop: () => histogram.disable(),
  }
}
