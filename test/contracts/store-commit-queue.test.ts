// What the commit queue does when its disk fails, told with a disk that fails on
// demand and a clock that is moved by hand.

import test from 'ava'
import { type CommitLimits, CommitQueue, type StoreTrouble } from '../../src/adapters/disk/commit-queue.js'
import { explainFailure } from '../../src/adapters/disk/directory.js'
import { createRng } from '../../src/core/rng.js'
import type { StoreWrite } from '../../src/core/step.js'
import { VirtualClock } from '../runtime/virtual-clock.js'
import { put, text } from './store.js'

const LIMITS: CommitLimits = {
  groupCommitMs: 2,
  lazyCommitMs: 5_000,
  commitBytesMax: 100,
  pendingBytesMax: 1_000,
  retryMs: 250,
  retryMaxMs: 1_000,
  giveUpAfterMs: 10_000,
}

/** A disk whose commits wait for the test to end them. */
class FakeDisk {
  readonly clock = new VirtualClock()
  readonly told: (StoreTrouble | null)[] = []
  readonly committed: string[][] = []
  recoveries = 0
  failure: Error | null = null
  readonly queue: CommitQueue

  constructor(limits: Partial<CommitLimits> = {}) {
    const target = {
      commit: async (writes: readonly StoreWrite[]) => {
        if (this.failure !== null) throw this.failure
        this.committed.push(writes.map(({ key, value }) => `${key}=${value === null ? '' : text(value)}`))
      },
      recover: async () => {
        this.recoveries++
      },
      explain: (error: unknown) => explainFailure('/data', error),
    }
    this.queue = new CommitQueue(target, this.clock, { ...LIMITS, ...limits }, trouble =>
      this.told.push(trouble),
    )
  }

  /** Passes time, then lets promises run out. */
  async advance(ms: number): Promise<void> {
    this.clock.advance(ms)
    for (let i = 0; i < 20; i++) await null
  }
}

const FULL = Object.assign(new Error('write'), { code: 'ENOSPC' })

test('a failed commit is tried again until the disk works, in order and without a hole', async t => {
  const disk = new FakeDisk()
  disk.failure = FULL
  const all = [disk.queue.write([put('a', '1')], true), disk.queue.write([put('b', '2')], false)]
  await disk.advance(2)
  t.is(disk.queue.trouble?.code, 'STORE_FULL')
  t.is(disk.queue.stats().pendingWrites, 2)
  all.push(disk.queue.write([put('a', '3')], true))
  await disk.advance(249)
  t.is(disk.recoveries, 0)
  await disk.advance(1)
  t.is(disk.recoveries, 1)
  disk.failure = null
  await disk.advance(500)
  await Promise.all(all)
  t.deepEqual(disk.committed, [['a=3', 'b=2']])
  t.is(disk.recoveries, 2)
  t.is(disk.queue.trouble, null)
  t.deepEqual(
    disk.told.map(trouble => trouble?.code ?? 'well'),
    ['STORE_FULL', 'well'],
  )
})

test('a disk that fails for too long breaks the store for good, and every write learns of it', async t => {
  const disk = new FakeDisk()
  disk.failure = FULL
  const first = disk.queue.write([put('a', '1')], true)
  const rejected = t.throwsAsync(first, { code: 'STORE_BROKEN', message: /no room on the disk/ })
  for (let waited = 0; waited <= 12_000; waited += 500) await disk.advance(500)
  await rejected
  t.true(disk.queue.trouble?.broken)
  disk.failure = null
  await t.throwsAsync(disk.queue.write([put('b', '2')], true), { code: 'STORE_BROKEN' })
  await disk.advance(60_000)
  t.deepEqual(disk.committed, [])
  t.is(disk.clock.timers, 0)
})

test('more waiting bytes than memory should hold break the store', async t => {
  const disk = new FakeDisk()
  disk.failure = FULL
  const writes = Array.from({ length: 12 }, (_, i) => disk.queue.write([put('key', 'x'.repeat(97))], i > 0))
  const results = await Promise.allSettled(writes)
  t.true(results.every(result => result.status === 'rejected' && result.reason.code === 'STORE_BROKEN'))
  t.is(disk.queue.stats().pendingWrites, 0)
})

test('one batch may be larger than all that may wait, and others wait beside it', async t => {
  const disk = new FakeDisk()
  disk.failure = FULL
  const large = disk.queue.write([put('all', 'x'.repeat(5_000))], true)
  const others = Array.from({ length: 9 }, (_, i) => disk.queue.write([put(`k${i}`, 'x'.repeat(97))], true))
  await disk.advance(10)
  disk.failure = null
  await disk.advance(500)
  await Promise.all([large, ...others])
  t.is(disk.committed.flat().length, 10)
})

test('a burst is split into commits of bounded size, between batches and never within one', async t => {
  const disk = new FakeDisk()
  const all = [
    disk.queue.write([put('a', 'x'.repeat(40))], false),
    disk.queue.write([put('b', 'x'.repeat(40)), put('c', 'x'.repeat(200))], false),
    disk.queue.write([put('d', 'x'.repeat(40))], false),
    disk.queue.write([put('e', 'x'.repeat(40))], true),
  ]
  await disk.advance(2)
  await Promise.all(all)
  t.deepEqual(
    disk.committed.map(writes => writes.map(write => write[0]).join('')),
    ['a', 'bc', 'de'],
  )
})

test('unflushed writes do not wait once they fill a commit', async t => {
  const disk = new FakeDisk()
  const done = disk.queue.write([put('a', 'x'.repeat(120))], false)
  await disk.advance(0)
  await done
  t.is(disk.committed.length, 1)
})

test('close tries a failing disk once more and then lets go', async t => {
  const disk = new FakeDisk()
  disk.failure = FULL
  const done = disk.queue.write([put('a', '1')], true)
  await disk.advance(2)
  const closing = disk.queue.close()
  await t.throwsAsync(done, { code: 'STORE_BROKEN' })
  await closing
  t.is(disk.recoveries, 1)
  t.is(disk.clock.timers, 0)
})

test('close during trouble still saves what waits when the disk works again', async t => {
  const disk = new FakeDisk()
  disk.failure = FULL
  const done = disk.queue.write([put('a', '1')], true)
  await disk.advance(2)
  disk.failure = null
  await disk.queue.close()
  await done
  t.deepEqual(disk.committed, [['a=1']])
})

test('whatever the disk does, what is on it is the log up to some batch, and holds all that was acknowledged', async t => {
  const seed = Number(process.env.SHOAL_SEED ?? Date.now() % 1_000_000)
  t.log(`seed ${seed}; replay with SHOAL_SEED=${seed}`)
  const seeds = createRng(seed)
  let failures = 0
  for (let round = 0; round < 100; round++) {
    const rng = seeds.fork(round)
    const disk = new FakeDisk({ giveUpAfterMs: 3_000 })
    const log: StoreWrite[][] = []
    let acknowledged = 0
    for (let step = 0; step < 60; step++) {
      disk.failure = rng.below(4) === 0 ? FULL : null
      for (let n = rng.below(4); n > 0; n--) {
        const batch = Array.from({ length: rng.below(4) }, () =>
          put(`key-${rng.below(5)}`, 'x'.repeat(rng.below(40)) + log.length),
        )
        const number = log.push(batch)
        disk.queue.write(batch, rng.below(2) === 0).then(
          () => {
            acknowledged = Math.max(acknowledged, number)
          },
          () => {},
        )
      }
      await disk.advance(rng.pick([0, 1, 2, 250, 1_000, 5_000]))
      const onDisk = stateAfter(disk.committed.flat().map(line => line.split('=') as [string, string]))
      const isPrefix = Array.from({ length: log.length - acknowledged + 1 }, (_, i) => acknowledged + i).some(
        count => stateAfter(log.slice(0, count).flatMap(keyed)) === onDisk,
      )
      t.true(isPrefix, `round ${round}, step ${step}: the disk holds ${onDisk}`)
    }
    failures += disk.told.length
    // With a disk that works again everything arrives, unless the store said that it broke.
    disk.failure = null
    await disk.queue.close()
    if (disk.queue.trouble === null) t.is(acknowledged, log.length)
    else t.true(disk.queue.trouble.broken)
  }
  t.true(failures > 100, 'the disk failed often enough to mean something')
})

const keyed = (batch: StoreWrite[]): [string, string][] =>
  batch.map(({ key, value }) => [key, value === null ? '' : text(value)])

/** What a map holds after these writes, in one line. */
const stateAfter = (writes: readonly (readonly [string, string])[]): string =>
  JSON.stringify([...new Map(writes)].sort(([a], [b]) => (a < b ? -1 : 1)))
