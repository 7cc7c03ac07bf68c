import test from 'ava'
import { createRng } from '../../src/core/rng.js'
import {
  type Checkpoint,
  compareCheckpoints,
  isBuiltOn,
  PAST_MAX,
  pastOf,
  readCheckpoint,
} from '../../src/core/tasks/checkpoint.js'

const saved = (epoch: string, sequence: number, before: Checkpoint | null = null): Checkpoint => ({
  epoch,
  sequence,
  checkpoint: null,
  past: pastOf(epoch, before),
})

test('what was built upon what is told from what was saved beside it, as far back as the past is kept', t => {
  for (let seed = 1; seed <= 300; seed++) {
    const rng = createRng(seed)
    const all: { readonly made: Checkpoint; readonly before: number | null; readonly claims: number }[] = []
    for (let i = 0; i < 12; i++) {
      const before = all.length === 0 ? null : rng.below(all.length)
      const from = before === null ? undefined : all[before]
      const isSame = from !== undefined && rng.below(2) === 0 && !all.some(each => each.before === before)
      const epoch = isSame ? from.made.epoch : `${1_000 + i}-node${rng.below(3)}`
      const sequence = isSame ? from.made.sequence + 1 : 1
      all.push({
        made: saved(epoch, sequence, from?.made ?? null),
        before,
        claims: (from?.claims ?? 0) + (isSame ? 0 : 1),
      })
    }
    for (const [i, later] of all.entries())
      for (const earlier of all) {
        let isReally = false
        for (let at: number | null = i; at !== null; at = all[at]?.before ?? null)
          if (all[at] === earlier) isReally = true
        if (isReally) t.true(isBuiltOn(later.made, earlier.made), `seed ${seed}`)
        else if (later.claims <= PAST_MAX) t.false(isBuiltOn(later.made, earlier.made), `seed ${seed}`)
      }
  }
})

test('what is said again under a higher number is the newest and has the same past', t => {
  const first = saved('10-a', 3)
  const other = saved('12-b', 1)
  const again = saved('13-a', 3, first)
  t.true(compareCheckpoints(again, other) > 0)
  t.true(isBuiltOn(again, first))
  t.false(isBuiltOn(again, other))
  t.false(isBuiltOn(saved('11-b', 1, saved('10-a', 2)), first), 'it had not heard of the third')
})

test('a checkpoint survives its way through a disk, and nonsense in its past is left out', t => {
  const made = saved('11-b', 1, saved('10-a', 2))
  t.deepEqual(readCheckpoint(JSON.parse(JSON.stringify(made))), made)
  const odd = readCheckpoint({ ...made, past: [7, 'x', `${'y'.repeat(100)}/1`, '9-a/1'] } as never)
  t.deepEqual(odd?.past, ['9-a/1'])
  t.deepEqual(readCheckpoint({ epoch: '1-a', sequence: 1, checkpoint: 5 })?.past, [])
})
