import test from 'ava'
import type { TaskContext } from '../../../src/adapters/executors/run.js'
import { copyOf, specOf, watch } from '../../contracts/executor.js'
import { openTestBed } from './fixture.js'

test('what a node can run is what it allows and what is registered', async t => {
  const told: (readonly string[])[] = []
  const bed = await openTestBed({ onAbilities: runs => told.push(runs) })
  const remove = bed.handlers.register('poll', () => {})
  bed.handlers.register('count', () => {})
  remove()
  t.deepEqual(told, [
    ['exec', 'handler:poll', 'module'],
    ['exec', 'handler:count', 'handler:poll', 'module'],
    ['exec', 'handler:count', 'module'],
  ])
  t.deepEqual(bed.executor.abilities(), ['exec', 'handler:count', 'module'])
  await bed.cleanUp()
})

test('a name is registered once, and only a function under a proper name', async t => {
  const bed = await openTestBed()
  bed.handlers.register('poll', () => {})
  t.throws(() => bed.handlers.register('poll', () => {}), { code: 'HANDLER_TAKEN' })
  t.throws(() => bed.handlers.register('No Name', () => {}), { code: 'HANDLER_INVALID' })
  t.throws(() => bed.handlers.register('x', 3 as never), { code: 'HANDLER_INVALID' })
  await bed.cleanUp()
})

test('a kind that is not allowed is refused, whatever it is', async t => {
  const bed = await openTestBed({ allow: ['handler'] })
  t.deepEqual(bed.executor.abilities(), [])
  for (const run of [{ exec: ['true'] }, { module: 'x.mjs' }]) {
    const seen = watch()
    bed.executor.start({ copy: copyOf(), spec: specOf(run), checkpoint: null }, seen.listener)
    t.regex((await seen.exited).error ?? '', /does not run (exec|module) tasks; .*--allow handler/)
    t.deepEqual(seen.calls, ['exited'])
  }
  await bed.cleanUp()
})

test('a function that does not return is given up, counted, fenced, and no longer counted once it returns', async t => {
  const bed = await openTestBed()
  let context: TaskContext | undefined
  let letGo: (value: string) => void = () => {}
  const done = new Promise<string>(resolve => {
    letGo = resolve
  })
  bed.handlers.register('deaf', given => {
    context = given
    return done
  })
  const seen = watch()
  bed.executor.start({ copy: copyOf(), spec: specOf({ handler: 'deaf' }), checkpoint: null }, seen.listener)
  await seen.started
  await context?.save(1)
  await context?.space('shared').set('k', 'mine')
  bed.executor.stop(copyOf(), 5)
  t.regex((await seen.exited).error ?? '', /did not stop within 5 ms; a function cannot be killed/)
  t.is(bed.executor.stuck(), 1)
  t.is(bed.executor.running(), 0)
  await t.throwsAsync(async () => context?.save(2), { code: 'FENCED' })
  await t.throwsAsync(async () => context?.space('shared').set('k', 'stale'), { code: 'FENCED' })
  await t.throwsAsync(async () => context?.space('shared').delete('k'), { code: 'FENCED' })
  t.is(bed.space.get('k'), 'mine')
  t.deepEqual(seen.saved, [1])
  letGo('late')
  await done
  await new Promise(resolve => setImmediate(resolve))
  t.is(bed.executor.stuck(), 0)
  t.deepEqual(seen.calls, ['started', 'exited'])
  await bed.cleanUp()
})

test('a checkpoint is copied when it is saved, and must be JSON of 64 KB at most', async t => {
  const bed = await openTestBed()
  bed.handlers.register('saver', async ({ save }) => {
    const progress = { line: 1 }
    const first = save(progress)
    progress.line = 2
    await first
    await t.throwsAsync(async () => save(undefined as never), { code: 'VALUE_INVALID' })
    await t.throwsAsync(async () => save(1n as never), { code: 'VALUE_INVALID' })
    await t.throwsAsync(async () => save('x'.repeat(65_535)), { code: 'VALUE_TOO_LARGE' })
    await save('x'.repeat(65_534))
  })
  const seen = watch()
  bed.executor.start({ copy: copyOf(), spec: specOf({ handler: 'saver' }), checkpoint: null }, seen.listener)
  t.is((await seen.exited).error, null)
  t.deepEqual(seen.saved, [{ line: 1 }, 'x'.repeat(65_534)])
  await bed.cleanUp()
})

test('the result of a job is recorded, that of others is not, and one that is no JSON is an error', async t => {
  const bed = await openTestBed()
  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic
  bed.handlers.register('good', () => ({ parts: 7 }))
  bed.handlers.register('bad', () => cyclic)
  const outcome = async (handler: string, when: 'once' | 'always') => {
    const seen = watch()
    bed.executor.start(
      { copy: copyOf(), spec: specOf({ handler }, { when }), checkpoint: null },
      seen.listener,
    )
    return seen.exited
  }
  t.deepEqual(await outcome('good', 'once'), { error: null, result: { parts: 7 } })
  t.deepEqual(await outcome('good', 'always'), { error: null, result: null })
  t.deepEqual(await outcome('bad', 'always'), { error: null, result: null })
  t.regex((await outcome('bad', 'once')).error ?? '', /result cannot be written as JSON/)
  await bed.cleanUp()
})

test('observers of a space end with the run, and its own spaces are read-only', async t => {
  const bed = await openTestBed()
  const heard: string[] = []
  bed.handlers.register('watcher', async ({ space }) => {
    space('shared').observe(keys => heard.push(...keys))
    await space('shared').set('a', 1)
    await t.throwsAsync(async () => space('shoal.tasks').set('a', 1), { code: 'SPACE_RESERVED' })
    return space('shoal.tasks').get('a')
  })
  const seen = watch()
  bed.executor.start(
    { copy: copyOf(), spec: specOf({ handler: 'watcher' }, { when: 'once' }), checkpoint: null },
    seen.listener,
  )
  t.deepEqual(await seen.exited, { error: null, result: 1 })
  await bed.space.set('b', 2)
  t.deepEqual(heard, ['a'])
  await bed.cleanUp()
})

test('what a task logs is kept for its operator, line by line', async t => {
  const bed = await openTestBed({ now: () => 77 })
  bed.handlers.register('talker', ({ log }) => log('two\nlines %d', 5, { a: 1 }))
  const seen = watch()
  bed.executor.start({ copy: copyOf(), spec: specOf({ handler: 'talker' }), checkpoint: null }, seen.listener)
  await seen.exited
  const common = { at: 77, node: '12D3KooTest', epoch: copyOf().epoch, stream: 'log' }
  t.deepEqual(bed.executor.logs(copyOf().task), [
    { ...common, line: 'two' },
    { ...common, line: 'lines 5 { a: 1 }' },
  ] as never)
  bed.executor.forgetLogs(copyOf().task)
  t.deepEqual(bed.executor.logs(copyOf().task), [])
  await bed.cleanUp()
})
