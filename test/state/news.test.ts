// The first that is written to a space which nobody knows yet: it is everywhere as soon as what is written later,
// and costs those who do not hold it no more than a few messages to pass on.

import test from 'ava'
import * as Y from 'yjs'
import { append } from '../../src/core/state/lists.js'
import { NEWS_TOPIC } from '../../src/core/state/outbox.js'
import { clientOfList, listName } from '../../src/core/state/writer.js'
import { type TestNode, World } from './world.js'

/** Five neighbors at most, so that not everybody hears of it from its writer. */
const isNear = (a: number, b: number): boolean => [1, 2, 7].includes(Math.abs(a - b))

/** What was published since, by topic. */
const topics = (world: World): string[] => {
  const out: string[] = []
  world.onEffect = (_node, effect) => {
    if (effect.kind === 'publish') out.push(effect.topic)
  }
  return out
}

test('the first write of a new space or document is everywhere as soon as a later one', t => {
  const world = new World({ seed: 1, nodes: 40, latencyMs: [1, 5], commitMs: [1, 5], linked: isNear })
  world.advance(5_000)
  for (const value of [1, 2]) {
    const sent = topics(world)
    world.set(world.node(20), 'fresh', 'k', value)
    world.advance(11)
    for (const node of world.nodes) t.is(node.core.get('fresh', 'k'), value, `write ${value} on ${node.id}`)
    t.deepEqual(sent, [value === 1 ? NEWS_TOPIC : 'state/space/fresh'])
    world.advance(5_000)
  }
  world.open(world.node(20), 'notes').getText('t').insert(0, 'first')
  world.advance(11)
  for (const node of world.nodes) t.is(world.open(node, 'notes').getText('t').toString(), 'first')
})

test('what comes right after the first write goes the same way, up to a bound, and to nobody who does not hold the space', t => {
  const spaces = (index: number): readonly string[] => (index % 2 === 0 ? ['*'] : ['plant'])
  const world = new World({ seed: 1, nodes: 6, latencyMs: [1, 5], commitMs: [1, 5], spaces })
  world.advance(5_000)
  const sent = topics(world)
  for (let i = 0; i < 8; i++) {
    world.set(world.node(0), 'fresh', `k${i}`, 'x'.repeat(20_000))
    world.advance(100)
  }
  t.deepEqual(sent.slice(0, 4), [NEWS_TOPIC, NEWS_TOPIC, NEWS_TOPIC, 'state/space/fresh'])
  world.advance(5_000)
  for (const node of world.nodes) {
    const isHolder = node.index % 2 === 0
    t.is(node.core.held, isHolder ? 1 : 0)
    t.is(node.topics.has('state/space/fresh'), isHolder)
    if (isHolder) t.is(Object.keys(world.contents(node, 'fresh')).length, 8)
    t.deepEqual(node.offences, [])
  }
})

test('a first write that is lost arrives by comparison', t => {
  const world = new World({ seed: 1, nodes: 10, loss: 1, latencyMs: [1, 5], linked: isNear })
  world.advance(5_000)
  world.set(world.node(5), 'fresh', 'k', 1)
  world.advance(2_000)
  for (const node of world.nodes) t.is(node.core.get('fresh', 'k'), 1)
})

test('who invents spaces without end, also such as only Shoal has, fills no more than four fifths of what may be held for others, and names alone take up no place', t => {
  const world = new World({ seed: 1, nodes: 3, latencyMs: [1, 5], config: { documentsMax: 50 } })
  const [a, insider] = [world.node(0), world.node(1)]
  world.set(a, 'plant', 'k', 1)
  world.advance(1_000)
  const tell = (to: TestNode, space: string, update: Uint8Array): void => {
    const message = { kind: 'stateUpdate', document: `space/${space}`, lineage: 'aaaaaaaa', update } as const
    world.step(to, { kind: 'gossip', from: insider.id, topic: NEWS_TOPIC, message, bytes: update.length })
  }
  for (let i = 0; i < 1_000; i++) tell(a, `empty-${i}`, new Uint8Array([0, 0]))
  t.is(a.core.held, 1)
  t.deepEqual(a.offences, [], 'a delete may come before what it belongs to')
  const list = listName(insider.id, 'aaaaaaaa')
  for (let i = 0; i < 1_000; i++) {
    const doc = new Y.Doc()
    doc.transact(transaction => append(transaction, clientOfList(list), list, ['k', 1_000, i]))
    tell(a, `${i % 2 === 0 ? 'new' : 'shoal.new'}-${i}`, Y.encodeStateAsUpdate(doc))
  }
  t.is(a.core.held, 1 + 40)
  // What Shoal itself keeps finds a place all the same.
  world.perform(a, a.core.write(world.now, 'shoal.tasks', [{ key: 'k', value: 1 }], null))
  t.is(a.core.get('shoal.tasks', 'k'), 1)
  world.set(a, 'plant', 'k', 2)
  world.advance(1_000)
  for (const node of world.nodes) t.is(node.core.get('plant', 'k'), 2)
})
