// The steady path of a gossip message, without the layers that gossipsub has around it. As it
// comes, a message passes an async iterator for each of three layers, is read and written
// field by field (again for its signature, and again for each neighbor that it goes on to),
// its author's key is parsed anew, and two events tell of it, over half a dozen promises.
// Here it is read from the bytes that came, judged within the turn, and passed on as it was.
//
// What a message means is gossipsub's as before: who is in which mesh, who is sent what, what
// was seen, scores, promises and its cache, for all of which its own parts are called in its
// own order. What is no plain message (subscriptions, control, an author whose key is no
// Ed25519 key) takes gossipsub's own path.

import { type gossipsub, TopicValidatorResult } from '@chainsafe/libp2p-gossipsub'
import type { Ed25519PrivateKey, PeerId, Stream } from '@libp2p/interface'
import { toLatin1 } from './bytes.js'
import { FrameReader } from './frames.js'
import { type Author, Authors, isSignedBy, messageId, OwnMessages } from './gossip-authors.js'
import { GossipMessage, readMessages } from './gossip-message.js'

export type Service = ReturnType<ReturnType<typeof gossipsub>>
export type Validator =
  Service['topicValidators'] extends Map<string, infer V extends (...args: never[]) => unknown> ? V : never
type Verdict = Awaited<ReturnType<Validator>>

interface Rpc {
  messages: { topic: string; data?: Uint8Array }[]
  readonly subscriptions: readonly unknown[]
  readonly control?: unknown
}

interface Id {
  readonly msgId: Uint8Array
  readonly msgIdStr: string
}

interface Cache<V> {
  has(key: string): boolean
  get(key: string): V | undefined
  put(key: string, value?: V): boolean
}

/** What gossipsub has beside its published interface and is needed for its messages. */
export interface Insides {
  readonly opts: { readonly idontwantMinDataSize: number; readonly maxInboundDataLength: number }
  readonly decodeRpcLimits: { readonly maxMessages: number }
  readonly publishConfig: { readonly author: PeerId; readonly privateKey: Ed25519PrivateKey }
  readonly peers: ReadonlyMap<string, PeerId>
  readonly streamsInbound: Map<string, { close(): Promise<void> }>
  readonly streamsOutbound: ReadonlyMap<string, { pushPrefixed(frame: Uint8Array): void }>
  /** What waits to go along with the next words to a neighbor. */
  readonly control: ReadonlyMap<string, unknown>
  readonly gossip: ReadonlyMap<string, unknown>
  readonly fastMsgIdCache: Cache<string>
  readonly seenCache: Cache<void>
  readonly publishedMessageIds: Cache<void>
  readonly mcache: {
    put(id: Id, message: GossipMessage, validated: boolean): boolean
    observeDuplicate(id: string, from: string): void
  }
  readonly score: {
    duplicateMessage(from: string, id: string, topic: string): void
    rejectInvalidMessage(from: string, topic: string): void
    rejectMessage(from: string, id: string, topic: string, reason: string): void
    validateMessage(id: string): void
  }
  readonly gossipTracer: {
    deliverMessage(id: string, isDuplicate?: boolean): void
    rejectMessage(id: string, reason: string): void
  }
  isStarted(): boolean
  acceptFrom(id: string): boolean
  msgIdToStrFn(id: Uint8Array): string
  selectPeersToPublish(topic: string): { readonly tosend: Iterable<string> }
  sendIDontWants(id: Uint8Array, topic: string, source: string): void
  decodeRpc(bytes: Uint8Array): Rpc
  handleReceivedRpc(from: PeerId, rpc: Rpc): Promise<void>
  handleReceivedMessage(from: PeerId, message: GossipMessage): Promise<void>
  handlePeerReadStreamError(error: unknown, peer: PeerId): void
  createInboundStream(peer: PeerId, stream: Stream): void
  sendRpc(id: string, rpc: Rpc): boolean
}

export interface QuickGossipHooks {
  /** Asked before anything is verified or remembered. */
  isWelcome(from: string, topic: string, bytes: number): boolean
  /** A message was found good, and may be passed on. */
  onGood(id: string, from: string): void
}

export class QuickGossip {
  readonly #insides: Insides
  readonly #validators: Service['topicValidators']
  readonly #hooks: QuickGossipHooks
  readonly #authors = new Authors()
  readonly #own: OwnMessages

  /** To be called when the service has started and before anybody is connected. */
  constructor(service: Service, hooks: QuickGossipHooks) {
    const insides = service as unknown as Insides
    this.#insides = insides
    this.#validators = service.topicValidators
    this.#hooks = hooks
    this.#own = new OwnMessages(insides.publishConfig.author, insides.publishConfig.privateKey)
    insides.createInboundStream = (peer, stream) => this.#listen(peer, stream)
    const sendRpc = insides.sendRpc.bind(service)
    insides.sendRpc = (id, rpc) => this.#passOn(id, rpc) ?? sendRpc(id, rpc)
  }

  publish(topic: string, data: Uint8Array): void {
    const insides = this.#insides
    const message = this.#own.write(topic, data)
    const id = this.#id(message)
    const { tosend } = insides.selectPeersToPublish(topic)
    insides.seenCache.put(id.msgIdStr)
    insides.mcache.put(id, message, true)
    insides.gossipTracer.deliverMessage(id.msgIdStr)
    insides.publishedMessageIds.put(id.msgIdStr)
    for (const node of tosend) this.#push(node, message)
  }

  /** A neighbor's newest stream is the one that counts. */
  #listen(peer: PeerId, stream: Stream): void {
    const insides = this.#insides
    const node = peer.toString()
    if (!insides.isStarted() || !insides.peers.has(node)) return
    void insides.streamsInbound.get(node)?.close()
    const close = (): Promise<void> => stream.close().catch(error => stream.abort(error as Error))
    insides.streamsInbound.set(node, { close })

    const max = insides.opts.maxInboundDataLength
    const frames = new FrameReader(max, max * 4)
    const fail = (error: unknown): void => {
      stream.removeEventListener('message', hear)
      insides.handlePeerReadStreamError(error, peer)
    }
    const hear = ({ data }: { readonly data: Parameters<FrameReader['read']>[0] }): void => {
      try {
        for (const rpc of frames.read(data)) this.#hear(peer, node, rpc.subarray())
      } catch (error) {
        fail(error)
      }
    }
    stream.addEventListener('message', hear)
    stream.addEventListener('remoteCloseWrite', () => {
      if (frames.isInMidst) fail(new Error('gossip ended in the midst of a frame'))
    })
    stream.addEventListener('close', ({ error }) => {
      if (error !== undefined) fail(error)
    })
  }

  #hear(peer: PeerId, node: string, bytes: Uint8Array): void {
    const insides = this.#insides
    const messages = readMessages(bytes, insides.decodeRpcLimits.maxMessages)
    if (messages === null) return this.#hearOther(peer, node, bytes)
    const welcome = messages.filter(({ topic, data }) => this.#hooks.isWelcome(node, topic, data.byteLength))
    if (!insides.acceptFrom(node)) return
    for (const message of welcome) this.#receive(peer, node, message)
  }

  /** What cannot be read is dropped, and costs its sender nothing, as gossipsub has it. */
  #hearOther(peer: PeerId, node: string, bytes: Uint8Array): void {
    let rpc: Rpc
    try {
      rpc = this.#insides.decodeRpc(bytes)
    } catch {
      return
    }
    rpc.messages = rpc.messages.filter(({ topic, data }) =>
      this.#hooks.isWelcome(node, topic, data?.byteLength ?? 0),
    )
    this.#insides.handleReceivedRpc(peer, rpc).catch(() => {})
  }

  #receive(peer: PeerId, node: string, message: GossipMessage): void {
    const insides = this.#insides
    const { topic, signature } = message
    // A copy of one that was found good is known by its signature, and not verified again.
    const fastId = toLatin1(signature)
    const known = insides.fastMsgIdCache.get(fastId)
    if (known !== undefined) return this.#duplicate(node, known, topic)
    const author = this.#authors.of(message)
    if (author === null) {
      insides.handleReceivedMessage(peer, message).catch(() => {})
      return
    }
    if (!isSignedBy(message, author)) return insides.score.rejectInvalidMessage(node, topic)
    const id = this.#id(message)
    const { msgId, msgIdStr } = id
    insides.fastMsgIdCache.put(fastId, msgIdStr)
    if (insides.seenCache.has(msgIdStr)) return this.#duplicate(node, msgIdStr, topic)
    insides.seenCache.put(msgIdStr)
    if (message.data.length >= insides.opts.idontwantMinDataSize) insides.sendIDontWants(msgId, topic, node)
    const verdict = this.#judge(peer, message, author)
    if (verdict !== TopicValidatorResult.Accept) {
      insides.score.rejectMessage(node, msgIdStr, topic, verdict)
      insides.gossipTracer.rejectMessage(msgIdStr, verdict)
      return
    }
    insides.score.validateMessage(msgIdStr)
    insides.gossipTracer.deliverMessage(msgIdStr)
    insides.mcache.put(id, message, false)
    this.#hooks.onGood(msgIdStr, node)
  }

  /** As gossipsub has it: what cannot be judged is not passed on, and what nobody judges is. */
  #judge(peer: PeerId, { topic, data, seqno, signature }: GossipMessage, author: Author): Verdict {
    const validate = this.#validators.get(topic)
    if (validate === undefined) return TopicValidatorResult.Accept
    const sequenceNumber = new DataView(seqno.buffer, seqno.byteOffset).getBigUint64(0)
    const { peer: from, publicKey: key } = author
    try {
      return validate(peer, { type: 'signed', from, data, sequenceNumber, topic, signature, key }) as Verdict
    } catch {
      return TopicValidatorResult.Ignore
    }
  }

  #duplicate(node: string, id: string, topic: string): void {
    const { score, gossipTracer, mcache } = this.#insides
    score.duplicateMessage(node, id, topic)
    gossipTracer.deliverMessage(id, true)
    mcache.observeDuplicate(id, node)
  }

  /** Null where more than one message goes, or something along with it. */
  #passOn(node: string, { messages, subscriptions, control }: Rpc): boolean | null {
    const [message] = messages
    const isPlain = message instanceof GossipMessage && messages.length === 1 && subscriptions.length === 0
    if (!isPlain || control !== undefined) return null
    if (this.#insides.control.has(node) || this.#insides.gossip.has(node)) return null
    return this.#push(node, message)
  }

  #push(node: string, message: GossipMessage): boolean {
    try {
      const stream = this.#insides.streamsOutbound.get(node)
      stream?.pushPrefixed(message.frame())
      return stream !== undefined
    } catch {
      // The stream has just closed, or what waits for it has become too much, and it says so by its own event.
      return false
    }
  }

  #id(message: GossipMessage): Id {
    const msgId = messageId(message)
    return { msgId, msgIdStr: this.#insides.msgIdToStrFn(msgId) }
  }
}
