// The messages of shared state: names, and bytes that Yjs or the state engine read.

import { HELLO_BYTES_MAX } from '../../core/state/hello.js'
import type { StateMessage } from '../../core/state/message.js'
import { bytes, integer, text, texts, wireLimits } from './checks.js'
import { converter } from './converter.js'
import type * as pb from './message.generated.js'

type Of<K extends StateMessage['kind']> = Extract<StateMessage, { readonly kind: K }>

const LINEAGE_CHARS_MAX = 64
const HASH_BYTES = 8

const documentName = (value: string): string => text('document', value, wireLimits.documentCharsMax)

/** An older node says nothing of it, and takes all at once. */
const most = (bytesMax: number | undefined): { bytesMax?: number } =>
  bytesMax === undefined ? {} : { bytesMax: integer('bytesMax', bytesMax) }

export const state = {
  stateUpdate: converter<Of<'stateUpdate'>, pb.StateUpdate>({
    write: ({ document, lineage, update }) => ({ document, lineage, update }),
    read: part => ({
      kind: 'stateUpdate',
      document: documentName(part.document),
      lineage: text('lineage', part.lineage, LINEAGE_CHARS_MAX),
      update: bytes('update', part.update),
    }),
  }),
  stateHello: converter<Of<'stateHello'>, pb.StateHello>({
    write: ({ root }) => ({ root }),
    read: part => ({ kind: 'stateHello', root: bytes('root', part.root, HELLO_BYTES_MAX) }),
  }),
  stateSummary: converter<Of<'stateSummary'>, pb.StateSummary>({
    write: ({ documents, hashes }) => ({ documents: [...documents], hashes }),
    read: part => ({
      kind: 'stateSummary',
      documents: texts('documents', part.documents, wireLimits.documentCharsMax),
      hashes: bytes('hashes', part.hashes),
    }),
  }),
  stateDigest: converter<Of<'stateDigest'>, pb.StateDigest>({
    write: ({ document, vector, deletes, bytesMax }) => ({ document, vector, deletes, ...most(bytesMax) }),
    read: part => ({
      kind: 'stateDigest',
      document: documentName(part.document),
      vector: bytes('vector', part.vector),
      deletes: bytes('deletes', part.deletes),
      ...most(part.bytesMax),
    }),
  }),
  stateWant: converter<Of<'stateWant'>, pb.StateWant>({
    write: ({ document, vector, ranges, bytesMax }) => ({ document, vector, ranges, ...most(bytesMax) }),
    read: part => ({
      kind: 'stateWant',
      document: documentName(part.document),
      vector: bytes('vector', part.vector),
      ranges: bytes('ranges', part.ranges),
      ...most(part.bytesMax),
    }),
  }),
  statePiece: converter<Of<'statePiece'>, pb.StatePiece>({
    write: ({ document, number, last, cut = false, update }) => ({ document, number, last, cut, update }),
    read: part => ({
      kind: 'statePiece',
      document: documentName(part.document),
      number: integer('number', part.number),
      last: part.last,
      ...(part.cut ? { cut: true } : {}),
      update: bytes('update', part.update),
    }),
  }),
  stateGot: converter<Of<'stateGot'>, pb.StateGot>({
    write: ({ document, number }) => ({ document, number }),
    read: part => ({
      kind: 'stateGot',
      document: documentName(part.document),
      number: integer('number', part.number),
    }),
  }),
  stateHeld: converter<Of<'stateHeld'>, pb.StateHeld>({
    write: ({ document, bytesMax, bytes, later, vector, hash }) => ({
      document,
      bytesMax,
      bytes,
      later,
      vector,
      hash,
    }),
    read: part => ({
      kind: 'stateHeld',
      document: documentName(part.document),
      bytesMax: integer('bytesMax', part.bytesMax),
      bytes: integer('bytes', part.bytes),
      later: part.later,
      vector: bytes('vector', part.vector),
      hash: bytes('hash', part.hash, HASH_BYTES),
    }),
  }),
}
