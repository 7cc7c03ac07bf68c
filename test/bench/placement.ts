// How fast placement is, how even and how quiet. Run: node dist/test/bench/placement.js
// Medians of several runs, and the least of them, which a busy machine disturbs less.

import { type NodeId, nodeId, taskId } from '../../src/core/ids.js'
import type { PlacementMember, PlacementTask } from '../../src/core/tasks/placement.js'
import { createPlacer, type Placer, place } from '../../src/core/tasks/placer.js'

const membersOf = (count: number, over: Partial<PlacementMember> = {}): PlacementMember[] =>
  Array.from({ length: count }, (_, i) => ({
    id: nodeId(`12D3KooWmember${i.toString(36).padStart(6, '0')}`),
    labels: { zone: `hall-${i % 5}` },
    capacity: null,
    runs: ['exec', 'handler:poll'],
    settled: true,
    draining: false,
    failing: false,
    ...over,
  }))

const tasksOf = (count: number, over: Partial<PlacementTask> = {}): PlacementTask[] =>
  Array.from({ length: count }, (_, i) => ({
    id: taskId(`task-${i}`),
    ability: 'exec',
    replicas: 1,
    needs: {},
    spread: null,
    weight: 1,
    ...over,
  }))

const median = (values: number[]): string => {
  const sorted = values.sort((a, b) => a - b)
  return [sorted[values.length >> 1], sorted[0]].map(value => (value ?? 0).toFixed(2)).join(', least ')
}

const timed = (work: () => void): number => {
  const from = performance.now()
  work()
  return performance.now() - from
}

const row = (...cells: readonly (string | number)[]): void =>
  console.log(
    `| ${cells.map(cell => (typeof cell === 'number' ? String(Math.round(cell * 1000) / 1000) : cell)).join(' | ')} |`,
  )

const speed = (
  name: string,
  tasks: PlacementTask[],
  members: PlacementMember[],
  balance: number | null,
): void => {
  const first = tasks[0] as PlacementTask
  const scratch: number[] = []
  for (let run = 0; run < 15; run++) {
    scratch.push(timed(() => place(tasks, members, { balance }).ownersOf(first.id)))
  }
  const placer: Placer = createPlacer({ balance })
  for (const member of members) placer.setMember(member)
  for (const task of tasks) placer.setTask(task)
  placer.takeChanges()
  const gone: number[] = []
  const back: number[] = []
  for (let run = 0; run < 41; run++) {
    const member = members[(run * 37) % members.length] as PlacementMember
    gone.push(
      timed(() => {
        placer.setMember({ ...member, absent: true })
        placer.takeChanges()
      }),
    )
    back.push(
      timed(() => {
        placer.setMember(member)
        placer.takeChanges()
      }),
    )
  }
  row(name, median(scratch), median(gone), median(back))
}

const evenness = (taskCount: number, memberCount: number, balance: number | null): void => {
  const tasks = tasksOf(taskCount)
  const members = membersOf(memberCount)
  const placer = createPlacer({ balance })
  for (const member of members) placer.setMember(member)
  for (const task of tasks) placer.setTask(task)
  placer.takeChanges()
  const loads = members.map(member => placer.owners().loadOf(member.id))
  const mean = taskCount / memberCount
  let orphans = 0
  let moved = 0
  let taken = 0
  let movedByJoin = 0
  const losses = Math.min(memberCount, 40)
  for (let i = 0; i < losses; i++) {
    const member = members[Math.floor((i * memberCount) / losses)] as PlacementMember
    const lost: NodeId = member.id
    placer.setMember({ ...member, absent: true })
    for (const change of placer.takeChanges()) {
      if (change.from === lost) orphans++
      else moved++
    }
    placer.setMember(member)
    for (const change of placer.takeChanges()) {
      if (change.to === lost) taken++
      else movedByJoin++
    }
  }
  row(
    `${taskCount} on ${memberCount}`,
    balance ?? 'off',
    Math.max(...loads) / mean,
    Math.min(...loads) / mean,
    orphans / losses,
    orphans === 0 ? 0 : moved / orphans,
    taken === 0 ? 0 : movedByJoin / taken,
  )
}

console.log('## Speed: 10,000 tasks on 1,000 members, milliseconds (medians of 15 and 41 runs)')
row('case', 'from scratch', 'after a death', 'after a return')
row('---', '---', '---', '---')
speed('one copy', tasksOf(10_000), membersOf(1_000), null)
speed('one copy, needs a zone', tasksOf(10_000, { needs: { zone: 'hall-1' } }), membersOf(1_000), null)
speed('two copies', tasksOf(10_000, { replicas: 2 }), membersOf(1_000), null)
speed('three copies, spread', tasksOf(10_000, { replicas: 3, spread: 'zone' }), membersOf(1_000), null)
speed('one copy, capacity 30 (never full)', tasksOf(10_000), membersOf(1_000, { capacity: 30 }), null)
speed('one copy, capacity 12 (many full)', tasksOf(10_000), membersOf(1_000, { capacity: 12 }), null)
speed('one copy, balance 1.25', tasksOf(10_000), membersOf(1_000), 1.25)
speed('200 tasks on 20 members', tasksOf(200), membersOf(20), null)

console.log('\n## Evenness and movement, one copy each')
row(
  'tasks on members',
  'balance',
  'largest/mean',
  'least/mean',
  'orphans a death',
  'others moved per orphan',
  'others moved per task that a return takes',
)
row('---', '---', '---', '---', '---', '---', '---')
for (const balance of [null, 1.25]) {
  for (const taskCount of [12, 200, 10_000]) {
    for (const memberCount of [5, 20, 1_000]) evenness(taskCount, memberCount, balance)
  }
}

console.log('\n## Copies that change their slot though their node lives, for each copy that a death orphaned')
row('copies', 'members', 'others moved per orphan')
row('---', '---', '---')
for (const replicas of [2, 3, 5]) {
  for (const memberCount of [replicas, replicas + 1, 10, 20]) {
    const members = membersOf(memberCount)
    const placer = createPlacer({ balance: null })
    for (const member of members) placer.setMember(member)
    for (const task of tasksOf(1_000, { replicas })) placer.setTask(task)
    placer.takeChanges()
    let orphans = 0
    let moved = 0
    for (const member of members) {
      placer.setMember({ ...member, absent: true })
      for (const { from } of placer.takeChanges()) {
        if (from === member.id) orphans++
        else moved++
      }
      placer.setMember(member)
      placer.takeChanges()
    }
    row(replicas, memberCount, moved / orphans)
  }
}
