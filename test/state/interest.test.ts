import test from 'ava'
import { nodeId } from '../../src/core/ids.js'
import type { Member, MembersView } from '../../src/core/member.js'
import { Interest } from '../../src/core/state/interest.js'
import { shifting } from './shifting.js'

/** Members with these patterns, and how often the patterns of any were looked at. */
const mesh = (patterns: readonly (readonly string[])[]): { interest: Interest; looks: () => number } => {
  let looks = 0
  const all = patterns.map((spaces, i) => {
    const record = {
      get spaces() {
        looks++
        return spaces
      },
    }
    return { id: nodeId(`node-${i}`), record, verdict: 'alive' } as unknown as Member
  })
  const view = { self: nodeId('node-0'), all: () => all, get: () => undefined, revision: 1 }
  return { interest: new Interest(view as unknown as MembersView), looks: () => looks }
}

const names = Array.from({ length: 1_000 }, (_, i) => `space-${i}`)

test('where all hold all, nobody is wanted, and each is looked at once for however many spaces', t => {
  const { interest, looks } = mesh(Array.from({ length: 200 }, () => ['*']))
  t.deepEqual(interest.wanted(names, 16), [])
  t.true(looks() <= 200, `${looks()} looks for 1,000 spaces of 200 members`)
})

test('where few hold less than all, the others are not looked at for a space that those hold too', t => {
  const { interest, looks } = mesh(Array.from({ length: 200 }, (_, i) => (i < 198 ? ['*'] : ['space-*'])))
  t.deepEqual(interest.wanted(names, 16), [])
  t.true(looks() <= 200 + 2 * 1_000, `${looks()} looks`)
  t.is(interest.wanted(['rare'], 16).length, 2)
})

test('of a space that one other holds, that one is wanted', t => {
  const { interest } = mesh([['rare'], ['usual'], ['usual'], ['*']])
  t.deepEqual(interest.wanted(['rare'], 16), [nodeId('node-3')])
})

test('nodes that hold something else after each boot, some from old disks, end with what they hold as all who hold it', t => {
  // The soak of restored disks runs thousands.
  for (let seed = 1; seed <= 8; seed++) t.is(shifting(seed), null, `seed ${seed}`)
  // What was compared while a document was still being read was taken for all of it.
  t.is(shifting(800_191), null, 'seed 800191')
})
