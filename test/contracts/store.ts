// What every `Store` promises, whoever implements it. Each implementation calls
// `storeContract` with a way to open its store, to let time pass, and to open anew
// what was closed; nothing here sleeps.

import anyTest, { type TestFn } from 'ava'
import type { StoreEntry, StoreWrite } from '../../src/core/step.js'
import type { Clock, Store } from '../../src/ports.js'
import { VirtualClock } from '../runtime/virtual-clock.js'

export const GROUP_COMMIT_MS = 2
export const LAZY_COMMIT_MS = 5_000

export interface StoreUnderTest {
  /** Opens the store; after a `close`, opens the same one anew. */
  open(clock: Clock): Promise<Store>
  /** Removes everything. */
  dispose(): Promise<void>
}

interface Context {
  readonly subject: StoreUnderTest
  readonly clock: VirtualClock
  readonly store: Store
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (value: Uint8Array): string => new TextDecoder().decode(value)
export const put = (key: string, value: string): StoreWrite => ({ key, value: bytes(value) })
export const drop = (key: string): StoreWrite => ({ key, value: null })

export const collect = async (entries: AsyncIterable<StoreEntry>): Promise<[string, string][]> => {
  const found: [string, string][] = []
  for await (const { key, value } of entries) found.push([key, text(value)])
  return found
}

/** Writes a flushed batch and lets its commit happen. */
const commit = async ({ store, clock }: Context, ...writes: StoreWrite[]): Promise<void> => {
  const done = store.write(writes, true)
  clock.advance(GROUP_COMMIT_MS)
  await done
}

export const storeContract = (create: () => Promise<StoreUnderTest>): void => {
  const test = anyTest as TestFn<Context>

  test.beforeEach(async t => {
    const subject = await create()
    const clock = new VirtualClock()
    t.context = { subject, clock, store: await subject.open(clock) }
  })
  test.afterEach.always(async t => {
    await t.context.store.close()
    await t.context.subject.dispose()
  })

  /** Closes the store and opens it again; the test closes the new one itself. */
  const reopen = async ({ subject, clock, store }: Context): Promise<Store> => {
    await store.close()
    return subject.open(clock)
  }

  test('a new store is empty', async t => {
    t.deepEqual(await collect(t.context.store.read('')), [])
    t.deepEqual(t.context.store.stats(), { commits: 0, bytesWritten: 0, pendingWrites: 0 })
  })

  test('a write is readable at once, before its commit', async t => {
    const { store } = t.context
    void store.write([put('a', '1')], true)
    void store.write([put('b', '2')], false)
    t.deepEqual(await collect(store.read('')), [
      ['a', '1'],
      ['b', '2'],
    ])
    t.is(store.stats().pendingWrites, 2)
  })

  test('what was committed is there when the store is opened anew', async t => {
    await commit(t.context, put('a', '1'), put('b', '2'))
    await commit(t.context, drop('a'), put('c', ''))
    const again = await reopen(t.context)
    t.deepEqual(await collect(again.read('')), [
      ['b', '2'],
      ['c', ''],
    ])
    await again.close()
  })

  test('close commits what waits, flushed or not', async t => {
    const first = t.context.store.write([put('a', '1')], false)
    const second = t.context.store.write([put('b', '2')], true)
    const third = t.context.store.write([put('c', '3')], false)
    const again = await reopen(t.context)
    await Promise.all([first, second, third])
    t.deepEqual(await collect(again.read('')), [
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
    ])
    await again.close()
  })

  test('an unflushed write waits for its delay and no longer', async t => {
    const { store, clock } = t.context
    const done = store.write([put('a', '1')], false)
    clock.advance(LAZY_COMMIT_MS - 1)
    await collect(store.read(''))
    t.is(store.stats().commits, 0)
    clock.advance(1)
    await done
    t.deepEqual(store.stats(), { commits: 1, bytesWritten: 2, pendingWrites: 0 })
  })

  test('a flushed write takes the unflushed ones before it along in one commit', async t => {
    const { store } = t.context
    const lazy = store.write([put('a', '1')], false)
    await commit(t.context, put('b', '2'))
    await lazy
    t.is(store.stats().commits, 1)
    t.is(store.stats().pendingWrites, 0)
  })

  test('writes that are flushed together share a commit', async t => {
    const { store, clock } = t.context
    const all = Array.from({ length: 50 }, (_, i) => store.write([put(`key-${i}`, 'value')], true))
    clock.advance(GROUP_COMMIT_MS)
    await Promise.all(all)
    t.is(store.stats().commits, 1)
  })

  test('writes resolve in the order in which they were made', async t => {
    const { store, clock } = t.context
    const order: number[] = []
    const all = [false, true, false, true].map((flush, i) =>
      store.write([put('key', String(i))], flush).then(() => order.push(i)),
    )
    clock.advance(LAZY_COMMIT_MS)
    await Promise.all(all)
    t.deepEqual(order, [0, 1, 2, 3])
  })

  test('the later write of a key wins, within a batch and between batches', async t => {
    await commit(t.context, put('a', 'old'), put('a', 'new'))
    const { store } = t.context
    void store.write([put('b', 'old')], false)
    void store.write([drop('b')], false)
    void store.write([put('c', 'old'), drop('c'), put('c', 'new')], false)
    const expected = [
      ['a', 'new'],
      ['c', 'new'],
    ] as [string, string][]
    t.deepEqual(await collect(store.read('')), expected)
    const again = await reopen(t.context)
    t.deepEqual(await collect(again.read('')), expected)
    await again.close()
  })

  test('a read gives the keys with its prefix and no others, by their bytes', async t => {
    const keys = ['p', 'p/', 'p/a', 'p/b', 'p/ä', 'p/\uff5e', 'p/😀', 'p0', 'o', 'q', 'p/a/b']
    const committed = keys.filter((_, i) => i % 2 === 0)
    await commit(t.context, ...committed.map(key => put(key, 'committed')))
    void t.context.store.write(
      keys.filter((_, i) => i % 2 === 1).map(key => put(key, 'waiting')),
      false,
    )
    const found = await collect(t.context.store.read('p/'))
    t.deepEqual(
      found.map(([key]) => key),
      ['p/', 'p/a', 'p/a/b', 'p/b', 'p/ä', 'p/\uff5e', 'p/😀'],
    )
  })

  test('a waiting change hides the committed one it changes', async t => {
    await commit(t.context, put('a', '1'), put('b', '1'), put('c', '1'))
    void t.context.store.write([put('a', '2'), drop('b'), put('bb', '2')], false)
    t.deepEqual(await collect(t.context.store.read('')), [
      ['a', '2'],
      ['bb', '2'],
      ['c', '1'],
    ])
  })

  test('a read shows the moment at which it was asked for', async t => {
    await commit(t.context, put('a', '1'), put('b', '1'))
    const before = t.context.store.read('')
    await commit(t.context, put('a', '2'), drop('b'))
    t.deepEqual(await collect(before), [
      ['a', '1'],
      ['b', '1'],
    ])
  })

  test('values of every size and byte come back as they were', async t => {
    const values = [0, 1, 255, 4_096, 70_000].map(length =>
      Uint8Array.from({ length }, (_, i) => (i * 7) % 256),
    )
    await commit(t.context, ...values.map((value, i) => ({ key: `value-${i}`, value })))
    const again = await reopen(t.context)
    const found: Uint8Array[] = []
    for await (const { value } of again.read('value-')) found.push(value)
    t.deepEqual(found, values)
    await again.close()
  })

  test('an empty batch resolves after the batches before it', async t => {
    const { store, clock } = t.context
    const first = store.write([put('a', '1')], false)
    const empty = store.write([], true)
    clock.advance(GROUP_COMMIT_MS)
    await Promise.all([first, empty])
    t.is(store.stats().pendingWrites, 0)
  })

  test('a closed store takes nothing more and says so', async t => {
    const { store } = t.context
    await store.close()
    await t.throwsAsync(() => store.write([put('a', '1')], true), { code: 'STORE_CLOSED' })
    t.throws(() => store.read(''), { code: 'STORE_CLOSED' })
    await t.notThrowsAsync(() => store.close())
  })
}
