// Live events: they come as they happen, resume where a reader left off, and a slow
// reader is its own problem.

import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import test from 'ava'
import { createEventStreams } from '../../src/adapters/http/event-streams.js'
import { HTTP_LIMITS } from '../../src/adapters/http/limits.js'
import type { NodeApi } from '../../src/adapters/http/node-api.js'
import type { MeshEvent } from '../../src/core/mesh-event.js'
import { createJournal, type Journal } from '../../src/runtime/journal.js'
import { openStream, withNode } from './fixture.js'

test('a reader hears what happens from now on, with ids that name the life of the node', async t => {
  await withNode({}, async node => {
    const stream = await openStream(node.port)
    t.is(stream.status, 200)
    t.regex(String(stream.headers['content-type']), /^text\/event-stream/)
    const before = node.node.journal.lastSeq
    await node.node.space('s').set('k', 1)
    const event = await stream.next()
    t.is(event.data.seq, before + 1)
    t.is(event.id, `${node.node.startedAt}-${before + 1}`)
    stream.close()
  })
})

test('a reader resumes after its last event, and has everything when the node was restarted', async t => {
  await withNode({}, async node => {
    for (let i = 0; i < 20; i++) await node.node.space('s').set('k', i)
    const { lastSeq } = node.node.journal
    const resumed = await openStream(node.port, '/v1/events', {
      'Last-Event-ID': `${node.node.startedAt}-${lastSeq - 3}`,
    })
    t.is((await resumed.next()).data.seq, lastSeq - 2)
    const another = await openStream(node.port, '/v1/events', { 'Last-Event-ID': `12345-${lastSeq - 3}` })
    t.is((await another.next()).data.seq, 1)
    const since = await openStream(node.port, `/v1/events?since=${lastSeq - 1}`)
    t.is((await since.next()).data.seq, lastSeq)
    for (const stream of [resumed, another, since]) stream.close()
    const wrong = await node.ask('GET', '/v1/events', {
      headers: { Accept: 'text/event-stream', 'Last-Event-ID': 'x' },
    })
    t.is(wrong.status, 400)
  })
})

test('streams end when the node stops', async t => {
  await withNode({}, async node => {
    const stream = await openStream(node.port)
    await node.node.close()
    await stream.ended
    t.pass()
  })
})

/** A reader whose socket takes what the test lets it take. */
class Socket extends EventEmitter {
  text = ''
  isFull = false
  destroyed = false
  readonly socket = null
  writeHead(): void {}
  write(bytes: Buffer | string): boolean {
    this.text += bytes.toString()
    return !this.isFull
  }
  end(): void {}
  destroy(): void {
    this.destroyed = true
    this.emit('close')
  }
  get seqs(): number[] {
    return [...this.text.matchAll(/^id: \d+-(\d+)$/gm)].map(([, seq]) => Number(seq))
  }
}

const open = (journal: Journal, limits = HTTP_LIMITS.streams, max = 10) => {
  const node = { journal, startedAt: 7, id: 'n' } as unknown as NodeApi
  const streams = createEventStreams(node, { ...limits, batchMs: 0 }, max)
  return {
    streams,
    reader(after: number): Socket {
      const socket = new Socket()
      streams.open(socket as unknown as ServerResponse, after, {})
      return socket
    },
  }
}

const happen = (journal: Journal, count: number): void => {
  for (let i = 0; i < count; i++) {
    journal.add({ kind: 'state.changed', at: i, space: 's', keys: ['x'.repeat(100)] } as unknown as MeshEvent)
  }
}

const turns = async (count = 50): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve))
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)

test('every reader gets every event once, in order, wherever it began', async t => {
  const journal = createJournal(error => t.fail(String(error)))
  happen(journal, 100)
  const { streams, reader } = open(journal)
  const readers = [reader(0), reader(50), reader(100)]
  await turns()
  happen(journal, 900)
  await turns()
  happen(journal, 1)
  await turns()
  t.deepEqual(readers[0]?.seqs, range(1, 1_001))
  t.deepEqual(readers[1]?.seqs, range(51, 1_001))
  t.deepEqual(readers[2]?.seqs, range(101, 1_001))
  streams.close()
})

test('a slow reader holds one chunk, catches up when it can, and delays nobody', async t => {
  const journal = createJournal(error => t.fail(String(error)))
  const { streams, reader } = open(journal)
  const slow = reader(0)
  const quick = reader(0)
  slow.isFull = true
  for (let round = 0; round < 8; round++) {
    happen(journal, 1_000)
    await turns()
  }
  t.is(quick.seqs.length, 8_000)
  t.true(slow.text.length <= HTTP_LIMITS.streams.chunkBytes + 200, `${slow.text.length} bytes were pushed`)
  slow.isFull = false
  slow.emit('drain')
  await turns()
  t.deepEqual(slow.seqs, range(1, 8_000))
  streams.close()
})

test('a reader for whom something would be missing is dropped, the others stay', async t => {
  const journal = createJournal(error => t.fail(String(error)))
  const { streams, reader } = open(journal)
  const slow = reader(0)
  const quick = reader(0)
  slow.isFull = true
  happen(journal, 1)
  await turns()
  for (let round = 0; round < 11; round++) {
    happen(journal, 1_000)
    await turns()
  }
  t.true(slow.destroyed)
  t.false(quick.destroyed)
  t.is(streams.count, 1)
  t.is(streams.dropped, 1)
  t.is(quick.seqs.length, 11_001)
  streams.close()
})

test('no more streams than the limit', async t => {
  const journal = createJournal(error => t.fail(String(error)))
  const { streams, reader } = open(journal, HTTP_LIMITS.streams, 2)
  const first = reader(0)
  reader(0)
  t.throws(() => reader(0), { code: 'STREAMS_TOO_MANY' })
  first.destroy()
  t.notThrows(() => reader(0))
  streams.close()
})
