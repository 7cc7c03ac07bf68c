// Frames out of a stream that is cut anywhere, against libp2p's own decoder.

import { LengthPrefixedDecoder } from '@libp2p/utils'
import test from 'ava'
import fc from 'fast-check'
import * as lp from 'it-length-prefixed'
import { Uint8ArrayList } from 'uint8arraylist'
import { FrameReader, toFrame } from '../../../src/adapters/libp2p/frames.js'

const MAX = 20_000

const sizes = fc.array(fc.oneof(fc.nat(3), fc.nat(300), fc.nat(MAX)), { maxLength: 8 })
const cuts = fc.array(fc.nat(400), { maxLength: 30 })

/** Cut at these distances, then in one piece. */
const inPieces = (bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] => {
  const pieces: Uint8Array[] = []
  let at = 0
  for (const cut of cuts) {
    pieces.push(bytes.subarray(at, at + cut))
    at += cut
  }
  return [...pieces, bytes.subarray(at)].filter(({ length }) => length > 0)
}

type Reader = (piece: Uint8Array | Uint8ArrayList) => Iterable<{ subarray(): Uint8Array }>

/** What is read, and by which error it ends. */
const readAll = (pieces: readonly (Uint8Array | Uint8ArrayList)[], read: Reader): string[] => {
  const seen: string[] = []
  try {
    for (const piece of pieces)
      for (const frame of read(piece)) seen.push(Buffer.from(frame.subarray()).toString('hex'))
  } catch (error) {
    seen.push((error as Error).name)
  }
  return seen
}

const ours = (): Reader => {
  const reader = new FrameReader(MAX, MAX * 16)
  return piece => reader.read(piece)
}
const plain = (): Reader => {
  const decoder = new LengthPrefixedDecoder({ maxDataLength: MAX, maxBufferSize: MAX * 16 })
  return piece => decoder.decode(piece)
}

test('frames are written as libp2p writes them, and read whole however they are cut', t => {
  fc.assert(
    fc.property(sizes, cuts, fc.boolean(), (sizes, cuts, inLists) => {
      const carried = sizes.map((size, i) => Buffer.alloc(size, i + 1))
      for (const each of carried)
        t.deepEqual(Buffer.from(toFrame(each)), Buffer.from(lp.encode.single(each).subarray()))
      const pieces = inPieces(Buffer.concat(carried.map(toFrame)), cuts)
      const seen = readAll(inLists ? pieces.map(piece => new Uint8ArrayList(piece)) : pieces, ours())
      t.deepEqual(
        seen,
        carried.filter(({ length }) => length > 0).map(each => each.toString('hex')),
      )
    }),
  )
})

const holdsLengthWithoutEnd = (bytes: Uint8Array): boolean =>
  /[\x80-\xff]{8}/.test(Buffer.from(bytes).toString('latin1'))
const junk = fc.uint8Array({ maxLength: 40 }).filter(bytes => !holdsLengthWithoutEnd(bytes))

test('what is no frame is refused as libp2p refuses it, after what came before', t => {
  fc.assert(
    fc.property(sizes, junk, cuts, (sizes, junk, cuts) => {
      const before = sizes.map((size, i) => toFrame(Buffer.alloc(size, i + 1)))
      const pieces = inPieces(Buffer.concat([...before, junk]), cuts)
      t.deepEqual(readAll(pieces, ours()), readAll(pieces, plain()))
    }),
    { numRuns: 500 },
  )
  t.deepEqual(readAll([toFrame(Buffer.alloc(MAX + 1))], ours()), ['InvalidMessageLengthError'])
})

test('a length without end is refused at its eighth byte, and not kept', t => {
  const junk = new Uint8Array(8).fill(0x80)
  t.deepEqual(readAll([junk], ours()), ['InvalidMessageLengthError'])
  const [first, ...rest] = inPieces(junk, [3, 4])
  t.deepEqual(readAll([first as Uint8Array, rest[0] as Uint8Array], ours()), [])
  t.deepEqual(readAll([first as Uint8Array, ...rest], ours()), ['InvalidMessageLengthError'])
  const frame = toFrame(Buffer.from('something'))
  t.is(readAll([Buffer.concat([frame, junk])], ours()).length, 2)
})

test('who is asked knows whether a frame is still to come to its end', t => {
  const reader = new FrameReader(MAX, MAX * 16)
  const frame = toFrame(Buffer.from('something'))
  t.deepEqual([...reader.read(frame)].length, 1)
  t.false(reader.isInMidst)
  t.deepEqual([...reader.read(frame.subarray(0, 4))], [])
  t.true(reader.isInMidst)
  t.deepEqual([...reader.read(frame.subarray(4))].length, 1)
  t.false(reader.isInMidst)
})
