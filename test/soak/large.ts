// Meshes too large for a test, in virtual time (arguments: part, and for each its size and
// its virtual minutes): `loss`, where every twentieth packet is lost; `churn`, where a node is
// killed every second and one that was killed before comes back; `start`, where all are
// switched on at once. No healthy member may be held dead, and all agree in the end.

import { createRng } from '../../src/core/rng.js'
import { createMesh, disagreement, joinAll, type Mesh, runUntilAgreed } from '../membership/mesh.js'

const [, , part = 'loss', nodesText, minutesText] = process.argv
const SEED = 1
const AGREE_LIMIT_MS = 60_000

const began = performance.now()
const say = (mesh: Mesh, text: string): void => {
  const cpu = process.cpuUsage()
  const seconds = Math.round((performance.now() - began) / 1_000)
  const heap = Math.round(process.memoryUsage().rss / 1e6)
  console.log(
    `${(mesh.world.nowMs / 60_000).toFixed(1)} virtual min (${seconds} s, CPU ${Math.round((cpu.user + cpu.system) / 1e6)} s, ${heap} MB): ${text}`,
  )
}

const started = (nodes: number): Mesh => {
  const mesh = createMesh({ seed: SEED, nodes })
  joinAll(mesh)
  const { world } = mesh
  world.run(world.config.startSpreadMs + 1)
  say(mesh, `${nodes} nodes agree ${runUntilAgreed(mesh, AGREE_LIMIT_MS)} ms after the last was started`)
  world.run(world.nowMs + 12_000)
  say(mesh, 'at rest')
  takeVerdicts(mesh)
  world.run(world.nowMs + 60_000)
  say(mesh, '60 s more at rest')
  return mesh
}

/** How often each verdict was reached since this was last asked; what was counted is let go. */
const takeVerdicts = ({ events }: Mesh): { dead: number; suspect: number } => {
  const count = (kind: string) => events.filter(event => event.kind === kind).length
  const counted = { dead: count('member.dead'), suspect: count('member.suspect') }
  events.length = 0
  return counted
}

const loss = (nodes: number, minutes: number): void => {
  const mesh = started(nodes)
  const { world } = mesh
  takeVerdicts(mesh)
  world.loss(0.05)
  let dead = 0
  let suspect = 0
  for (let second = 1; second <= minutes * 60; second++) {
    world.run(world.nowMs + 1_000)
    const counted = takeVerdicts(mesh)
    dead += counted.dead
    suspect += counted.suspect
    if (second % 300 === 0) say(mesh, `${dead} times held dead, ${suspect} times suspected`)
  }
  say(mesh, `${nodes} nodes, ${minutes} min at 5 % loss: ${dead} times held dead`)
  if (dead > 0) process.exitCode = 1
}

const churn = (nodes: number, minutes: number): void => {
  const mesh = started(nodes)
  const { world } = mesh
  const rng = createRng(SEED)
  const from = world.nowMs
  const away: number[] = []
  let kills = 0
  for (let second = 0; second < minutes * 60; second++) {
    const victim = rng.below(nodes)
    if (world.node(victim).status === 'up') {
      world.crash(victim)
      away.push(victim)
      kills++
    }
    const back = away.length > 10 ? away.shift() : undefined
    if (back !== undefined) world.restart(back)
    world.run(world.nowMs + 1_000)
    takeVerdicts(mesh)
    if (second % 60 === 59) say(mesh, `${kills} kills, no healthy member held dead`)
  }
  for (const index of away) world.restart(index)
  const tookMs = runUntilAgreed(mesh, AGREE_LIMIT_MS)
  world.finish()
  say(
    mesh,
    `${nodes} nodes, ${kills} kills in ${minutes} min: all agree ${tookMs} ms after the last came back`,
  )
  if (disagreement(mesh) !== null || from === world.nowMs) process.exitCode = 1
}

switch (part) {
  case 'loss':
    loss(Number(nodesText ?? 1_000), Number(minutesText ?? 60))
    break
  case 'churn':
    churn(Number(nodesText ?? 2_000), Number(minutesText ?? 5))
    break
  case 'start':
    started(Number(nodesText ?? 1_000))
    break
  default:
    console.error(`part must be loss, churn or start, not ${part}`)
    process.exitCode = 2
}
