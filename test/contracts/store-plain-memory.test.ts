import test from 'ava'
import { createMemoryStore } from '../../src/adapters/memory/store.js'
import { VirtualClock } from '../runtime/virtual-clock.js'
import { collect, GROUP_COMMIT_MS, LAZY_COMMIT_MS, storeContract } from './store.js'

storeContract(async () => {
  const entries = new Map<string, Uint8Array>()
  return {
    open: async clock =>
      createMemoryStore({ clock, entries, groupCommitMs: GROUP_COMMIT_MS, lazyCommitMs: LAZY_COMMIT_MS }),
    dispose: async () => {},
  }
})

test('what a caller does to its bytes before or after is no change of the store', async t => {
  const store = createMemoryStore({ clock: new VirtualClock() })
  const value = Uint8Array.of(97)
  void store.write([{ key: 'a', value }], true)
  value[0] = 98
  for await (const entry of store.read('')) entry.value[0] = 99
  t.deepEqual(await collect(store.read('')), [['a', 'a']])
  await store.close()
})
