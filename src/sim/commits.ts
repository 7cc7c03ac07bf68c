// When a disk commits: one commit at a time, whoever comes while it runs shares the
// next one, and what nobody waits for is committed after a while by itself.

import type { Rng } from '../core/rng.js'
import { chanceOf } from './chance.js'
import type { Kernel } from './kernel.js'
import type { SimNode } from './node.js'

export class Commits {
  readonly #kernel: Kernel
  readonly #chance: Rng

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.#chance = chanceOf(kernel.seed, 'disk')
  }

  /** Sees to it that what lies in the node's memory is committed in time. */
  plan(node: SimNode): void {
    if (node.commitRunning) return
    const { life, disk } = node
    const { config, nowUs } = this.#kernel
    if (disk.wantsFlush()) {
      node.commitRunning = true
      const batches = disk.pendingBatches
      const { flushMinMs, flushMaxMs } = config
      const lengthMs = (flushMinMs + this.#chance.fraction() * (flushMaxMs - flushMinMs)) * disk.slowness
      this.#kernel.call(nowUs + lengthMs * 1000, () => this.#end(node, life, batches))
    } else if (disk.pendingBatches > 0 && !node.lazyPlanned) {
      node.lazyPlanned = true
      this.#kernel.call(nowUs + config.lazyCommitMs * 1000, () => {
        if (node.life !== life) return
        node.lazyPlanned = false
        if (!node.commitRunning) this.#end(node, life, disk.pendingBatches)
      })
    }
  }

  #end(node: SimNode, life: number, batches: number): void {
    if (node.life !== life) return
    const { nowUs, config } = this.#kernel
    if (node.disk.failing) {
      // It tries again; nothing is acknowledged meanwhile.
      node.commitRunning = true
      this.#kernel.call(nowUs + config.lazyCommitMs * 1000, () => this.#end(node, life, batches))
      return
    }
    node.commitRunning = false
    for (const token of node.disk.commit(batches)) {
      this.#kernel.planEvent(nowUs, node, { kind: 'durable', token })
    }
    this.plan(node)
  }
}
