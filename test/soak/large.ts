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
  return mesh
}

const verdicts = (mesh: Mesh, fromMs: number): string => {
  const count = (kind: string) =>
    mesh.events.filter(event => event.kind === kind && event.atMs >= fromMs).length
  return `${count('member.dead')} times held dead, ${count('member.suspect')} times suspected`
}

const loss = (nodes: number, minutes: number): void => {
  const mesh = started(nodes)
  const { world } = mesh
  const from = world.nowMs
  world.loss(0.05)
  for (let minute = 0; minute < minutes; minute++) {
    world.run(world.nowMs + 60_000)
    if (minute % 10 === 9) say(mesh, verdicts(mesh, from))
  }
  world.loss(0)
  const dead = mesh.events.filter(event => event.kind === 'member.dead' && event.atMs >= from).length
  say(mesh, `${nodes} nodes, ${minutes} min at 5 % loss: ${verdicts(mesh, from)}`)
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
    // What was judged is let go: a mesh of 2,000 tells 4,000 events a second.
    mesh.events.length = 0
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
