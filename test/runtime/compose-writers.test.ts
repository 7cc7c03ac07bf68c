// A store that may have lost something of its node's own: nothing that was given out is given out again.

import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { openDiskStore } from '../../src/adapters/disk/disk-store.js'
import { createRng } from '../../src/core/rng.js'
import { recover } from '../../src/core/state/log.js'
import type { StoreEntry } from '../../src/core/step.js'
import { readFloor, writeFloor } from '../../src/core/tasks/floor.js'
import { createNode, type ShoalNode } from '../../src/index.js'
import { renewFloor, renewWriters } from '../../src/runtime/compose-writers.js'
import { World } from '../state/world.js'
import { VirtualClock } from './virtual-clock.js'

const open = (dataDir: string): Promise<ShoalNode> =>
  createNode({ dataDir, listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false })

/** The lineage of a document, as the store of a node that has stopped has it. */
const lineageOf = async (dataDir: string, document: string): Promise<string | undefined> => {
  const store = await openDiskStore(join(dataDir, 'store'), { clock: new VirtualClock() })
  const entries: StoreEntry[] = []
  for await (const entry of store.read('s/')) entries.push(entry)
  await store.close()
  return recover(entries).get(document)?.head?.lineage
}

/** The last record of the log becomes one that is longer than the file: LevelDB drops it without a word. */
const damageTail = async (dataDir: string): Promise<void> => {
  const level = join(dataDir, 'store', 'level')
  const log = (await readdir(level)).find(name => name.endsWith('.log')) as string
  const bytes = await readFile(join(level, log))
  let last = 0
  for (let at = 0; at + 7 <= bytes.length; at += 7 + bytes.readUInt16LE(at + 4)) last = at
  bytes.writeUInt16LE(30_000, last + 4)
  await writeFile(join(level, log), bytes)
}

test('after damage at the end of its log a node writes under a new lineage, and keeps it', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-writers-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const [data, killed] = [join(folder, 'data'), join(folder, 'killed')]
  const first = await open(data)
  await first.space('plant').set('kept', 1)
  await first.space('plant').set('lost', 2)
  // As the disk is when the node is killed now.
  await cp(data, killed, { recursive: true })
  await first.close()
  const before = await lineageOf(data, 'space/plant')

  await damageTail(killed)
  const second = await open(killed)
  t.deepEqual(second.space('plant').entries(), [['kept', 1]])
  await second.space('plant').set('new', 3)
  await second.close()
  const after = await lineageOf(killed, 'space/plant')
  t.truthy(before)
  t.truthy(after)
  t.not(after, before)

  const third = await open(killed)
  t.deepEqual(third.space('plant').entries().sort(), [
    ['kept', 1],
    ['new', 3],
  ])
  await third.space('plant').set('newer', 4)
  await third.close()
  t.is(await lineageOf(killed, 'space/plant'), after)
})

test('a power cut in the midst of a write costs no lineage, however often', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-writers-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const lineages = new Set<string | undefined>()
  let data = join(folder, 'data')
  for (let boot = 0; boot < 4; boot++) {
    const node = await open(data)
    t.is(node.space('plant').entries().length, boot)
    await node.space('plant').set(`key-${boot}`, boot)
    const killed = join(folder, `killed-${boot}`)
    await cp(data, killed, { recursive: true })
    await node.close()
    const level = join(killed, 'store', 'level')
    const log = (await readdir(level)).find(name => name.endsWith('.log')) as string
    const bytes = await readFile(join(level, log))
    // The beginning of one more record, as long as the first one says that it is.
    await writeFile(join(level, log), Buffer.concat([bytes, bytes.subarray(0, 7 + 5 * boot)]))
    data = killed
    const unhurt = join(folder, `read-${boot}`)
    await cp(data, unhurt, { recursive: true })
    lineages.add(await lineageOf(unhurt, 'space/plant'))
  }
  t.is(lineages.size, 1)
  t.true(lineages.values().next().value !== undefined)
})

test('with new lineages nothing differs, whom ever a node meets first and whatever it wrote alone', t => {
  for (let seed = 0; seed < 20; seed++) {
    const world = new World({ seed, nodes: 3, latencyMs: [1, 5] })
    const a = world.node(0)
    world.set(a, 'plant', 'k', 'one')
    world.advance(1_000)
    const kept = a.disk.backup()
    for (const key of ['k', 'l', 'm']) world.set(a, 'plant', key, 'two')
    world.advance(1_000)
    world.crash(a)
    a.disk.restore(kept)
    for (const { key, value } of renewWriters(a.disk.entries(), createRng(seed)))
      a.disk.durable.set(key, value as Uint8Array)
    const written = world.writeAloneAndMet(a, 'plant')
    t.is(written, 6 + 5)
    const contents = world.contents(a, 'plant')
    for (const node of world.nodes) t.deepEqual(world.contents(node, 'plant'), contents, `seed ${seed}`)
    t.is(Object.keys(contents).length, 3 + written, `seed ${seed}`)
    t.is(contents.m, 'two')
    t.is(a.counts.get('shoal_state_lineages_retired_total'), undefined)
  }
})

test('numbers of epochs go on above whatever may have been given out', t => {
  const at = (floor: StoreEntry[], wallMs: number) => {
    const { key, value } = renewFloor(floor, wallMs)
    return readFloor([{ key, value: value as Uint8Array }])
  }
  const kept = writeFloor(1_700_000_007) as StoreEntry
  t.is(at([], 1_790_000_000_999), 1_790_000_000)
  t.is(at([kept], 1_790_000_000_999), 1_790_000_000)
  // A clock that went back takes nothing away.
  t.is(at([kept], 0), 1_700_000_007)
})
