import test from 'ava'
import * as Y from 'yjs'
import { encodePiece, UNLIMITED } from '../../src/core/state/encode.js'
import { grow, SHAPES } from './large-documents.js'
import { World } from './world.js'

const whole = (doc: Y.Doc): { client: number; from: number; to: number }[] =>
  [...doc.store.clients.keys()].map(client => ({ client, from: 0, to: Y.getState(doc.store, client) }))

for (const shape of SHAPES) {
  test(`pieces of a document of ${shape} that three wrote together never wait for one another`, t => {
    const { doc } = grow(shape, 60_000)
    const cursors = whole(doc)
    const copy = new Y.Doc()
    let pieces = 0
    while (cursors.length > 0) {
      Y.applyUpdate(copy, encodePiece(doc.store, cursors, { ...UNLIMITED, bytes: 2_000, structs: 50 }))
      t.is(copy.store.pendingStructs, null)
      pieces++
    }
    t.true(pieces > 3)
    t.deepEqual(Y.encodeStateVector(copy), Y.encodeStateVector(doc))
    t.deepEqual(Y.encodeStateAsUpdate(copy), Y.encodeStateAsUpdate(doc))
  })
}

test('a piece has no more structs than it may, however small they are', t => {
  const { doc } = grow('letters', 20_000)
  const piece = encodePiece(doc.store, whole(doc), { ...UNLIMITED, structs: 100 })
  t.is(Y.decodeUpdate(piece).structs.length, 100)
})

test('a document counts in full while it is being folded', t => {
  const world = new World({ seed: 1, nodes: 1, config: { foldBytes: 20_000, foldStepBytes: 500 } })
  const node = world.node(0)
  const doc = world.open(node, 'notes')
  let least = Number.POSITIVE_INFINITY
  for (const update of grow('letters', 40_000).updates) {
    Y.applyUpdate(doc, update)
    const written = Y.encodeStateAsUpdate(doc).length
    for (let i = 0; i < 5; i++) {
      world.advance(2)
      least = Math.min(least, node.core.totalBytes / written)
    }
  }
  t.true(least > 0.8, `at least ${least.toFixed(2)} of its bytes were counted`)
})
