// A space as the application sees it: reads answer from this node's replica at once,
// writes are readable at once and resolve when they are durable.

import { ShoalError } from '../core/errors.js'
import type { Json } from '../core/json.js'
import type { StateView } from '../core/state/view.js'
import type { StateChange } from '../core/step.js'

/** One changed key: its value now, or undefined when it is gone. */
export interface SpaceChange {
  readonly key: string
  readonly value: Json | undefined
}

/** The writes of one `transact`, which become one change. */
export interface SpaceTransaction {
  get(key: string): Json | undefined
  set(key: string, value: Json): void
  delete(key: string): void
}

/** A named piece of shared state: a last-writer-wins map of JSON values. */
export interface Space {
  readonly name: string
  /** The value of a key, or undefined. */
  get(key: string): Json | undefined
  has(key: string): boolean
  /** All entries by key. */
  entries(): [string, Json][]
  /** Sets a key; readable at once, resolves when durable on this node. */
  set(key: string, value: Json): Promise<void>
  /** Deletes a key; gone at once, resolves when durable on this node. */
  delete(key: string): Promise<void>
  /** Calls back with what changed, whoever changed it; returns its cancellation. */
  observe(listener: (changes: readonly SpaceChange[]) => void): () => void
  /** Makes several changes one: all or none are refused, and all are seen together. */
  transact(fn: (transaction: SpaceTransaction) => void): Promise<void>
}

export interface SpacesHost {
  readonly state: StateView
  write(space: string, changes: readonly StateChange[]): Promise<void>
  /** Hears of a listener that threw; the others are told all the same. */
  onError(error: unknown): void
}

const undefinedValue = (key: string): ShoalError =>
  new ShoalError(
    'VALUE_INVALID',
    `the value of ${key} is undefined; it must be JSON, and delete() removes a key`,
  )

/** The core takes a text for a text: what is none would end the node, not the call. */
const mustBeText = (what: string, value: unknown): void => {
  if (typeof value === 'string') return
  throw new ShoalError('VALUE_INVALID', `${what} is ${String(value)}; it must be a text`)
}

type Listener = (changes: readonly SpaceChange[]) => void

export class Spaces {
  readonly #host: SpacesHost
  readonly #listeners = new Map<string, Set<Listener>>()

  constructor(host: SpacesHost) {
    this.#host = host
  }

  /** Tells whoever observes the space. */
  changed(space: string, keys: readonly string[]): void {
    const listeners = this.#listeners.get(space)
    if (listeners === undefined || listeners.size === 0) return
    const changes = keys.map(key => ({ key, value: this.#host.state.get(space, key) }))
    for (const listener of [...listeners]) {
      // Called off by one that was told before it.
      if (!listeners.has(listener)) continue
      try {
        listener(changes)
      } catch (error) {
        this.#host.onError(error)
      }
    }
  }

  open(name: string): Space {
    mustBeText('the name of a space', name)
    const { state } = this.#host
    // What is refused at a read is refused here: who has a space can read it.
    state.get(name, '')
    const write = (changes: readonly StateChange[]): Promise<void> => this.#host.write(name, changes)
    return {
      name,
      get: key => state.get(name, key),
      has: key => state.get(name, key) !== undefined,
      entries: () => [...state.entries(name)].map(([key, value]) => [key, value]),
      set: (key, value) =>
        value === undefined ? Promise.reject(undefinedValue(key)) : write([{ key, value }]),
      delete: key => write([{ key, value: undefined }]),
      observe: listener => this.#observe(name, listener),
      transact: fn => {
        const changes = new Map<string, StateChange>()
        const put = (key: string, value: Json): void => {
          if (value === undefined) throw undefinedValue(key)
          changes.set(key, { key, value })
        }
        let returned: unknown
        try {
          mustBeFunction('transaction', fn)
          returned = fn({
            get: key => (changes.has(key) ? changes.get(key)?.value : state.get(name, key)),
            set: put,
            delete: key => void changes.set(key, { key, value: undefined }),
          })
        } catch (error) {
          return Promise.reject(error)
        }
        if (returned instanceof Promise) {
          returned.catch(() => undefined)
          return Promise.reject(asyncTransaction(name))
        }
        return changes.size === 0 ? Promise.resolve() : write([...changes.values()])
      },
    }
  }

  #observe(name: string, listener: Listener): () => void {
    mustBeFunction('listener', listener)
    let listeners = this.#listeners.get(name)
    if (listeners === undefined) {
      listeners = new Set()
      this.#listeners.set(name, listeners)
    }
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }
}

/** What came instead of a function is the caller's fault, and is said where it came. */
const mustBeFunction = (what: string, value: unknown): void => {
  if (typeof value !== 'function')
    throw new ShoalError('OPTION_INVALID', `${what} is ${typeof value}; it must be a function`)
}

/** What it sets after its first wait would be no part of the change. */
const asyncTransaction = (space: string): ShoalError =>
  new ShoalError(
    'TRANSACTION_ASYNC',
    `the function given to transact of ${space} is async; one that is not is accepted`,
  )
