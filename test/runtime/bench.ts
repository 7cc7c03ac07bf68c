// A loop on a bench: a core that a test writes in a few lines, a clock that it moves
// by hand, turns of the event loop that it takes when it likes.

import type { Millis } from '../../src/core/ids.js'
import type { CoreEvent, Effect, Stepper } from '../../src/core/step.js'
import type { Log } from '../../src/ports.js'
import { Loop, type LoopLimits } from '../../src/runtime/loop.js'
import { SimDisk } from '../../src/sim/disk.js'
import { createMemoryStore } from '../../src/sim/memory-store.js'
import { VirtualClock } from './virtual-clock.js'

export class FakeCore implements Stepper {
  readonly seen: { readonly now: Millis; readonly event: CoreEvent }[] = []
  nextDeadlineAt: Millis | null = null
  react: (event: CoreEvent, now: Millis) => readonly Effect[] = () => []

  step(now: Millis, event: CoreEvent): readonly Effect[] {
    this.seen.push({ now, event })
    return this.react(event, now)
  }

  get kinds(): string[] {
    return this.seen.map(({ event }) => event.kind)
  }
}

export class Bench {
  readonly core = new FakeCore()
  readonly clock = new VirtualClock()
  readonly disk = new SimDisk()
  readonly store = createMemoryStore(this.disk, this.clock)
  readonly performed: Effect[] = []
  readonly counted: [string, number, unknown][] = []
  readonly logged: string[] = []
  readonly stoodDown: string[] = []
  readonly loop: Loop
  readonly #turns: (() => void)[] = []

  constructor(limits: Partial<LoopLimits> = {}) {
    this.loop = new Loop({
      core: this.core,
      clock: this.clock,
      store: this.store,
      log: this.log,
      count: (metric, by, labels) => this.counted.push([metric, by, labels]),
      onStandDown: reason => this.stoodDown.push(reason),
      limits,
      nextTurn: callback => this.#turns.push(callback),
    })
  }

  get log(): Log {
    const write =
      (level: string) =>
      (text: string): void => {
        this.logged.push(`${level}: ${text}`)
      }
    return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  }

  /** Begins with effects that are only written down. */
  run(perform: (effect: Effect) => void = effect => this.performed.push(effect)): this {
    this.loop.run(perform)
    return this
  }

  /** One turn of the event loop. */
  turn(): void {
    for (const callback of this.#turns.splice(0)) callback()
  }

  /** Turns until nothing is planned any more. */
  settle(): void {
    for (let i = 0; this.#turns.length > 0 && i < 1_000; i++) this.turn()
  }

  /** Lets promises run out. */
  async breathe(): Promise<void> {
    for (let i = 0; i < 20; i++) await null
  }
}
