// Words that random worlds write to a space and to a raw document, each of which says who it is, so
// that one that is lost or stands twice is seen; and the network in which these worlds are.

import type * as Y from 'yjs'
import type { Rng } from '../../src/core/rng.js'
import { variantsOf } from './replicas.js'
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

/** How often these worlds compare, and how small the pieces are in which they send, fold and load. */
export const roughConfig = (draw: Rng) => ({
  compareIntervalMs: 2_000,
  pieceBytes: draw.pick([60, 49_152]),
  foldEntries: draw.pick([5, 4_000]),
  loadWholeBytes: draw.pick([1, 65_536]),
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

export interface Author {
  /** Some words, so many at most, with one of these pauses after each. */
  act(node: TestNode, most: number, pauses?: readonly number[]): void
  /** Null when, so long after the network is well, all are equal and every word stands once. */
  verdict(when: string, afterMs: number): string | null
}

/** Writes in a world, and looks at the end what has become of it. */
export const createAuthor = (world: World, draw: Rng, usualPauses: readonly number[]): Author => {
  const words: Word[] = []
  const kinds = draw.pick([[true], [false], [true, false]])
  const write = (node: TestNode): void => {
    const word = `${node.index}x${words.length}`
    const isKey = draw.pick(kinds)
    words.push({ word, isKey })
    if (isKey) world.set(node, 'plant', word, word)
    else insertWord(draw, world.open(node, 'notes').getText('t'), word)
  }
  return {
    act: (node, most, pauses = usualPauses) => {
      for (let i = draw.below(most + 1); i > 0; i--) {
        write(node)
        world.advance(draw.pick(pauses))
      }
    },
    verdict: (when, afterMs) => {
      world.heal()
      world.advance(afterMs)
      for (const document of ['doc/notes', 'space/plant'])
        if (variantsOf(world, document) > 1) return `${when}: ${document} differs`
      for (const node of world.nodes) {
        for (const word of words) {
          const times = timesOn(world, node, word)
          if (times !== 1) return `${when}: ${word.word} ${times} times on ${node.id}`
        }
        if (node.offences.length > 0) return `${when}: ${JSON.stringify(node.offences[0])}`
      }
      return null
    },
  }
}
