// A map that forgets what was used longest ago once it is full.

export class Recent<K, V> {
  readonly #entries = new Map<K, V>()
  readonly #max: number
  readonly #weigh: (value: V) => number
  #weight = 0

  /** `max` is in entries, or in whatever `weigh` counts. */
  constructor(max: number, weigh: (value: V) => number = () => 1) {
    this.#max = max
    this.#weigh = weigh
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  set(key: K, value: V): void {
    this.delete(key)
    this.#entries.set(key, value)
    this.#weight += this.#weigh(value)
    for (const [oldest] of this.#entries) {
      if (this.#weight <= this.#max || oldest === key) return
      this.delete(oldest)
    }
  }

  delete(key: K): void {
    const value = this.#entries.get(key)
    if (value === undefined) return
    this.#entries.delete(key)
    this.#weight -= this.#weigh(value)
  }
}
