// The small shared words: durations, names, canonical JSON, errors, generations, patterns of spaces.

import test from 'ava'
import fc from 'fast-check'
import { parseDuration } from '../../src/core/duration.js'
import { InvariantViolated, invariant, ShoalError, unreachable } from '../../src/core/errors.js'
import { compareText, isName } from '../../src/core/ids.js'
import { canonicalJson, type Json } from '../../src/core/json.js'
import { compareGenerations, holdsSpace, sameGeneration } from '../../src/core/member.js'

test('a duration is a whole number and a unit', t => {
  const read = (text: string): number => parseDuration('every', text)
  t.deepEqual(
    ['0ms', '250ms', '5s', '10m', '24h', '30d', '007s'].map(read),
    [0, 250, 5_000, 600_000, 86_400_000, 2_592_000_000, 7_000],
  )
})

test('what is not a duration is refused with the field, the value and what is accepted', t => {
  const wrong = ['', '5', 's', '5 s', ' 5s', '5s ', '-5s', '+5s', '1.5s', '5S', '5w', '5ss', '5m3s', '٥s']
  for (const text of [...wrong, 5, null, undefined, {}, ['5s']]) {
    const error = t.throws(() => parseDuration('every', text), { instanceOf: ShoalError }, `${text}`)
    t.is(error?.code, 'DURATION_INVALID')
    t.true(
      error?.message.startsWith(`every is ${JSON.stringify(text)}; it must be a whole number with a unit`),
    )
  }
})

test('a duration beyond what a number holds exactly is refused, not rounded', t => {
  for (const text of ['9007199254740993ms', '999999999999d', `${'9'.repeat(400)}s`]) {
    t.throws(() => parseDuration('timeout', text), { code: 'DURATION_INVALID' }, text)
  }
})

test('names are short, lower-case and begin with a letter or a digit', t => {
  for (const name of ['a', '0', 'gw-1', 'a.b_c-d', 'x'.repeat(63)]) t.true(isName(name), name)
  for (const name of ['', '-a', '.a', '_a', 'A', 'a b', 'a/b', 'ä', 'a\n', 'x'.repeat(64)]) {
    t.false(isName(name), JSON.stringify(name))
  }
})

test('ids are ordered by the codes of their characters, whatever the locale', t => {
  t.deepEqual(['b', 'a', 'B', 'ä', '10', '9', ''].sort(compareText), ['', '10', '9', 'B', 'a', 'b', 'ä'])
  t.is(compareText('a', 'a'), 0)
})

test('equal values have equal canonical texts, whatever the order of their keys', t => {
  t.is(canonicalJson({ b: [1, { d: null, c: 'x' }], a: true }), '{"a":true,"b":[1,{"c":"x","d":null}]}')
  t.not(canonicalJson({ a: '1' }), canonicalJson({ a: 1 }))
  t.not(canonicalJson(['a,b']), canonicalJson(['a', 'b']))
  t.not(canonicalJson({ 'a":1,"b': 2 }), canonicalJson({ a: 1, b: 2 }))
})

test('a canonical text is JSON of the same value', t => {
  const shuffled = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(shuffled)
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, each]) => [key, shuffled(each as Json)]),
    )
  }
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), value => {
      const plain = JSON.parse(JSON.stringify(value)) as Json
      const text = canonicalJson(plain)
      return (
        canonicalJson(JSON.parse(text) as Json) === text &&
        canonicalJson(shuffled(plain)) === text &&
        JSON.stringify(JSON.parse(text)).length === JSON.stringify(plain).length
      )
    }),
  )
  t.pass()
})

test('an error keeps its code, its sentence and its cause', t => {
  const cause = new Error('why')
  const error = new ShoalError('CODE', 'a sentence', { cause })
  t.is(error.code, 'CODE')
  t.is(error.message, 'a sentence')
  t.is(error.name, 'ShoalError')
  t.is(error.cause, cause)
  t.true(error instanceof Error)
})

test('an invariant that holds says nothing, and one that does not throws its claim', t => {
  t.notThrows(() => invariant(true, 'never seen'))
  const error = t.throws(() => invariant(0, 'zero is something'), { instanceOf: InvariantViolated })
  t.is(error?.message, 'invariant violated: zero is something')
  t.throws(() => unreachable('left' as never), { message: 'invariant violated: unreachable: "left"' })
})

test('of two lives the higher number is the later, and the instance decides between equals', t => {
  const life = (number: number, instance: string) => ({ number, instance })
  t.true(compareGenerations(life(2, 'a'), life(1, 'b')) > 0)
  t.true(compareGenerations(life(9, 'a'), life(10, 'a')) < 0)
  t.true(compareGenerations(life(1, 'a'), life(1, 'b')) < 0)
  t.is(compareGenerations(life(1, 'a'), life(1, 'a')), 0)
  t.true(sameGeneration(life(1, 'a'), life(1, 'a')))
  t.false(sameGeneration(life(1, 'a'), life(1, 'b')))
  t.false(sameGeneration(life(1, 'a'), life(2, 'a')))
})

test('a pattern of spaces means what it says', t => {
  const cases: [string, string, boolean][] = [
    ['*', 'anything', true],
    ['*', '', true],
    ['plc', 'plc', true],
    ['plc', 'plc2', false],
    ['plc', 'aplc', false],
    ['plc.*', 'plc.1', true],
    ['plc.*', 'plc.', true],
    ['plc.*', 'plc', false],
    ['*.1', 'plc.1', true],
    ['*.1', 'plc.12', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['a*b*c', 'a-b-c', true],
    ['a*b*c', 'abc', true],
    ['a*b*c', 'acb', false],
    ['a*b*c', 'ac', false],
    ['a*bc*c', 'abc', false],
    ['*a*a*', 'a', false],
    ['*a*a*', 'banana', true],
    ['a**b', 'ab', true],
    ['.', 'x', false],
    ['[a-z]*', 'abc', false],
  ]
  for (const [pattern, space, expected] of cases) {
    t.is(holdsSpace([pattern], space), expected, `${pattern} and ${space}`)
  }
  t.false(holdsSpace([], 'plc'))
  t.true(holdsSpace(['x', 'plc'], 'plc'))
})

test('any pattern matches what the regular expression of it matches', t => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 })
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 6 })
  fc.assert(
    fc.property(pattern, text, (each, space) => {
      const source = each
        .split('*')
        .map(part => part.replaceAll('.', '\\.'))
        .join('.*')
      return holdsSpace([each], space) === new RegExp(`^${source}$`, 's').test(space)
    }),
    { numRuns: 3_000 },
  )
  t.pass()
})

test("everybody holds the mesh's own spaces", t => {
  t.true(holdsSpace([], 'shoal.tasks'))
  t.false(holdsSpace([], 'shoaling'))
})
