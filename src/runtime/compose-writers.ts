// What a node does when its store may have lost something of its own: it writes on under new
// lineages, and numbers its epochs anew. Its newest entries may be what is missing here and known
// elsewhere, and a clock that was given out twice would mean one thing here and another there, for
// ever; a number of an epoch that was, would let an old copy write as the new one.
//
// What is there stays as it is; only the heads of documents change, which name the lineage.

import type { Rng } from '../core/rng.js'
import { recover, writeHead } from '../core/state/log.js'
import { newLineage } from '../core/state/writer.js'
import type { StoreEntry, StoreWrite } from '../core/step.js'
import { readFloor, writeFloor } from '../core/tasks/floor.js'

/** The heads of these documents with new lineages. One without a head gets a new lineage by itself. */
export const renewWriters = (entries: Iterable<StoreEntry>, rng: Rng): StoreWrite[] =>
  [...recover(entries)].flatMap(([document, { head }]) =>
    head === null ? [] : [writeHead(document, { ...head, lineage: newLineage(rng), aloneFrom: null })],
  )

/** Numbers begin with the seconds of the wall and grow by one a take: those of now are above all that were given out. */
export const renewFloor = (entries: Iterable<StoreEntry>, wallMs: number): StoreWrite =>
  writeFloor(Math.max(readFloor(entries), Math.floor(wallMs / 1_000)))
