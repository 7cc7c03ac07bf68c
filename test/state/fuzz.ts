// Spoilt messages by the thousand: real ones with bits turned, parts cut off, put
// together wrongly, and plain noise. Afterwards the core must still read as its
// document says, load what it stored, and agree with a newcomer.

import * as Y from 'yjs'
import type { Json } from '../../src/core/json.js'
import type { Message } from '../../src/core/message.js'
import { createRng, type Rng } from '../../src/core/rng.js'
import type { StateMessage } from '../../src/core/state/message.js'
import { World } from './world.js'

/** Null when all is well. */
export const fuzz = (seed: number, inputs: number): string | null => {
  const draw = createRng(seed)
  const world = new World({
    seed,
    nodes: 3,
    config: { offencesMax: 1_000_000_000, foldEntries: 200, pieceBytes: 2_000 },
  })
  const [victim, liar, newcomer] = [world.node(0), world.node(1), world.node(2)]
  world.partition(node => node === newcomer)
  const samples: { message: StateMessage; topic: string | null }[] = []
  world.onEffect = (_node, effect) => {
    const topic = effect.kind === 'publish' ? effect.topic : null
    if ((effect.kind === 'send' || effect.kind === 'publish') && effect.message.kind.startsWith('state'))
      samples.push({ message: effect.message as StateMessage, topic })
  }
  const notes = world.open(liar, 'notes')
  for (let i = 0; i < 60; i++) {
    const node = draw.pick([victim, liar])
    if (draw.below(4) === 0) world.delete(node, 'plant', `k${draw.below(10)}`)
    else world.set(node, 'plant', `k${draw.below(10)}`, draw.pick<Json>([i, 'ü', { a: [1, null] }, 1.5]))
    notes.getText('t').insert(draw.below(notes.getText('t').length + 1), `${i} `)
    if (i % 20 === 0) notes.getMap('m').set('x', new Y.Array())
    if (draw.below(3) === 0) {
      world.partition(each => each === liar)
      world.set(victim, 'stock', 'x', i)
      world.advance(30)
      world.heal()
      world.partition(each => each === newcomer)
    }
    world.advance(draw.below(50))
  }
  world.advance(2_000)
  world.onEffect = null
  for (let i = 0; i < inputs; i++) {
    const { message, topic } = draw.pick(samples)
    const spoilt = spoil(draw, message, () => draw.pick(samples).message)
    const bytes = 100
    try {
      if (topic !== null && draw.below(4) > 0)
        world.step(victim, { kind: 'gossip', from: liar.id, topic, message: spoilt, bytes })
      else world.step(victim, { kind: 'message', from: liar.id, channel: 'bulk', message: spoilt, bytes })
    } catch (error) {
      return `input ${i} threw: ${(error as Error).stack}`
    }
    if (i % 50 === 0) world.advance(20)
  }
  try {
    world.crash(liar)
    world.advance(1_000)
    const before = JSON.stringify(world.contents(victim, 'plant'))
    world.crash(victim, victim.disk.pending.length)
    world.start(victim)
    if (JSON.stringify(world.contents(victim, 'plant')) !== before) return 'what was stored reads otherwise'
    world.heal()
    world.set(newcomer, 'plant', 'fresh', seed)
    world.set(victim, 'plant', 'mine', seed)
    world.advance(300_000)
    for (const space of ['plant', 'stock']) {
      const [a, b] = [world.contents(victim, space), world.contents(newcomer, space)]
      if (JSON.stringify(a) !== JSON.stringify(b))
        return `${space} differs: ${JSON.stringify(a)} and ${JSON.stringify(b)}`
    }
    if (world.contents(newcomer, 'plant').mine !== seed) return 'the victim cannot write any more'
  } catch (error) {
    return `afterwards: ${(error as Error).stack}`
  }
  return null
}

const spoil = (draw: Rng, message: StateMessage, another: () => StateMessage): Message => {
  const out: Record<string, unknown> = { ...message }
  const fields = Object.keys(out).filter(name => name !== 'kind')
  for (let n = 1 + draw.below(2); n > 0; n--) {
    const field = draw.pick(fields)
    const value = out[field]
    if (value instanceof Uint8Array) out[field] = spoilBytes(draw, value, another())
    else if (typeof value === 'string')
      out[field] = draw.pick([
        '',
        'space/plant',
        'doc/notes',
        'space/stock',
        'space/',
        'x',
        '__proto__',
        value,
      ])
    else if (typeof value === 'number') out[field] = draw.below(1_000)
    else if (typeof value === 'boolean') out[field] = !value
    else if (Array.isArray(value)) out[field] = [...value, 'space/new', 'nonsense'].slice(draw.below(2))
  }
  return out as unknown as Message
}

const spoilBytes = (draw: Rng, bytes: Uint8Array, another: StateMessage): Uint8Array => {
  const out = Uint8Array.from(bytes)
  switch (draw.below(6)) {
    case 0:
      return out.subarray(0, draw.below(out.length + 1))
    case 1:
      return Uint8Array.from({ length: draw.below(40) }, () => draw.below(256))
    case 2: {
      const other = Object.values(another).find(value => value instanceof Uint8Array) as
        | Uint8Array
        | undefined
      return other === undefined
        ? out
        : Uint8Array.from([...out.subarray(0, draw.below(out.length + 1)), ...other])
    }
    case 3:
      return Uint8Array.from(Object.values(another).find(value => value instanceof Uint8Array) ?? out)
    default:
      for (let n = 1 + draw.below(4); n > 0 && out.length > 0; n--)
        out[draw.below(out.length)] = draw.pick([0, 1, 0x7f, 0x80, 0xff, draw.below(256)])
      return out
  }
}
