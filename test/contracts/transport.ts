// What every `Transport` promises, whatever carries it. No test sleeps: each waits
// for an event, and a test that waits in vain fails by its time limit.

import type { ExecutionContext, TestFn } from 'ava'
import type { NodeId } from '../../src/core/ids.js'
import type { Channel, DialFailure } from '../../src/core/step.js'
import type { Transport, TransportListener } from '../../src/ports.js'

export type Seen =
  | { readonly what: 'up'; readonly node: NodeId; readonly address: string; readonly outbound: boolean }
  | { readonly what: 'down'; readonly node: NodeId; readonly reset: boolean }
  | { readonly what: 'verified'; readonly node: NodeId; readonly address: string }
  | { readonly what: 'accepted'; readonly node: NodeId; readonly address: string }
  | {
      readonly what: 'failed'
      readonly node: NodeId | null
      readonly address: string
      readonly reason: DialFailure
    }
  | {
      readonly what: 'message'
      readonly node: NodeId
      readonly channel: Channel
      readonly text: string
      readonly length: number
    }
  | { readonly what: 'gossip'; readonly node: NodeId; readonly topic: string; readonly text: string }
  | { readonly what: 'misbehaved'; readonly node: NodeId; readonly offence: string }
  | { readonly what: 'discovered'; readonly addresses: readonly string[] }

/** A transport with a listener that writes down what it hears. */
export class Witness {
  readonly transport: Transport
  readonly seen: Seen[] = []
  addresses: readonly string[] = []
  judge: (text: string) => 'accept' | 'ignore' | 'reject' = () => 'accept'
  answer: (text: string) => Promise<string> = async text => `answer to ${text}`
  readonly #waiting = new Set<() => void>()

  constructor(transport: Transport) {
    this.transport = transport
  }

  get id(): NodeId {
    return this.transport.self
  }

  /** The first thing seen that fits; waits for it if need be. */
  see<S extends Seen>(fits: (seen: Seen) => seen is S): Promise<S>
  see(fits: (seen: Seen) => boolean): Promise<Seen>
  async see(fits: (seen: Seen) => boolean): Promise<Seen> {
    while (true) {
      const found = this.seen.find(fits)
      if (found !== undefined) return found
      await new Promise<void>(resolve => this.#waiting.add(resolve))
    }
  }

  count(fits: (seen: Seen) => boolean): number {
    return this.seen.filter(fits).length
  }

  readonly listener: TransportListener = {
    onLinkUp: (node, address, outbound) => this.#note({ what: 'up', node, address, outbound }),
    onLinkDown: (node, reset) => this.#note({ what: 'down', node, reset }),
    onVerified: (node, address) => this.#note({ what: 'verified', node, address }),
    onDialAccepted: (node, address) => this.#note({ what: 'accepted', node, address }),
    onDialFailed: (node, address, reason) => this.#note({ what: 'failed', node, address, reason }),
    onMessage: (node, channel, bytes) => {
      const text = Buffer.from(bytes).subarray(0, 100).toString()
      this.#note({ what: 'message', node, channel, text, length: bytes.byteLength })
    },
    onGossip: (node, topic, bytes) => {
      const text = Buffer.from(bytes).toString()
      this.#note({ what: 'gossip', node, topic, text })
      return this.judge(text)
    },
    onRequest: async (_node, bytes) => Buffer.from(await this.answer(Buffer.from(bytes).toString())),
    onDiscovered: addresses => this.#note({ what: 'discovered', addresses }),
    onAddresses: addresses => {
      this.addresses = addresses
    },
    onMisbehaved: (node, offence) => this.#note({ what: 'misbehaved', node, offence }),
  }

  #note(seen: Seen): void {
    this.seen.push(seen)
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resolve of waiting) resolve()
  }
}

export interface TransportKind {
  readonly name: string
  /** A new transport of one mesh, not yet started. */
  create(): Promise<Transport>
  /** An address where nobody listens. */
  readonly nowhere: string
}

const bytes = (text: string): Uint8Array => Buffer.from(text)

export const isUp = (node: NodeId) => (seen: Seen) => seen.what === 'up' && seen.node === node
export const isDown = (node: NodeId) => (seen: Seen) => seen.what === 'down' && seen.node === node
export const isMessage = (text: string) => (seen: Seen) => seen.what === 'message' && seen.text === text
const isAccepted = (seen: Seen): seen is Extract<Seen, { what: 'accepted' }> => seen.what === 'accepted'

export const isFailure = (seen: Seen): seen is Extract<Seen, { what: 'failed' }> => seen.what === 'failed'

/** Starts that many transports, and stops them when the test ends. */
export const startAll = async (
  t: ExecutionContext,
  kind: TransportKind,
  count: number,
): Promise<Witness[]> => {
  const witnesses: Witness[] = []
  for (let i = 0; i < count; i++) {
    const witness = new Witness(await kind.create())
    await witness.transport.start(witness.listener)
    witnesses.push(witness)
  }
  t.teardown(() => Promise.all(witnesses.map(each => each.transport.stop())))
  return witnesses
}

export const link = async (a: Witness, b: Witness): Promise<void> => {
  a.transport.dial(b.id, b.addresses)
  await Promise.all([a.see(isUp(b.id)), b.see(isUp(a.id))])
}

export const transportContract = (test: TestFn, kind: TransportKind): void => {
  const claim = (name: string, body: (t: ExecutionContext) => Promise<void>): void => {
    test.serial(`${kind.name}: ${name}`, async t => {
      t.timeout(20_000)
      await body(t)
    })
  }
  const pair = async (t: ExecutionContext): Promise<[Witness, Witness]> => {
    const [a, b] = await startAll(t, kind, 2)
    return [a as Witness, b as Witness]
  }

  claim('what is asked for before it listens is done once it does', async t => {
    const [early, other] = [new Witness(await kind.create()), new Witness(await kind.create())]
    t.teardown(() => Promise.all([early.transport.stop(), other.transport.stop()]))
    early.transport.subscribe('news')
    const starting = early.transport.start(early.listener)
    early.transport.subscribe('weather')
    await Promise.all([starting, other.transport.start(other.listener)])
    other.transport.subscribe('news')
    other.transport.subscribe('weather')
    await link(other, early)
    for (const topic of ['news', 'weather']) {
      const heard = early.see(seen => seen.what === 'gossip' && seen.topic === topic)
      // Gossip reaches nobody for a moment after a link has opened.
      const timer = setInterval(() => other.transport.publish(topic, bytes(`${topic} ${Math.random()}`)), 50)
      await heard.finally(() => clearInterval(timer))
    }
    t.pass()
  })

  claim('a neighbor is verified at its own address, apart from the link, by either end', async t => {
    const [a, b] = await pair(t)
    await link(a, b)
    // The end that was dialled knows an address of the other only from hearsay.
    b.transport.dial(a.id, a.addresses, true)
    a.transport.dial(b.id, b.addresses, true)
    const met = (node: NodeId) => (seen: Seen) => seen.what === 'verified' && seen.node === node
    const [ofA, ofB] = await Promise.all([b.see(met(a.id)), a.see(met(b.id))])
    t.deepEqual(ofA, { what: 'verified', node: a.id, address: a.addresses[0] as string })
    t.deepEqual(ofB, { what: 'verified', node: b.id, address: b.addresses[0] as string })
    a.transport.dial(b.id, [kind.nowhere], true)
    const failed = await a.see(isFailure)
    t.is(failed.address, kind.nowhere)
    // The link stood through it all, and no second one came of it.
    a.transport.send(b.id, 'link', bytes('still here'))
    await b.see(isMessage('still here'))
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      t.is(one.count(isUp(other.id)), 1)
      t.is(one.count(isDown(other.id)), 0)
    }
  })

  claim('a node that was dialled is a neighbor of both, told once each', async t => {
    const [a, b] = await pair(t)
    await link(a, b)
    const up = await a.see((seen): seen is Extract<Seen, { what: 'up' }> => seen.what === 'up')
    t.is<string | undefined, string | undefined>(up.address, b.addresses[0])
    t.true(up.outbound)
    a.transport.dial(b.id, b.addresses)
    a.transport.send(b.id, 'link', bytes('after'))
    await b.see(isMessage('after'))
    t.is(a.count(isUp(b.id)), 1)
    t.is(b.count(isUp(a.id)), 1)
  })

  claim('a node whose name is not known is dialled by its address', async t => {
    const [a, b] = await pair(t)
    a.transport.dial(null, b.addresses)
    await Promise.all([a.see(isUp(b.id)), b.see(isUp(a.id))])
    t.is(a.count(isFailure), 0)
  })

  claim('messages of a channel arrive whole and in order, both ways', async t => {
    const [a, b] = await pair(t)
    await link(a, b)
    for (let i = 0; i < 200; i++) {
      a.transport.send(b.id, 'link', bytes(`link ${i}`))
      b.transport.send(a.id, 'bulk', bytes(`bulk ${i}`))
    }
    await Promise.all([b.see(isMessage('link 199')), a.see(isMessage('bulk 199'))])
    const texts = (witness: Witness): string[] =>
      witness.seen.flatMap(seen => (seen.what === 'message' ? [seen.text] : []))
    t.deepEqual(
      texts(b),
      Array.from({ length: 200 }, (_, i) => `link ${i}`),
    )
    t.deepEqual(
      texts(a),
      Array.from({ length: 200 }, (_, i) => `bulk ${i}`),
    )
  })

  claim('large chunks go through the bulk channel while the link stays open', async t => {
    const [a, b] = await pair(t)
    await link(a, b)
    for (let i = 0; i < 8; i++) a.transport.send(b.id, 'bulk', new Uint8Array(700_000).fill(65 + i))
    a.transport.send(b.id, 'link', bytes('quick'))
    await b.see(isMessage('quick'))
    await b.see(seen => seen.what === 'message' && seen.channel === 'bulk' && seen.text.startsWith('H'))
    const lengths = b.seen.flatMap(seen =>
      seen.what === 'message' && seen.channel === 'bulk' ? [seen.length] : [],
    )
    t.deepEqual(
      lengths,
      Array.from({ length: 8 }, () => 700_000),
    )
  })

  claim('a direct message reaches a node that is no neighbor, and makes none of it', async t => {
    const [a, b] = await pair(t)
    a.transport.send(b.id, 'direct', bytes('from afar'), b.addresses)
    await b.see(isMessage('from afar'))
    t.is(a.count(isUp(b.id)) + b.count(isUp(a.id)), 0)
  })

  claim('a question is answered, also by a node that is no neighbor', async t => {
    const [a, b] = await pair(t)
    t.is(
      Buffer.from(await a.transport.request(b.id, b.addresses, bytes('one'), 5_000)).toString(),
      'answer to one',
    )
    await link(a, b)
    t.is(Buffer.from(await b.transport.request(a.id, [], bytes('two'), 5_000)).toString(), 'answer to two')
  })

  claim('a question that is not answered in time, or goes nowhere, is rejected', async t => {
    const [a, b] = await pair(t)
    await link(a, b)
    b.answer = () => new Promise(() => {})
    await t.throwsAsync(a.transport.request(b.id, [], bytes('?'), 200), { code: 'PEER_UNREACHABLE' })
    await t.throwsAsync(b.transport.request(await stranger(kind), [kind.nowhere], bytes('?'), 1_000), {
      code: 'PEER_UNREACHABLE',
    })
  })

  claim('who hangs up knows that it did, and the other end sees a broken link', async t => {
    const [a, b] = await pair(t)
    await link(a, b)
    a.transport.hangUp(b.id)
    const [here, there] = await Promise.all([a.see(isDown(b.id)), b.see(isDown(a.id))])
    t.false(here.what === 'down' && here.reset)
    t.true(there.what === 'down' && there.reset)
  })

  claim('a neighbor that stops is down, its address refuses, and it can come back', async t => {
    const [a, b] = await pair(t)
    await link(a, b)
    await b.transport.stop()
    const down = await a.see(isDown(b.id))
    t.true(down.what === 'down' && down.reset)
    a.transport.dial(b.id, b.addresses)
    t.is((await a.see(isFailure)).reason, 'refused')
  })

  claim('a link can be made again after it was hung up', async t => {
    const [a, b] = await pair(t)
    await link(a, b)
    a.transport.hangUp(b.id)
    await Promise.all([a.see(isDown(b.id)), b.see(isDown(a.id))])
    b.transport.dial(a.id, a.addresses)
    await Promise.all([a, b].map(each => each.see(() => each.count(seen => seen.what === 'up') === 2)))
    b.transport.send(a.id, 'link', bytes('again'))
    await a.see(isMessage('again'))
    t.pass()
  })

  claim('the end of a link that was hung up is told before the next one begins', async t => {
    const [a, b] = await pair(t)
    await link(a, b)
    b.transport.hangUp(a.id)
    a.transport.hangUp(b.id)
    await b.see(isDown(a.id))
    b.transport.dial(a.id, a.addresses)
    await Promise.all([a, b].map(each => each.see(() => each.count(seen => seen.what === 'up') === 2)))
    b.transport.send(a.id, 'link', bytes('in time'))
    await a.see(isMessage('in time'))
    for (const each of [a, b]) {
      const links = each.seen.flatMap(({ what }) => (what === 'up' || what === 'down' ? [what] : []))
      t.deepEqual(links, ['up', 'down', 'up'])
    }
  })

  claim('of each address that fails the reason is told', async t => {
    const [a, b] = await pair(t)
    const reason = async (node: NodeId | null, address: string): Promise<DialFailure> => {
      a.transport.dial(node, [address])
      return (
        await a.see(
          (seen): seen is Extract<Seen, { what: 'failed' }> => isFailure(seen) && seen.address === address,
        )
      ).reason
    }
    t.is(await reason(await stranger(kind), kind.nowhere), 'refused')
    t.is(await reason(await stranger(kind), b.addresses[0] as string), 'identity')
    t.is(await reason(null, a.addresses[0] as string), 'self')
    t.is(await reason(null, 'not an address'), 'unreachable')
    t.is(a.count(isUp(b.id)), 0)
  })

  claim(
    'a call that the other host takes is told before it leads to a link, and a refused one is not',
    async t => {
      const [a, b, c] = (await startAll(t, kind, 3)) as [Witness, Witness, Witness]
      a.transport.dial(c.id, [kind.nowhere], false)
      await a.see(seen => isFailure(seen) && seen.reason === 'refused')
      t.false(a.seen.some(isAccepted))
      // Somebody else takes the next.
      const [address = ''] = b.addresses
      a.transport.dial(c.id, [address], false)
      await a.see(seen => isFailure(seen) && seen.reason === 'identity')
      t.true(a.seen.some(seen => isAccepted(seen) && seen.node === c.id))
      a.transport.dial(b.id, [address], false)
      await a.see(isUp(b.id))
      const accepted = a.seen.findIndex(seen => isAccepted(seen) && seen.node === b.id)
      t.true(accepted >= 0 && accepted < a.seen.findIndex(isUp(b.id)))
    },
  )

  claim('an address is verified apart from the link that stands, and no link comes of it', async t => {
    const [a, b, c] = (await startAll(t, kind, 3)) as [Witness, Witness, Witness]
    await link(b, a)
    const [address = ''] = b.addresses
    a.transport.dial(b.id, [address], true)
    await a.see(seen => seen.what === 'verified' && seen.node === b.id && seen.address === address)
    a.transport.dial(b.id, [c.addresses[0] ?? ''], true)
    const wrong = await a.see(isFailure)
    t.is(wrong.reason, 'identity')
    a.transport.dial(b.id, [kind.nowhere], true)
    await a.see(seen => seen.what === 'failed' && seen.address === kind.nowhere && seen.reason === 'refused')
    t.is(a.count(isUp(b.id)), 1)
    t.is(a.count(isDown(b.id)), 0)
    t.is(
      c.count(seen => seen.what === 'up'),
      0,
    )
  })

  claim('a good address wins, and the bad ones beside it are told', async t => {
    const [a, b] = await pair(t)
    a.transport.dial(b.id, [kind.nowhere, ...b.addresses])
    await a.see(isUp(b.id))
    t.is(a.count(isUp(b.id)), 1)
    t.true(
      a.seen
        .filter(isFailure)
        .every(failure => failure.address === kind.nowhere && failure.reason === 'refused'),
    )
  })

  claim('nodes that dial each other at once have one link, and lose nothing on it', async t => {
    for (let round = 0; round < 5; round++) {
      const [a, b] = await pair(t)
      a.transport.dial(b.id, b.addresses)
      b.transport.dial(a.id, a.addresses)
      await Promise.all([a.see(isUp(b.id)), b.see(isUp(a.id))])
      for (let i = 0; i < 50; i++) {
        a.transport.send(b.id, 'link', bytes(`a${i}`))
        b.transport.send(a.id, 'link', bytes(`b${i}`))
        await new Promise(resolve => setImmediate(resolve))
      }
      for (let i = 0; i < 50; i++) await Promise.all([b.see(isMessage(`a${i}`)), a.see(isMessage(`b${i}`))])
      t.is(
        a.count(seen => seen.what === 'up' || seen.what === 'down'),
        1,
      )
      t.is(
        b.count(seen => seen.what === 'up' || seen.what === 'down'),
        1,
      )
      t.is(
        a.count(seen => seen.what === 'message'),
        50,
      )
    }
  })

  claim('gossip reaches those who subscribed, across a node between', async t => {
    const [a, b, c] = (await startAll(t, kind, 3)) as [Witness, Witness, Witness]
    for (const each of [a, b, c]) each.transport.subscribe('rumors')
    await link(a, b)
    await link(b, c)
    await repeat(
      () => a.transport.publish('rumors', bytes('news')),
      c.see(seen => seen.what === 'gossip' && seen.text === 'news'),
    )
    const heard = await c.see((seen): seen is Extract<Seen, { what: 'gossip' }> => seen.what === 'gossip')
    t.is(heard.node, a.id)
    t.is(heard.topic, 'rumors')
    t.is(
      a.count(seen => seen.what === 'gossip'),
      0,
    )
  })

  claim('what a node does not accept it does not pass on', async t => {
    const [a, b, c] = (await startAll(t, kind, 3)) as [Witness, Witness, Witness]
    for (const each of [a, b, c]) each.transport.subscribe('rumors')
    b.judge = text => (text === 'bad' ? 'reject' : text === 'dull' ? 'ignore' : 'accept')
    await link(a, b)
    await link(b, c)
    await repeat(
      () => a.transport.publish('rumors', bytes('good')),
      c.see(seen => seen.what === 'gossip'),
    )
    a.transport.publish('rumors', bytes('bad'))
    a.transport.publish('rumors', bytes('dull'))
    a.transport.publish('rumors', bytes('last'))
    await c.see(seen => seen.what === 'gossip' && seen.text === 'last')
    t.is(
      b.count(seen => seen.what === 'gossip' && (seen.text === 'bad' || seen.text === 'dull')),
      2,
    )
    t.is(
      c.count(seen => seen.what === 'gossip' && (seen.text === 'bad' || seen.text === 'dull')),
      0,
    )
  })

  claim('who subscribes late, and who subscribed before, hear each other', async t => {
    const [a, b] = await pair(t)
    await link(a, b)
    a.transport.subscribe('late')
    await repeat(() => a.transport.send(b.id, 'link', bytes('subscribed')), b.see(isMessage('subscribed')))
    b.transport.subscribe('late')
    await repeat(
      () => b.transport.publish('late', bytes('to a')),
      a.see(seen => seen.what === 'gossip' && seen.text === 'to a'),
    )
    await repeat(
      () => a.transport.publish('late', bytes('to b')),
      b.see(seen => seen.what === 'gossip' && seen.text === 'to b'),
    )
    b.transport.unsubscribe('late')
    t.pass()
  })

  claim('a banned node is cut off and cannot come back', async t => {
    const [a, b] = await pair(t)
    await link(a, b)
    a.transport.ban(b.id, 60_000)
    const down = await a.see(isDown(b.id))
    t.false(down.what === 'down' && down.reset)
    await b.see(isDown(a.id))
    b.transport.dial(a.id, a.addresses)
    await b.see(seen => isFailure(seen) && seen.reason === 'failed')
    t.is(a.count(isUp(b.id)), 1)
  })

  claim('what is sent to nobody is dropped and counted', async t => {
    const [a, b] = await pair(t)
    a.transport.send(b.id, 'link', bytes('into the void'))
    a.transport.send(b.id, 'bulk', bytes('into the void'))
    t.is(a.transport.traffic().dropped, 2)
  })
}

const stranger = async (kind: TransportKind): Promise<NodeId> => (await kind.create()).self

/** Gossip is a hint: a message before the mesh has formed may be lost, so it is said again until it was heard. */
const repeat = async <T>(say: () => void, heard: Promise<T>): Promise<T> => {
  say()
  const timer = setInterval(say, 100)
  try {
    return await heard
  } finally {
    clearInterval(timer)
  }
}
