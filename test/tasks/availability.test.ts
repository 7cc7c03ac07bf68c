import test from 'ava'
import { nodeId } from '../../src/core/ids.js'
import { createRng } from '../../src/core/rng.js'
import { cover, startCoverage, sumCoverage } from '../../src/core/tasks/availability.js'

const a = nodeId('a')
const b = nodeId('b')

test('covered time over due time: a gap counts against it, an overlap is counted apart', t => {
  const coverage = startCoverage(0)
  cover(coverage, 100, true, [], () => 'applied')
  t.deepEqual(
    cover(coverage, 150, true, [a], () => 'applied'),
    {
      began: [a],
      gap: { from: 100, cause: 'applied' },
      overlap: null,
    },
  )
  cover(coverage, 500, true, [], () => 'died')
  t.deepEqual(cover(coverage, 700, true, [b], () => 'died').gap, { from: 500, cause: 'died' })
  cover(coverage, 800, true, [b, a], () => 'heal')
  t.deepEqual(cover(coverage, 900, true, [b], () => 'heal').overlap, { from: 800, cause: 'heal' })
  const sum = sumCoverage([coverage], 1_100, [], [])
  t.like(sum, { totalMs: 1_000, coveredMs: 350 + 400, overlapMs: 100, share: 0.75 })
})

test('a paused task is not counted, and nothing is counted twice', t => {
  const coverage = startCoverage(0)
  cover(coverage, 0, true, [a], () => 'applied')
  cover(coverage, 100, false, [], () => 'changed')
  cover(coverage, 900, true, [a], () => 'changed')
  sumCoverage([coverage], 950, [], [])
  t.like(sumCoverage([coverage], 1_000, [], []), { totalMs: 200, coveredMs: 200, share: 1 })
})

test('whatever happens, covered time is never more than due time, and equals a count by milliseconds', t => {
  const rng = createRng(5)
  for (let round = 0; round < 50; round++) {
    const coverage = startCoverage(0)
    let now = 0
    let total = 0
    let covered = 0
    let due = false
    let runners: (typeof a)[] = []
    for (let step = 0; step < 50; step++) {
      const passed = rng.below(20)
      for (let ms = 0; ms < passed; ms++) {
        if (due) total++
        if (due && runners.length > 0) covered++
      }
      now += passed
      due = rng.below(4) > 0
      runners = [a, b].filter(() => rng.below(2) === 0)
      cover(coverage, now, due, runners, () => 'died')
    }
    t.like(sumCoverage([coverage], now, [], []), { totalMs: total, coveredMs: covered })
  }
})
