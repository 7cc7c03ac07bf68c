// The small parts between the application and the core: requests, spaces, documents.

import test from 'ava'
import * as Y from 'yjs'
import { ShoalError } from '../../src/core/errors.js'
import type { Json } from '../../src/core/json.js'
import type { StateView } from '../../src/core/state/view.js'
import type { CoreEvent, StateChange } from '../../src/core/step.js'
import { Documents } from '../../src/runtime/documents.js'
import { Requests } from '../../src/runtime/requests.js'
import { type SpaceChange, Spaces } from '../../src/runtime/spaces.js'

// Requests.

const drain = (request: number): CoreEvent => ({ kind: 'drain', on: true, request })

test('each request has a number of its own, and hears its own answer whatever the order', async t => {
  const asked: CoreEvent[] = []
  const requests = new Requests(event => asked.push(event) > 0)
  const first = requests.make(drain)
  const second = requests.make(drain)
  t.deepEqual(asked, [drain(1), drain(2)])
  requests.reply(2, 'two')
  requests.refuse(1, 'NOT_FOUND', 'no such thing')
  t.is(await second, 'two')
  await t.throwsAsync(first, { code: 'NOT_FOUND', message: 'no such thing' })
})

test('an answer that comes within the asking is heard', async t => {
  const requests: Requests = new Requests(event => {
    requests.reply((event as { request: number }).request, 'at once')
    return true
  })
  t.is(await requests.make(drain), 'at once')
})

test('a second answer, and one to nobody, change nothing', async t => {
  const requests = new Requests(() => true)
  const asked = requests.make(drain)
  requests.reply(1, 'first')
  requests.reply(1, 'second')
  requests.refuse(1, 'LATE', 'late')
  requests.reply(99, null)
  requests.refuse(99, 'NOBODY', 'nobody')
  t.is(await asked, 'first')
})

test('what is asked of a stopped node is refused, as is what waits when it stops', async t => {
  let isStopped = false
  const requests = new Requests(() => !isStopped)
  const waiting = [requests.make(drain), requests.make(drain)]
  isStopped = true
  requests.rejectAll()
  for (const each of [...waiting, requests.make(drain)]) {
    await t.throwsAsync(each, { code: 'NODE_STOPPED', message: 'the node has stopped' })
  }
})

// Spaces.

const spacesOn = (values: Record<string, Json>) => {
  const written: [string, readonly StateChange[]][] = []
  const errors: unknown[] = []
  const spaces = new Spaces({
    state: {
      get: (_space: string, key: string) => values[key],
      entries: () => Object.entries(values),
    } as unknown as StateView,
    write: async (space, changes) => void written.push([space, changes]),
    onError: error => errors.push(error),
  })
  return { spaces, written, errors }
}

test('a space reads what the replica holds', t => {
  const space = spacesOn({ a: 1, empty: null }).spaces.open('plc')
  t.is(space.name, 'plc')
  t.is(space.get('a'), 1)
  t.is(space.get('b'), undefined)
  t.true(space.has('empty'))
  t.false(space.has('b'))
  t.deepEqual(space.entries(), [
    ['a', 1],
    ['empty', null],
  ])
})

test('a space writes one change for each set and delete, and undefined is no value', async t => {
  const { spaces, written } = spacesOn({})
  const space = spaces.open('plc')
  await space.set('a', [1])
  await space.delete('b')
  t.deepEqual(written, [
    ['plc', [{ key: 'a', value: [1] }]],
    ['plc', [{ key: 'b', value: undefined }]],
  ])
  await t.throwsAsync(space.set('c', undefined as unknown as Json), {
    code: 'VALUE_INVALID',
    message: 'the value of c is undefined; it must be JSON, and delete() removes a key',
  })
  t.is(written.length, 2)
})

test('a transaction reads its own writes, is written as one, and the last word on a key counts', async t => {
  const { spaces, written } = spacesOn({ a: 1, b: 2 })
  const seen: unknown[] = []
  await spaces.open('plc').transact(it => {
    it.set('a', 10)
    it.delete('b')
    seen.push(it.get('a'), it.get('b'), it.get('c'))
    it.set('b', 20)
    seen.push(it.get('b'))
  })
  t.deepEqual(seen, [10, undefined, undefined, 20])
  t.deepEqual(written, [
    [
      'plc',
      [
        { key: 'a', value: 10 },
        { key: 'b', value: 20 },
      ],
    ],
  ])
})

test('what is no name, no function and no value is refused before anything is written', async t => {
  const { spaces, written } = spacesOn({})
  const space = spaces.open('plc')
  const none = undefined as never
  t.throws(() => spaces.open(5 as never), { message: 'the name of a space is 5; it must be a text' })
  t.throws(() => space.observe(none), { message: 'listener is undefined; it must be a function' })
  await t.throwsAsync(space.transact(none), { message: 'transaction is undefined; it must be a function' })
  await t.throwsAsync(
    space.transact(it => it.set('a', none)),
    { code: 'VALUE_INVALID' },
  )
  t.deepEqual(written, [])
})

test('a transaction that does nothing, or throws, writes nothing', async t => {
  const { spaces, written } = spacesOn({})
  const space = spaces.open('plc')
  await space.transact(() => {})
  await t.throwsAsync(
    space.transact(it => {
      it.set('a', 1)
      throw new Error('no')
    }),
    { message: 'no' },
  )
  t.deepEqual(written, [])
})

test('an observer hears the changes of its own space with their values, until it is called off', t => {
  const values: Record<string, Json> = { a: 1 }
  const { spaces } = spacesOn(values)
  const heard: (readonly SpaceChange[])[] = []
  const end = spaces.open('plc').observe(changes => heard.push(changes))
  spaces.changed('plc', ['a', 'gone'])
  spaces.changed('other', ['a'])
  end()
  end()
  spaces.changed('plc', ['a'])
  t.deepEqual(heard, [
    [
      { key: 'a', value: 1 },
      { key: 'gone', value: undefined },
    ],
  ])
})

test('an observer that throws is reported, and the others hear all the same', t => {
  const { spaces, errors } = spacesOn({ a: 1 })
  const space = spaces.open('plc')
  const heard: string[] = []
  space.observe(() => {
    throw new Error('mine')
  })
  space.observe(() => void heard.push('second'))
  spaces.changed('plc', ['a'])
  t.deepEqual(heard, ['second'])
  t.deepEqual(
    errors.map(error => (error as Error).message),
    ['mine'],
  )
})

test('an observer that another one calls off hears nothing any more', t => {
  const { spaces } = spacesOn({ a: 1 })
  const space = spaces.open('plc')
  const heard: string[] = []
  space.observe(() => end())
  const end = space.observe(() => void heard.push('called off'))
  spaces.changed('plc', ['a'])
  t.deepEqual(heard, [])
})

// Documents.

const documentsOn = () => {
  const asked: CoreEvent[] = []
  const documents = new Documents({
    ask: event => asked.push(event) > 0,
    make: event => {
      asked.push(event(1))
      return Promise.resolve(null)
    },
    refuse: name => (name === 'elsewhere' ? new ShoalError('SPACE_NOT_HELD', 'not here') : null),
    onHurried: () => {},
    onRefused: () => {},
    now: () => 0,
    nextTurn: () => {},
  })
  return { asked, documents }
}

const updateThat = (work: (document: Y.Doc) => void): Uint8Array => {
  const document = new Y.Doc()
  work(document)
  return Y.encodeStateAsUpdate(document)
}

test('a name has one document, which the core hears of once', t => {
  const { asked, documents } = documentsOn()
  const document = documents.open('plan')
  t.is(documents.open('plan'), document)
  t.not(documents.open('other'), document)
  t.deepEqual(asked, [
    { kind: 'documentOpened', name: 'plan' },
    { kind: 'documentOpened', name: 'other' },
  ])
})

test('a document that the core would not take is refused, and not opened in vain', t => {
  const { asked, documents } = documentsOn()
  t.throws(() => documents.open('elsewhere'), { code: 'SPACE_NOT_HELD', message: 'not here' })
  t.deepEqual(asked, [])
})

test('the core hears what the application changes, and not its own words again', t => {
  const { asked, documents } = documentsOn()
  const document = documents.open('plan')
  asked.length = 0
  const update = updateThat(other => other.getMap('m').set('theirs', 1))
  documents.changed({ kind: 'documentChanged', name: 'plan', update, clientId: null, fill: null })
  t.is(document.getMap('m').get('theirs'), 1)
  t.deepEqual(asked, [])
  document.getMap('m').set('mine', 2)
  t.is(asked.length, 1)
  const [event] = asked
  if (event?.kind !== 'documentUpdated') return t.fail(`${event?.kind}`)
  t.is(event.name, 'plan')
  const replica = new Y.Doc()
  Y.applyUpdate(replica, update)
  Y.applyUpdate(replica, event.update)
  t.deepEqual(replica.getMap('m').toJSON(), { theirs: 1, mine: 2 })
})

test('the document writes under the client id that the core gave it', t => {
  const { asked, documents } = documentsOn()
  const document = documents.open('plan')
  const update = updateThat(() => {})
  documents.changed({ kind: 'documentChanged', name: 'plan', update, clientId: 4_711, fill: null })
  t.is(document.clientID, 4_711)
  asked.length = 0
  document.getMap('m').set('a', 1)
  const event = asked[0] as Extract<CoreEvent, { kind: 'documentUpdated' }>
  t.deepEqual([...Y.parseUpdateMeta(event.update).from.keys()], [4_711])
})

test('an observer of a document that throws does not keep it from its client id', t => {
  const { documents } = documentsOn()
  const document = documents.open('plan')
  document.getMap('m').observe(() => {
    throw new Error('mine')
  })
  const update = updateThat(other => other.getMap('m').set('a', 1))
  const changed = { kind: 'documentChanged', name: 'plan', update, clientId: 4_711, fill: null } as const
  t.throws(() => documents.changed(changed), { message: 'mine' })
  t.is(document.clientID, 4_711)
  t.is(document.getMap('m').get('a'), 1)
})

test('a destroyed document is let go of, and opened anew when asked for', t => {
  const { asked, documents } = documentsOn()
  const document = documents.open('plan')
  document.destroy()
  const update = updateThat(other => other.getMap('m').set('a', 1))
  documents.changed({ kind: 'documentChanged', name: 'plan', update, clientId: null, fill: null })
  t.is(document.getMap('m').get('a'), undefined)
  const again = documents.open('plan')
  t.not(again, document)
  t.is(asked.filter(({ kind }) => kind === 'documentOpened').length, 2)
  // Or the core ends it.
  documents.ended('plan')
  t.true(again.isDestroyed)
  t.is(asked.at(-1)?.kind, 'documentClosed')
  t.notThrows(() => documents.ended('plan'))
})
