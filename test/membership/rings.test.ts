import test from 'ava'
import { Rings } from '../../src/core/membership/rings.js'
import { createRng } from '../../src/core/rng.js'
import { id } from './words.js'

const K = 4

const ringsOf = (indices: readonly number[]): Rings => {
  const rings = new Rings(K)
  for (const index of indices) rings.add(id(index))
  return rings
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

test('everybody computes the same observers, whatever the order in which members were met', t => {
  const forth = ringsOf(upTo(60))
  const shuffled = ringsOf(createRng(5).shuffle(upTo(60)))
  for (const index of upTo(60)) {
    t.deepEqual(forth.successors(id(index), 2 * K), shuffled.successors(id(index), 2 * K))
  }
})

test('members that came and went leave the rings as if they had never been', t => {
  const rng = createRng(11)
  const grown = ringsOf([])
  const present = new Set<number>()
  for (let i = 0; i < 500; i++) {
    const index = rng.below(80)
    if (rng.below(2) === 0) {
      grown.add(id(index))
      present.add(index)
    } else {
      grown.delete(id(index))
      present.delete(index)
    }
  }
  const rebuilt = ringsOf([...present])
  t.is(grown.size, rebuilt.size)
  for (const index of upTo(80)) {
    t.deepEqual(grown.successors(id(index), K), rebuilt.successors(id(index), K))
    t.deepEqual(grown.subjects(id(index), K), rebuilt.subjects(id(index), K))
  }
})

for (const members of [2, 3, 5, 9, 50, 200]) {
  test(`in a mesh of ${members} subjects are exactly those who have the member among their observers`, t => {
    const rings = ringsOf(upTo(members))
    for (const observer of upTo(members)) {
      const slow = upTo(members)
        .filter(subject => subject !== observer && rings.successors(id(subject), K).includes(id(observer)))
        .map(id)
      t.deepEqual(rings.subjects(id(observer), K), slow)
    }
  })

  test(`in a mesh of ${members} each member has ${Math.min(K, members - 1)} different observers, never itself`, t => {
    const rings = ringsOf(upTo(members))
    for (const index of upTo(members)) {
      const observers = rings.successors(id(index), K)
      t.is(observers.length, Math.min(K, members - 1))
      t.is(new Set(observers).size, observers.length)
      t.false(observers.includes(id(index)))
    }
  })
}

test('in a mesh of 1,000 nobody watches many more than four others', t => {
  const rings = ringsOf(upTo(1_000))
  const counts = upTo(1_000)
    .map(index => rings.subjects(id(index), K).length)
    .sort((a, b) => a - b)
  t.is(
    counts.reduce((sum, count) => sum + count, 0),
    K * 1_000,
  )
  t.true((counts[999] as number) <= 2 * K, `one watches ${counts[999]}`)
  t.is(counts[500], K)
})

test('a change moves the observers of a few members only', t => {
  const rings = ringsOf(upTo(200))
  const before = upTo(200).map(index => rings.successors(id(index), K).join())
  rings.delete(id(100))
  const moved = upTo(200).filter(
    index => index !== 100 && rings.successors(id(index), K).join() !== before[index],
  )
  t.true(moved.length <= 3 * K, `${moved.length} members got other observers`)
})

test('one who is not on the rings has observers too', t => {
  const rings = ringsOf(upTo(20))
  const observers = rings.successors(id(99), K)
  t.is(observers.length, K)
  rings.add(id(99))
  t.deepEqual(rings.successors(id(99), K), observers)
})

test('where only some are accepted, the next in rank takes the place', t => {
  const rings = ringsOf(upTo(30))
  const all = rings.successors(id(3), 29)
  const even = rings.successors(id(3), K, other => Number(other.slice(1)) % 2 === 0)
  t.deepEqual(even, all.filter(other => Number(other.slice(1)) % 2 === 0).slice(0, K))
})
