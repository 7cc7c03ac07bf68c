// How the places for writers of one space or document are shared out, when a member takes all that it can get.

import test from 'ava'
import * as Y from 'yjs'
import type { Json } from '../../src/core/json.js'
import { append } from '../../src/core/state/lists.js'
import type { StateMessage } from '../../src/core/state/message.js'
import { clientOfList, listName } from '../../src/core/state/writer.js'
import { sizeOf, type TestNode, World } from './world.js'

const WRITERS = 100
const config = { writersMax: WRITERS, offencesMax: 1_000_000 }

const lineageOf = (i: number): string => i.toString(16).padStart(8, '0')

/** What somebody has written, under one of very many lineages: the `i`th. */
const written = (document: string, node: string, i: number, value: Json = i): Uint8Array => {
  const list = listName(node as TestNode['id'], lineageOf(i))
  const doc = new Y.Doc()
  doc.clientID = clientOfList(list)
  if (document.startsWith('doc/')) doc.getMap('m').set(`${node} ${i}`, value)
  else doc.transact(transaction => append(transaction, doc.clientID, list, [`${node} ${i}`, 1_000, value]))
  return Y.encodeStateAsUpdate(doc)
}

/** Says it for himself. */
const broadcast = (world: World, to: TestNode, liar: TestNode, document: string, i: number): void => {
  const message: StateMessage = {
    kind: 'stateUpdate',
    document,
    lineage: lineageOf(i),
    update: written(document, liar.id, i),
  }
  world.step(to, { kind: 'gossip', from: liar.id, topic: `state/${document}`, message, bytes: 0 })
}

/** Passes on what somebody is said to have written. */
const relay = (world: World, to: TestNode, liar: TestNode, document: string, update: Uint8Array): void =>
  world.step(to, {
    kind: 'message',
    from: liar.id,
    channel: 'bulk',
    message: { kind: 'statePiece', document, number: 1, last: true, update },
    bytes: 0,
  })

interface Meeting {
  readonly world: World
  readonly a: TestNode
  readonly b: TestNode
  readonly c: TestNode
  readonly liar: TestNode
}

/** Three that are honest, and one whose program is gone, and in whose name something else speaks. */
const meet = (seed: number, linked = (_one: number, _other: number): boolean => true): Meeting => {
  const world = new World({ seed, nodes: 4, latencyMs: [1, 5], config, linked })
  const [a, b, c, liar] = [world.node(0), world.node(1), world.node(2), world.node(3)]
  world.advance(1_000)
  world.crash(liar)
  for (const to of [a, b, c]) world.step(to, { kind: 'linkUp', node: liar.id, address: '', outbound: true })
  return { world, a, b, c, liar }
}

/** Writes to it for the first time; whether it is acknowledged, and there at the other as well. */
const writesFirst = (world: World, from: TestNode, at: TestNode, document: string, key: string): boolean => {
  const [kind, name] = document.split('/') as ['space' | 'doc', string]
  world.replies.clear()
  if (kind === 'doc') {
    world.open(at, name)
    world.open(from, name).getMap('m').set(key, 'honest')
    world.advance(2_000)
    return ![...world.replies.values()].some(({ ok }) => !ok) && has(world, at, document, key)
  }
  const request = world.set(from, name, key, 'honest')
  world.advance(2_000)
  return world.isAcknowledged(request) && has(world, at, document, key)
}

const has = (world: World, node: TestNode, document: string, key: string): boolean => {
  const [kind, name] = document.split('/') as ['space' | 'doc', string]
  const value = kind === 'doc' ? world.open(node, name).getMap('m').get(key) : node.core.get(name, key)
  return value === 'honest'
}

for (const document of ['space/plant', 'doc/notes'])
  test(`a member that writes to ${document} under new lineages without end leaves places for who has not written yet`, t => {
    const { world, a, b, liar } = meet(1)
    for (const to of [a, b]) for (let i = 0; i < 500; i++) broadcast(world, to, liar, document, i)
    world.advance(1_000)
    const clients = world.stored(b, document).store.clients.size
    t.true(clients > 70 && clients <= 85, `${clients} writers`)
    t.deepEqual(b.offences, [])
    t.true(writesFirst(world, a, b, document, 'first'))
    t.true(writesFirst(world, b, a, document, 'second'))
    // Whose it is, nobody tells a newcomer.
    const newcomer = world.node(2)
    world.crash(newcomer, 0)
    newcomer.disk.restore(new Map())
    world.start(newcomer)
    world.advance(30_000)
    t.true(has(world, newcomer, document, 'first') && has(world, newcomer, document, 'second'))
    t.true(world.stored(newcomer, document).store.clients.size >= clients - 5)
    t.true(writesFirst(world, newcomer, a, document, 'third'))
  })

/** Fills all places that are to be had by passing on what was never written: by members, by nobody, and by itself. */
const forge = ({ world, a, b, c, liar }: Meeting, document: string): void => {
  for (const to of [a, b, c])
    for (let i = 0; i < 200; i++)
      for (const name of [a.id, b.id, c.id, `nobody-${i}`, liar.id])
        relay(world, to, liar, document, written(document, name, i))
  for (const to of [a, b, c]) for (let i = 0; i < 200; i++) broadcast(world, to, liar, document, 1_000 + i)
  world.advance(1_000)
}

for (const document of ['space/plant', 'doc/notes'])
  test(`whatever is forged about who wrote to ${document}, a member that speaks for itself has a place`, t => {
    const meeting = meet(2)
    const { world, a, b, c } = meeting
    forge(meeting, document)
    // Members that speak for themselves go past what is shared, and so does an application after that.
    for (let i = 0; i < 10; i++) broadcast(world, a, b, document, 5_000 + i)
    const { size } = world.stored(a, document).store.clients
    t.true(size >= WRITERS, `${size} writers`)
    t.true(writesFirst(world, a, b, document, 'first'))
    t.true(writesFirst(world, b, c, document, 'second'))
    t.true(writesFirst(world, c, a, document, 'third'))
    t.true(world.stored(b, document).store.clients.size <= 1.25 * WRITERS)
  })

for (const document of ['space/plant', 'doc/notes'])
  test(`what a member wrote first to ${document}, and somebody missed, is there once that member is heard again`, t => {
    const meeting = meet(3, (one, other) => Math.abs(one - other) !== 1 || one + other !== 1)
    const { world, a, b } = meeting
    forge(meeting, document)
    world.partition(node => node === a)
    writesFirst(world, a, a, document, 'missed')
    world.heal()
    world.advance(30_000)
    t.true(writesFirst(world, a, b, document, 'heard'))
    world.advance(10_000)
    for (const node of [b, meeting.c]) t.true(has(world, node, document, 'missed'))
  })

test('what those who are here write to a space is taken from the midst of what there is no place for', t => {
  const meeting = meet(4)
  const { world, a, b, liar } = meeting
  world.set(a, 'plant', 'k', 1)
  world.advance(1_000)
  forge(meeting, 'space/plant')
  // It goes on in a list that is here, and begins one for which there is no place.
  const here = [...world.stored(b, 'space/plant').share.keys()][0] as string
  const one = listName(a.id, lineageOf(7_777))
  const doc = world.stored(b, 'space/plant')
  const before = Y.encodeStateVector(doc)
  doc.transact(transaction => {
    for (const name of [one, here])
      append(transaction, clientOfList(name), name, [`by ${name}`, 2_000, 'new'])
  })
  relay(world, b, liar, 'space/plant', Y.encodeStateAsUpdate(doc, before))
  t.is(b.core.get('plant', `by ${here}`), 'new')
  t.is(b.core.get('plant', `by ${one}`), undefined)
  t.deepEqual(b.offences, [])
})

for (const document of ['space/plant', 'doc/notes'])
  test(`nodes whose places for writers of ${document} are taken by others than elsewhere do not send each other these for ever`, t => {
    const meeting = meet(5)
    const { world, a, b, c, liar } = meeting
    const honest = [a, b, c]
    world.set(a, 'plant', 'k', 1)
    world.open(a, 'notes').getMap('m').set('k', 1)
    world.advance(5_000)
    honest.forEach((to, n) => {
      for (let i = 0; i < 150; i++)
        relay(world, to, liar, document, written(document, liar.id, 10_000 * n + i))
    })
    for (const to of honest) world.step(to, { kind: 'linkDown', node: liar.id, reset: false })
    world.advance(60_000)
    // Who writes over what only he has leaves the others with a delete of nothing.
    if (document === 'doc/notes') {
      const map = world.open(a, 'notes').getMap('m')
      for (const key of [...map.keys()].slice(0, 20)) map.set(key, 'over')
    } else
      for (const key of Object.keys(world.contents(a, 'plant')).slice(0, 20))
        world.set(a, 'plant', key, 'over')
    world.advance(120_000)
    let bytes = 0
    world.onEffect = (_node, effect) => {
      if (effect.kind === 'send') bytes += sizeOf(effect.message)
    }
    const hour = 3_600_000
    world.advance(hour)
    t.log(`${bytes} bytes in an hour`)
    t.true(bytes > 0 && bytes < 1_000_000, `${bytes} bytes in an hour`)
    // What there is a place for comes as soon as ever, were its broadcast lost.
    const request = world.set(a, 'plant', 'k', 2)
    world.partition(node => node === a)
    world.advance(5_000)
    t.true(world.isAcknowledged(request))
    world.heal()
    world.advance(5_000)
    for (const node of honest) t.is(node.core.get('plant', 'k'), 2)
  })
