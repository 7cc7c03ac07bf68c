import test from 'ava'
import { createRng } from '../../src/core/rng.js'
import { SimDisk } from '../../src/sim/disk.js'
import { createMemoryStore } from '../../src/sim/memory-store.js'
import { VirtualClock } from '../runtime/virtual-clock.js'
import { GROUP_COMMIT_MS, LAZY_COMMIT_MS, put, storeContract } from './store.js'

storeContract(async () => {
  const disk = new SimDisk()
  return {
    open: async clock =>
      createMemoryStore(disk, clock, { groupCommitMs: GROUP_COMMIT_MS, lazyCommitMs: LAZY_COMMIT_MS }),
    dispose: async () => {},
  }
})

test('a crash takes a suffix of what was not committed, of every length, and nothing else', async t => {
  const left = new Set<number>()
  for (let seed = 0; seed < 200; seed++) {
    const disk = new SimDisk()
    const clock = new VirtualClock()
    const store = createMemoryStore(disk, clock)
    const done = store.write([put('1', 'committed')], true)
    clock.advance(GROUP_COMMIT_MS)
    await done
    for (const key of ['2', '3', '4']) void store.write([put(key, 'x'), put(`${key}b`, 'x')], false)
    disk.crash(createRng(seed))
    const keys = disk.entries('').map(entry => entry.key)
    const all = ['1', '2', '2b', '3', '3b', '4', '4b']
    t.deepEqual(keys, all.slice(0, keys.length))
    t.is(keys.length % 2, 1, 'whole batches only')
    left.add(keys.length)
  }
  t.deepEqual([...left].sort(), [1, 3, 5, 7])
})
