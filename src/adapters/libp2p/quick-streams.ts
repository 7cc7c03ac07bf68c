// What a message costs on its way through a layer of a connection: socket, mesh key, noise,
// yamux's stream. As they come, each of the four puts it into a list, cuts it out again,
// copies the list, and asks for lengths some twenty times, and hands what it has read on by
// an event, with all that the web's events can do. That is for streams that are full, paused
// or closing. One that is neither and has nothing waiting, as nearly always, here hands on
// what it is given as it is, and calls its listeners.
//
// Everything else goes the long way, and what waits there goes first, so order stays.

import type { MessageStream } from '@libp2p/interface'

type Data = Parameters<MessageStream['send']>[0]
type Listener = (event: MessageEvent) => void

/** What a listener of a stream's messages reads. */
interface MessageEvent {
  readonly type: 'message'
  readonly data: Data
}

/** What libp2p's streams have beside their interface. */
interface Insides {
  readonly readStatus: string
  readonly writeStatus: string
  readonly remoteWriteStatus: string
  readonly readBuffer: { readonly length: number }
  readonly writeBuffer: { readonly length: number; prepend(data: Uint8Array): void }
  readonly writableNeedsDrain: boolean
  sendingData: boolean
  onData(data: Data): void
  processSendQueue(): boolean
  dispatchReadBuffer(): void
  onMuxerNeedsDrain(): void
  abort(error: Error): void
  listenerCount(type: string): number
  safeDispatchEvent(type: string): boolean
  addEventListener(type: string, listener: unknown, options?: unknown): void
  removeEventListener(type: string, listener: unknown, options?: unknown): void
  dispatchEvent(event: Event): boolean
  send(data: Data): boolean
}

export interface Layer {
  /** Passes so many bytes on, at least one and all of them; says whether there is room for more. */
  write(data: Uint8Array): boolean
  /** How many can be passed on at once. */
  most(): number
}

/** To be called before anybody else listens to the stream. */
export const quicken = <Stream extends MessageStream>(stream: Stream, layer: Layer): Stream => {
  const insides = stream as unknown as Insides
  quickenReading(insides)
  quickenSending(insides, layer)
  return stream
}

const quickenSending = (stream: Insides, layer: Layer): void => {
  const send = stream.send.bind(stream)
  const add = stream.addEventListener.bind(stream)
  /** Whether anybody ever wanted to know when all is sent: who closes while something waits. */
  let isAsked = stream.listenerCount('idle') > 0
  stream.addEventListener = (type, listener, options) => {
    if (type === 'idle') isAsked = true
    add(type, listener, options)
  }
  stream.send = data => {
    const isQuick =
      stream.writeStatus === 'writable' &&
      !stream.sendingData &&
      !stream.writableNeedsDrain &&
      data instanceof Uint8Array &&
      data.length > 0 &&
      data.length <= layer.most() &&
      stream.writeBuffer.length === 0
    if (!isQuick) return send(data)
    let hasRoom: boolean
    stream.sendingData = true
    try {
      hasRoom = layer.write(data)
    } catch (error) {
      // So that who waits for it to go hears that it does not.
      stream.writeBuffer.prepend(data)
      stream.abort(error as Error)
      throw error
    } finally {
      stream.sendingData = false
    }
    if (!hasRoom) stream.onMuxerNeedsDrain()
    // What came meanwhile, in answer to what was sent.
    if (stream.writeBuffer.length > 0) return stream.processSendQueue()
    if (isAsked) stream.safeDispatchEvent('idle')
    return hasRoom
  }
}

const quickenReading = (stream: Insides): void => {
  /** Who listens to messages. Never changed, only replaced: they may leave while they are called. */
  let listeners: readonly Listener[] = []
  /** Whether one of them does so once, or until a signal: then they all hear events. */
  let isLong = false
  const add = stream.addEventListener.bind(stream)
  const remove = stream.removeEventListener.bind(stream)
  const dispatch = stream.dispatchEvent.bind(stream)
  const count = stream.listenerCount.bind(stream)
  const onData = stream.onData.bind(stream)

  stream.addEventListener = (type, listener, options) => {
    if (type !== 'message') return add(type, listener, options)
    if (!isLong && (typeof listener !== 'function' || options !== undefined)) {
      isLong = true
      for (const each of listeners) add(type, each)
      listeners = []
    }
    if (isLong) return add(type, listener, options)
    if (!listeners.includes(listener as Listener)) listeners = [...listeners, listener as Listener]
    // Who begins to listen has more to do before it can be told.
    if (stream.readBuffer.length > 0) queueMicrotask(() => stream.dispatchReadBuffer())
  }
  stream.removeEventListener = (type, listener, options) => {
    if (type !== 'message' || isLong) remove(type, listener, options)
    else listeners = listeners.filter(each => each !== listener)
  }
  stream.listenerCount = type => (type === 'message' && !isLong ? listeners.length : count(type))
  stream.dispatchEvent = event => {
    if (event.type !== 'message' || isLong) return dispatch(event)
    tell(listeners, event as unknown as MessageEvent)
    return true
  }
  stream.onData = data => {
    const isQuick =
      listeners.length > 0 &&
      stream.readStatus === 'readable' &&
      stream.remoteWriteStatus !== 'closed' &&
      data.byteLength > 0 &&
      stream.readBuffer.length === 0
    if (!isQuick) return onData(data)
    tell(listeners, { type: 'message', data })
    // The other end may have ended in what it just said.
    if ((stream.remoteWriteStatus as string) === 'closed') stream.dispatchReadBuffer()
  }
}

/** As with events: who fails keeps nobody from hearing, and is no fault of the stream's. */
const tell = (listeners: readonly Listener[], event: MessageEvent): void => {
  for (const listener of listeners) {
    try {
      listener(event)
    } catch (error) {
      process.nextTick(() => {
        throw error
      })
    }
  }
}
