// mDNS on one segment: a node that searches hears of the others, some of them at a time,
// and asks again now and then. Who has ever searched answers for as long as it lives.

import type { Rng } from '../core/rng.js'
import { chanceOf } from './chance.js'
import type { Kernel } from './kernel.js'
import type { SimNode } from './node.js'

export class Discovery {
  readonly #kernel: Kernel
  readonly #rng: Rng
  readonly #answering = new Set<SimNode>()
  readonly #searching = new Set<SimNode>()

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.#rng = chanceOf(kernel.seed, 'discovery')
  }

  set(node: SimNode, on: boolean): void {
    if (!this.#kernel.config.discovery) return
    this.#answering.add(node)
    if (!on) this.#searching.delete(node)
    else if (!this.#searching.has(node)) {
      this.#searching.add(node)
      this.#ask(node, node.life, this.#rng.below(500_000))
    }
  }

  forget(node: SimNode): void {
    this.#answering.delete(node)
    this.#searching.delete(node)
  }

  #ask(node: SimNode, life: number, afterUs: number): void {
    this.#kernel.call(this.#kernel.nowUs + afterUs, () => {
      if (node.life !== life || !this.#searching.has(node)) return
      const { discoveredMax, discoveryIntervalMs } = this.#kernel.config
      const { paths } = this.#kernel
      const others = [...this.#answering].filter(
        other => other !== node && other.status === 'up' && paths.isOpen(other.index, node.index),
      )
      const addresses: string[] = []
      for (let i = 0; i < discoveredMax && others.length > 0; i++) {
        const at = this.#rng.below(others.length)
        addresses.push((others[at] as SimNode).address)
        others[at] = others[others.length - 1] as SimNode
        others.pop()
      }
      if (addresses.length > 0) {
        this.#kernel.planEvent(this.#kernel.nowUs, node, { kind: 'discovered', addresses })
      }
      this.#ask(node, life, discoveryIntervalMs * 1000)
    })
  }
}
