// An hour of a mesh in which a node is killed and started again every ten seconds
// (arguments: minutes, nodes, seconds between restarts). The nodes that are never
// killed must agree again after each, hold no healthy node dead, and stay as small as
// they were: their memory is sampled every minute.

import { Fleet, type FleetEvent, median, nowMs, sleep } from '../fleet/fleet.js'

const minutes = Number(process.argv[2] ?? 60)
const nodes = Number(process.argv[3] ?? 8)
const everyMs = Number(process.argv[4] ?? 10) * 1_000
/** These live through it all. */
const STEADY = 3
const AGREE_LIMIT_MS = 30_000
/** Of the first sample after the warm-up: V8 takes its time to give memory back. */
const GROWTH_MAX = 1.15
const WARM_UP = 0.2

const fleet = new Fleet({ inside: true })
const samples: number[][] = []
try {
  await fleet.start(nodes)
  const steady = fleet.nodes.slice(0, STEADY)
  const end = nowMs() + minutes * 60_000
  const sampleEveryMs = Math.min(60_000, Math.max(5_000, (minutes * 60_000) / 10))
  let restarts = 0
  let wrong = 0
  let nextSample = nowMs()
  while (nowMs() < end) {
    const startedAt = nowMs()
    if (startedAt >= nextSample) {
      nextSample += sampleEveryMs
      const usages = await Promise.all(steady.map(node => node.usage()))
      const sizes = usages.map(usage => usage.rss / 1e6)
      samples.push(sizes)
      console.log(
        `${((startedAt - end) / 60_000 + minutes).toFixed(1)} min, ${restarts} restarts: ${sizes.map(size => size.toFixed(1)).join(' ')} MB`,
      )
    }
    const victim = fleet.node(STEADY + (restarts % (nodes - STEADY)))
    const marks = steady.map(node => node.events.length)
    await victim.kill()
    await sleep(500)
    await fleet.launch(victim.index).ready
    await fleet.agree(AGREE_LIMIT_MS)
    restarts++
    for (const [i, node] of steady.entries()) {
      const news: FleetEvent[] = node.events.slice(marks[i])
      wrong += news.filter(event => event.kind === 'member.dead' && event.member !== victim.id).length
      // What was looked at is let go, or this process would be what grows.
      node.events.length = 0
    }
    await sleep(Math.max(0, startedAt + everyMs - nowMs()))
  }
  const warm = samples.slice(Math.floor(samples.length * WARM_UP))
  const first = median((warm[0] ?? []) as number[])
  const last = median((warm.at(-1) ?? []) as number[])
  console.log(
    `${minutes} min, ${nodes} nodes, ${restarts} restarts: ${wrong} healthy members held dead, ${first.toFixed(1)} → ${last.toFixed(1)} MB`,
  )
  if (wrong > 0 || restarts === 0) process.exitCode = 1
  // A short run is a test of the counts alone.
  if (minutes >= 10 && last > first * GROWTH_MAX) process.exitCode = 1
} finally {
  await fleet.stop()
}
