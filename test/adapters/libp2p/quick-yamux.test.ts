// Two ends of yamux that read and write bytes, or one such and a plain one, with all between
// them cut anywhere.

import { yamux } from '@chainsafe/libp2p-yamux'
import type { MessageStream, Stream, StreamMuxer } from '@libp2p/interface'
import { AbstractMessageStream } from '@libp2p/utils'
import test from 'ava'
import fc from 'fast-check'
import type { Uint8ArrayList } from 'uint8arraylist'
import { quickenMuxer } from '../../../src/adapters/libp2p/quick-yamux.js'
import { silentLogger } from '../../../src/adapters/libp2p/silent-logger.js'

/** One end of a pipe; what it sends arrives in pieces of the next of these sizes. */
class End extends AbstractMessageStream {
  other: End | null = null
  readonly sizes: number[]
  readonly sent: string[] = []
  #waiting: Uint8Array = new Uint8Array(0)

  constructor(direction: 'inbound' | 'outbound', sizes: readonly number[]) {
    super({ log: silentLogger().forComponent(''), direction })
    this.sizes = [...sizes]
  }

  sendData(data: Uint8Array | Uint8ArrayList) {
    const bytes = Buffer.from(data.subarray())
    this.sent.push(bytes.toString('hex'))
    this.#waiting = Buffer.concat([this.#waiting, bytes])
    queueMicrotask(() => this.#deliver())
    return { sentBytes: data.byteLength, canSendMore: true }
  }
  async close() {}
  sendPause() {}
  sendResume() {}
  sendReset() {}

  #deliver(): void {
    while (this.#waiting.length > 0) {
      const size = this.sizes.shift() ?? this.#waiting.length
      const piece = this.#waiting.slice(0, size)
      this.#waiting = this.#waiting.subarray(size)
      this.other?.onData(piece)
    }
  }
}

type Make = (stream: MessageStream) => StreamMuxer
const plain: Make = stream => yamux({ enableKeepAlive: false })().createStreamMuxer(stream)
const quick: Make = stream => quickenMuxer(plain(stream))

const pair = (dialing: Make, called: Make, sizes: readonly number[] = []) => {
  const [a, b] = [new End('outbound', sizes), new End('inbound', sizes)]
  ;[a.other, b.other] = [b, a]
  return { a, b, muxers: [dialing(a), called(b)] as const }
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

const gather = (stream: Stream): Buffer[] => {
  const got: Buffer[] = []
  stream.addEventListener('message', ({ data }) => got.push(Buffer.from(data.subarray())))
  return got
}

/** Opens a stream at each end, says all of it on both ends of each, and ends one and resets the other. */
const talk = async (muxers: readonly [StreamMuxer, StreamMuxer], words: readonly Uint8Array[]) => {
  const heard: Buffer[][] = []
  const ends: string[] = []
  const opened: Stream[] = []
  const take = (stream: Stream): void => {
    heard.push(gather(stream))
    opened.push(stream)
    stream.addEventListener('close', ({ error }) => ends.push(error?.name ?? 'closed'))
  }
  for (const muxer of muxers) muxer.addEventListener('stream', ({ detail }) => take(detail))
  for (const muxer of muxers) {
    take(await muxer.createStream())
    await turn()
  }
  for (const word of words) {
    for (const stream of opened) stream.send(word)
    await turn()
  }
  for (let i = 0; i < 50; i++) await turn()
  await Promise.all(opened.slice(0, 2).map(stream => stream.close()))
  opened[2]?.abort(new Error('enough'))
  for (let i = 0; i < 5; i++) await turn()
  return { heard: heard.map(each => Buffer.concat(each).toString('hex')), ends: ends.sort() }
}

const word = fc.oneof(
  { weight: 5, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 300 }) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 50_000, max: 400_000 }).map(size => new Uint8Array(size).fill(7)),
  },
)

for (const [title, dialing, called] of [
  ['with itself', quick, quick],
  ['with a plain one that dials', plain, quick],
  ['with a plain one that it dials', quick, plain],
] as const) {
  test(`it says and hears all ${title}, however it is cut, and its streams end as plain ones do`, async t => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(word, { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 3_000 }), { maxLength: 40 }),
        async (words, sizes) => {
          const ours = await talk(pair(dialing, called, sizes).muxers, words)
          t.deepEqual(ours.heard, Array(4).fill(Buffer.concat(words).toString('hex')))
          t.deepEqual(ours.ends, (await talk(pair(plain, plain, sizes).muxers, words)).ends)
        },
      ),
      { numRuns: 25 },
    )
  })
}

const WINDOW_UPDATE = '0001'
const granted = ({ sent }: End): number[] =>
  sent
    .filter(frame => frame.startsWith(`${WINDOW_UPDATE}0000`))
    .map(frame => Number.parseInt(frame.slice(16, 24), 16))

test('who is sent little gives nothing back, and who is sent much gives all of it back in a few frames', async t => {
  const { b, muxers } = pair(quick, quick)
  muxers[1].addEventListener('stream', ({ detail }) => gather(detail))
  const stream = await muxers[0].createStream()
  await turn()
  for (let i = 0; i < 100; i++) stream.send(new Uint8Array(200))
  await turn()
  t.deepEqual(granted(b), [])
  for (let i = 0; i < 100; i++) {
    stream.send(new Uint8Array(20_000))
    await turn()
  }
  const all = granted(b)
  t.true(all.length > 10 && all.length <= 31, `${all.length} frames`)
  t.true(all.every(bytes => bytes >= 64 * 1024))
})

test('who pauses gives nothing back until it goes on, and its sender waits', async t => {
  const { b, muxers } = pair(quick, quick)
  const taken: Stream[] = []
  muxers[1].addEventListener('stream', ({ detail }) => taken.push(detail))
  const stream = await muxers[0].createStream()
  await turn()
  const [called] = taken as [Stream]
  const got = gather(called)
  called.pause()
  for (let i = 0; i < 40; i++) stream.send(new Uint8Array(20_000))
  await turn()
  t.deepEqual(granted(b), [])
  t.true(stream.writeBufferLength > 500_000)
  called.resume()
  for (let i = 0; i < 50; i++) await turn()
  t.is(Buffer.concat(got).length, 800_000)
  t.is(stream.writeBufferLength, 0)
})

test('what is no frame of yamux ends it, as it ends a plain one', async t => {
  for (const junk of ['ff0000000000000100000000', '000700000000000100000000', '000300000000000000000001']) {
    const status = async (make: Make): Promise<string> => {
      const { a, muxers } = pair(plain, make)
      a.send(Buffer.from(junk, 'hex'))
      await turn()
      return muxers[1].status
    }
    t.is(await status(quick), await status(plain))
  }
})

test('who begins a frame that no window holds is cut before it is kept', async t => {
  const { a, muxers } = pair(plain, quick)
  a.send(Buffer.from('0000000100000001ffffffff', 'hex'))
  for (let i = 0; i < 20 && muxers[1].status === 'open'; i++) {
    a.send(new Uint8Array(64 * 1024))
    await turn()
  }
  t.is(muxers[1].status, 'closed')
})
