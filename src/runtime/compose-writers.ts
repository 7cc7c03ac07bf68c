// What a node does when its store may have lost something of its own: it writes on under new
// lineages. Its newest entries may be what is missing here and known elsewhere, and a clock that
// was given out twice would mean one thing here and another there, for ever.
//
// What is there stays as it is; only the heads of documents change, which name the lineage.

import type { Rng } from '../core/rng.js'
import { recover, writeHead } from '../core/state/log.js'
import { newLineage } from '../core/state/writer.js'
import type { StoreEntry, StoreWrite } from '../core/step.js'

/** The heads of these documents with new lineages. One without a head gets a new lineage by itself. */
export const renewWriters = (entries: Iterable<StoreEntry>, rng: Rng): StoreWrite[] =>
  [...recover(entries)].flatMap(([document, { head }]) =>
    head === null ? [] : [writeHead(document, { ...head, lineage: newLineage(rng) })],
  )
