// Shows what the node counts by itself: the core names its counters, the metrics give them
// their prefix and their unit (`…_ms` is shown in seconds). A counter appears when it was
// first counted; its labels are those of its first count.

import { Counter, type Registry } from 'prom-client'
import type { MetricsNode } from './metrics-node.js'

const HELP: Readonly<Record<string, string>> = {
  accusations: 'Accusations that this node made, by evidence.',
  refutations: 'Accusations against this node that it answered.',
  members_met: 'Lives of members that this node met at their own address, where a refusal will be believed.',
  rumors: 'Changes of member records, published or heard.',
  lags: 'Times that this node found itself late and held nothing against others.',
  withdrawals: 'Times that this node took back what it had concluded while it was alone.',
  offences: 'Breaches of the protocol by peers.',
  task_gap_ms: 'Time in which a task that had run was covered by nobody, by cause.',
  task_overlap_ms: 'Time in which more than one owner ran a copy, by cause.',
  state_dropped: 'Messages of shared state that were not accepted, by reason.',
  state_arrivals: 'Updates of shared state from other nodes that brought something new.',
  state_lag_ms:
    'Age of those updates when they arrived, by the clocks of their writers: over state_arrivals the mean lag.',
  views_apart: 'Times that a neighbor held other members for other things than this node, twice in a row.',
  handler_blocked_ms: 'Time for which handlers kept the event loop from everything else.',
  queue_dropped: 'Events dropped because the queue was full.',
}

export const countersOf = (node: Pick<MetricsNode, 'counters'>, registry: Registry): (() => void) => {
  const known = new Map<string, { readonly counter: Counter; readonly labelNames: readonly string[] }>()

  return () => {
    for (const { counter } of known.values()) counter.reset()
    for (const { metric, labels, value } of node.counters()) {
      const plain = metric.replace(/^shoal_/, '').replace(/_total$/, '')
      let held = known.get(plain)
      if (held === undefined) {
        const labelNames = Object.keys(labels)
        const counter = new Counter({
          name: `shoal_${plain.replace(/_ms$/, '_seconds')}_total`,
          help: HELP[plain] ?? `How often this node counted ${plain.replaceAll('_', ' ')}.`,
          labelNames,
          registers: [registry],
        })
        held = { counter, labelNames }
        known.set(plain, held)
      }
      const shown = Object.fromEntries(held.labelNames.map(name => [name, labels[name] ?? '']))
      held.counter.inc(shown, plain.endsWith('_ms') ? value / 1_000 : value)
    }
  }
}
