// What one member that lies, or is broken, can bring about at the others: it holds the mesh key, and is a neighbor of all.

import test from 'ava'
import * as Y from 'yjs'
import type { Json } from '../../src/core/json.js'
import { encodeVector } from '../../src/core/state/digest.js'
import { append } from '../../src/core/state/lists.js'
import type { StateMessage } from '../../src/core/state/message.js'
import { NEWS_TOPIC } from '../../src/core/state/outbox.js'
import { clientOf, clientOfList } from '../../src/core/state/writer.js'
import { variantsOf } from './replicas.js'
import { type TestNode, World } from './world.js'

const LINEAGES = 'shoal_state_lineages_retired_total'
const NO_DELETES = new Uint8Array(0)

const tell = (world: World, to: TestNode, from: TestNode, message: StateMessage): void =>
  world.step(to, { kind: 'message', from: from.id, channel: 'bulk', message, bytes: 0 })

test('who says again and again that he knows more of a node’s writing than it does is believed eight times, in all its lives', t => {
  const world = new World({ seed: 1, nodes: 3, latencyMs: [1, 5] })
  const [victim, liar, other] = [world.node(0), world.node(1), world.node(2)]
  const lineages = new Map<string, string>()
  world.onEffect = (node, effect) => {
    if (node === victim && effect.kind === 'publish' && effect.message.kind === 'stateUpdate')
      lineages.set(effect.message.document, effect.message.lineage)
  }
  for (let round = 0; round < 200; round++) {
    if (round % 20 === 19) {
      world.crash(victim, victim.disk.pending.length)
      world.start(victim)
    }
    world.set(victim, 'plant', 'k', round)
    world.open(victim, 'notes').getMap('m').set('k', round)
    world.advance(1_000)
    for (const [document, lineage] of lineages) {
      const vector = encodeVector(new Map([[clientOf(victim.id, lineage), 1_000_000]]))
      tell(world, victim, liar, { kind: 'stateDigest', document, vector, deletes: NO_DELETES })
    }
  }
  world.advance(10_000)
  t.deepEqual(victim.offences, [])
  t.is(victim.counts.get(LINEAGES), 2 * 8)
  for (const node of [liar, other]) t.is(node.core.get('plant', 'k'), 199)
  t.is(world.open(other, 'notes').getMap('m').get('k'), 199)
  t.true(world.stored(other, 'space/plant').store.clients.size <= 9)
})

/** What another has written to a raw document, in pieces that each fit a message. */
const fill = (world: World, to: TestNode, from: TestNode, make: (doc: Y.Doc, turn: number) => void): void => {
  const doc = new Y.Doc()
  doc.clientID = clientOf(from.id, '00000001')
  for (let turn = 0; turn < 200; turn++) {
    const before = Y.encodeStateVector(doc)
    doc.transact(() => make(doc, turn))
    const update = Y.encodeStateAsUpdate(doc, before)
    tell(world, to, from, { kind: 'statePiece', document: 'doc/notes', number: turn, last: true, update })
    if (turn % 20 === 0) world.advance(1)
  }
}

const FILLS: readonly (readonly [string, (doc: Y.Doc, turn: number) => void])[] = [
  ['a long text', doc => doc.getText('t').insert(0, 'x'.repeat(500))],
  ['few large values', (doc, turn) => doc.getMap('m').set(`k${turn}`, 'x'.repeat(500))],
  ['bytes', (doc, turn) => doc.getMap('m').set(`k${turn}`, new Uint8Array(500))],
  ['what is nested', (doc, turn) => doc.getMap('m').set(`k${turn}`, new Y.Array<string>())],
]

for (const [name, make] of FILLS)
  test(`a raw document that another has filled with ${name} is cleared by the application, and has its room again, everywhere`, t => {
    const config = { documentBytesMax: 20_000, foldEntries: 30, throttleMs: 100 }
    const world = new World({ seed: 2, nodes: 3, latencyMs: [1, 5], config })
    const [a, b, liar] = [world.node(0), world.node(1), world.node(2)]
    world.open(a, 'notes').getText('own').insert(0, 'honest')
    world.advance(2_000)
    world.crash(liar)
    for (const to of [a, b]) {
      world.step(to, { kind: 'linkUp', node: liar.id, address: '', outbound: true })
      fill(world, to, liar, (doc, turn) => {
        make(doc, turn)
        const inner = doc.getMap<unknown>('m').get(`k${turn}`)
        if (inner instanceof Y.Array) inner.push(['y'.repeat(500)])
      })
      // And with as little as still finds a place.
      fill(world, to, liar, doc => doc.getText('small').insert(0, 'z'))
    }
    world.advance(10_000)
    const write = (change: (doc: Y.Doc) => void): string => {
      a.documents.get('notes')?.destroy()
      const doc = world.open(a, 'notes')
      world.replies.clear()
      doc.transact(() => change(doc))
      world.advance(3_000)
      return [...world.replies.values()].map(({ ok, code }) => (ok ? 'ok' : `${code}`)).join()
    }
    t.is(
      write(doc => doc.getText('own').insert(0, 'x'.repeat(1_000))),
      'STATE_LIMIT',
    )
    const clear = (doc: Y.Doc): void => {
      for (const key of ['t', 'small']) doc.getText(key).delete(0, doc.getText(key).length)
      for (const key of doc.getMap('m').keys()) doc.getMap('m').delete(key)
    }
    t.is(write(clear), 'ok')
    t.is(
      write(doc => doc.getText('own').insert(0, 'x'.repeat(10_000))),
      'ok',
    )
    for (let turn = 0; turn < 10; turn++)
      t.is(
        write(doc => doc.getMap('mine').set('k', `${turn}`.repeat(5_000))),
        'ok',
        `written over ${turn} times`,
      )
    world.advance(30_000)
    t.is(world.open(b, 'notes').getText('own').length, 10_006)
    t.is(variantsOf(world, 'doc/notes', [a, b]), 1)
    t.true(a.core.totalBytes < 25_000, `${a.core.totalBytes} bytes`)
  })

test('what others knew and have shown is not counted among what they only said', t => {
  const world = new World({ seed: 4, nodes: 2, latencyMs: [1, 5] })
  const [a, b] = [world.node(0), world.node(1)]
  for (let round = 0; round < 20; round++) {
    world.set(a, 'plant', `before-${round}`, 1)
    world.advance(1_000)
    const backup = a.disk.backup()
    world.set(a, 'plant', `lost-${round}`, 1)
    world.advance(1_000)
    world.crash(a)
    a.disk.restore(backup)
    world.start(a)
    world.advance(5_000)
    t.is(a.counts.get(LINEAGES), round + 1)
    t.true(a.logs.at(-1)?.includes('are said to be known'), a.logs.at(-1))
  }
  t.is(Object.keys(world.contents(b, 'plant')).length, 40)
  t.is(variantsOf(world, 'space/plant'), 1)
})

const PLACES = 20

/** A space in which somebody is said to have written. */
const spaceBy = (author: string, value: unknown): Uint8Array => {
  const list = `${author}/00000001`
  const doc = new Y.Doc()
  doc.transact(transaction => append(transaction, clientOfList(list), list, ['k', 1_000, value as Json]))
  return Y.encodeStateAsUpdate(doc)
}

/** Tells all of one more space of its own. */
const announce = (world: World, to: TestNode, liar: TestNode, i: number): void => {
  const update = spaceBy(liar.id, i)
  const message: StateMessage = {
    kind: 'stateUpdate',
    document: `space/said-${i}`,
    lineage: '00000001',
    update,
  }
  world.step(to, { kind: 'gossip', from: liar.id, topic: NEWS_TOPIC, message, bytes: 0 })
}

/** Invents names without end, in each way that there is, and says that it, or somebody invented, has written there. */
const invent = (world: World, to: TestNode, liar: TestNode): void => {
  for (let i = 0; i < 200; i++) {
    const vector = encodeVector(new Map([[7, 1]]))
    tell(world, to, liar, { kind: 'stateDigest', document: `space/name-${i}`, vector, deletes: NO_DELETES })
    tell(world, to, liar, { kind: 'stateDigest', document: `doc/name-${i}`, vector, deletes: NO_DELETES })
    const relay = (document: string, update: Uint8Array): void =>
      tell(world, to, liar, { kind: 'statePiece', document, number: 1, last: true, update })
    const text = new Y.Doc()
    text.getText('t').insert(0, 'invented')
    relay(`doc/text-${i}`, Y.encodeStateAsUpdate(text))
    relay(`space/own-${i}`, spaceBy(liar.id, i))
    relay(`space/invented-${i}`, spaceBy(`nobody-${i}`, i))
    relay(`space/victims-${i}`, spaceBy(to.id, i))
    announce(world, to, liar, i)
    world.advance(5)
  }
}

test('whoever invents spaces and documents without end, an application has its own, and so has who asks for them elsewhere', t => {
  const config = { documentsMax: PLACES, offencesMax: 1_000_000 }
  const world = new World({ seed: 5, nodes: 4, latencyMs: [1, 5], config })
  const [a, b, c, liar] = [world.node(0), world.node(1), world.node(2), world.node(3)]
  world.advance(1_000)
  world.crash(liar)
  for (const to of [a, b, c]) {
    world.step(to, { kind: 'linkUp', node: liar.id, address: '', outbound: true })
    invent(world, to, liar)
  }
  world.advance(10_000)
  for (const node of [a, b, c]) t.true(node.core.held < 4 * PLACES, `${node.core.held} held`)
  const isDone = (request: number): boolean => {
    world.advance(1_000)
    return world.isAcknowledged(request)
  }
  const names = Array.from({ length: PLACES - 1 }, (_, i) => `honest-${i}`)
  for (const name of names) {
    // One who reads it only, and has asked for it before it is there.
    t.is(b.core.get(name, 'k'), undefined)
    t.true(isDone(world.set(a, name, 'k', 'here')), name)
    t.is(b.core.get(name, 'k'), 'here', name)
  }
  t.is(a.core.refuseDocument('notes'), null)
  world.open(a, 'notes').getText('t').insert(0, 'honest')
  t.is(c.core.refuseDocument('notes'), null)
  const copy = world.open(c, 'notes')
  world.advance(30_000)
  t.is(copy.getText('t').toString(), 'honest')
  // What it has of its own is bounded too.
  t.false(isDone(world.set(a, 'one-more', 'k', 1)))
  t.is(a.core.refuseDocument('one-more')?.code, 'STATE_LIMIT')
  // After a start that is so as well, for who has written and for who has not.
  for (const node of [a, b, c]) {
    world.crash(node, node.disk.pending.length)
    world.start(node)
  }
  world.advance(10_000)
  for (const name of names) t.is(b.core.get(name, 'k'), 'here')
  t.true(isDone(world.set(a, names[0] as string, 'k', 'again')))
  t.true(isDone(world.set(c, 'late', 'k', 1)))
  t.is(a.core.refuseDocument('notes'), null)
})

test('a member that invents spaces without end leaves places for what others begin', t => {
  const world = new World({ seed: 6, nodes: 3, latencyMs: [1, 5], config: { documentsMax: 50 } })
  const [a, b, liar] = [world.node(0), world.node(1), world.node(2)]
  for (let i = 0; i < 200; i++) {
    announce(world, b, liar, i)
  }
  for (let i = 0; i < 8; i++) world.set(a, `honest-${i}`, 'k', i)
  world.advance(30_000)
  for (let i = 0; i < 8; i++) t.is(b.core.get(`honest-${i}`, 'k'), i)
})

test('what is not used here fills no more than three quarters of all bytes, however much others push', t => {
  const config = { totalBytesMax: 100_000, throttleMs: 100 }
  const world = new World({ seed: 7, nodes: 2, latencyMs: [1, 5], config })
  const [a, liar] = [world.node(0), world.node(1)]
  world.advance(1_000)
  for (let i = 0; i < 200; i++) {
    const update = spaceBy(liar.id, 'x'.repeat(1_000))
    tell(world, a, liar, { kind: 'statePiece', document: `space/own-${i}`, number: 1, last: true, update })
    const text = new Y.Doc()
    text.getText('t').insert(0, 'x'.repeat(1_000))
    const document = `doc/text-${i}`
    tell(world, a, liar, {
      kind: 'statePiece',
      document,
      number: 1,
      last: true,
      update: Y.encodeStateAsUpdate(text),
    })
  }
  t.true(a.core.totalBytes > 70_000 && a.core.totalBytes <= 75_000, `${a.core.totalBytes} bytes`)
  const requests = [1, 2].map(i => world.set(a, `honest-${i}`, 'k', 'y'.repeat(10_000)))
  world.advance(1_000)
  t.deepEqual(
    requests.map(request => world.isAcknowledged(request)),
    [true, true],
  )
})

const pushTo = (world: World, to: TestNode, liar: TestNode, document: string, author: string): void =>
  tell(world, to, liar, {
    kind: 'statePiece',
    document,
    number: 1,
    last: true,
    update: spaceBy(author, 'invented'),
  })

test('a name that was refused in one member’s hands is still free for whoever has it by right', t => {
  const world = new World({ seed: 8, nodes: 3, latencyMs: [1, 5], config: { documentsMax: 10 } })
  const [a, b, liar] = [world.node(0), world.node(1), world.node(2)]
  world.advance(1_000)
  for (let i = 0; i < 50; i++) pushTo(world, b, liar, `space/own-${i}`, liar.id)
  pushTo(world, b, liar, 'space/plant', liar.id)
  t.true((b.counts.get('shoal_state_dropped_total:full') ?? 0) > 40)
  t.is(b.core.get('plant', 'k'), undefined)
  world.crash(b, b.disk.pending.length)
  world.start(b)
  world.advance(1_000)
  pushTo(world, b, liar, 'space/plant', liar.id)
  world.set(a, 'plant', 'k', 'honest')
  world.advance(1_000)
  t.true(b.core.spaces().some(({ space }) => space === 'plant'))
})

test('who starts and has what another has no place for does not wait for that one to have it', t => {
  const world = new World({ seed: 9, nodes: 2, latencyMs: [1, 5], config: { documentsMax: 5 } })
  const [a, b] = [world.node(0), world.node(1)]
  for (let i = 0; i < 20; i++) pushTo(world, b, a, `space/pushed-${i}`, 'somebody')
  world.advance(1_000)
  for (let i = 0; i < 5; i++) world.set(a, `own-${i}`, 'k', i)
  world.advance(10_000)
  const held = b.core.spaces().filter(({ space }) => space.startsWith('own-'))
  t.is(held.length, 1)
  const { space } = held[0] as { space: string }
  for (let boot = 0; boot < 3; boot++) {
    world.crash(a, a.disk.pending.length)
    world.start(a)
    world.set(a, space, 'k', `boot ${boot}`)
    world.advance(500)
    t.true(a.core.hasExchanged)
    t.is(b.core.get(space, 'k'), `boot ${boot}`)
    world.advance(5_000)
    t.is(a.counts.get(LINEAGES), undefined)
  }
})
