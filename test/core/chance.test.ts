// Hashing and chance: alike on every engine, even, and never the same stream twice.
// The figures are pinned: a node that hashes differently places tasks differently, so
// whoever changes one of them breaks every running mesh, and should know it.

import test from 'ava'
import { avalanche, combine, hashText, hashText53 } from '../../src/core/hash.js'
import { createRng } from '../../src/core/rng.js'

test('hashes are the same on every machine and in every version', t => {
  t.deepEqual([0, 1, -1, 0xffff_ffff].map(avalanche), [0, 1_364_076_727, 2_180_083_513, 2_180_083_513])
  t.deepEqual(
    ['', 'a', 'b', 'shoal', 'ü'].map(text => hashText(text)),
    PINNED.text,
  )
  t.deepEqual([hashText('a', 1), hashText('a', 2)], PINNED.seeded)
  t.deepEqual([combine(1, 2), combine(2, 1), combine(0, 0)], PINNED.combined)
  t.deepEqual([hashText53(''), hashText53('shoal'), hashText53('shoal', 7)], PINNED.wide)
})

test('a wide hash is a whole number that JavaScript holds exactly', t => {
  for (let i = 0; i < 1_000; i++) {
    const hash = hashText53(`key-${i}`)
    if (!Number.isSafeInteger(hash) || hash < 0) t.fail(`key-${i} gives ${hash}`)
  }
  const distinct = new Set(Array.from({ length: 20_000 }, (_, i) => hashText53(`key-${i}`)))
  t.is(distinct.size, 20_000)
})

/** How many times each output bit flipped when one bit of the input did. */
const flips = (hash: (value: number) => number, inputs: number): { least: number; most: number } => {
  const rng = createRng(1)
  let least = 1
  let most = 0
  for (let bit = 0; bit < 32; bit++) {
    const flipped = new Array<number>(32).fill(0)
    for (let n = 0; n < inputs; n++) {
      const value = rng.u32()
      const difference = hash(value) ^ hash(value ^ (1 << bit))
      for (let out = 0; out < 32; out++) flipped[out] = (flipped[out] ?? 0) + ((difference >>> out) & 1)
    }
    least = Math.min(least, ...flipped.map(count => count / inputs))
    most = Math.max(most, ...flipped.map(count => count / inputs))
  }
  return { least, most }
}

test('every bit that goes in has about an even chance to flip every bit that comes out', t => {
  for (const hash of [
    avalanche,
    (value: number) => combine(value, 5),
    (value: number) => combine(5, value),
  ]) {
    const { least, most } = flips(hash, 1_000)
    t.true(least > 0.4, `one pair of bits flips ${least} of the time`)
    t.true(most < 0.6, `one pair of bits flips ${most} of the time`)
  }
})

test('names that differ by a digit are spread evenly: no bucket of twenty has 1.2 times its share', t => {
  for (const seed of [0, 1, 2, 3]) {
    const buckets = new Array<number>(20).fill(0)
    for (let i = 0; i < 20_000; i++) {
      const bucket = hashText(`node-${i}`, seed) % 20
      buckets[bucket] = (buckets[bucket] ?? 0) + 1
    }
    t.true(Math.max(...buckets) < 1_200, `seed ${seed}: ${buckets}`)
    t.true(Math.min(...buckets) > 800, `seed ${seed}: ${buckets}`)
  }
})

test('the order of what is combined counts', t => {
  let equal = 0
  for (let i = 0; i < 1_000; i++) if (combine(i, i + 1) === combine(i + 1, i)) equal++
  t.is(equal, 0)
})

test('the same seed draws the same, on every machine and in every version', t => {
  const rng = createRng(42)
  t.deepEqual([rng.u32(), rng.u32(), rng.below(1_000), rng.jitter(1_000, 0.2)], PINNED.draws)
  t.deepEqual(rng.shuffle([1, 2, 3, 4, 5, 6]), PINNED.shuffled)
  t.is(rng.fork(3).u32(), PINNED.forked)
})

test('seeds that differ draw differently, above 32 bits as well', t => {
  const first = (seed: number): number => createRng(seed).u32()
  const seeds = [0, 1, 2, 3, -1, 0x1_0000_0000, 0x2_0000_0000, 0x1_0000_0001, 2 ** 52]
  t.is(new Set(seeds.map(first)).size, seeds.length)
})

test('draws stay within what was asked', t => {
  const rng = createRng(7)
  const seen = new Set<number>()
  for (let i = 0; i < 5_000; i++) {
    const below = rng.below(6)
    seen.add(below)
    const fraction = rng.fraction()
    const jitter = rng.jitter(1_000, 0.1)
    const u32 = rng.u32()
    const isGood =
      Number.isInteger(below) &&
      fraction >= 0 &&
      fraction < 1 &&
      Number.isInteger(jitter) &&
      jitter >= 900 &&
      jitter <= 1_100 &&
      Number.isInteger(u32) &&
      u32 >= 0 &&
      u32 <= 0xffff_ffff
    if (!isGood) t.fail(`draw ${i}: ${below} ${fraction} ${jitter} ${u32}`)
  }
  t.deepEqual([...seen].sort(), [0, 1, 2, 3, 4, 5])
})

test('jitter reaches both ends of its spread', t => {
  const rng = createRng(8)
  const drawn = Array.from({ length: 2_000 }, () => rng.jitter(1_000, 0.5))
  t.true(Math.min(...drawn) < 520, `${Math.min(...drawn)}`)
  t.true(Math.max(...drawn) > 1_480, `${Math.max(...drawn)}`)
  t.is(rng.jitter(250, 0), 250)
})

test('a shuffle keeps every item, leaves its list alone and puts each everywhere', t => {
  const rng = createRng(9)
  const items = [0, 1, 2, 3, 4]
  const at = items.map(() => items.map(() => 0))
  for (let n = 0; n < 5_000; n++) {
    const out = rng.shuffle(items)
    t.is(new Set(out).size, 5)
    out.forEach((item, place) => {
      const row = at[item] as number[]
      row[place] = (row[place] ?? 0) + 1
    })
  }
  t.deepEqual(items, [0, 1, 2, 3, 4])
  for (const row of at) {
    t.true(Math.min(...row) > 850, `${row}`)
    t.true(Math.max(...row) < 1_150, `${row}`)
  }
})

test('a pick reaches every item', t => {
  const rng = createRng(10)
  const picked = new Set(Array.from({ length: 200 }, () => rng.pick(['a', 'b', 'c'])))
  t.deepEqual([...picked].sort(), ['a', 'b', 'c'])
})

test('what a fork draws does not shift its parent, and forks differ by their salt', t => {
  const idle = createRng(11)
  idle.fork(1)
  const busy = createRng(11)
  const fork = busy.fork(1)
  for (let i = 0; i < 100; i++) fork.u32()
  t.is(busy.u32(), idle.u32())
  t.not(createRng(11).fork(1).u32(), createRng(11).fork(2).u32())
})

const PINNED = {
  text: [2_872_998_923, 711_464_985, 3_892_561_757, 2_425_741_496, 2_144_625_523],
  seeded: [1_553_150_783, 133_349_175],
  combined: [363_214_188, 916_070_893, 1_270_938_603],
  wide: [6_892_766_106_918_178, 5_970_382_281_541_084, 3_294_747_190_576_575],
  draws: [3_760_867_331, 3_178_668_317, 570, 1_054],
  shuffled: [3, 2, 5, 6, 1, 4],
  forked: 1_791_195_618,
}
