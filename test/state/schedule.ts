// One run of the random scheduler over the real code, from a seed: 2 to 10 nodes, wrong
// clocks, loss, doubling, partitions, crashes. Null when it ended as it must: after
// healing byte for byte equal, with nothing acknowledged lost, and as a slow and
// obvious model says.

import * as Y from 'yjs'
import { canonicalJson, type Json } from '../../src/core/json.js'
import { createRng } from '../../src/core/rng.js'
import { type TestNode, World } from './world.js'

const SPACES = ['plant', 'shoal.mesh', 'stock'] as const
const KEYS = ['a', 'b', 'c', 'd', 'e']

/** A write as the model sees it: which writes of its key it had seen, nothing more. */
interface Op {
  readonly id: string
  readonly node: number
  readonly place: string
  readonly request: number
  readonly isDelete: boolean
  readonly saw: ReadonlySet<string>
}

/** All surviving entries of a space, read from nothing but the stored updates. */
const rawEntries = (doc: Y.Doc): { key: string; stamp: number; value: Json; list: string }[] =>
  [...doc.share.keys()].flatMap(list =>
    doc
      .getArray(list)
      .toArray()
      .map(entry => {
        const [key, stamp, value] = entry as [string, number, Json]
        return { key, stamp, value, list }
      }),
  )

export const schedule = (seed: number, crashes: boolean): string | null => {
  const draw = createRng(seed)
  const count = 2 + draw.below(9)
  const world = new World({
    seed: draw.u32(),
    nodes: count,
    loss: draw.pick([0, 0.05, 0.5]),
    duplication: draw.pick([0, 0.3]),
    latencyMs: draw.pick([
      [1, 5],
      [1, 200],
    ] as const),
    commitMs: draw.pick([
      [1, 3],
      [1, 300],
    ] as const),
    config: {
      compareIntervalMs: 2_000,
      foldEntries: draw.pick([5, 4_000]),
      foldStepBytes: 300,
      pieceBytes: draw.pick([100, 49_152]),
      broadcastBytesMax: draw.pick([200, 32_768]),
    },
  })
  // Wrong clocks: some nodes are hours off, one is years ahead.
  for (const node of world.nodes) {
    node.wallOffset = draw.pick([0, 0, -3_600_000, 3_600_000, 300_000_000_000])
    world.step(node, { kind: 'wall', offsetMs: node.wallOffset })
  }
  const ops: Op[] = []
  let n = 0
  const write = (node: TestNode): void => {
    const space = draw.pick(SPACES.filter(name => !name.startsWith('shoal.')))
    const key = draw.below(4) === 0 ? `own-${node.index}` : draw.pick(KEYS)
    const isDelete = draw.below(5) === 0
    const id = `${node.index}:${n++}`
    const saw = new Set(
      rawEntries(world.stored(node, `space/${space}`))
        .filter(entry => entry.key === key)
        .map(({ value }) => value as string),
    )
    const request = isDelete ? world.delete(node, space, key) : world.set(node, space, key, id)
    ops.push({ id, node: node.index, place: `${space} ${key}`, request, isDelete, saw })
  }
  for (let i = 0; i < 120; i++) {
    const up = world.nodes.filter(node => node.up)
    const what = draw.below(100)
    if (up.length > 0 && what < 70) write(draw.pick(up))
    else if (what < 76) {
      const side = new Set(world.nodes.filter(() => draw.below(2) === 0))
      world.partition(node => side.has(node))
    } else if (what < 82) world.heal()
    else if (crashes && what < 90) {
      const node = draw.pick(world.nodes)
      if (node.up) world.crash(node)
      else world.start(node)
    }
    world.advance(draw.pick([0, 1, 5, 50, 500]))
  }
  world.heal()
  for (const node of world.nodes) if (!node.up) world.start(node)
  world.advance(30_000)

  // Byte for byte equal, in memory and as stored, and read alike.
  for (const space of SPACES) {
    const first = world.node(0)
    const bytes = Buffer.from(Y.encodeStateAsUpdate(world.stored(first, `space/${space}`))).toString('hex')
    const contents = JSON.stringify(world.contents(first, space))
    for (const node of world.nodes) {
      const stored = world.stored(node, `space/${space}`)
      if (JSON.stringify(world.contents(node, space)) !== contents)
        return `${space} reads otherwise on ${node.id}`
      if (Buffer.from(Y.encodeStateAsUpdate(stored)).toString('hex') !== bytes)
        return `${space} is stored otherwise on ${node.id}`
      const newest = new Map<string, { stamp: number; value: Json }>()
      for (const entry of rawEntries(stored)) {
        const known = newest.get(entry.key)
        if (known !== undefined && known.stamp === entry.stamp)
          return `two entries of ${entry.key} with one stamp`
        if (known === undefined || known.stamp < entry.stamp) newest.set(entry.key, entry)
      }
      const slow = Object.fromEntries(
        [...newest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, v.value]),
      )
      if (JSON.stringify(slow) !== contents) return `${space} on ${node.id} is not what its entries say`
    }
  }

  // As the model says. Without crashes every write counts; with them those that were acknowledged, or are seen.
  for (const place of new Set(ops.map(op => op.place))) {
    const [space, key] = place.split(' ') as [string, string]
    const here = ops.filter(op => op.place === place)
    const value = world.contents(world.node(0), space)[key] as string | undefined
    const certain = here.filter(op => !crashes || world.isAcknowledged(op.request))
    const seenByCertain = new Set(certain.flatMap(op => [...op.saw]))
    if (value !== undefined && seenByCertain.has(value))
      return `${place} is ${value}, which an acknowledged write replaced`
    const seenByAny = new Set(here.flatMap(op => [...op.saw]))
    const survivors = certain.filter(op => !op.isDelete && !seenByAny.has(op.id))
    // A loser that was tidied away cannot come back when its winner is deleted: then nothing is left.
    if (survivors.length > 0 && value === undefined && !here.some(op => op.isDelete && op.saw.size > 0))
      return `${place} is gone, but ${survivors.map(op => op.id).join(' ')} was never replaced`
    if (value !== undefined && !here.some(op => op.id === value))
      return `${place} is ${value}, which nobody wrote`
  }
  // Keys with a single writer have nothing to lose against: the last word stands, exactly.
  for (const node of world.nodes) {
    for (const space of ['plant', 'stock']) {
      const here = ops.filter(op => op.place === `${space} own-${node.index}`)
      const last = here.findLastIndex(op => world.isAcknowledged(op.request))
      if (last < 0) continue
      const allowed = here.slice(last).map(op => (op.isDelete ? undefined : op.id))
      const value = world.contents(world.node(0), space)[`own-${node.index}`] as string | undefined
      if (!allowed.includes(value)) return `own-${node.index} is ${value}; acknowledged was ${allowed[0]}`
    }
  }
  return null
}

/** The same for raw documents, as applications hold them. */
export const scheduleDocuments = (seed: number): string | null => {
  const draw = createRng(seed)
  const world = new World({
    seed: draw.u32(),
    nodes: 2 + draw.below(4),
    loss: draw.pick([0, 0.3]),
    duplication: 0.2,
    config: {
      compareIntervalMs: 2_000,
      foldEntries: draw.pick([10, 4_000]),
      foldStepBytes: 400,
      pieceBytes: 300,
      loadWholeBytes: draw.pick([1, 65_536]),
      loadStepBytes: draw.pick([1, 300]),
      openWholeStructs: draw.pick([1, 2_000]),
      openPieceStructs: draw.pick([1, 5]),
    },
  })
  let n = 0
  const edit = (node: TestNode): void => {
    const doc = world.openSlowly(node, 'notes')
    const text = doc.getText('t')
    switch (draw.below(5)) {
      case 4:
        // Opened again by the next one.
        if (draw.below(3) === 0) doc.destroy()
        return
      case 0:
        doc.getMap('m').set(`k${draw.below(3)}`, new Y.Array<unknown>())
        return
      case 1:
        if (text.length > 3) text.delete(draw.below(text.length - 2), 2)
        return
      case 2:
        doc.getArray<unknown>('a').push([n++, { by: node.id }])
        return
      default:
        text.insert(draw.below(text.length + 1), `<${n++}>`)
    }
  }
  for (let i = 0; i < 80; i++) {
    const what = draw.below(100)
    const node = draw.pick(world.nodes)
    if (what < 70) {
      if (node.up) edit(node)
    } else if (what < 78) {
      const side = new Set(world.nodes.filter(() => draw.below(2) === 0))
      world.partition(each => side.has(each))
    } else if (what < 88) world.heal()
    else if (node.up) world.crash(node)
    else world.start(node)
    world.advance(draw.pick([0, 5, 100]))
  }
  for (const node of world.nodes) if (!node.up) world.start(node)
  world.heal()
  world.advance(60_000)
  const seen = new Set<string>()
  for (const node of world.nodes) {
    const doc = world.open(node, 'notes')
    if (Y.encodeStateVector(doc).join() !== Y.encodeStateVector(world.stored(node, 'doc/notes')).join())
      return `${node.id} stores something else than its application has`
    const [text, map, list] = [
      doc.getText('t').toJSON(),
      doc.getMap('m').toJSON(),
      doc.getArray('a').toJSON(),
    ]
    seen.add(canonicalJson([text, map, list]))
    if (doc.store.pendingStructs !== null) return `${node.id} still misses something`
    if (node.offences.length > 0)
      return `${node.id} holds something against its peers: ${JSON.stringify(node.offences[0])}`
  }
  return seen.size === 1 ? null : [...seen].join('\n')
}
