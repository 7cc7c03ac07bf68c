import test from 'ava'
import fc from 'fast-check'
import type { Verdict } from '../../src/core/member.js'
import { compareStandings, mergeStandings, type Standing } from '../../src/core/membership/merge.js'
import { Roster } from '../../src/core/membership/roster.js'
import { id, recordOf } from './words.js'

const VERDICTS: readonly Verdict[] = ['alive', 'suspect', 'dead', 'left']

/** Few different values, so that ties and near misses are common. */
const standing: fc.Arbitrary<Standing> = fc.record({
  generation: fc.record({ number: fc.integer({ min: 1, max: 3 }), instance: fc.constantFrom('aa', 'bb') }),
  refutation: fc.integer({ min: 0, max: 3 }),
  verdict: fc.constantFrom(...VERDICTS),
})

test('the merge of two standings is commutative', t => {
  fc.assert(fc.property(standing, standing, (a, b) => same(mergeStandings(a, b), mergeStandings(b, a))))
  t.pass()
})

test('the merge of three standings is associative', t => {
  fc.assert(
    fc.property(standing, standing, standing, (a, b, c) =>
      same(mergeStandings(mergeStandings(a, b), c), mergeStandings(a, mergeStandings(b, c))),
    ),
  )
  t.pass()
})

test('the merge is idempotent, and never invents a standing', t => {
  fc.assert(
    fc.property(standing, standing, (a, b) => {
      const merged = mergeStandings(a, b)
      return (
        same(mergeStandings(merged, b), merged) &&
        same(mergeStandings(a, a), a) &&
        (same(merged, a) || same(merged, b))
      )
    }),
  )
  t.pass()
})

test('whatever the order in which standings are heard, the same one is held', t => {
  fc.assert(
    fc.property(fc.array(standing, { minLength: 1, maxLength: 12 }), fc.nat(), (heard, salt) => {
      const shuffled = heard
        .map((value, index) => ({ value, key: Math.imul(index + 1, salt | 1) >>> 0 }))
        .sort((a, b) => a.key - b.key)
        .map(({ value }) => value)
      return same(heard.reduce(mergeStandings), shuffled.reduce(mergeStandings))
    }),
  )
  t.pass()
})

test('a newer word of the subject overrules any verdict on an older one', t => {
  fc.assert(
    fc.property(standing, standing, (a, b) => {
      const newer = { ...a, refutation: a.refutation + 1, verdict: 'alive' as const }
      return (
        same(mergeStandings(a, newer), newer) && compareStandings(newer, { ...a, verdict: b.verdict }) > 0
      )
    }),
  )
  t.pass()
})

test('digests are equal exactly when the standings are, suspicion aside', t => {
  const member = fc.record({ index: fc.nat({ max: 40 }), held: standing })
  const build = (members: readonly { index: number; held: Standing }[]): Roster => {
    const roster = new Roster(id(0), 4, 32)
    for (const { index, held } of members) {
      const { generation, refutation } = held
      roster.put(recordOf(id(index), { generation, refutation }), {
        verdict: held.verdict,
        cause: null,
        since: 0,
      })
    }
    return roster
  }
  const standingsOf = (roster: Roster): string =>
    roster
      .all()
      .map(entry => {
        const { generation: g, refutation, verdict } = entry
        return [entry.id, g.number, g.instance, refutation, verdict === 'suspect' ? 'alive' : verdict].join(
          ' ',
        )
      })
      .join('\n')
  fc.assert(
    fc.property(fc.array(member, { maxLength: 30 }), fc.array(member, { maxLength: 4 }), (some, more) => {
      const a = build(some)
      const b = build([...some, ...more])
      return (a.digest().join() === b.digest().join()) === (standingsOf(a) === standingsOf(b))
    }),
  )
  t.pass()
})

test('a digest does not depend on the order in which members were met', t => {
  const members = Array.from({ length: 50 }, (_, index) => recordOf(id(index)))
  const fill = (records: typeof members): Roster => {
    const roster = new Roster(id(0), 4, 32)
    for (const record of records) roster.put(record, { verdict: 'alive', cause: null, since: 0 })
    return roster
  }
  const forth = fill(members)
  const back = fill([...members].reverse())
  t.deepEqual(forth.digest(), back.digest())
  back.delete(id(7))
  t.notDeepEqual(forth.digest(), back.digest())
  back.put(recordOf(id(7)), { verdict: 'alive', cause: null, since: 99 })
  t.deepEqual(forth.digest(), back.digest())
})

const same = (a: Standing, b: Standing): boolean => compareStandings(a, b) === 0
