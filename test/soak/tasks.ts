// The real task engines of a mesh too large for a test, in virtual time: `npm run
// soak:tasks` or `… -- NODES TASKS MINUTES SEED`. Nodes are killed, frozen, drained and
// come back, one a second; then the mesh is cut in two for a while and heals. Whoever
// starts what it must not is found at once; at the end every node lists the same copies,
// each where placement names it. Exits 1 if anything was violated.
//
// It takes about 1.5 KB for each node and task, once a cut has healed. The full size took
// 31 minutes of a processor and 15 GB, with a young generation that is large enough: at
// its default nine tenths of the time were spent on looking through the old one.
//
//   node --max-old-space-size=15000 --min-semi-space-size=256 --max-semi-space-size=256 \
//     dist/test/soak/tasks.js 1000 10000 1
//
// For a quarter of an hour on a busy machine: 400 nodes with 4,000 tasks, 3.4 GB.

import { createRng } from '../../src/core/rng.js'
import { atRest } from '../tasks/at-rest.js'
import { createWorld, task } from '../tasks/engine-world.js'

const [nodes = 1_000, tasks = 10_000, minutes = 2, seed = 1] = process.argv.slice(2).map(Number)
const BATCH = 500
const AWAY_MAX = 10
const CUT_MS = 20_000
const HEAL_S = 60

const began = performance.now()
const world = createWorld({ seed, nodes, silent: true, gathers: true })
const rng = createRng(seed)
const { ids } = world

const say = (text: string): void => {
  const seconds = Math.round((performance.now() - began) / 1_000)
  const { user, system } = process.cpuUsage()
  const cpu = Math.round((user + system) / 1e6)
  const memory = Math.round(process.memoryUsage.rss() / 1e6)
  const virtual = (world.now / 60_000).toFixed(1)
  console.log(`${virtual} virtual min (${seconds} s, of the processor ${cpu} s, ${memory} MB): ${text}`)
}

world.behave = spec => (spec.when === 'always' ? null : { afterMs: 20, error: null })
world.advance(2_000)
say(`${nodes} nodes`)
for (let i = 0; i < tasks; i++) {
  // Most run for ever; some by the clock, some twice.
  const fields = i % 20 === 0 ? { when: { every: '10s' } as const } : i % 20 === 1 ? { replicas: 2 } : {}
  world.put(rng.pick(ids), task(`t${i}`, fields))
  if (i % BATCH === BATCH - 1) world.advance(1_000)
}
world.advance(10_000)
say(`${tasks} tasks, ${world.starts.length} copies were started`)

const counts = { killed: 0, frozen: 0, drained: 0 }
const away: (typeof ids)[number][] = []
const draining: (typeof ids)[number][] = []
for (let second = 1; second <= minutes * 60; second++) {
  const id = rng.pick(ids)
  if (world.isUp(id) && !draining.includes(id)) {
    const fault = rng.below(4)
    if (fault === 0) {
      world.freeze(id, 500 + rng.below(8_000))
      counts.frozen++
    } else if (fault === 1) {
      world.change(id, { draining: true })
      draining.push(id)
      counts.drained++
    } else {
      world.kill(id, fault === 2 ? 40 : 2_000)
      away.push(id)
      counts.killed++
    }
  }
  const back = away.length > AWAY_MAX ? away.shift() : undefined
  if (back !== undefined) world.restart(back, rng.below(2) * 5_000)
  const ready = draining.length > AWAY_MAX ? draining.shift() : undefined
  if (ready !== undefined && world.isUp(ready)) world.change(ready, { draining: false })
  world.advance(1_000)
  if (second % 30 === 0) say(`${JSON.stringify(counts)}, ${world.violations.length} violations`)
}
for (const id of away) world.restart(id)
for (const id of draining) world.change(id, { draining: false })
world.advance(15_000)
say(`all are back, ${world.starts.length} copies were started in all`)

const mixed = rng.shuffle(ids)
world.partition([mixed.slice(0, Math.floor(nodes * 0.6)), mixed.slice(Math.floor(nodes * 0.6))])
world.advance(CUT_MS)
say(`cut for ${CUT_MS / 1_000} s, ${world.starts.length} copies were started in all`)
world.heal()
for (let seconds = 10; seconds <= HEAL_S; seconds += 10) {
  world.advance(10_000)
  say(`healed ${seconds} s ago, ${world.violations.length} violations`)
}

const wrong = [...world.violations, ...atRest(world)]
for (const line of wrong.slice(0, 50)) console.log(line)
say(
  `${nodes} nodes, ${tasks} tasks, ${JSON.stringify(counts)}, one cut: ${world.starts.length} copies started, ${wrong.length} violations`,
)
process.exitCode = wrong.length === 0 ? 0 : 1
