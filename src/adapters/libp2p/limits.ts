// Every bound of the libp2p adapter, in one place: what a peer may send, how much
// may wait, and how long anything may take. Chosen for a gateway with 1 GB of
// memory and some tens of neighbors; a bound that a healthy mesh of 50 comes near is wrong.

export const limits = {
  /** The port that a host without one means, and that a node listens on. */
  defaultPort: 4701,

  /** One frame on `/shoal/link/1` or `/shoal/direct/1`. */
  linkFrameBytesMax: 64 * 1024,
  /** One chunk on `/shoal/bulk/1`. */
  bulkFrameBytesMax: 1024 * 1024,
  /** A question, and its answer, on `/shoal/ask/1`: the logs of a task are up to 256 KB. */
  askBytesMax: 512 * 1024,
  /** What one gossip message may carry; larger ones are dropped by their sender. */
  gossipBytesMax: 64 * 1024,

  /** Frames that wait for a slow neighbor's link; beyond, they are dropped and counted. */
  linkBacklogBytesMax: 1024 * 1024,
  /** Chunks that wait for a slow neighbor's bulk stream. */
  bulkBacklogBytesMax: 16 * 1024 * 1024,

  /** What a peer may send on all its streams: sustained, and at once. */
  peerFramesPerSecond: 2_000,
  peerFramesBurst: 6_000,
  peerBytesPerSecond: 8 * 1024 * 1024,
  peerBytesBurst: 32 * 1024 * 1024,
  peerGossipPerSecond: 500,
  peerGossipBurst: 2_000,
  /** The shortest time for which a peer that is too fast is not read. */
  throttleMs: 20,
  /** A peer that was throttled for this long within the window is reported, once per window. */
  throttledReportMs: 5_000,
  throttledWindowMs: 30_000,
  /** Messages that validation rejected, within the window, before their forwarder is reported. */
  rejectedReport: 8,

  /** Until the other host accepts; and from then until it has proved who it is, which waits for its CPU when all start at once. */
  dialTimeoutMs: 2_000,
  handshakeTimeoutMs: 5_000,
  /**
   * A killed process closes its connections some milliseconds before its port, so an
   * immediate redial is accepted by a dead man. Such a door is tried again after these.
   */
  doorRetriesMs: [1, 4, 20, 80, 200, 400],
  dialsAtOnce: 64,
  dialsWaiting: 4_096,
  addressesPerDial: 16,
  addressTextMax: 512,

  connectionsMax: 1_024,
  /** Per second and host: a whole fleet behind one address comes back at once after a power cut. */
  inboundPerSecondAndHost: 500,
  inboundPending: 256,
  inboundUpgradeMs: 6_000,
  negotiationMs: 5_000,
  /** Two sides that dial each other within this time count as crossing; later, the older connection is stale. */
  crossingMs: 3_000,
  /** A connection that lost against a crossing one is read for this long, then closed. */
  lingerMs: 1_000,
  /** A connection that is no link is closed by its dialer after this long without a stream, by the other end after the longer. */
  idleDialledMs: 10_000,
  idleAcceptedMs: 60_000,
  /** How long a wrong mesh key is held, so that both ends read that it was wrong. */
  keyRefusalLingerMs: 100,
  streamsPerConnection: 256,
  asksAtOncePerPeer: 16,
  bansMax: 4_096,

  /** How often the machine's own addresses are looked at again. */
  addressCheckMs: 15_000,
  mdnsIntervalMs: 10_000,
} as const
