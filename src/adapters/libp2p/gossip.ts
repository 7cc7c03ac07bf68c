// Gossipsub, set for a fleet: messages are signed by their author, validated
// before they are passed on, and an idle topic sends nothing. Peer scoring is made
// lenient: its penalty for many peers behind one address silenced whole meshes
// (15 nodes on one IP heard nothing), and who deserves a ban is the core's to say.
//
// `from` is the author, whose signature gossipsub has checked: the core judges by it
// who may write what. The neighbor that passed a bad message on validated it too, so
// the transport holds that against the neighbor as well.

import { type GossipsubOpts, StrictSign, TopicValidatorResult } from '@chainsafe/libp2p-gossipsub'
import type { Connection, PeerId } from '@libp2p/interface'
import type { NodeId } from '../../core/ids.js'
import { toLatin1 } from './bytes.js'
import { GossipStreams } from './gossip-streams.js'
import type { Guard } from './guard.js'
import { limits } from './limits.js'
import { PassingOn } from './passing-on.js'
import { QuickGossip, type Service, type Validator } from './quick-gossip.js'

/** Topic names that a peer may subscribe to at all. */
const TOPIC = /^[\x21-\x7e]{1,200}$/

const NOTHING = new Uint8Array(0)

export const gossipOptions: Partial<GossipsubOpts> = {
  globalSignaturePolicy: StrictSign,
  fallbackToFloodsub: false,
  // Each message comes several times over. A copy of one that was found good is known by its signature, and not verified again.
  fastMsgIdFn: ({ signature }) => toLatin1(signature ?? NOTHING),
  // What a message is called within this node; its bytes are what others are told.
  msgIdToStrFn: toLatin1,
  emitSelf: false,
  // It is said when a good message goes on: see `passing-on.ts`.
  asyncValidation: true,
  // What goes to all neighbors is encoded once.
  batchPublish: true,
  // A publisher sends to every neighbor of the topic at once: a round less, and no loss before the mesh has formed.
  floodPublish: true,
  doPX: false,
  tagMeshPeers: false,
  allowPublishToZeroTopicPeers: true,
  ignoreDuplicatePublishError: true,
  D: 4,
  Dlo: 3,
  Dhi: 6,
  Dout: 1,
  Dscore: 2,
  // Of what it has, a neighbor beside those is told each second: each that is told is woken, and what all missed is found by comparing.
  Dlazy: 1,
  heartbeatInterval: 1_000,
  // A minute by default: where all start at once, most have pruned each other once, and some are left with nobody to graft.
  pruneBackoff: 5_000,
  // 512 by default: a third of all packets after a cut had healed said no more than that, each dearer than the kilobyte it was to save.
  idontwantMinDataSize: 8_192,
  maxInboundDataLength: limits.gossipBytesMax * 4,
  maxOutboundBufferSize: limits.gossipBytesMax * 64,
  maxTopicBytesPerPeer: 1024 * 1024,
  allowedTopics: [],
  decodeRpcLimits: {
    maxSubscriptions: 1_000,
    maxMessages: 500,
    maxIhaveMessageIDs: 2_000,
    maxIwantMessageIDs: 2_000,
    maxIdontwantMessageIDs: 512,
    maxControlMessages: 500,
    maxPeerInfos: 0,
  },
  // What decays weighs nothing here; at its default of a second it wakes an idle node once more.
  scoreParams: {
    IPColocationFactorWeight: 0,
    behaviourPenaltyWeight: 0,
    retainScore: 60_000,
    decayInterval: 30_000,
  },
  scoreThresholds: { gossipThreshold: -1_000, publishThreshold: -2_000, graylistThreshold: -4_000 },
}

type Verdict = 'accept' | 'ignore' | 'reject'

/** What gossipsub has beside its published interface and is needed here. */
interface Insides {
  allowedTopics: Set<string>
  outboundInflightQueue: Pick<GossipStreams, 'push' | 'end'>
  onPeerConnected(peer: PeerId, connection: Connection): void
  createOutboundStream(peer: PeerId, connection: Connection): Promise<void>
  reportMessageValidationResult(id: string, from: string, result: TopicValidatorResult): void
}

/**
 * The topics that a peer may name. Gossipsub forgets a subscription to a topic that
 * is not allowed when it comes, and a peer says it only once; so every well-formed
 * name is allowed (the bytes per peer are bounded), and messages are held to the
 * subscribed ones below.
 */
class WellFormedTopics extends Set<string> {
  override has(topic: string): boolean {
    return TOPIC.test(topic)
  }
}

export class Gossip {
  readonly #service: Service
  readonly #insides: Insides
  readonly #topics = new Set<string>()
  readonly #guard: Guard
  readonly #judge: (from: NodeId, topic: string, bytes: Uint8Array) => Verdict
  readonly #passingOn: PassingOn
  readonly #quick: QuickGossip
  dropped = 0

  constructor(
    service: Service,
    guard: Guard,
    judge: (from: NodeId, topic: string, bytes: Uint8Array) => Verdict,
  ) {
    this.#service = service
    this.#guard = guard
    this.#judge = judge
    const insides = service as unknown as Insides
    this.#insides = insides
    insides.outboundInflightQueue.end()
    insides.outboundInflightQueue = new GossipStreams((peer, connection) =>
      insides.createOutboundStream(peer, connection),
    )
    this.#passingOn = new PassingOn((id, from) =>
      insides.reportMessageValidationResult(id, from, TopicValidatorResult.Accept),
    )
    service.addEventListener('gossipsub:message', ({ detail }) =>
      this.#passingOn.add(detail.msgId, detail.propagationSource.toString()),
    )
    insides.allowedTopics = new WellFormedTopics()
    this.#quick = new QuickGossip(service, {
      isWelcome: (from, topic, bytes) => this.#isWelcome(from as NodeId, topic, bytes),
      onGood: (id, from) => this.#passingOn.add(id, from),
    })
  }

  /**
   * Opens gossip's stream to the other end, which then opens its own. Libp2p would first have
   * the peer identify itself, to know whether it speaks gossip: in a mesh everybody does.
   */
  start(connection: Connection): void {
    this.#insides.onPeerConnected(connection.remotePeer, connection)
  }

  subscribe(topic: string): void {
    if (this.#topics.has(topic)) return
    this.#topics.add(topic)
    this.#service.topicValidators.set(topic, (peer, message) => this.#validate(peer, topic, message))
    this.#service.subscribe(topic)
  }

  unsubscribe(topic: string): void {
    if (!this.#topics.delete(topic)) return
    this.#service.unsubscribe(topic)
    this.#service.topicValidators.delete(topic)
  }

  publish(topic: string, bytes: Uint8Array): void {
    if (bytes.byteLength > limits.gossipBytesMax) {
      this.dropped++
      return
    }
    this.#quick.publish(topic, bytes)
  }

  /** What waits to be passed on still goes. */
  stop(): void {
    this.#passingOn.flush()
  }

  /** What nobody subscribed to, and what comes too fast, is dropped before anything is verified. */
  #isWelcome(node: NodeId, topic: string, bytes: number): boolean {
    const welcome = this.#topics.has(topic) && this.#guard.gossip(node, bytes)
    if (!welcome) this.dropped++
    return welcome
  }

  #validate(peer: PeerId, topic: string, message: Parameters<Validator>[1]): Awaited<ReturnType<Validator>> {
    const node = peer.toString() as NodeId
    const { data } = message
    const isAcceptable = message.type === 'signed' && data.byteLength <= limits.gossipBytesMax
    const verdict = isAcceptable ? this.#judge(message.from.toString() as NodeId, topic, data) : 'reject'
    if (verdict === 'reject') this.#guard.rejected(node)
    return verdict as Awaited<ReturnType<Validator>>
  }
}
