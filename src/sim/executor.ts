// Runs copies of tasks in virtual time, as far as a core can tell: a copy starts a
// little after it was asked for, a job ends by itself with a result, and a copy
// that is stopped ends within its grace. A dead process takes its copies along.

import type { CopyId, Effect } from '../core/step.js'
import type { Kernel } from './kernel.js'
import type { SimNode } from './node.js'

type StartCopy = Extract<Effect, { kind: 'startCopy' }>
type StopCopy = Extract<Effect, { kind: 'stopCopy' }>

export class SimExecutor {
  readonly #kernel: Kernel
  /** By node and copy: the life in which it was started. */
  readonly #running = new Map<string, number>()

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  start(node: SimNode, order: StartCopy): void {
    const { nowUs, config } = this.#kernel
    const key = keyOf(node, order.copy)
    const life = node.life
    this.#running.set(key, life)
    const startedUs = nowUs + config.copyStartMs * 1000
    this.#kernel.planEvent(startedUs, node, { kind: 'copyStarted', copy: order.copy })
    if (order.spec.when === 'always') return
    this.#kernel.call(startedUs + config.jobMs * 1000, () => {
      if (this.#running.get(key) !== life) return
      this.#exit(node, life, order.copy, { ranOn: node.id, period: order.period })
    })
  }

  stop(node: SimNode, order: StopCopy): void {
    const key = keyOf(node, order.copy)
    const life = node.life
    if (this.#running.get(key) !== life) return
    const { nowUs, config } = this.#kernel
    this.#kernel.call(nowUs + Math.min(config.copyStopMs, order.graceMs) * 1000, () => {
      if (this.#running.get(key) === life) this.#exit(node, life, order.copy, null)
    })
  }

  /** Whether this very copy runs on the node now. */
  isRunning(node: SimNode, copy: CopyId): boolean {
    return node.life > 0 && this.#running.get(keyOf(node, copy)) === node.life
  }

  /** The process is gone, and its copies with it. */
  forget(node: SimNode): void {
    const prefix = `${node.index} `
    for (const key of this.#running.keys()) if (key.startsWith(prefix)) this.#running.delete(key)
  }

  #exit(
    node: SimNode,
    life: number,
    copy: CopyId,
    result: { ranOn: string; period: number | null } | null,
  ): void {
    this.#running.delete(keyOf(node, copy))
    if (node.life !== life) return
    this.#kernel.planEvent(this.#kernel.nowUs, node, { kind: 'copyExited', copy, error: null, result })
  }
}

const keyOf = (node: SimNode, copy: CopyId): string => `${node.index} ${copy.task} ${copy.slot} ${copy.epoch}`
