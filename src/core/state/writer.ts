// Who wrote what. A writer is a node and a lineage; its clientID is 53 bits of a
// hash of both, and the name of its list is both in plain text. So a receiver can
// tell whose an entry is, and nobody needs a registry.
//
// A lineage ends when somebody else is found to have used it (a cloned card, a
// restored backup), never because a node restarted.

import { hashText53 } from '../hash.js'
import { type NodeId, nodeId } from '../ids.js'
import type { Rng } from '../rng.js'

export const LINEAGE = /^[0-9a-f]{8}$/

export const newLineage = (rng: Rng): string => rng.u32().toString(16).padStart(8, '0')

/** The name of a writer's list. */
export const listName = (node: NodeId, lineage: string): string => `${node}/${lineage}`

export const clientOfList = (name: string): number => hashText53(name)

export const clientOf = (node: NodeId, lineage: string): number => clientOfList(listName(node, lineage))

/** The node that writes to a list, or null when the name is not a list's. */
export const nodeOfList = (name: string): NodeId | null => {
  const slash = name.lastIndexOf('/')
  return slash > 0 && LINEAGE.test(name.slice(slash + 1)) ? nodeId(name.slice(0, slash)) : null
}
