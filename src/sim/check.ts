// What must hold while a world runs, and what must hold after its faults have
// ended. A check says null, or a sentence about what it found. The first violation
// ends the run with everything that is needed to see it again.

import type { Millis } from '../core/ids.js'
import type { CoreEvent, Effect } from '../core/step.js'
import type { SimNode } from './node.js'
import type { World } from './world.js'

export interface Check {
  /** What is claimed, as a sentence: `no member is dead that is up and connected`. */
  readonly claim: string
  /** Safety, after every step of a node; must be cheap. */
  readonly afterStep?: (
    world: World,
    node: SimNode,
    event: CoreEvent,
    effects: readonly Effect[],
  ) => string | null
  /** Safety, at intervals. */
  readonly everyMs?: Millis
  readonly atInterval?: (world: World) => string | null
  /** Liveness, once the run is over. */
  readonly atEnd?: (world: World) => string | null
  /** What was under way at that moment may come to its end: asked again for so long. */
  readonly withinMs?: Millis
}

/** A claim that did not hold. The seed and the time say where, the command how to see it again. */
export class Violation extends Error {
  readonly seed: number
  readonly atMs: Millis
  readonly claim: string
  readonly found: string
  readonly replay: string

  constructor(
    where: { readonly seed: number; readonly atMs: Millis; readonly replay: string },
    claim: string,
    found: string,
    options?: ErrorOptions,
  ) {
    super(
      `violated: ${claim}\n  found   ${found}\n  seed    ${where.seed}\n  at      ${where.atMs.toFixed(3)} ms\n  replay  ${where.replay}`,
      options,
    )
    this.name = 'Violation'
    this.seed = where.seed
    this.atMs = where.atMs
    this.claim = claim
    this.found = found
    this.replay = where.replay
  }
}
