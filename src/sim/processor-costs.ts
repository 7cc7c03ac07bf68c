// What a node's work costs its machine, where a simulated world counts that: each
// knob with its unit, and the one set of figures that was measured.

export interface ProcessorCosts {
  /** A message that came on a connection: read, decoded, and the core's step. */
  readonly frameUs: number
  /** A message that goes out on a connection. */
  readonly sendUs: number
  /** A broadcast that is passed on, for each neighbor; real nodes spare those that have passed it on themselves. */
  readonly passUs: number
  /** The first copy of a broadcast, with its signature; and each copy after it. */
  readonly gossipUs: number
  readonly duplicateUs: number
  /** A broadcast of its own, with its signature. */
  readonly publishUs: number
  /** What a dial costs before its first packet leaves. */
  readonly dialUs: number
  /** What a handshake costs each end in all: half with its first word, half with its last. */
  readonly handshakeUs: number
  /** What a new connection costs each end once it stands. */
  readonly linkUs: number
  readonly timerUs: number
  /** Any other event: what became durable, the application's wishes, a dial that failed, the end of a link. */
  readonly stepUs: number
}

export interface ProcessorConfig extends ProcessorCosts {
  /** Processors of one machine. */
  readonly count: number
  /** So many nodes in a row share a machine; infinity for all of them on one. */
  readonly nodesPerMachine: number
  /** After so long a node lets another one have its processor, once the work in hand is done. */
  readonly quantumUs: number
}

/**
 * All nodes on one machine with two cores, as the meshes of real nodes are tried out. Each was
 * measured in a mesh of 10 to 50 real bundled nodes at rest: something done two thousand times at
 * a few per second, the processor's time of all nodes divided by it. What runs seldom runs in
 * V8's slowest tiers, and a busy mesh costs several times less a message than this; but a
 * split, which comes once a month, does not.
 */
export const gatewayOnTwoCores: ProcessorConfig = Object.freeze({
  count: 2,
  nodesPerMachine: Number.POSITIVE_INFINITY,
  quantumUs: 4_000,
  frameUs: 700,
  sendUs: 450,
  passUs: 65,
  gossipUs: 1_300,
  duplicateUs: 30,
  publishUs: 1_500,
  dialUs: 2_000,
  handshakeUs: 15_000,
  linkUs: 5_000,
  timerUs: 100,
  stepUs: 100,
})
