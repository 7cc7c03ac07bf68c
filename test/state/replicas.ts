// What the nodes of a world have stored of a document, to compare byte for byte.

import * as Y from 'yjs'
import type { TestNode, World } from './world.js'

export const storedBytes = (world: World, node: TestNode, document: string): string =>
  Buffer.from(Y.encodeStateAsUpdate(world.stored(node, document))).toString('hex')

/** How many different states of it these nodes have; one where all replicas are equal. */
export const variantsOf = (
  world: World,
  document: string,
  nodes: readonly TestNode[] = world.nodes,
): number => new Set(nodes.map(node => storedBytes(world, node, document))).size
