import test from 'ava'
import * as Y from 'yjs'
import { encodePiece, UNLIMITED } from '../../src/core/state/encode.js'
import { seal } from '../../src/core/state/log.js'
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

const sameText = (a: Y.Doc, b: Y.Doc): boolean => a.getText('t').toString() === b.getText('t').toString()

test('a large document is read over many turns at a start, and nobody is told of what is not here yet', t => {
  const world = new World({
    seed: 2,
    nodes: 3,
    config: { foldBytes: 20_000, foldStepBytes: 1_000, loadWholeBytes: 1_000, loadStepBytes: 500 },
  })
  const [a, b] = [world.node(0), world.node(1)]
  const doc = world.open(a, 'notes')
  for (const update of grow('typed', 120_000).updates) {
    Y.applyUpdate(doc, update)
    world.advance(3)
  }
  world.advance(20_000)
  world.crash(b, b.disk.pending.length)
  const before = world.nodes.map(node => node.bytesSent)
  let turns = 0
  world.around = (event, turn) => {
    if (event.kind === 'timer' && b.core.totalBytes > 0) turns++
    turn()
  }
  world.start(b)
  const bytes = b.core.totalBytes
  t.true(bytes > 100_000, 'what is being read counts')
  // Written while it is still being read: by others, and here.
  world.set(b, 'plant', 'k', 1)
  doc.getText('t').insert(0, 'meanwhile ')
  world.advance(20)
  world.advance(20_000)
  t.true(turns > 50, `${turns} turns`)
  t.is(world.node(2).core.get('plant', 'k'), 1)
  const sent = world.nodes.reduce((sum, node, i) => sum + node.bytesSent - (before[i] ?? 0), 0)
  t.true(sent < 20_000, `${sent} bytes sent: nothing of it was sent once more`)
  t.true(sameText(world.open(b, 'notes'), doc))
  t.deepEqual(
    b.logs.filter(line => !line.startsWith('info')),
    [],
  )
})

test('a document that is opened while it is being read is there at once, and writes on under its own name', t => {
  const world = new World({
    seed: 3,
    nodes: 2,
    config: { foldBytes: 50_000, loadWholeBytes: 1_000, loadStepBytes: 500 },
  })
  const [a, b] = [world.node(0), world.node(1)]
  const doc = world.open(a, 'notes')
  for (const update of grow('letters', 100_000).updates) {
    Y.applyUpdate(doc, update)
    world.advance(3)
  }
  const first = world.open(b, 'notes')
  world.advance(5_000)
  first.getText('t').insert(0, 'first ')
  world.advance(5_000)
  const { clientID } = first
  world.crash(b, b.disk.pending.length)
  world.start(b)
  world.advance(5)
  const again = world.open(b, 'notes')
  t.true(sameText(again, doc))
  t.is(again.clientID, clientID)
  again.getText('t').insert(0, 'second ')
  world.advance(10_000)
  t.true(doc.getText('t').toString().startsWith('second first '))
  t.is(a.documents.get('notes')?.store.clients.size, 4)
})

test('a snapshot whose parts refer to later ones is read all the same', t => {
  const world = new World({
    seed: 4,
    nodes: 1,
    config: { foldBytes: 10_000, foldStepBytes: 1_000, loadWholeBytes: 1_000 },
  })
  const node = world.node(0)
  const doc = world.open(node, 'notes')
  for (const update of grow('letters', 40_000).updates) {
    Y.applyUpdate(doc, update)
    world.advance(20)
  }
  world.advance(5_000)
  world.crash(node, node.disk.pending.length)
  // As they were stored before: one client after the other.
  const parts = [...node.disk.durable.keys()].filter(key => key.includes('/p/'))
  const stored = world.stored(node, 'doc/notes')
  const cursors = whole(stored)
  t.true(parts.length > cursors.length)
  const prefix = (parts[0] as string).replace(/[^/]*$/, '')
  for (const key of parts) node.disk.durable.set(key, seal(Y.encodeStateAsUpdate(new Y.Doc())))
  cursors.forEach((cursor, i) => {
    const part = encodePiece(stored.store, [cursor], UNLIMITED)
    node.disk.durable.set(`${prefix}${i}`, seal(part))
  })
  world.start(node)
  world.advance(1_000)
  t.true(sameText(world.open(node, 'notes'), doc))
  t.deepEqual(node.logs, [])
})

test('deletes all over a grown document come few at a time, and end alike', t => {
  const world = new World({ seed: 5, nodes: 2, config: { pieceStructsMax: 50 } })
  const [a, b] = [world.node(0), world.node(1)]
  const doc = world.open(a, 'notes')
  for (const update of grow('typed', 60_000).updates) Y.applyUpdate(doc, update)
  const other = world.open(b, 'notes')
  world.advance(20_000)
  world.partition(node => node === a)
  const text = doc.getText('t')
  doc.transact(() => {
    for (let at = text.length - 1; at > 0; at -= 12) text.delete(at, 1)
  })
  world.advance(1_000)
  let most = 0
  world.onEffect = (_node, effect) => {
    if (effect.kind !== 'send' || effect.message.kind !== 'statePiece') return
    const { structs, ds } = Y.decodeUpdate(effect.message.update)
    most = Math.max(
      most,
      structs.length,
      [...ds.clients.values()].reduce((sum, list) => sum + list.length, 0),
    )
  }
  world.heal()
  world.advance(20_000)
  t.true(sameText(other, doc))
  t.true(most > 10 && most <= 50, `${most} at most`)
})

test('of the work that takes milliseconds a timer does one piece, however much there is, and nothing else does any', t => {
  const world = new World({ seed: 3, nodes: 1, config: { foldBytes: 5_000, foldStepBytes: 500 } })
  const node = world.node(0)
  const names = ['notes', 'plans', 'logs']
  const docs = names.map(name => world.open(node, name))
  for (const update of grow('typed', 12_000).updates) for (const doc of docs) Y.applyUpdate(doc, update)
  const written: { readonly by: string; readonly parts: number }[] = []
  let parts = 0
  world.onEffect = (_node, effect) => {
    if (effect.kind !== 'persist') return
    parts += effect.writes.filter(({ key, value }) => value !== null && /\/p\/\d+\/\d+$/.test(key)).length
  }
  world.around = (event, turn) => {
    parts = 0
    turn()
    if (parts > 0) written.push({ by: event.kind, parts })
  }
  // So late that all of it is due at every event.
  for (let i = 0; i < 100; i++) {
    world.set(node, 'plant', `k${i}`, i)
    world.advance(5)
  }
  t.true(written.length > 20, `${written.length} pieces`)
  t.deepEqual(
    written.filter(({ by, parts }) => by !== 'timer' || parts > 1),
    [],
  )
})
