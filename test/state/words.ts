// Words that random worlds write to a space and to a raw document, each of which says who it is, so
// that one that is lost or stands twice is seen; and the network in which these worlds are.

import type * as Y from 'yjs'
import type { Rng } from '../../src/core/rng.js'
import type { TestNode, World } from './world.js'

export interface Word {
  readonly word: string
  readonly isKey: boolean
}

/** How these worlds lose, delay and repeat what is sent, and how slowly their disks write. */
export const roughNetwork = (draw: Rng) => ({
  latencyMs: draw.pick([
    [1, 8],
    [1, 80],
  ] as const),
  commitMs: draw.pick([
    [1, 3],
    [1, 40],
  ] as const),
  loss: draw.pick([0, 0.3]),
  duplication: 0.2,
})

export const textOf = (world: World, node: TestNode): string =>
  world.open(node, 'notes').getText('t').toString()

/** How often it stands there. */
export const timesOn = (world: World, node: TestNode, { word, isKey }: Word): number =>
  isKey
    ? Number(world.contents(node, 'plant')[word] !== undefined)
    : textOf(world, node).split(`<${word}>`).length - 1

/** Puts a word before, after or between those that stand there. */
export const insertWord = (draw: Rng, text: Y.Text, word: string): void => {
  const spots = [0, ...[...text.toString().matchAll(/>/g)].map(({ index }) => index + 1)]
  text.insert(draw.pick(spots), `<${word}>`)
}
