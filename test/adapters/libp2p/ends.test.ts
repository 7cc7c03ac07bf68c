// The end of a socket: who is told of it, when, and that it is told once.

import type { MessageStream } from '@libp2p/interface'
import test from 'ava'
import { Ends } from '../../../src/adapters/libp2p/ends.js'

/** As long as a timer can be: what waits is never done by itself. */
const NEVER_MS = 2 ** 31 - 1

class Socket extends EventTarget {
  readonly timeline = { open: 0 }
  readonly told: string[] = []

  constructor(ends: Ends) {
    super()
    ends.guard(this as unknown as MessageStream)
    this.addEventListener('close', () => this.told.push('libp2p'))
    this.addEventListener('message', () => this.told.push('message'))
  }

  send(): boolean {
    throw new Error('the socket is closed')
  }

  watchedBy(ends: Ends, mayWait: boolean): this {
    ends.watch(this as { timeline: MessageStream['timeline'] }, () => {
      this.told.push('link')
      return mayWait
    })
    return this
  }

  end(): void {
    this.dispatchEvent(new Event('close'))
  }
}

const setUp = (t: { teardown(work: () => void): void }, waitMs = NEVER_MS): Ends => {
  const ends = new Ends(() => waitMs)
  t.teardown(() => ends.stop())
  return ends
}

test('the link hears of the end of its socket at once, and libp2p when the wait is over', async t => {
  const ends = setUp(t, 1)
  const socket = new Socket(ends).watchedBy(ends, true)
  const heard = new Promise(resolve => socket.addEventListener('close', resolve))
  socket.dispatchEvent(new Event('message'))
  socket.end()
  t.deepEqual(socket.told, ['message', 'link'])
  await heard
  t.deepEqual(socket.told, ['message', 'link', 'libp2p'])
})

test('what is sent while an end waits is no error', t => {
  const ends = setUp(t)
  const socket = new Socket(ends).watchedBy(ends, true)
  t.throws(() => socket.send())
  socket.end()
  t.true(socket.send())
})

test('libp2p hears at once of what is no link, or may not wait', t => {
  const ends = setUp(t)
  const stranger = new Socket(ends)
  stranger.end()
  t.deepEqual(stranger.told, ['libp2p'])
  const busy = new Socket(ends).watchedBy(ends, false)
  busy.end()
  t.deepEqual(busy.told, ['link', 'libp2p'])
})

test('before another socket, all that wait are done, each once', t => {
  const ends = setUp(t)
  const sockets = Array.from({ length: 3 }, () => new Socket(ends).watchedBy(ends, true))
  for (const socket of sockets) {
    // Who hears of an end may begin another connection.
    socket.addEventListener('close', () => ends.finish())
    socket.end()
  }
  new Socket(ends)
  for (const { told } of sockets) t.deepEqual(told, ['link', 'libp2p'])
  ends.finish()
  for (const { told } of sockets) t.deepEqual(told, ['link', 'libp2p'])
})

test('once it has stopped nothing waits, also what ends because of that', t => {
  const ends = setUp(t)
  const [waiting, later, stopping] = Array.from({ length: 3 }, () => new Socket(ends).watchedBy(ends, true))
  waiting?.end()
  const { timeline } = stopping as Socket
  ends.watch({ timeline }, () => {
    ends.stop()
    return true
  })
  stopping?.end()
  t.deepEqual(waiting?.told, ['link', 'libp2p'])
  t.deepEqual(stopping?.told, ['libp2p'])
  later?.end()
  t.deepEqual(later?.told, ['libp2p'])
})
