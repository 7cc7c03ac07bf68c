import test from 'ava'
import {
  createLayout,
  fitInto,
  groupCentres,
  groupLabels,
  linksOf,
  type Point,
  radiusFor,
} from '../../src/dashboard/layout.js'
import type { Member } from '../../src/dashboard/model.js'
import { nearestTowards } from '../../src/dashboard/nearest.js'

const member = (id: string, observers: string[] = [], labels: Record<string, string> = {}): Member =>
  ({ id, observers, labels }) as unknown as Member
const known = (...members: Member[]): Map<string, Member> => new Map(members.map(each => [each.id, each]))
const frame = { width: 800, height: 500 }

test('a pair that watches each other is one link, and strangers are none', t => {
  const links = linksOf(known(member('a', ['b', 'a', 'x']), member('b', ['a']), member('c', ['a'])))
  t.deepEqual(links, [
    { source: 'a', target: 'b' },
    { source: 'a', target: 'c' },
  ])
})

test('labels that tell members apart, and not all of them, group the drawing', t => {
  const members = Array.from({ length: 20 }, (_, i) =>
    member(String(i), [], { zone: `z${i % 3}`, serial: String(i), site: 'one' }),
  )
  t.deepEqual(groupLabels(members), ['zone'])
})

test('groups stand apart and inside the frame', t => {
  const centres = [...groupCentres(['a', 'b', 'c', 'd', 'e'], frame).values()]
  t.is(new Set(centres.map(({ x, y }) => `${x} ${y}`)).size, 5)
  t.true(centres.every(({ x, y }) => Math.abs(x) < 400 && Math.abs(y) < 250))
})

test('signs shrink with their number and stay large enough to see', t => {
  t.true(radiusFor(5, frame) > radiusFor(50, frame))
  t.true(radiusFor(200, { width: 328, height: 400 }) >= 4.5)
})

test('positions fill the frame and never leave it', t => {
  const points = new Map<string, Point>([
    ['a', { x: -3_000, y: 4 }],
    ['b', { x: 900, y: 70 }],
    ['c', { x: 10, y: -12 }],
  ])
  for (const { x, y } of fitInto(points, frame, { x: 50, top: 20, bottom: 40 }).values()) {
    t.true(x >= 49.9 && x <= 750.1)
    t.true(y >= 19.9 && y <= 460.1)
  }
  const one = fitInto(new Map([['a', { x: 7, y: 7 }]]), frame, { x: 50, top: 20, bottom: 20 }).get('a')
  t.deepEqual(one, { x: 400, y: 250 })
})

const settle = (layout: ReturnType<typeof createLayout>): number => {
  let steps = 0
  // Each step runs out of time at once: one tick.
  while (layout.step(0, () => 0) && steps < 2_000) steps++
  return steps
}

test('a layout settles, is the same each time, and has nothing to do afterwards', t => {
  const bodies = Array.from({ length: 200 }, (_, i) => ({ id: `n${i}`, group: '' }))
  const links = bodies.map(({ id }, i) => ({ source: id, target: `n${(i + 7) % 200}` }))
  const run = (): ReturnType<typeof createLayout> => {
    const layout = createLayout()
    layout.update(bodies, links, frame, false)
    t.true(settle(layout) < 400)
    return layout
  }
  const [a, b] = [run(), run()]
  t.deepEqual([...a.positions()], [...b.positions()])
  t.false(a.step(0, () => 0))
})

test('the same members again move nothing, one more moves little', t => {
  const bodies = Array.from({ length: 30 }, (_, i) => ({ id: `n${i}`, group: '' }))
  const layout = createLayout()
  layout.update(bodies, [], frame, false)
  settle(layout)
  const before = layout.positions()
  layout.update(bodies, [], frame, false)
  t.false(layout.step(0, () => 0))
  t.deepEqual([...layout.positions()], [...before])
  layout.update([...bodies, { id: 'new', group: '' }], [], frame, false)
  settle(layout)
  const after = layout.positions()
  const far = [...before].filter(
    ([id, { x, y }]) => Math.hypot((after.get(id)?.x ?? 1e6) - x, (after.get(id)?.y ?? 1e6) - y) > 250,
  )
  t.deepEqual(far, [])
})

test('an arrow key goes to the nearest member that way', t => {
  const points = new Map<string, Point>([
    ['here', { x: 0, y: 0 }],
    ['right', { x: 50, y: 5 }],
    ['aside', { x: 30, y: 60 }],
    ['left', { x: -80, y: 0 }],
  ])
  const from = { x: 0, y: 0 }
  t.is(nearestTowards('ArrowRight', from, points), 'right')
  t.is(nearestTowards('ArrowLeft', from, points), 'left')
  t.is(nearestTowards('ArrowDown', from, points), 'aside')
  t.is(nearestTowards('ArrowUp', from, points), null)
  t.is(nearestTowards('Enter', from, points), null)
})
