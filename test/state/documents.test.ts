// What an application may do with its copy of a raw document while that is being filled,
// and what others may do to the document meanwhile.

import test, { type ExecutionContext } from 'ava'
import * as Y from 'yjs'
import { createRng } from '../../src/core/rng.js'
import { grow } from './large-documents.js'
import { type TestNode, World } from './world.js'

const SMALL_PIECES = { openWholeStructs: 50, openPieceStructs: 20 }

const same = (t: ExecutionContext, a: Y.Doc, b: Y.Doc, why?: string): void => {
  t.is(a.store.pendingStructs, null, why)
  t.deepEqual(Y.encodeStateVector(a), Y.encodeStateVector(b), why)
  t.is(a.getText('t').toString(), b.getText('t').toString(), why)
  t.deepEqual(a.getMap('m').toJSON(), b.getMap('m').toJSON(), why)
}

/** Two nodes with a document of some hundred structs, of which the second has no copy. */
const twoWith = (seed: number): { world: World; a: TestNode; b: TestNode; doc: Y.Doc } => {
  const world = new World({ seed, nodes: 2, config: SMALL_PIECES })
  const [a, b] = [world.node(0), world.node(1)]
  const doc = world.open(a, 'notes')
  for (const update of grow('typed', 20_000, seed).updates) Y.applyUpdate(doc, update)
  world.advance(20_000)
  return { world, a, b, doc }
}

test('a small document stands filled when it is opened, and says so', async t => {
  const world = new World({ seed: 1, nodes: 1 })
  const node = world.node(0)
  const empty = world.openSlowly(node, 'empty')
  t.true(empty.isLoaded)
  await empty.whenLoaded
  const first = world.openSlowly(node, 'notes')
  first.getMap('m').set('k', 1)
  const { clientID } = first
  first.destroy()
  const again = world.openSlowly(node, 'notes')
  t.true(again.isLoaded)
  t.true(again.isSynced)
  await again.whenLoaded
  await again.whenSynced
  t.deepEqual(again.getMap('m').toJSON(), { k: 1 })
  t.is(again.clientID, clientID)
})

test('a large document is filled piece by piece, one to a turn, and says when it is there', async t => {
  const { world, b, doc } = twoWith(2)
  const structs: number[] = []
  let between = 0
  world.onEffect = (node, effect) => {
    if (node === b && effect.kind === 'documentChanged')
      structs.push(Y.decodeUpdate(effect.update).structs.length)
    else if (structs.length > 0) between++
  }
  const copy = world.openSlowly(b, 'notes')
  t.false(copy.isLoaded)
  t.is(copy.getText('t').length, 0)
  t.deepEqual(structs, [0])
  let loads = 0
  copy.on('load', () => loads++)
  for (let i = 0; i < 10_000 && !copy.isLoaded; i++) {
    world.set(b, 'plant', 'k', i)
    world.advance(1)
  }
  t.is(loads, 1)
  t.true(copy.isSynced)
  await copy.whenLoaded
  t.true(structs.length > 20, `${structs.length} pieces`)
  t.true(Math.max(...structs) <= 20)
  t.true(between > structs.length, 'other things were done between them')
  same(t, copy, doc)
})

test('whoever writes before a document is loaded gives out no clock twice, and is heard by all', t => {
  const { world, a, b, doc } = twoWith(3)
  const first = world.open(b, 'notes')
  first.getText('t').insert(0, 'own ')
  const own = first.clientID
  first.destroy()
  world.advance(1_000)
  const copy = world.openSlowly(b, 'notes')
  t.not(copy.clientID, own, 'what it wrote before is not there yet')
  copy.getText('t').insert(0, 'early ')
  world.advance(3)
  t.false(copy.isLoaded)
  copy.getMap('m').set('early', true)
  world.advance(20_000)
  t.true(copy.isLoaded)
  t.is(copy.clientID, own)
  copy.getText('t').insert(0, 'late ')
  world.advance(20_000)
  same(t, copy, doc)
  same(t, world.stored(b, 'doc/notes'), doc)
  for (const word of ['own ', 'early ', 'late ']) t.true(doc.getText('t').toString().includes(word), word)
  t.is(a.documents.get('notes')?.getMap('m').get('early'), true)
})

test('whoever writes before a document is loaded, at each of very many starts, adds less than 16 KB, and loses nothing', t => {
  const world = new World({
    seed: 6,
    nodes: 2,
    latencyMs: [1, 5],
    // Too large to be filled at once, and, at every other start, to be read at once.
    config: {
      openWholeStructs: 1,
      openPieceStructs: 5,
      loadWholeBytes: 200,
      foldEntries: 40,
      earlyWriters: 64,
    },
  })
  const [a, b] = [world.node(0), world.node(1)]
  const shared = world.open(b, 'notes')
  for (let i = 0; i < 30; i++) shared.getText('t').insert(Math.floor(i / 2), `${i}`)
  world.advance(20_000)
  const bytes = (): number => Y.encodeStateAsUpdate(world.stored(b, 'doc/notes')).length
  const before = bytes()
  let whole = 0
  for (let restart = 0; restart < 300; restart++) {
    world.crash(a, a.disk.pending.length)
    // Where it is alone, it cannot be shown what it lost.
    if (restart % 50 === 49) world.partition(node => node === a)
    world.start(a)
    const doc = world.openSlowly(a, 'notes')
    // One key: what is written over in turn leaves some bytes for each time, whoever writes.
    doc.getMap('m').set('k', `boot ${restart}`)
    if (doc.isLoaded) whole++
    if (restart % 2 === 0) world.advance(2)
    doc.getMap('m').set('k', `early ${restart}`)
    if (restart % 10 === 0) doc.getText('early').insert(0, `<${restart}>`)
    world.advance(2_000)
    t.true(doc.isLoaded)
    doc.getMap('m').set('k', `late ${restart}`)
    world.advance(2_000)
    world.heal()
  }
  world.advance(20_000)
  t.deepEqual(world.open(b, 'notes').getMap('m').toJSON(), { k: 'late 299' })
  const early = world.open(b, 'notes').getText('early').toString()
  for (let restart = 0; restart < 300; restart += 10) t.is(early.split(`<${restart}>`).length, 2, early)
  same(t, world.open(a, 'notes'), shared)
  t.true(bytes() - before < 64 * 40 + early.length + 30 * 20, `${before}, then ${bytes()}`)
  t.true(whole >= 300 - 64 - 10 && whole < 300, `${whole} times whole`)
  t.true(world.stored(b, 'doc/notes').store.clients.size < 64 + 20)
  t.true(a.logs.some(line => line.includes('was filled in at once')))
})

test('a document that was written to too early too often is filled over turns all the same, until it is written to', t => {
  const config = { openWholeStructs: 1, openPieceStructs: 5, loadWholeBytes: 200, earlyWriters: 2 }
  const world = new World({ seed: 7, nodes: 2, latencyMs: [1, 5], config })
  const [a, b] = [world.node(0), world.node(1)]
  const shared = world.open(b, 'notes')
  for (let i = 0; i < 200; i++) shared.getText('t').insert(Math.floor(i / 2), `${i}`)
  world.advance(20_000)
  const restart = (): Y.Doc => {
    world.crash(a, a.disk.pending.length)
    world.start(a)
    return world.openSlowly(a, 'notes')
  }
  for (let times = 0; times < 4; times++) {
    restart().getMap('m').set('k', times)
    world.advance(20_000)
  }
  const clients = world.stored(b, 'doc/notes').store.clients.size

  // Who waits for it gets it over turns.
  const waiting = restart()
  const lengths: number[] = []
  for (let turns = 0; turns < 10_000 && !waiting.isLoaded; turns++) {
    lengths.push(waiting.getText('t').length)
    world.advance(1)
  }
  t.true(new Set(lengths).size > 20, `${lengths}`)
  t.true(waiting.isLoaded)

  // Who does not has it whole when the write begins, whose update is the write alone.
  const hasty = restart()
  world.advance(2)
  t.false(hasty.isLoaded)
  const told: number[] = []
  hasty.on('update', (update: Uint8Array, _origin: unknown, _doc: Y.Doc, { local }: Y.Transaction) => {
    if (local) told.push(Y.decodeUpdate(update).structs.length)
  })
  hasty.getText('t').insert(3, 'hasty')
  t.true(hasty.isLoaded)
  t.deepEqual(told, [1])
  world.advance(20_000)
  same(t, hasty, shared)
  t.true(shared.getText('t').toString().includes('hasty'))
  t.is(world.stored(b, 'doc/notes').store.clients.size, clients, 'nobody new has written')
})

test('what others change while a copy is filled comes after what it builds on', t => {
  const { world, b, doc } = twoWith(4)
  const copy = world.openSlowly(b, 'notes')
  let held = 0
  let turns = 0
  copy.on('afterTransaction', () => {
    if (copy.store.pendingStructs !== null || copy.store.pendingDs !== null) held++
  })
  const rng = createRng(4)
  const text = doc.getText('t')
  for (; turns < 10_000 && !copy.isLoaded; turns++) {
    if (turns % 3 === 0 && turns < 100) text.insert(rng.below(text.length), 'new')
    if (turns % 3 === 1 && turns < 100) text.delete(rng.below(text.length - 5), 5)
    world.advance(1)
  }
  t.true(turns > 20)
  t.is(held, 0, 'Yjs held nothing back')
  world.advance(20_000)
  same(t, copy, doc)
})

test('a copy that is destroyed while it is filled costs nothing more, and the next one is whole', t => {
  const { world, b, doc } = twoWith(5)
  const first = world.openSlowly(b, 'notes')
  world.advance(3)
  const { length } = first.getText('t')
  t.true(length > 0 && !first.isLoaded)
  let told = 0
  world.onEffect = (node, effect) => {
    if (node === b && effect.kind === 'documentChanged') told++
  }
  first.destroy()
  doc.getText('t').insert(0, 'meanwhile ')
  world.advance(1_000)
  t.is(told, 0)
  t.is(first.getText('t').length, length)
  const second = world.openSlowly(b, 'notes')
  t.not(second, first)
  t.is(world.openSlowly(b, 'notes'), second)
  world.advance(2)
  second.destroy()
  const third = world.openSlowly(b, 'notes')
  world.advance(1_000)
  t.true(third.isLoaded)
  t.false(second.isLoaded)
  same(t, third, doc)
  third.destroy()
  told = 0
  doc.getText('t').insert(0, 'nobody listens ')
  world.advance(1_000)
  t.is(told, 0)
})

test('a document is opened and written to while it is still being read from the store', t => {
  const config = { ...SMALL_PIECES, foldBytes: 20_000, loadWholeBytes: 1_000, loadStepBytes: 500 }
  const world = new World({ seed: 6, nodes: 1, config })
  const node = world.node(0)
  const before = world.open(node, 'notes')
  for (const update of grow('typed', 60_000).updates) {
    Y.applyUpdate(before, update)
    world.advance(3)
  }
  before.getText('t').insert(0, 'own ')
  const own = before.clientID
  world.advance(5_000)
  world.crash(node, node.disk.pending.length)
  world.start(node)
  const given = world.openSlowly(node, 'notes')
  given.getText('t').insert(0, 'given up ')
  given.destroy()
  const copy = world.openSlowly(node, 'notes')
  t.not(copy.clientID, own)
  copy.getText('t').insert(0, 'early ')
  t.false(copy.isLoaded)
  world.replies.clear()
  world.advance(10_000)
  t.true(copy.isLoaded)
  t.is(copy.clientID, own)
  t.deepEqual(
    [...world.replies.values()].map(({ ok }) => ok),
    [true, true],
  )
  const text = copy.getText('t').toString()
  for (const word of ['own ', 'given up ', 'early ']) t.true(text.includes(word), word)
  t.is(text.length, before.getText('t').length + 'given up early '.length)
  same(t, world.stored(node, 'doc/notes'), copy)
})

test('what is written before a document is loaded is bounded, and refused beyond', t => {
  const config = { documentBytesMax: 30_000, foldBytes: 20_000, loadWholeBytes: 1_000, loadStepBytes: 500 }
  const world = new World({ seed: 7, nodes: 1, config })
  const node = world.node(0)
  const before = world.open(node, 'notes')
  for (const update of grow('typed', 15_000).updates) Y.applyUpdate(before, update)
  world.advance(5_000)
  world.crash(node, node.disk.pending.length)
  world.start(node)
  const copy = world.openSlowly(node, 'notes')
  world.replies.clear()
  copy.getMap('m').set('a', 'x'.repeat(20_000))
  copy.getMap('m').set('b', 'x'.repeat(20_000))
  t.deepEqual(
    [...world.replies.values()].map(({ code }) => code),
    ['STATE_LIMIT'],
  )
})

test('what an application brings into a copy from a store of its own, before its turn, is deleted there as it is here', t => {
  for (const loadWholeBytes of [65_536, 1]) {
    const config = { openWholeStructs: 1, openPieceStructs: 1, loadWholeBytes, loadStepBytes: 1 }
    const world = new World({ seed: 1, nodes: 2, config })
    const [a, b] = [world.node(0), world.node(1)]
    const doc = world.open(a, 'notes')
    for (let i = 0; i < 9; i++) doc.getArray('a').push([{ i }])
    for (const key of ['k', 'l', 'm']) doc.getMap('m').set(key, key)
    world.advance(5_000)
    const saved = Y.encodeStateAsUpdate(doc)
    doc.getMap('m').delete('k')
    doc.getArray('a').delete(2, 3)
    world.advance(5_000)
    world.crash(b, b.disk.pending.length)
    world.start(b)
    const copy = world.openSlowly(b, 'notes')
    Y.applyUpdate(copy, saved)
    t.is(copy.getMap('m').get('k'), 'k')
    t.false(copy.isLoaded)
    // And this while it is filled.
    doc.getMap('m').delete('l')
    world.advance(5_000)
    t.true(copy.isLoaded)
    doc.getArray('a').delete(0, 1)
    world.advance(5_000)
    t.deepEqual(copy.getMap('m').toJSON(), { m: 'm' })
    t.deepEqual(copy.getArray('a').toJSON(), doc.getArray('a').toJSON())
    t.is(copy.getArray('a').length, 5)
  }
})

test('a document that is nearly full takes what repeats it, and the little that is new', t => {
  const config = { documentBytesMax: 20_000, openWholeStructs: 1, foldBytes: 1_000 }
  const world = new World({ seed: 1, nodes: 2, config })
  const [a, b] = [world.node(0), world.node(1)]
  const doc = world.open(a, 'notes')
  const text = doc.getText('t')
  for (let i = 0; Y.encodeStateAsUpdate(doc).length < 18_500; i++) {
    text.insert((i * 7) % (text.length + 1), 'ab')
    world.advance(3)
  }
  world.advance(20_000)
  const other = new Y.Doc()
  Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
  const vector = Y.encodeStateVector(other)
  other.getText('t').insert(text.length, '!')
  // Yjs holds one back until the copy is filled; the other repeats all.
  for (const update of [Y.encodeStateAsUpdate(other, vector), Y.encodeStateAsUpdate(other)]) {
    const copy = world.openSlowly(b, 'notes')
    Y.applyUpdate(copy, update)
    world.advance(20_000)
    t.true(copy.isLoaded)
    copy.destroy()
  }
  t.deepEqual(
    [...world.replies.values()].filter(({ ok }) => !ok),
    [],
  )
  t.is(text.toString(), other.getText('t').toString())
})

test('what an application brought in too early, and Yjs held back, reaches the others when it fits', t => {
  const { world, b, doc } = twoWith(8)
  const elsewhere = new Y.Doc()
  Y.applyUpdate(elsewhere, Y.encodeStateAsUpdate(doc))
  const vector = Y.encodeStateVector(elsewhere)
  elsewhere.getText('t').insert(elsewhere.getText('t').length, ' from elsewhere')
  const copy = world.openSlowly(b, 'notes')
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(elsewhere, vector))
  t.not(copy.store.pendingStructs, null)
  world.advance(20_000)
  t.true(doc.getText('t').toString().endsWith(' from elsewhere'))
  same(t, copy, doc)
})

/** Two write rich text at once, now and then hearing of each other. */
const richText = (seed: number, textOf: (doc: Y.Doc) => Y.Text): Y.Doc => {
  const rng = createRng(seed)
  const docs = [1, 2].map(client => {
    const doc = new Y.Doc()
    doc.clientID = client
    return doc
  }) as [Y.Doc, Y.Doc]
  textOf(docs[0])
  Y.applyUpdate(docs[1], Y.encodeStateAsUpdate(docs[0]))
  for (let i = 0; i < 8; i++) {
    const text = textOf(rng.pick(docs))
    const at = rng.below(Math.min(4, text.length + 1))
    const what = rng.below(4)
    const from = Math.min(at, text.length - 1)
    if (what === 0 || text.length < 2) text.insert(at, 'abc'.slice(rng.below(3)), rng.pick([{}, { b: true }]))
    else if (what === 1) text.delete(from, 1)
    else text.format(from, 1 + rng.below(text.length - from), { b: rng.pick([true, null]) })
    if (rng.below(2) === 0) continue
    Y.applyUpdate(docs[0], Y.encodeStateAsUpdate(docs[1]))
    Y.applyUpdate(docs[1], Y.encodeStateAsUpdate(docs[0]))
  }
  Y.applyUpdate(docs[0], Y.encodeStateAsUpdate(docs[1]))
  const out = new Y.Doc()
  Y.applyUpdate(out, Y.encodeStateAsUpdate(docs[0]))
  return out
}

const nestedText = (doc: Y.Doc): Y.Text => {
  const map = doc.getMap<Y.Text>('m')
  return map.get('text') ?? map.set('text', new Y.Text())
}

const KINDS: readonly [string, (doc: Y.Doc) => Y.Text][] = [
  ['at the root', doc => doc.getText('t')],
  ['within a map', nestedText],
]

for (const [where, textOf] of KINDS) {
  test(`rich text ${where} keeps its formats when it comes in pieces, to a node and to a copy`, t => {
    // 305 lost one.
    for (let seed = 290; seed < 320; seed++) {
      const world = new World({
        seed,
        nodes: 2,
        config: { openWholeStructs: 1, openPieceStructs: 2, pieceStructsMax: 2 },
      })
      const [a, b] = [world.node(0), world.node(1)]
      const doc = world.open(a, 'notes')
      world.partition(node => node === a)
      Y.applyUpdate(doc, Y.encodeStateAsUpdate(richText(seed, textOf)))
      const expected = textOf(doc).toDelta()
      world.advance(100)
      world.heal()
      world.advance(5_000)
      const copy = world.openSlowly(b, 'notes')
      copy.getText('t')
      world.advance(5_000)
      t.deepEqual(textOf(copy).toDelta(), expected, `seed ${seed}`)
      t.deepEqual(textOf(doc).toDelta(), expected, `seed ${seed}`)
    }
  })
}
