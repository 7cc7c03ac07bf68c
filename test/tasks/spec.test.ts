import test from 'ava'
import fc from 'fast-check'
import { ShoalError } from '../../src/core/errors.js'
import type { Json } from '../../src/core/json.js'
import { parseSpec, readStoredSpec } from '../../src/core/tasks/spec-rules.js'
import { holds } from './holds.js'

const minimal = { id: 'poll', run: { handler: 'modbus-poll' } }

test('a task needs an id and what to run; the rest has the defaults of the contract', t => {
  t.deepEqual(parseSpec(minimal) as unknown, {
    id: 'poll',
    run: { handler: 'modbus-poll' },
    when: 'always',
    input: null,
    replicas: 1,
    needs: {},
    spread: null,
    weight: 1,
    stopGrace: '5s',
    overlap: false,
    onPartition: 'run',
  })
})

test('the example of the contract is accepted as written', t => {
  const example = {
    id: 'poll-line-3',
    run: { handler: 'modbus-poll' },
    when: { every: '1s' },
    input: { host: 'plc-3.local' },
    replicas: 1,
    needs: { modbus: 'line-3' },
    spread: 'zone',
    weight: 1,
    stopGrace: '5s',
    overlap: false,
    onPartition: 'run',
  }
  t.deepEqual(parseSpec(example) as unknown, example)
})

test('a cron has UTC for its zone unless it names one', t => {
  t.deepEqual(parseSpec({ ...minimal, when: { cron: '0 6 * * mon' } }).when, {
    cron: '0 6 * * mon',
    zone: 'UTC',
  })
  const when = { cron: '0 6 * * mon', zone: 'Europe/Berlin' }
  t.deepEqual(parseSpec({ ...minimal, when }).when, when)
})

const refusals: readonly (readonly [name: string, over: object, names: RegExp])[] = [
  ['an id with capitals', { id: 'Poll' }, /^id is "Poll"; accepted/],
  ['an id of 64 characters', { id: 'a'.repeat(64) }, /^id is "aaa/],
  ['no run', { run: undefined }, /^run is missing; accepted: one of \{handler/],
  ['two ways to run', { run: { handler: 'a', module: 'b.js' } }, /^run is \{"handler":"a"/],
  ['an unknown field of run', { run: { exec: ['a'], user: 'root' } }, /run has the unknown field "user"/],
  ['a program without words', { run: { exec: [] } }, /^run\.exec is \[\]/],
  ['a program with a number for an argument', { run: { exec: ['a', 1] } }, /^run\.exec\[1\] is 1/],
  ['a text for a program', { run: { exec: 'ls -l' } }, /^run\.exec is "ls -l"; accepted: a list/],
  ['an environment with a number', { run: { exec: ['a'], env: { A: 1 } } }, /^run\.env\.A is 1/],
  ["an environment with Shoal's names", { run: { exec: ['a'], env: { SHOAL_TOKEN: 'x' } } }, /SHOAL_/],
  ['a module by URL', { run: { module: 'https://a.example/b.js' } }, /^run\.module is .*no URL/],
  ['a module above its folder', { run: { module: 'a/../../b.js' } }, /^run\.module/],
  ['an absolute module', { run: { module: '/etc/a.js' } }, /^run\.module/],
  ['an unknown when', { when: 'never' }, /^when is "never"; accepted: "always"/],
  [
    'a period without a unit',
    { when: { every: '10' } },
    /^when\.every is "10"; accepted: a whole number with a unit/,
  ],
  ['a period of nothing', { when: { every: '0s' } }, /^when\.every is "0s"/],
  ['a calendar of four fields', { when: { cron: '* * * *' } }, /^when\.cron is .*5 fields/],
  ['a day that no month has', { when: { cron: '0 0 31 feb *' } }, /^when\.cron is .*no year has such a day/],
  ['a zone that is none', { when: { cron: '* * * * *', zone: 'not a zone' } }, /^when\.zone is "not a zone"/],
  ['a job in two copies', { when: 'once', replicas: 2 }, /^replicas is 2; accepted: 1 \(or 0/],
  ['a job everywhere', { when: 'once', replicas: 'all' }, /^replicas is "all"; accepted: 1/],
  ['half a copy', { replicas: 1.5 }, /^replicas is 1\.5/],
  ['fewer copies than none', { replicas: -1 }, /^replicas is -1/],
  ['too many copies', { replicas: 1_001 }, /^replicas is 1001; .*1000/],
  ['needs as a list', { needs: ['a'] }, /^needs is \["a"\]/],
  ['a label that is a number', { needs: { hall: 2 } }, /^needs\.hall is 2/],
  [
    'too many needs',
    { needs: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`l${i}`, 'x'])) },
    /^needs/,
  ],
  ['a spread that is no text', { spread: 1 }, /^spread is 1/],
  ['a negative weight', { weight: -1 }, /^weight is -1; accepted: a whole number from 0/],
  ['a grace without a unit', { stopGrace: 5 }, /^stopGrace is 5/],
  ['an overlap in words', { overlap: 'yes' }, /^overlap is "yes"; accepted: true or false/],
  ['an unknown partition rule', { onPartition: 'panic' }, /^onPartition is "panic"/],
  ['an unknown field', { replica: 3 }, /unknown field "replica"; accepted are id, run, when/],
  ['an input that is not JSON', { input: { a: () => 1 } }, /^input is/],
  ['an input beyond 64 KB', { input: 'é'.repeat(32_768) }, /^input has 65538 bytes as JSON; at most 65536/],
]

for (const [name, over, names] of refusals) {
  test(`refused with its field and what is accepted: ${name}`, t => {
    const error = t.throws(() => parseSpec({ ...minimal, ...over }), { instanceOf: ShoalError })
    t.is(error?.code, 'TASK_INVALID')
    t.regex(error?.message ?? '', names)
  })
}

test('an input of exactly 64 KB is accepted', t => {
  t.is(parseSpec({ ...minimal, input: 'é'.repeat(32_767) }).input, 'é'.repeat(32_767))
})

test('what comes in a later version is refused as such', t => {
  for (const onPartition of ['majority', 'stay']) {
    const error = t.throws(() => parseSpec({ ...minimal, onPartition }), { instanceOf: ShoalError })
    t.is(error?.code, 'NOT_YET')
    t.regex(error?.message ?? '', /^onPartition is ".*only "run"/)
  }
})

test('what a user changes later in his object does not change the task', t => {
  const needs = { hall: '2' }
  const spec = parseSpec({ ...minimal, needs })
  needs.hall = '3'
  t.deepEqual(spec.needs, { hall: '2' })
})

test('fields that a later version wrote are kept, also within run and when', t => {
  const stored: Json = {
    ...minimal,
    run: { exec: ['a'], cgroup: 'b' },
    when: { every: '1s', jitter: '10%' },
    priority: 7,
  }
  const read = readStoredSpec(stored)
  t.true('spec' in read)
  if ('spec' in read) {
    const { run, when, priority, weight } = read.spec as unknown as Record<string, unknown>
    t.deepEqual(run, { exec: ['a'], cgroup: 'b' })
    t.deepEqual(when, { every: '1s', jitter: '10%' })
    t.is(priority, 7)
    t.is(weight, 1)
  }
})

test('a stored task that cannot be understood says why', t => {
  const reasonOf = (json: Json | undefined): string => {
    const read = readStoredSpec(json)
    return 'unintelligible' in read ? read.unintelligible : ''
  }
  t.regex(reasonOf({ ...minimal, onPartition: 'majority' }), /^onPartition is "majority"/)
  t.regex(reasonOf({ ...minimal, run: { wasm: 'a' } }), /^run is \{"wasm":"a"\}/)
  t.regex(reasonOf([]), /^a task is \[\]/)
  t.regex(reasonOf(undefined), /^a task is missing/)
})

test('no JSON makes either door throw anything but its own refusal', t => {
  const fields = [
    'id',
    'run',
    'when',
    'input',
    'replicas',
    'needs',
    'spread',
    'weight',
    'stopGrace',
    'overlap',
  ]
  const nearly = fc
    .dictionary(fc.constantFrom(...fields, 'other'), fc.jsonValue())
    .map(over => ({ ...minimal, ...over }))
  holds(
    t,
    fc.property(fc.oneof(fc.jsonValue(), nearly), json => {
      const read = readStoredSpec(json as Json)
      try {
        const spec = parseSpec(json)
        t.true('spec' in read)
        t.deepEqual(parseSpec(spec), spec)
      } catch (error) {
        t.true(error instanceof ShoalError, String(error))
      }
    }),
    2_000,
  )
})
