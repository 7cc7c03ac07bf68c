// How own updates leave by broadcast: several at a time, on the document's topic, or at first on one that all nodes
// listen to. Nobody can listen to the topic of a document that nobody knows, and when all have begun to, it takes
// gossip a heartbeat or two until it carries what is said there.

import * as Y from 'yjs'

/** The topic of what is new, whatever its name. */
export const NEWS_TOPIC = 'state/new'

export const topicOf = (document: string): string => `state/${document}`

/**
 * Joins updates in order up to a size. Null stands for one that is too large to be
 * broadcast: nothing is joined across it, since that would leave a hole in the clocks.
 */
export const joinUpdates = (
  updates: readonly (Uint8Array | null)[],
  bytesMax: number,
): { messages: Uint8Array[]; quiet: boolean } => {
  const messages: Uint8Array[] = []
  let group: Uint8Array[] = []
  let bytes = 0
  const close = (): void => {
    if (group.length > 0) messages.push(group.length === 1 ? (group[0] as Uint8Array) : Y.mergeUpdates(group))
    group = []
    bytes = 0
  }
  for (const update of updates) {
    if (update === null || bytes + update.length > bytesMax) close()
    if (update === null) continue
    group.push(update)
    bytes += update.length
  }
  close()
  return { messages, quiet: updates.includes(null) }
}
