import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { resolveModule } from '../../../src/adapters/executors/modules.js'
import { copyOf, specOf, watch } from '../../contracts/executor.js'
import { openTestBed } from './fixture.js'

test('a module is a file under the folder, links resolved, and never a URL', async t => {
  const bed = await openTestBed()
  const folder = bed.modulesDir
  await bed.module('poll.mjs', 'export default () => {}')
  await mkdir(join(folder, 'lines'))
  await writeFile(join(folder, 'lines', 'three.mjs'), '')
  await symlink(join(folder, 'poll.mjs'), join(folder, 'inside.mjs'))
  await symlink('/etc/hostname', join(folder, 'outside.mjs'))
  await symlink('/etc', join(folder, 'etc'))
  t.is(await resolveModule(folder, 'poll.mjs'), await resolveModule(folder, 'inside.mjs'))
  t.regex(await resolveModule(folder, 'lines/../lines/three.mjs'), /three\.mjs$/)
  for (const name of [
    'outside.mjs',
    'etc/hostname',
    '../../etc/passwd',
    '/etc/passwd',
    'lines',
    '.',
    '',
    'nul\0.mjs',
    'gone.mjs',
    'file:///etc/passwd',
    'data:text/javascript,1',
    'node:fs',
    'https://example.org/x.js',
    '//example.org/x.js',
  ]) {
    await t.throwsAsync(resolveModule(folder, name), { code: 'MODULE_INVALID' }, name)
  }
  await t.throwsAsync(resolveModule(null, 'poll.mjs'), { code: 'MODULE_INVALID' })
  await bed.cleanUp()
})

test('a module reads, writes and observes shared state as a handler does', async t => {
  const bed = await openTestBed()
  await bed.space.set('before', { deep: [1, null] })
  const module = await bed.module(
    'state.mjs',
    `export default async ({ space, save, log }) => {
      const shared = space('shared')
      const keys = []
      const heard = new Promise(resolve => shared.observe(changed => { keys.push(...changed); resolve() }))
      const written = shared.set('mine', 2)
      const atOnce = shared.get('mine')
      await written
      await heard
      await shared.set('gone', 1)
      await shared.delete('gone')
      await save({ line: 9 })
      const refusals = []
      for (const attempt of [
        () => save('x'.repeat(70000)),
        () => save(undefined),
        () => space('shoal.tasks').set('a', 1),
        () => space('closed').set('a', 1),
      ]) await attempt().catch(error => refusals.push(error.code))
      try { space('closed').get('a') } catch (error) { refusals.push(error.code) }
      return { atOnce, before: shared.get('before'), has: [shared.has('mine'), shared.has('gone')],
        none: shared.get('none') === undefined, entries: shared.entries(), heard: keys[0], refusals }
    }`,
  )
  const seen = watch()
  bed.executor.start(
    { copy: copyOf(), spec: specOf({ module }, { when: 'once' }), checkpoint: null },
    seen.listener,
  )
  t.deepEqual(await seen.exited, {
    error: null,
    result: {
      atOnce: 2,
      before: { deep: [1, null] },
      has: [true, false],
      none: true,
      entries: [
        ['before', { deep: [1, null] }],
        ['mine', 2],
      ],
      heard: 'mine',
      refusals: ['VALUE_TOO_LARGE', 'VALUE_INVALID', 'SPACE_RESERVED', 'SPACE_UNKNOWN', 'SPACE_UNKNOWN'],
    },
  })
  t.deepEqual(seen.saved, [{ line: 9 }])
  await bed.cleanUp()
})

for (const [claim, source, expected] of [
  [
    'that throws out of a timer',
    'setTimeout(() => { throw new Error("late fault") }); await new Promise(() => {})',
    /late fault/,
  ],
  [
    'that rejects without a listener',
    'Promise.reject(new Error("lost")); await new Promise(() => {})',
    /lost/,
  ],
  ['that exits its process ends its thread alone', 'process.exit(4)', /ended its thread with code 4/],
  [
    'that fills its heap',
    'const all = []; for (;;) all.push(new Array(1e5).fill(all.length))',
    /memory limit/i,
  ],
  ['that waits for nothing', 'await new Promise(() => {})', /ended its thread with code/],
] as const) {
  test(`a module ${claim} is an exit with an error`, async t => {
    const bed = await openTestBed()
    const module = await bed.module('bad.mjs', `export default async () => { ${source} }`)
    const seen = watch()
    bed.executor.start({ copy: copyOf(), spec: specOf({ module }), checkpoint: null }, seen.listener)
    if (claim === 'that waits for nothing') {
      // The port keeps the thread alive, so only a stop ends it.
      await seen.started
      bed.executor.stop(copyOf(), 10)
      t.regex((await seen.exited).error ?? '', /did not stop within 10 ms/)
    } else t.regex((await seen.exited).error ?? '', expected)
    await bed.cleanUp()
  })
}

test('a module without a function, or that is no JavaScript, is an exit with an error', async t => {
  const bed = await openTestBed()
  for (const [source, expected] of [
    ['export const x = 1', /default export is undefined/],
    ['export default {}', /default export is object/],
    ['export default (', /SyntaxError/],
    ['import "no-such-package"; export default () => {}', /no-such-package/],
  ] as const) {
    const module = await bed.module(`m${source.length}.mjs`, source)
    const seen = watch()
    bed.executor.start({ copy: copyOf(), spec: specOf({ module }), checkpoint: null }, seen.listener)
    t.regex((await seen.exited).error ?? '', expected)
    t.deepEqual(seen.calls, ['exited'])
  }
  await bed.cleanUp()
})

test('what a module prints is its log, and it sees a clean environment', async t => {
  process.env.SHOAL_TEST_SECRET = 'hidden'
  const bed = await openTestBed()
  const module = await bed.module(
    'talk.mjs',
    `export default ({ log }) => {
      console.log('to out', { a: 1 }); console.error('to err'); log('to log'); process.stdout.write('no end')
      log('secret ' + process.env.SHOAL_TEST_SECRET)
    }`,
  )
  const seen = watch()
  bed.executor.start({ copy: copyOf(), spec: specOf({ module }), checkpoint: null }, seen.listener)
  t.is((await seen.exited).error, null)
  const told = bed.executor.logs(copyOf().task).map(entry => `${entry.stream}: ${entry.line}`)
  t.deepEqual(told.sort(), [
    'err: to err',
    'log: secret undefined',
    'log: to log',
    'out: no end',
    'out: to out { a: 1 }',
  ])
  await bed.cleanUp()
})
