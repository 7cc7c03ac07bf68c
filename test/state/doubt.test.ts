// What an update proves of own clocks that are in doubt, and what it must not cost.

import test from 'ava'
import * as Y from 'yjs'
import { createRng } from '../../src/core/rng.js'
import { both, evidenceOf, NO_EVIDENCE } from '../../src/core/state/doubt.js'
import { builtOn } from '../../src/core/state/moved.js'
import { World } from './world.js'

const CLIENT = 4_711

const docBy = (make: (doc: Y.Doc) => void): Y.Doc => {
  const doc = new Y.Doc()
  doc.clientID = CLIENT
  make(doc)
  return doc
}

const shown = (mine: (doc: Y.Doc) => void, theirs: (doc: Y.Doc) => void): ReturnType<typeof evidenceOf> => {
  const own = docBy(mine)
  const update = Y.encodeStateAsUpdate(docBy(theirs))
  return evidenceOf(own.store, 'doc', update, CLIENT, 0, Y.getState(own.store, CLIENT))
}

test('the same value under another key, in another type or at another place is not the same', t => {
  const pairs: [(doc: Y.Doc) => void, (doc: Y.Doc) => void][] = [
    [doc => doc.getMap('m').set('a', 1), doc => doc.getMap('m').set('b', 1)],
    [doc => doc.getMap('m').set('a', 1), doc => doc.getMap('n').set('a', 1)],
    [doc => doc.getArray('m').push([1]), doc => doc.getMap('m').set('a', 1)],
    [
      doc => {
        doc.getText('t').insert(0, 'a')
        doc.getText('t').insert(0, 'b')
      },
      doc => {
        doc.getText('t').insert(0, 'a')
        doc.getText('u').insert(0, 'b')
      },
    ],
    [
      doc => void (doc.getMap('m').set('x', new Y.Map([['k', 1]])) && doc.getMap('m').set('y', 1)),
      doc => void (doc.getMap('m').set('x', new Y.Map([['l', 1]])) && doc.getMap('m').set('y', 1)),
    ],
  ]
  for (const [mine, theirs] of pairs) {
    t.not(shown(mine, theirs).differsAt, null)
    const same = shown(mine, mine)
    t.is(same.differsAt, null)
    t.true((same.sameUpTo ?? 0) > 0)
  }
})

test('where the clock is not set, another value under the same stamp is something else', t => {
  const make =
    (value: string) =>
    (doc: Y.Doc): void =>
      doc.transact(transaction => {
        const content = new Y.ContentEmbed(['k', 5, value] as unknown as object)
        new Y.Item(Y.createID(CLIENT, 0), null, null, null, null, doc.getArray('l'), null, content).integrate(
          transaction,
          0,
        )
      })
  const own = docBy(make('a'))
  const of = (value: string): ReturnType<typeof evidenceOf> =>
    evidenceOf(own.store, 'space', Y.encodeStateAsUpdate(docBy(make(value))), CLIENT, 0, 1)
  t.is(of('b').differsAt, 0)
  t.is(of('a').sameUpTo, 1)
})

test('a value nested as deep as can be read throws nothing', t => {
  const own = docBy(doc => doc.getArray('a').push([1]))
  const [head, tail] = [
    // One client, one struct: ContentAny of one value in the list `a`.
    [1, 1, ...varUint(CLIENT), 0, 8, 1, 1, 97, 1],
    [125, 0, 0],
  ]
  let looked = 0
  for (let depth = 500; depth < 40_000; depth = Math.ceil(depth * 1.1)) {
    const nested: number[] = []
    for (let i = 0; i < depth; i++) nested.push(117, 1)
    const update = Uint8Array.from([...head, ...nested, ...tail])
    const { differsAt } = evidenceOf(own.store, 'doc', update, CLIENT, 0, 1)
    if (differsAt === 0) looked++
  }
  t.true(looked > 0)
})

test('spoilt updates prove what they prove, and throw nothing', t => {
  const rng = createRng(7)
  const make = (doc: Y.Doc): void => {
    for (let i = 0; i < 20; i++) {
      doc.getText('t').insert(rng.below(doc.getText('t').length + 1), `w${i}`)
      doc.getMap<unknown>('m').set(`k${i % 3}`, i % 2 === 0 ? i : new Y.Map())
    }
  }
  const own = docBy(make)
  const end = Y.getState(own.store, CLIENT)
  const sound = Y.encodeStateAsUpdate(own)
  let evidence = NO_EVIDENCE
  for (let i = 0; i < 5_000; i++) {
    const update = sound.slice(0, rng.below(10) === 0 ? rng.below(sound.length) : sound.length)
    for (let flips = 1 + rng.below(4); flips > 0; flips--)
      update[rng.below(Math.max(1, update.length))] = rng.below(256)
    evidence = both(
      evidence,
      evidenceOf(own.store, rng.below(2) === 0 ? 'doc' : 'space', update, CLIENT, 0, end),
    )
  }
  t.true((evidence.sameUpTo ?? 0) <= end && evidence.differsAt !== null)
})

test('many deleted runs that all cover the same clocks cost as much as their bytes, not each as much as the document', t => {
  const own = docBy(doc => {
    for (let i = 0; i < 500; i++) doc.getText('t').insert(0, 'a')
  })
  let looks = 0
  const structs = new Proxy(own.store.clients.get(CLIENT) ?? [], {
    get: (target, key) => {
      looks++
      return Reflect.get(target, key)
    },
  })
  const store = { clients: new Map([[CLIENT, structs]]) } as unknown as Y.Doc['store']
  const runs = 1_000
  const update = [...varUint(runs)]
  for (let i = 0; i < runs; i++)
    update.push(1, ...varUint(CLIENT), 0, 0x81, ...varUint(77), ...varUint(i), ...varUint(500))
  const { end } = evidenceOf(store, 'doc', Uint8Array.from([...update, 0]), CLIENT, 0, 500)
  t.is(end, 500)
  t.true(looks < 10 * runs, `${looks} looks`)
})

test('whatever builds on a client that is reached again and again is looked at once', t => {
  const [chains, built] = [200, 500]
  let looks = 0
  const item = (id: Y.ID, origin: Y.ID | null): Y.Item =>
    new Y.Item(id, null, origin, null, null, null, null, new Y.ContentAny([1]))
  const clients = new Map<number, Y.Item[]>([[1, [item(Y.createID(1, 0), null)]]])
  for (let i = 0; i < chains; i++) clients.set(1_000 + i, [item(Y.createID(1_000 + i, 0), Y.createID(1, 0))])
  clients.set(
    2,
    [...Array(chains).keys()].map(i => item(Y.createID(2, i), Y.createID(1_000 + i, 0))),
  )
  clients.set(
    3,
    [...Array(built).keys()].map(clock => {
      const id = { client: 3, clock }
      Object.defineProperty(id, 'clock', {
        get: () => {
          looks++
          return clock
        },
      })
      return item(id, Y.createID(2, chains - 1))
    }),
  )
  const first = builtOn({ clients } as unknown as Y.Doc['store'], 1, 0)
  t.is(first.get(2), 0)
  t.is(first.get(3), 0)
  t.true(looks < 10 * built, `${looks} looks`)
})

test('what builds on a client is found, through whatever others and in whatever order', t => {
  for (let seed = 1; seed <= 50; seed++) {
    const rng = createRng(seed)
    const doc = new Y.Doc()
    const text = doc.getText('t')
    for (let i = 0; i < 60; i++) {
      doc.clientID = 1 + rng.below(6)
      text.insert(rng.below(text.length + 1), 'ab')
    }
    const from = rng.below(Y.getState(doc.store, 1) + 1)
    const slow = new Map([[1, from]])
    for (let grows = true; grows; ) {
      grows = false
      for (const [client, structs] of doc.store.clients)
        for (const struct of structs)
          for (const on of struct instanceof Y.Item ? [struct.origin, struct.rightOrigin] : [])
            if (
              on !== null &&
              on.clock >= (slow.get(on.client) ?? Number.POSITIVE_INFINITY) &&
              struct.id.clock < (slow.get(client) ?? Number.POSITIVE_INFINITY)
            ) {
              slow.set(client, struct.id.clock)
              grows = true
            }
    }
    const found = builtOn(doc.store, 1, from)
    t.is(found.size, slow.size)
    for (const [client, clock] of slow) t.is(found.get(client), clock, `seed ${seed}`)
  }
})

test('a link that comes and goes ten times a second while a node has just booted is nobody’s offence', t => {
  const world = new World({ seed: 3, nodes: 2, latencyMs: [40, 60] })
  const [a, b] = [world.node(0), world.node(1)]
  world.set(a, 'plant', 'k', 1)
  world.advance(2_000)
  world.crash(a)
  world.start(a)
  for (let i = 0; i < 100; i++) {
    world.advance(60)
    world.partition(node => node === a)
    world.advance(40)
    world.heal()
  }
  t.deepEqual([...a.offences, ...b.offences], [])
  world.set(a, 'plant', 'l', 2)
  world.advance(10_000)
  t.is(b.core.get('plant', 'l'), 2)
})

const varUint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) + 128, ...varUint(Math.floor(value / 128))]
