// The messages of shared state: names, and bytes that Yjs or the state engine read.

import { bytes, integer, text, texts, wireLimits } from './checks.js'
import { converter } from './converter.js'
import type * as pb from './message.generated.js'

interface StateUpdate {
  readonly kind: 'stateUpdate'
  readonly document: string
  readonly lineage: string
  readonly update: Uint8Array
}
interface StateHello {
  readonly kind: 'stateHello'
  readonly root: Uint8Array
}
interface StateSummary {
  readonly kind: 'stateSummary'
  readonly documents: readonly string[]
  readonly hashes: Uint8Array
}
interface StateDigest {
  readonly kind: 'stateDigest'
  readonly document: string
  readonly vector: Uint8Array
  readonly deletes: Uint8Array
}
interface StateWant {
  readonly kind: 'stateWant'
  readonly document: string
  readonly vector: Uint8Array
  readonly ranges: Uint8Array
}
interface StatePiece {
  readonly kind: 'statePiece'
  readonly document: string
  readonly number: number
  readonly last: boolean
  readonly update: Uint8Array
}
interface StateGot {
  readonly kind: 'stateGot'
  readonly document: string
  readonly number: number
}

const ROOT_BYTES_MAX = 64
const LINEAGE_CHARS_MAX = 64

const documentName = (value: string): string => text('document', value, wireLimits.documentCharsMax)

export const state = {
  stateUpdate: converter<StateUpdate, pb.StateUpdate>({
    write: ({ document, lineage, update }) => ({ document, lineage: lineage ?? '', update }),
    read: part => ({
      kind: 'stateUpdate',
      document: documentName(part.document),
      lineage: text('lineage', part.lineage, LINEAGE_CHARS_MAX),
      update: bytes('update', part.update),
    }),
  }),
  stateHello: converter<StateHello, pb.StateHello>({
    write: ({ root }) => ({ root }),
    read: part => ({ kind: 'stateHello', root: bytes('root', part.root, ROOT_BYTES_MAX) }),
  }),
  stateSummary: converter<StateSummary, pb.StateSummary>({
    write: ({ documents, hashes }) => ({ documents: [...documents], hashes }),
    read: part => ({
      kind: 'stateSummary',
      documents: texts('documents', part.documents, wireLimits.documentCharsMax),
      hashes: bytes('hashes', part.hashes),
    }),
  }),
  stateDigest: converter<StateDigest, pb.StateDigest>({
    write: ({ document, vector, deletes }) => ({ document, vector, deletes }),
    read: part => ({
      kind: 'stateDigest',
      document: documentName(part.document),
      vector: bytes('vector', part.vector),
      deletes: bytes('deletes', part.deletes),
    }),
  }),
  stateWant: converter<StateWant, pb.StateWant>({
    write: ({ document, vector, ranges }) => ({ document, vector, ranges }),
    read: part => ({
      kind: 'stateWant',
      document: documentName(part.document),
      vector: bytes('vector', part.vector),
      ranges: bytes('ranges', part.ranges),
    }),
  }),
  statePiece: converter<StatePiece, pb.StatePiece>({
    write: ({ document, number, last, update }) => ({ document, number, last, update }),
    read: part => ({
      kind: 'statePiece',
      document: documentName(part.document),
      number: integer('number', part.number),
      last: part.last,
      update: bytes('update', part.update),
    }),
  }),
  stateGot: converter<StateGot, pb.StateGot>({
    write: ({ document, number }) => ({ document, number }),
    read: part => ({
      kind: 'stateGot',
      document: documentName(part.document),
      number: integer('number', part.number),
    }),
  }),
}
