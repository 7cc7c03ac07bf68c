// What the application asked of the core and waits for: numbered from 1, settled by
// the core's reply or refusal, or by the end of the node.

import { ShoalError } from '../core/errors.js'
import type { Json } from '../core/json.js'
import type { CoreEvent } from '../core/step.js'

interface Waiter {
  resolve(value: Json): void
  reject(error: Error): void
}

export class Requests {
  readonly #waiting = new Map<number, Waiter>()
  readonly #ask: (event: CoreEvent) => boolean
  #last = 0

  constructor(ask: (event: CoreEvent) => boolean) {
    this.#ask = ask
  }

  /** Asks at once; resolves with the core's answer. */
  make(event: (request: number) => CoreEvent): Promise<Json> {
    const request = ++this.#last
    return new Promise((resolve, reject) => {
      this.#waiting.set(request, { resolve, reject })
      if (this.#ask(event(request))) return
      this.#waiting.delete(request)
      reject(stopped())
    })
  }

  reply(request: number, value: Json): void {
    this.#waiting.get(request)?.resolve(value)
    this.#waiting.delete(request)
  }

  refuse(request: number, code: string, message: string): void {
    this.#waiting.get(request)?.reject(new ShoalError(code, message))
    this.#waiting.delete(request)
  }

  rejectAll(): void {
    for (const waiter of this.#waiting.values()) waiter.reject(stopped())
    this.#waiting.clear()
  }
}

const stopped = (): ShoalError => new ShoalError('NODE_STOPPED', 'the node has stopped')
