// The fingerprint of a run: every event that reaches a core, with its time, its
// node, its kind and its size, folded into 64 bits by integer arithmetic alone.
// Two runs with equal prints did the same things; the same seed gives the same
// print on every machine and every Node.js.

import { avalanche, hashText } from '../core/hash.js'
import type { CoreEvent } from '../core/step.js'

const kindCodes = new Map<string, number>()

const codeOf = (kind: CoreEvent['kind']): number => {
  let code = kindCodes.get(kind)
  if (code === undefined) {
    code = hashText(kind)
    kindCodes.set(kind, code)
  }
  return code
}

export class Trace {
  #a = 0x6a09e667
  #b = 0x3c6ef372 | 0
  #events = 0

  get events(): number {
    return this.#events
  }

  add(atUs: number, node: number, kind: CoreEvent['kind'], size: number): void {
    this.#events++
    const high = Math.floor(atUs / 0x1_0000_0000)
    const low = (atUs - high * 0x1_0000_0000) | 0
    this.#a = mix(this.#a, low ^ Math.imul(high, 0x85ebca6b) ^ codeOf(kind))
    this.#b = mix(this.#b, this.#a ^ Math.imul(node, 0x9e3779b1) ^ size)
  }

  /** 16 hex digits. */
  get hash(): string {
    return hex(avalanche(this.#a ^ this.#events)) + hex(avalanche(this.#b))
  }
}

const mix = (state: number, word: number): number => {
  const k = Math.imul(word, 0xcc9e2d51)
  const h = state ^ Math.imul((k << 15) | (k >>> 17), 0x1b873593)
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0
}

const hex = (word: number): string => word.toString(16).padStart(8, '0')
