// What nodes say to each other about shared state. `document` names a space or a
// raw document: spaces are `space/<name>`, raw ones `doc/<name>`.
//
// One comparison: hello → (roots differ) summary → (a document differs) digest →
// want and pieces, both ways. Two nodes that agree exchange one hello and no more.
//
// `bytesMax` in a digest or a want: what its sender lacks is to be sent if it is at most so much. Without it (an
// older node) all is sent.

export type StateMessage =
  /** A hint, broadcast on the document's topic: its sender's own update as Yjs encodes it (V1), under its clientID of this lineage. */
  | {
      readonly kind: 'stateUpdate'
      readonly document: string
      readonly lineage: string
      readonly update: Uint8Array
    }
  /** `root` (8 bytes): a hash of all documents that both should hold. An empty one asks for the other's summary. */
  | { readonly kind: 'stateHello'; readonly root: Uint8Array }
  /** Every document that both should hold, by name, and its hash (8 bytes each, in the same order). */
  | { readonly kind: 'stateSummary'; readonly documents: readonly string[]; readonly hashes: Uint8Array }
  /** A document as its sender has it: a state vector, and hashes of its deletes by (client, range of clocks). */
  | {
      readonly kind: 'stateDigest'
      readonly document: string
      readonly vector: Uint8Array
      readonly deletes: Uint8Array
      readonly bytesMax?: number
    }
  /** What its sender would like to have: all beyond the vector, and the deletes within these ranges. */
  | {
      readonly kind: 'stateWant'
      readonly document: string
      readonly vector: Uint8Array
      readonly ranges: Uint8Array
      readonly bytesMax?: number
    }
  /**
   * A part of what was wanted. `number` is confirmed by `stateGot`; `last` closes the series; `cut`: not all of it is
   * in there, for some is not durable yet.
   */
  | {
      readonly kind: 'statePiece'
      readonly document: string
      readonly number: number
      readonly last: boolean
      readonly cut?: boolean
      readonly update: Uint8Array
    }
  | { readonly kind: 'stateGot'; readonly document: string; readonly number: number }
  /**
   * To who asked with a `bytesMax`, in place of pieces: about so many bytes are here (0: nothing) that were not asked
   * for, or are not given now (`later`); how its sender has the document; and the `bytesMax` that this answers.
   */
  | {
      readonly kind: 'stateHeld'
      readonly document: string
      readonly bytesMax: number
      readonly bytes: number
      readonly later: boolean
      readonly vector: Uint8Array
      readonly hash: Uint8Array
    }

/** As `bytesMax`: all that there is, and a word if there is nothing. */
export const ALL_BYTES = 0xffff_ffff
