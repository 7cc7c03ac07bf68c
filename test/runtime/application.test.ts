// What an application may do wrong with spaces and documents, and what it must not cost.

import test from 'ava'
import * as Y from 'yjs'
import { ShoalError } from '../../src/core/errors.js'
import type { Json } from '../../src/core/json.js'
import type { CoreEvent, StateChange } from '../../src/core/step.js'
import { Documents } from '../../src/runtime/documents.js'
import { Spaces } from '../../src/runtime/spaces.js'

const makeSpaces = () => {
  const written: (readonly StateChange[])[] = []
  const errors: unknown[] = []
  const spaces = new Spaces({
    state: { get: () => 7, entries: () => [] },
    write: async (_space, changes) => void written.push(changes),
    onError: error => void errors.push(error),
  })
  return { spaces, written, errors }
}

test('an observer that throws keeps no other from hearing, and nobody who tells it', t => {
  const { spaces, errors } = makeSpaces()
  const heard: string[] = []
  spaces.open('app').observe(() => {
    throw new Error('mine')
  })
  spaces.open('app').observe(([change]) => void heard.push(change?.key ?? ''))
  t.notThrows(() => spaces.changed('app', ['k']))
  t.deepEqual(heard, ['k'])
  t.is(errors.length, 1)
})

test('a transaction refuses undefined and an async function, and then writes nothing', async t => {
  const { spaces, written } = makeSpaces()
  const space = spaces.open('app')
  const undefinedIn = space.transact(tx => tx.set('k', undefined as unknown as Json))
  await t.throwsAsync(undefinedIn, { code: 'VALUE_INVALID', message: /delete\(\) removes/ })
  const isAsync = space.transact((async tx => tx.set('k', 1)) as Parameters<typeof space.transact>[0])
  await t.throwsAsync(isAsync, { code: 'TRANSACTION_ASYNC' })
  const thrown = space.transact(tx => {
    tx.set('k', 1)
    throw new Error('mine')
  })
  await t.throwsAsync(thrown, { message: 'mine' })
  t.deepEqual(written, [], 'nothing was written')
})

const makeDocuments = () => {
  const asked: CoreEvent[] = []
  const refused: string[] = []
  let next: ShoalError | null = null
  const documents = new Documents({
    ask: event => asked.push(event) > 0,
    make: event => {
      asked.push(event(1))
      const error = next
      next = null
      return error === null ? Promise.resolve(null) : Promise.reject(error)
    },
    refuse: name => (name === 'bad name!' ? new ShoalError('SPACE_INVALID', 'the name is bad') : null),
    onHurried: () => {},
    onRefused: name => void refused.push(name),
    now: () => 0,
    nextTurn: () => {},
  })
  const refuseNext = (code: string): void => {
    next = new ShoalError(code, 'refused')
  }
  return { documents, asked, refused, refuseNext }
}

test('a document whose name is none is refused where it is opened', t => {
  const { documents, asked } = makeDocuments()
  t.throws(() => documents.open('bad name!'), { code: 'SPACE_INVALID' })
  t.deepEqual(asked, [])
})

test('a refused change ends the copy of the document, and the next one begins anew', async t => {
  const { documents, refused, refuseNext } = makeDocuments()
  const first = documents.open('notes')
  first.getText('t').insert(0, 'kept')
  t.is(documents.open('notes'), first)
  refuseNext('STATE_LIMIT')
  first.getText('t').insert(0, 'too large')
  await Promise.resolve()
  await Promise.resolve()
  t.deepEqual(refused, ['notes'])
  const second = documents.open('notes')
  t.not(second, first)
  t.true(second instanceof Y.Doc)
  refuseNext('NODE_STOPPED')
  second.getText('t').insert(0, 'x')
  await Promise.resolve()
  await Promise.resolve()
  t.is(documents.open('notes'), second, 'a node that stops refuses nothing')
})
