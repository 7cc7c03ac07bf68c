// Streams that take the short way beside the same that do not: whatever is done to both,
// the same goes out, and the same is heard.

import { AbstractMessageStream } from '@libp2p/utils'
import test from 'ava'
import fc from 'fast-check'
import { Uint8ArrayList } from 'uint8arraylist'
import { quicken } from '../../../src/adapters/libp2p/quick-streams.js'
import { silentLogger } from '../../../src/adapters/libp2p/silent-logger.js'

type Data = Uint8Array | Uint8ArrayList

/** Passes on what there is room for, and writes down all that happens. */
class Below extends AbstractMessageStream {
  readonly happened: string[] = []
  room = 0
  broken = false

  constructor() {
    super({ log: silentLogger().forComponent('') })
    for (const type of ['idle', 'drain', 'end', 'close', 'remoteCloseWrite'])
      this.addEventListener(type as 'idle', () => this.happened.push(type))
  }

  pass(data: Data, bytes: number): boolean {
    if (this.broken) throw new Error('broken')
    this.happened.push(`sent ${Buffer.from(data.subarray(0, bytes)).toString('hex')}`)
    this.room -= bytes
    return this.room > 0
  }
  sendData(data: Uint8ArrayList) {
    const sentBytes = Math.min(data.byteLength, Math.max(this.room, 0))
    return { sentBytes, canSendMore: sentBytes === 0 ? false : this.pass(data, sentBytes) }
  }
  async close() {}
  sendPause() {}
  sendResume() {}
  sendReset() {}

  drain(bytes: number): void {
    this.room += bytes
    this.onMuxerDrain()
  }
  receive(data: Data): void {
    this.onData(data)
  }
  otherEnds(): void {
    this.onRemoteCloseWrite()
  }
}

const quick = (): Below => {
  const stream = new Below()
  return quicken(stream, { write: data => stream.pass(data, data.length), most: () => stream.room })
}

type Step = (stream: Below) => unknown

const hear = (stream: Below) => (event: { readonly data: Data }) =>
  stream.happened.push(`heard ${Buffer.from(event.data.subarray()).toString('hex')}`)
const said = (stream: Below, act: () => unknown): void => {
  try {
    stream.happened.push(`is ${act()}`)
  } catch (error) {
    stream.happened.push((error as Error).name)
  }
}

const bytes = fc.uint8Array({ maxLength: 12 })
const listed = fc.boolean()
const as = (data: Uint8Array, isList: boolean): Data => (isList ? new Uint8ArrayList(data) : data)
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(bytes, listed).map(
      ([data, list]) =>
        (stream: Below) =>
          said(stream, () => stream.send(as(data, list))),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(bytes, listed).map(
      ([data, list]) =>
        (stream: Below) =>
          stream.receive(as(data, list)),
    ),
  },
  { weight: 4, arbitrary: fc.nat(60).map(room => (stream: Below) => stream.drain(room)) },
  { weight: 2, arbitrary: fc.constant((stream: Below) => said(stream, () => stream.pause())) },
  { weight: 3, arbitrary: fc.constant((stream: Below) => said(stream, () => stream.resume())) },
  { weight: 3, arbitrary: fc.constant((stream: Below) => stream.addEventListener('message', hear(stream))) },
  {
    weight: 1,
    arbitrary: fc.constant((stream: Below) =>
      stream.addEventListener('message', hear(stream), { once: true }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constant((stream: Below) => said(stream, () => stream.unshift(Buffer.from('first')))),
  },
  { weight: 1, arbitrary: fc.constant((stream: Below) => stream.otherEnds()) },
  { weight: 1, arbitrary: fc.constant((stream: Below) => stream.onTransportClosed()) },
  { weight: 1, arbitrary: fc.constant((stream: Below) => stream.abort(new Error('enough'))) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Step>(
      stream => stream.addEventListener('message', () => said(stream, () => stream.pause())),
      stream => stream.addEventListener('message', ({ data }) => said(stream, () => stream.send(data))),
      stream => stream.addEventListener('message', () => stream.abort(new Error('enough')), { once: true }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constant((stream: Below) => {
      stream.broken = true
    }),
  },
)

const standing = (stream: Below) => ({
  happened: stream.happened,
  status: stream.status,
  read: [stream.readStatus, stream.remoteWriteStatus, stream.readBufferLength],
  write: [stream.writeStatus, stream.writeBufferLength, stream.writableNeedsDrain],
  listeners: stream.listenerCount('message'),
})

test.serial('whatever is done to a stream, it does as one that takes the long way', async t => {
  let sent = 0
  await fc.assert(
    fc.asyncProperty(fc.nat(40), fc.array(steps, { maxLength: 40 }), async (room, steps) => {
      const [ours, plain] = [quick(), new Below()]
      for (const stream of [ours, plain]) stream.room = room
      for (const step of steps) {
        for (const stream of [ours, plain]) step(stream)
        // What is put off to a microtask, or a timer without delay.
        await new Promise<void>(resolve => setTimeout(resolve, 0))
        t.deepEqual(standing(ours), standing(plain))
      }
      sent += ours.happened.length
    }),
    { numRuns: 200 },
  )
  t.true(sent > 500)
})

test.serial('who fails to hear keeps nobody else from it, and is no fault of the stream', t => {
  const stream = quick()
  stream.addEventListener('message', () => {
    throw new Error('mine')
  })
  stream.addEventListener('message', hear(stream))
  const later: (() => void)[] = []
  const { nextTick } = process
  process.nextTick = (work: () => void) => void later.push(work)
  try {
    stream.receive(Buffer.from([1]))
  } finally {
    process.nextTick = nextTick
  }
  t.deepEqual(stream.happened, ['heard 01'])
  t.is(stream.status, 'open')
  t.is(later.length, 1)
  t.throws(later[0] as () => void, { message: 'mine' })
})

test('who leaves while it is told hears no more, and who came after it hears all', t => {
  const stream = quick()
  const once = (): void => {
    stream.happened.push('once')
    stream.removeEventListener('message', once)
  }
  stream.addEventListener('message', once)
  stream.addEventListener('message', hear(stream))
  stream.receive(Buffer.from([1]))
  stream.receive(Buffer.from([2]))
  t.deepEqual(stream.happened, ['once', 'heard 01', 'heard 02'])
})
