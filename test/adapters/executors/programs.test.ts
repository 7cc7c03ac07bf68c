import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import type { TaskRun } from '../../../src/core/tasks/spec.js'
import { copyOf, specOf, watch } from '../../contracts/executor.js'
import { openTestBed, type TestBed } from './fixture.js'

const run = async (bed: TestBed, exec: TaskRun, more = {}) => {
  const seen = watch()
  bed.executor.start({ copy: copyOf(), spec: specOf(exec, more), checkpoint: [7] }, seen.listener)
  const { error } = await seen.exited
  return { error, lines: seen.lines, calls: seen.calls }
}

test('the environment of a program is clean and complete', async t => {
  process.env.SHOAL_TEST_SECRET = 'hidden'
  const bed = await openTestBed()
  const print = 'process.stdout.write(JSON.stringify(process.env))'
  const { lines } = await run(bed, {
    exec: [process.execPath, '-e', print],
    env: { LEVEL: '3', LANG: 'C', SHOAL_TASK: 'forged' },
  })
  const environment = JSON.parse(lines.join(''))
  const passed = ['PATH', 'HOME', 'LANG', 'TZ'].filter(
    name => process.env[name] !== undefined || name === 'LANG',
  )
  const own = ['SHOAL_TASK', 'SHOAL_EPOCH', 'SHOAL_INPUT', 'SHOAL_CHECKPOINT', 'SHOAL_API', 'SHOAL_TOKEN']
  t.deepEqual(Object.keys(environment).sort(), [...passed, ...own, 'LEVEL'].sort())
  t.is(environment.SHOAL_TASK, 't1')
  t.is(environment.LANG, 'C')
  t.is(environment.SHOAL_INPUT, 'null')
  t.is(environment.SHOAL_CHECKPOINT, '[7]')
  t.deepEqual(bed.tokens.check(environment.SHOAL_TOKEN), { copy: copyOf(), live: false })
  await bed.cleanUp()
})

test('a program reads nothing from its input, and its arguments are passed as they are', async t => {
  const bed = await openTestBed()
  const { lines, error } = await run(bed, { exec: ['/bin/sh', '-c', 'cat; echo "$1"', 'x', '$(id) "; *'] })
  t.is(error, null)
  t.deepEqual(lines, ['$(id) "; *'])
  await bed.cleanUp()
})

test('what a program said before it ended is read, however late this node looks', async t => {
  const bed = await openTestBed()
  const blockUntil = (at: number): void => {
    while (Date.now() < at);
  }
  const from = Date.now()
  const start = (slot: number, script: string) => {
    const seen = watch()
    const spec = specOf({ exec: ['/bin/sh', '-c', script] })
    bed.executor.start({ copy: copyOf(slot), spec, checkpoint: null }, seen.listener)
    return seen
  }
  // One line and one end are found together; while the line is handled, the other program fails,
  // and the end that was found has the kernel asked for all ends there are.
  const talks = start(0, 'sleep 0.3; echo now; sleep 2')
  const ends = start(1, 'sleep 0.4')
  const fails = start(2, 'sleep 1; echo broken pump >&2; exit 3')
  const logged = talks.listener.logged.bind(talks.listener)
  talks.listener.logged = (stream, line) => {
    blockUntil(from + 1_600)
    // And once more before it looks at what was said.
    setImmediate(() => blockUntil(from + 2_200))
    logged(stream, line)
  }
  await Promise.all([talks, ends, fails].map(seen => seen.started))
  blockUntil(from + 800)
  t.regex((await fails.exited).error ?? '', /exit code 3: broken pump/)
  await bed.cleanUp()
})

test('why a program could not be started is said in words', async t => {
  const bed = await openTestBed()
  const plain = join(bed.modulesDir, 'plain')
  const orphan = join(bed.modulesDir, 'orphan')
  await writeFile(plain, 'x')
  await writeFile(orphan, '#!/no/such/interpreter\n')
  await chmod(orphan, 0o755)
  for (const [exec, expected] of [
    [{ exec: ['no-such-thing'] }, /"no-such-thing" is not in PATH .*ENOENT/],
    [{ exec: ['/no/such/thing'] }, /is not on this node \(ENOENT\)/],
    [{ exec: [orphan] }, /or the interpreter that it names, is not on this node/],
    [{ exec: [plain] }, /may not be executed .*EACCES/],
    [{ exec: [bed.modulesDir] }, /is a directory, not a program \(EISDIR\)/],
    [{ exec: ['plain'], env: { PATH: bed.modulesDir } }, /may not be executed .*EACCES/],
    [{ exec: ['./no-such-thing'], cwd: '/' }, /is not on this node \(ENOENT\)/],
    [{ exec: ['true'], cwd: '/no/such/place' }, /cwd "\/no\/such\/place" is not a directory/],
    [{ exec: ['true'], env: { BIG: 'x'.repeat(140_000) } }, /E2BIG/],
    [{ exec: ['true', 'nul\0byte'] }, /null bytes/],
    [{ exec: [] }, /must name a program/],
  ] as const) {
    const { error, calls } = await run(bed, exec)
    t.regex(error ?? '', expected)
    t.deepEqual(calls, ['exited'])
  }
  t.is((await run(bed, { exec: ['true'] })).error, null, 'and the next one starts')
  await bed.cleanUp()
})

test('how a program ended is said in words, with the last thing it complained about', async t => {
  const bed = await openTestBed()
  const sh = (script: string) => run(bed, { exec: ['/bin/sh', '-c', script] })
  t.is((await sh('exit 7')).error, 'exit code 7')
  t.is((await sh('echo first >&2; echo no modem >&2; exit 1')).error, 'exit code 1: no modem')
  t.is((await sh('kill -9 $$')).error, 'ended by SIGKILL')
  t.is((await sh('kill -TERM $$')).error, 'ended by SIGTERM')
  await bed.cleanUp()
})

test('a program works where it is told to', async t => {
  const bed = await openTestBed()
  t.deepEqual((await run(bed, { exec: ['/bin/sh', '-c', 'pwd'], cwd: '/' })).lines, ['/'])
  await bed.cleanUp()
})

test('a program that only the kernel can tell from one is an exit in words', async t => {
  const bed = await openTestBed()
  const [broken, odd] = [join(bed.modulesDir, 'broken'), join(bed.modulesDir, 'odd')]
  const path = process.env.PATH ?? ''
  // Of 64 bits, for no machine, with nothing in it.
  await writeFile(broken, Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01'), Buffer.alloc(57)]), {
    mode: 0o755,
  })
  await writeFile(odd, '#!/usr/bin/env no-such-interpreter\n', { mode: 0o755 })
  for (const [exec, expected] of [
    [{ exec: [broken] }, /broken/],
    [{ exec: [broken], env: { LC_ALL: 'C' } }, /broken/],
    [{ exec: [odd], env: { PATH: path } }, /no-such-interpreter/],
  ] as const) {
    const { error, calls } = await run(bed, exec)
    t.regex(error ?? '', expected)
    t.deepEqual(calls, ['started', 'exited'])
  }
  t.is(
    (await run(bed, { exec: ['/bin/sh', '-c', 'exit 127'] })).error,
    'exit code 127',
    'its own 127 is its own',
  )
  await bed.cleanUp()
})

test('programs that are started together are started one in a turn of the event loop', async t => {
  const bed = await openTestBed()
  let turn = 0
  let counting = true
  const count = (): void => {
    turn += 1
    if (counting) setImmediate(count)
  }
  count()
  const startedIn: number[] = []
  const ends = Array.from({ length: 10 }, (_, slot) => {
    const { listener, exited } = watch()
    const started = (): void => {
      startedIn.push(turn)
    }
    bed.executor.start(
      { copy: copyOf(slot), spec: specOf({ exec: ['true'] }), checkpoint: null },
      { ...listener, started },
    )
    return exited
  })
  for (const end of ends) t.is((await end).error, null)
  counting = false
  t.is(new Set(startedIn).size, 10)
  await bed.cleanUp()
})
