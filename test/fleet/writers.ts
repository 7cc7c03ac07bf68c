// Kills writers at work and looks for what they were promised: every write that was
// acknowledged before its writer was killed is there when all nodes are up again,
// and all replicas are equal. Each writer writes keys of its own, always higher
// numbers, so that what a key must hold at least is known.

import { type Fleet, sleep, until } from './fleet.js'

const LIMIT_MS = 60_000
const SPACE = 'promised'
const PER_SECOND = 100
const KEYS = 20

export interface WritersKilled {
  readonly kills: number
  readonly acknowledged: number
  readonly lost: readonly string[]
  /** Of the space's content, one a node. */
  readonly digests: readonly string[]
}

export const killWriters = async (
  fleet: Fleet,
  nodes: number,
  kills: number,
  onKill: (kill: number) => void = () => {},
): Promise<WritersKilled> => {
  await fleet.start(nodes)
  /** The highest number that was acknowledged, by key. */
  const promised = new Map<string, number>()
  let acknowledged = 0
  for (let kill = 0; kill < kills; kill++) {
    const writer = fleet.node(kill % nodes)
    // Its numbers go on from life to life, because its keys carry the kill's number.
    const prefix = `w${writer.index}-${kill}-`
    const load = writer.ask(
      { kind: 'load', space: SPACE, prefix, perSecond: PER_SECOND, count: 10_000, keys: KEYS },
      LIMIT_MS * 4,
    )
    load.catch(() => undefined)
    await until(LIMIT_MS, 'it was promised something', () => writer.acked.length > 10 + ((kill * 37) % 100))
    // At a moment of its own each time, in the middle of whatever it does.
    await sleep((kill * 7) % 23)
    await writer.kill()
    acknowledged += writer.acked.length
    for (const { key, value } of writer.acked) {
      promised.set(key, Math.max(promised.get(key) ?? -1, (value as { n: number }).n))
    }
    await fleet.launch(writer.index).ready
    onKill(kill + 1)
  }
  await fleet.agree(LIMIT_MS)
  let digests: string[] = []
  await until(
    LIMIT_MS,
    'all replicas are equal',
    async () => {
      const contents = await Promise.all(
        fleet.up.map(node => node.ask<{ digest: string }>({ kind: 'content', space: SPACE })),
      )
      digests = contents.map(content => content.digest)
      return new Set(digests).size === 1
    },
    250,
  )
  const held = new Map(await fleet.node(0).ask<[string, { n: number }][]>({ kind: 'entries', space: SPACE }))
  const lost = [...promised].flatMap(([key, n]) => {
    const now = held.get(key)?.n ?? -1
    return now >= n ? [] : [`${key} was acknowledged with ${n} and holds ${now}`]
  })
  return { kills, acknowledged, lost, digests }
}
