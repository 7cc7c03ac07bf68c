// Where in its life a node is, and how it ends: once, with a goodbye if it was asked to
// leave, then part by part; whoever asks again waits for the same end.
//
// A part that cannot stop never keeps the next from stopping, nor those who wait from
// hearing of the end.

import type { Log } from '../ports.js'

export type NodeStatus = 'starting' | 'ready' | 'leaving' | 'closed'

export interface LifecycleHost {
  readonly log: Log
  /** Gives the tasks away and says goodbye; settles when that is done, however it went. */
  goodbye(): Promise<unknown>
  /** Stops the parts, in order; each takes one of these to say what stopping it came to. */
  stop(each: (part: Promise<void>) => Promise<void>): Promise<void>
}

export class Lifecycle {
  readonly #host: LifecycleHost
  readonly #listeners = new Set<(reason: string | null) => void>()
  #status: NodeStatus = 'starting'
  #leaving: Promise<void> | null = null
  #closing: Promise<void> | null = null

  constructor(host: LifecycleHost) {
    this.#host = host
  }

  get status(): NodeStatus {
    return this.#status
  }

  ready(): void {
    this.#status = 'ready'
  }

  /** Calls back once, when the node has stopped; with the reason if it stood down by itself. */
  onStopped(listener: (reason: string | null) => void): void {
    this.#listeners.add(listener)
  }

  leave(): Promise<void> {
    this.#leaving ??= this.#leave()
    return this.#leaving
  }

  close(): Promise<void> {
    this.#closing ??= this.#close(null)
    return this.#closing
  }

  standDown(reason: string): void {
    // Nobody asked for this end, so nobody waits for its promise.
    this.#closing ??= this.#close(reason).catch(error => {
      this.#host.log.error('the node stood down and did not stop cleanly', { error: String(error) })
    })
  }

  async #leave(): Promise<void> {
    if (this.#status === 'ready') {
      this.#status = 'leaving'
      await this.#host.goodbye().catch(() => undefined)
    }
    await this.close()
  }

  async #close(reason: string | null): Promise<void> {
    this.#status = 'closed'
    const failed: unknown[] = []
    // One that fails must not keep the next from stopping: a store that cannot close is
    // often why the node ends, and whoever waits has to hear of the end all the same.
    await this.#host.stop(part => part.catch(error => void failed.push(error)))
    for (const listener of this.#listeners) listener(reason)
    if (failed.length > 0) throw failed[0]
  }
}
