// What the core and the node count, by metric and labels, for whoever shows metrics.

/** A count by metric and labels. */
export interface Counter {
  readonly metric: string
  readonly labels: Readonly<Record<string, string>>
  value: number
}

/** Labels may name peers and tasks: beyond this new ones are not counted. */
const COUNTERS_MAX = 1_000

export class Counters {
  readonly #counters = new Map<string, Counter>()

  add(metric: string, by: number, labels: Readonly<Record<string, string>> = {}): void {
    const key = `${metric} ${JSON.stringify(labels)}`
    const counter = this.#counters.get(key)
    if (counter !== undefined) counter.value += by
    else if (this.#counters.size < COUNTERS_MAX) this.#counters.set(key, { metric, labels, value: by })
  }

  all(): Iterable<Counter> {
    return this.#counters.values()
  }
}
