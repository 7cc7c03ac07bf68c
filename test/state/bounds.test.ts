import test from 'ava'
import * as Y from 'yjs'
import { resolveStateConfig } from '../../src/core/state/config.js'
import { StoredLog } from '../../src/core/state/stored-log.js'
import { clientOf } from '../../src/core/state/writer.js'
import { Crowd, reading, sizes } from './crowd.js'
import { World } from './world.js'

test('6,000 overwrites over 100 keys by 20 writers leave at most twice the live data and 64 bytes a writer', async t => {
  t.timeout(120_000)
  const crowd = new Crowd(20)
  for (let n = 0; n < 6_000; ) {
    for (let k = 0; k < 20; k++, n++) crowd.set(n % 20, 'plant', `sensor-${(n * 7) % 100}`, reading(n))
    crowd.settle(10)
    if (n % 1_000 === 0) await new Promise(setImmediate)
  }
  crowd.settle()
  const { v1, live, structs } = sizes(crowd, 7, 'plant')
  t.true(v1 <= 2 * live + 64 * 20, `${v1} bytes encoded, ${live} alive, ${structs} structs`)
  t.true(structs <= 220)
})

test('100,000 keys created by one and removed by another leave under 64 KB', async t => {
  t.timeout(120_000)
  const crowd = new Crowd(2)
  for (let round = 0; round < 100; round++) {
    const keys = Array.from({ length: 1_000 }, (_, i) => `task-${round}-${i}`)
    for (let from = 0; from < 1_000; from += 100)
      crowd.write(
        0,
        'plant',
        keys.slice(from, from + 100).map(key => ({ key, value: 'on' })),
      )
    crowd.settle(50)
    for (let from = 0; from < 1_000; from += 100)
      crowd.write(
        1,
        'plant',
        keys.slice(from, from + 100).map(key => ({ key, value: undefined })),
      )
    crowd.settle(50)
    await new Promise(setImmediate)
  }
  crowd.settle()
  t.is(sizes(crowd, 0, 'plant').live, 2)
  t.is(sizes(crowd, 1, 'plant').live, 2)
  const { v1 } = sizes(crowd, 1, 'plant')
  t.true(v1 < 1_024, `${v1} bytes`)
  const stored = [...(crowd.stores[0]?.values() ?? [])].reduce((bytes, value) => bytes + value.length, 0)
  t.true(stored < 2 * 262_144 + 4_000 * 100, `${stored} bytes in the store`)
})

test('20 writers of the same 100 keys in twenty parts are bounded again soon after they meet', async t => {
  t.timeout(120_000)
  const world = new World({ seed: 11, nodes: 20 })
  const keys = Array.from({ length: 100 }, (_, i) => `sensor-${i}`)
  world.write(
    world.node(0),
    'plant',
    keys.map(key => ({ key, value: reading(0) })),
  )
  world.advance(5_000)
  for (const node of world.nodes) world.partition(other => other === node)
  for (let round = 0; round < 3; round++) {
    for (const node of world.nodes) {
      world.write(
        node,
        'plant',
        keys.map((key, i) => ({ key, value: reading(node.index * 1_000 + i) })),
      )
      world.advance(50)
    }
    await new Promise(setImmediate)
  }
  world.heal()
  for (let i = 0; i < 10; i++) {
    world.advance(1_000)
    await new Promise(setImmediate)
  }
  const doc = world.stored(world.node(3), 'space/plant')
  const live = JSON.stringify(world.contents(world.node(3), 'plant')).length
  const encoded = Y.encodeStateAsUpdate(doc).length
  t.true(encoded <= 2 * live + 64 * 20, `${encoded} bytes encoded, ${live} alive`)
  let entries = 0
  for (const name of doc.share.keys()) entries += doc.getArray(name).length
  t.is(entries, 100, 'one entry a key')
})

test('losers whose winner’s writer is gone are removed by the lowest live holder', t => {
  const world = new World({ seed: 12, nodes: 4 })
  world.set(world.node(0), 'plant', 'k', 'old')
  world.advance(2_000)
  for (const node of world.nodes) world.partition(other => other === node)
  world.set(world.node(1), 'plant', 'k', 'loser')
  world.advance(10)
  world.set(world.node(3), 'plant', 'k', 'winner')
  world.advance(1_000)
  // The winner reaches node 2 only, then its writer dies.
  world.heal()
  world.partition(node => node.index < 2)
  world.advance(30)
  world.crash(world.node(3))
  world.heal()
  world.advance(60_000)
  const entries = (): number => {
    const doc = world.stored(world.node(2), 'space/plant')
    return [...doc.share.keys()].reduce((sum, name) => sum + doc.getArray(name).length, 0)
  }
  const before = entries()
  world.setVerdict(world.node(3), 'dead')
  world.advance(5_000)
  t.true(before >= 1)
  t.is(entries(), 1)
  t.is(new Set([0, 1, 2].map(i => world.node(i).core.get('plant', 'k'))).size, 1)
})

test('the log is folded, and what is stored stays in proportion to what is alive', t => {
  const world = new World({ seed: 13, nodes: 2, config: { foldEntries: 50, foldStepBytes: 500 } })
  for (let n = 0; n < 2_000; n++) {
    world.set(world.node(n % 2), 'plant', `sensor-${n % 20}`, reading(n))
    world.advance(5)
  }
  world.advance(30_000)
  for (const node of world.nodes) {
    t.true(node.disk.durable.size < 120, `${node.disk.durable.size} entries`)
    const expected = world.contents(node, 'plant')
    world.crash(node, node.disk.pending.length)
    world.start(node)
    t.deepEqual(world.contents(node, 'plant'), expected)
  }
})

test('a gap that nobody fills neither keeps a log from being folded nor is lost with it', t => {
  const world = new World({ seed: 14, nodes: 2, config: { foldEntries: 50, foldStepBytes: 500 } })
  const [node, other] = [world.node(0), world.node(1)]
  const doc = world.open(node, 'notes')
  // Of two broadcasts of somebody who is gone the second came.
  const theirs = new Y.Doc()
  theirs.clientID = clientOf(other.id, '00000001')
  const updates: Uint8Array[] = []
  theirs.on('update', (update: Uint8Array) => updates.push(update))
  theirs.getMap('m').set('a', 1)
  theirs.getMap('m').set('b', 2)
  const tell = (update: Uint8Array): void =>
    world.step(node, {
      kind: 'gossip',
      from: other.id,
      topic: 'state/doc/notes',
      message: { kind: 'stateUpdate', document: 'doc/notes', lineage: '00000001', update },
      bytes: update.length,
    })
  world.crash(other)
  tell(updates[1] as Uint8Array)
  for (let n = 0; n < 500; n++) {
    doc.getMap('m').set('k', n)
    world.advance(5)
  }
  world.advance(5_000)
  t.true(node.disk.durable.size < 120, `${node.disk.durable.size} entries`)
  world.crash(node, node.disk.pending.length)
  world.start(node)
  const again = world.open(node, 'notes')
  t.deepEqual(again.getMap('m').toJSON(), { k: 499 })
  // Before it has been compared with anybody, it would not listen.
  world.start(other)
  world.advance(5_000)
  tell(updates[0] as Uint8Array)
  world.advance(1_000)
  t.deepEqual(again.getMap('m').toJSON(), { a: 1, b: 2, k: 499 })
})

// More than a call can have arguments, whatever the stack.
test('a log of 600,000 entries is folded like any other', t => {
  const log = new StoredLog('doc/notes', resolveStateConfig({}))
  const nothing = new Uint8Array([0, 0])
  for (let n = 0; n < 600_000; n++) log.append(nothing, false, 'aaaaaaaa')
  t.true(log.wantsFold)
  const taken = log.foldStep(new Y.Doc(), 'aaaaaaaa').filter(({ value }) => value === null)
  t.true(taken.length >= 600_000, `${taken.length} taken away`)
  t.false(log.wantsFold)
})

test('a raw document that is full can be made smaller, and written to again, time after time', t => {
  const world = new World({ seed: 15, nodes: 1, config: { documentBytesMax: 20_000 } })
  const node = world.node(0)
  /** Each opens it anew, as an application does after a refusal: its copy has what was refused. */
  const change = (make: (text: Y.Text) => void): string => {
    node.documents.get('notes')?.destroy()
    const text = world.open(node, 'notes').getText('t')
    world.replies.clear()
    make(text)
    world.advance(1_000)
    return [...world.replies.values()].map(({ ok, code }) => (ok ? 'ok' : `${code}`)).join()
  }
  for (let round = 0; round < 3; round++) {
    for (const size of [1_000, 30, 1]) {
      let answer = 'ok'
      for (let n = 0; answer === 'ok' && n < 1_000; n++)
        answer = change(text => text.insert(text.length, 'x'.repeat(size)))
      t.is(answer, 'STATE_LIMIT', `round ${round}, filled by ${size}`)
    }
    t.is(
      change(text =>
        text.doc?.transact(() => {
          for (let at = 400; at >= 0; at -= 2) text.delete(at, 1)
        }),
      ),
      'ok',
      `round ${round}: 200 letters deleted, which takes bytes`,
    )
    t.is(
      change(text => text.delete(0, text.length)),
      'ok',
      `round ${round}: all deleted`,
    )
    t.is(
      change(text => text.insert(0, 'y'.repeat(1_000))),
      'ok',
      `round ${round}: written to again`,
    )
  }
})
