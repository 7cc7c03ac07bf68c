// What happens next in virtual time. A binary heap on typed arrays: its keys lie
// side by side in memory, and what happens at the same microsecond comes out in
// the order in which it was put in, so that a run can be told again.

import { invariant } from '../core/errors.js'

/** A run that plans more than this has run away (about 1 GB). */
const PLANNED_MAX = 8_000_000

export class EventHeap<Item> {
  #times = new Float64Array(4096)
  #orders = new Float64Array(4096)
  readonly #items: Item[] = []
  #order = 0

  get size(): number {
    return this.#items.length
  }

  /** When the earliest item is due, in microseconds; infinity when there is none. */
  get nextUs(): number {
    return this.#items.length === 0 ? Number.POSITIVE_INFINITY : (this.#times[0] as number)
  }

  push(atUs: number, item: Item): void {
    let index = this.#items.length
    invariant(index < PLANNED_MAX, `at most ${PLANNED_MAX} events are planned at once in a simulation`)
    if (index === this.#times.length) this.#grow()
    const times = this.#times
    const orders = this.#orders
    const items = this.#items
    items.push(item)
    // The newcomer has the highest order, so an equal time never rises above an older one.
    while (index > 0) {
      const parent = (index - 1) >> 1
      const parentTime = times[parent] as number
      if (parentTime <= atUs) break
      times[index] = parentTime
      orders[index] = orders[parent] as number
      items[index] = items[parent] as Item
      index = parent
    }
    times[index] = atUs
    orders[index] = this.#order++
    items[index] = item
  }

  /** Takes the earliest item; there must be one. */
  pop(): Item {
    const items = this.#items
    const times = this.#times
    const orders = this.#orders
    const first = items[0] as Item
    const last = items.pop() as Item
    const length = items.length
    if (length === 0) return first
    const time = times[length] as number
    const order = orders[length] as number
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= length) break
      let childTime = times[child] as number
      const right = child + 1
      if (right < length) {
        const rightTime = times[right] as number
        if (
          rightTime < childTime ||
          (rightTime === childTime && (orders[right] as number) < (orders[child] as number))
        ) {
          child = right
          childTime = rightTime
        }
      }
      if (time < childTime || (time === childTime && order < (orders[child] as number))) break
      times[index] = childTime
      orders[index] = orders[child] as number
      items[index] = items[child] as Item
      index = child
    }
    times[index] = time
    orders[index] = order
    items[index] = last
    return first
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2)
    times.set(this.#times)
    this.#times = times
    const orders = new Float64Array(this.#orders.length * 2)
    orders.set(this.#orders)
    this.#orders = orders
  }
}
