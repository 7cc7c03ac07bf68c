// How the application's copies of large documents are filled over turns of the event loop.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import * as Y from 'yjs'
import type { CoreEvent } from '../../src/core/step.js'
import { createNode } from '../../src/index.js'
import { Documents } from '../../src/runtime/documents.js'

/** Pieces of one map with a key each; every piece takes so long to make. */
const makeDocuments = (pieceMs: number) => {
  const asked: CoreEvent[] = []
  const turns: (() => void)[] = []
  const pieces = new Map<string, number>()
  const clock = { now: 0, isRunning: true }
  const source = new Y.Doc()
  const fill = (name: string, keys: number): void => {
    const left = pieces.get(name) ?? 0
    const vector = Y.encodeStateVector(source)
    if (keys > 0) source.getMap('m').set(`${name}-${left}`, left)
    documents.changed({
      kind: 'documentChanged',
      name,
      update: keys > 0 ? Y.encodeStateAsUpdate(source, vector) : new Uint8Array([0, 0]),
      clientId: keys > 0 ? null : 7,
      fill: { isFirst: keys === 0, isLast: keys > 0 && left === 0 },
    })
  }
  const documents = new Documents({
    ask: event => {
      if (!clock.isRunning) return false
      asked.push(event)
      if (event.kind === 'documentOpened') fill(event.name, 0)
      if (event.kind !== 'documentFill') return true
      clock.now += pieceMs
      pieces.set(event.name, (pieces.get(event.name) ?? 0) - 1)
      try {
        fill(event.name, 1)
      } catch {
        // As the node does it: what an observer throws is reported, and all goes on.
      }
      return true
    },
    make: () => Promise.resolve(null),
    refuse: () => null,
    onHurried: () => {},
    onRefused: () => {},
    now: () => clock.now,
    nextTurn: callback => void turns.push(callback),
  })
  const open = (name: string, count: number): Y.Doc => {
    pieces.set(name, count)
    return documents.open(name)
  }
  /** One turn of the event loop; how many pieces it took in. */
  const turn = (): number => {
    const before = fills()
    for (const callback of turns.splice(0)) callback()
    return fills() - before
  }
  const fills = (): number => asked.filter(({ kind }) => kind === 'documentFill').length
  return { documents, open, turn, turns, asked, clock }
}

test('a piece that takes long has a turn to itself, and short ones share one', t => {
  const slow = makeDocuments(12)
  const doc = slow.open('plan', 3)
  t.is(doc.getMap('m').size, 0)
  t.deepEqual([slow.turn(), slow.turn(), slow.turn(), slow.turn()], [1, 1, 1, 0])
  t.is(doc.getMap('m').size, 3)
  t.true(doc.isLoaded)
  const quick = makeDocuments(3)
  quick.open('plan', 9)
  t.deepEqual([quick.turn(), quick.turn(), quick.turn(), quick.turn()], [4, 4, 1, 0])
})

test('several documents that are filled share a turn, and take it in turns', t => {
  const { open, turn, asked, turns } = makeDocuments(6)
  const docs = ['a', 'b', 'c'].map(name => open(name, 2))
  t.is(turns.length, 1)
  t.deepEqual([turn(), turn(), turn(), turn()], [2, 2, 2, 0])
  const names = asked.flatMap(event => (event.kind === 'documentFill' ? [event.name] : []))
  t.deepEqual(names, ['a', 'b', 'c', 'a', 'b', 'c'])
  t.true(docs.every(doc => doc.isLoaded && doc.isSynced))
})

test('an observer that throws at each piece keeps nothing from being filled', async t => {
  const { open, turn } = makeDocuments(12)
  const doc = open('plan', 3)
  let thrown = 0
  doc.getMap('m').observe(() => {
    thrown++
    throw new Error('mine')
  })
  doc.on('load', () => {
    throw new Error('mine too')
  })
  while (turn() > 0);
  t.is(thrown, 3)
  t.is(doc.getMap('m').size, 3)
  t.is(doc.clientID, 7)
  await doc.whenLoaded
})

test('a copy that an observer destroys in the midst takes in no more, and the core hears of it', t => {
  const { documents, open, turn, asked } = makeDocuments(12)
  const doc = open('plan', 3)
  doc.getMap('m').observe(() => doc.destroy())
  t.deepEqual([turn(), turn()], [1, 0])
  t.deepEqual(
    asked.map(({ kind }) => kind),
    ['documentOpened', 'documentFill', 'documentClosed'],
  )
  t.false(doc.isLoaded)
  t.not(documents.open('plan'), doc)
})

test('nothing more is asked of a node that has stopped', t => {
  const { open, turn, turns, clock } = makeDocuments(12)
  open('a', 3)
  const doc = open('b', 3)
  turn()
  clock.isRunning = false
  t.is(turn(), 0)
  t.is(turns.length, 0)
  t.false(doc.isLoaded)
})

test('a piece that was meant for an earlier copy does not go into the next one', t => {
  const asked: CoreEvent[] = []
  const documents = new Documents({
    ask: event => asked.push(event) > 0,
    make: () => Promise.resolve(null),
    refuse: () => null,
    onHurried: () => {},
    onRefused: () => {},
    now: () => 0,
    nextTurn: () => {},
  })
  documents.open('plan').destroy()
  const doc = documents.open('plan')
  const source = new Y.Doc()
  source.getMap('m').set('a', 1)
  const update = Y.encodeStateAsUpdate(source)
  const last = { kind: 'documentChanged', name: 'plan', update, clientId: 5 } as const
  documents.changed({ ...last, fill: { isFirst: false, isLast: true } })
  t.false(doc.isLoaded)
  t.is(doc.getMap('m').size, 0)
  documents.changed({ ...last, fill: { isFirst: true, isLast: true } })
  t.true(doc.isLoaded)
  t.is(doc.getMap('m').size, 1)
})

test('a node fills a large document in small pieces after it has opened it, also right after a start', async t => {
  const dataDir = mkdtempSync(join(tmpdir(), 'shoal-documents-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const options = { dataDir, listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false } as const
  const first = await createNode(options)
  const small = first.document('small')
  small.getMap('m').set('k', 'v')
  const large = first.document('large')
  await large.whenLoaded
  // No two of them merge into one struct.
  for (let round = 0; round < 20; round++)
    large.transact(() => {
      for (let i = 0; i < 500; i++) large.getText('t').insert(0, String.fromCharCode(97 + (i % 26)))
    })
  const text = large.getText('t').toString()
  await first.space('done').set('all', true)
  const piecesOf = async (doc: Y.Doc): Promise<number> => {
    let pieces = 0
    doc.on('update', () => pieces++)
    await doc.whenLoaded
    return pieces
  }
  large.destroy()
  const again = first.document('large')
  t.false(again.isLoaded)
  t.true((await piecesOf(again)) >= 10_000 / 500)
  t.is(again.getText('t').toString(), text)
  await first.close()

  const second = await createNode(options)
  t.teardown(() => second.close())
  const [little, much] = [second.document('small'), second.document('large')]
  t.true(little.isLoaded)
  t.is(little.getMap('m').get('k'), 'v')
  t.false(much.isLoaded)
  t.true((await piecesOf(much)) >= 10_000 / 500)
  t.is(much.getText('t').toString(), text)
  t.is(much.clientID, again.clientID)
})
