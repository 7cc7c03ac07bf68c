// A task must not be able to make its node look dead: neither by computing, nor by
// printing. Progress of the main thread is counted while the task does its worst.

import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import { taskLogBytesMax } from '../../src/adapters/executors/log-buffer.js'
import { taskId } from '../../src/core/ids.js'
import { memorySpace, openTestBed } from '../adapters/executors/fixture.js'
import { copyOf, specOf, watch } from '../contracts/executor.js'
import { eventually } from './executor-processes.js'

const busy = (ms: number): void => {
  const until = performance.now() + ms
  while (performance.now() < until);
}

for (const [claim, spin] of [
  ['computes', 'for (;;) {}'],
  ['sleeps without yielding', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600000)'],
] as const) {
  test.serial(`the main thread goes on while a module ${claim}, and can end it`, async t => {
    const blocked: string[] = []
    const bed = await openTestBed({ onBlocked: task => blocked.push(task) })
    const module = await bed.module('spin.mjs', `export default ({ log }) => { log('ready'); ${spin} }`)
    const seen = watch()
    bed.executor.start({ copy: copyOf(), spec: specOf({ module }), checkpoint: null }, seen.listener)
    await seen.line('ready')
    let turns = 0
    for (; turns < 2_000; turns += 1) await nextTurn()
    for (let n = 0; n < 20; n += 1) await sleep(1)
    t.is(turns, 2_000)
    t.deepEqual(seen.calls, ['started'], 'it was at it all the time')
    bed.executor.stop(copyOf(), 50)
    t.regex((await seen.exited).error ?? '', /did not stop within 50 ms/)
    t.deepEqual(blocked, [])
    await bed.cleanUp()
  })
}

for (const [claim, block] of [
  ['at once', async () => busy(400)],
  [
    'after a timer',
    async () => {
      await sleep(20)
      busy(400)
    },
  ],
  [
    'in a callback of its own',
    async () => {
      await new Promise<void>(resolve =>
        setTimeout(() => {
          busy(400)
          resolve()
        }, 20),
      )
    },
  ],
  [
    'by promises that never let the loop turn',
    async () => {
      await nextTurn()
      const until = performance.now() + 400
      while (performance.now() < until) await null
    },
  ],
] as const) {
  test.serial(`a handler that blocks the event loop ${claim} is named, and no other`, async t => {
    const blocked: { task: string; ms: number }[] = []
    const bed = await openTestBed({ onBlocked: (task, ms) => blocked.push({ task, ms }) })
    bed.handlers.register('innocent', async ({ signal }) => {
      while (!signal.aborted) await sleep(1)
    })
    bed.handlers.register('guilty', async () => {
      await block()
      await sleep(50)
    })
    const [innocent, guilty] = [watch(), watch()]
    const other = { ...copyOf(), task: taskId('innocent') }
    bed.executor.start(
      { copy: other, spec: specOf({ handler: 'innocent' }, { id: other.task }), checkpoint: null },
      innocent.listener,
    )
    await innocent.started
    bed.executor.start(
      { copy: copyOf(), spec: specOf({ handler: 'guilty' }), checkpoint: null },
      guilty.listener,
    )
    await guilty.exited
    t.true(await eventually(() => blocked.length > 0))
    t.deepEqual([...new Set(blocked.map(entry => entry.task))], ['t1'])
    t.true((blocked[0]?.ms ?? 0) >= 100)
    bed.executor.stop(other, 1_000)
    await innocent.exited
    await bed.cleanUp()
  })
}

test.serial('what the node does later because a handler wrote is not counted as the handler', async t => {
  const blocked: string[] = []
  let nodeWorked: () => void = () => {}
  const worked = new Promise<void>(resolve => {
    nodeWorked = resolve
  })
  const space = memorySpace()
  const slow = {
    ...space,
    async set() {
      setTimeout(() => {
        busy(300)
        nodeWorked()
      }, 10)
    },
  }
  const bed = await openTestBed({ onBlocked: task => blocked.push(task), space: () => slow })
  bed.handlers.register('writer', async ({ space }) => {
    await space('shared').set('a', 1)
    await worked
    await sleep(150)
  })
  const seen = watch()
  bed.executor.start({ copy: copyOf(), spec: specOf({ handler: 'writer' }), checkpoint: null }, seen.listener)
  t.is((await seen.exited).error, null)
  t.deepEqual(blocked, [])
  await bed.cleanUp()
})

test.serial('a handler that blocks in an observer or when told to stop is named', async t => {
  const blocked: string[] = []
  const bed = await openTestBed({ onBlocked: task => blocked.push(task) })
  let stops = 0
  bed.handlers.register('observer', ({ space, signal, log }) => {
    space('shared').observe(() => busy(300))
    const end = new Promise<void>(resolve => {
      signal.addEventListener('abort', () => {
        stops += 1
        busy(300)
        resolve()
      })
    })
    log('ready')
    return end.then(() => sleep(100))
  })
  const seen = watch()
  bed.executor.start(
    { copy: copyOf(), spec: specOf({ handler: 'observer' }), checkpoint: null },
    seen.listener,
  )
  await seen.line('ready')
  await bed.space.set('a', 1)
  t.true(await eventually(() => blocked.length === 1))
  bed.executor.stop(copyOf(), 60_000)
  t.is((await seen.exited).error, null)
  t.is(stops, 1)
  t.deepEqual(blocked, ['t1', 't1'])
  await bed.cleanUp()
})

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const usedBytes = (): number => {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

for (const kind of ['program', 'module'] as const) {
  test.serial(`a ${kind} that prints without end costs a bounded memory and is still stopped`, async t => {
    const bed = await openTestBed()
    // Also when something does not hold: what prints without end would keep this file from ending.
    t.teardown(() => bed.cleanUp())
    const module = await bed.module(
      'flood.mjs',
      `export default async ({ signal }) => {
        while (!signal.aborted) {
          for (let n = 0; n < 5000; n += 1) console.log('y'.repeat(n % 200))
          await new Promise(resolve => setImmediate(resolve))
        }
      }`,
    )
    let skips = 0
    const exited = new Promise<string | null>(resolve => {
      const run = kind === 'module' ? { module } : { exec: ['yes', 'a line of a flood'] }
      bed.executor.start(
        { copy: copyOf(), spec: specOf(run), checkpoint: null },
        {
          started() {},
          exited: outcome => resolve(outcome.error),
          saved: async () => {},
          logged: (_stream, line) => {
            if (line.includes('bytes skipped')) skips += 1
          },
        },
      )
    })
    t.true(await eventually(() => skips >= 1))
    const before = usedBytes()
    t.true(await eventually(() => skips >= 4))
    const grown = usedBytes() - before
    // Three seconds of `yes` are gigabytes; what counts as used swings by some megabytes with the collector.
    t.true(grown < 16 * 1_048_576, `grew by ${grown} bytes`)
    t.true(Buffer.byteLength(JSON.stringify(bed.executor.logs(copyOf().task))) <= taskLogBytesMax)
    bed.executor.stop(copyOf(), 60_000)
    t.is(await exited, null)
  })
}
