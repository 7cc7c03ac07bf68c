// What a node's work costs its machine, where a simulated world counts that: each
// knob with its unit, and the one set of figures that was measured.

export interface ProcessorCosts {
  /** A message that came on a connection: read, decoded, and the core's step. */
  readonly frameUs: number
  /** A message that goes out on a connection, or a broadcast that is passed on, to each neighbor. */
  readonly sendUs: number
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
 * All nodes on one machine with two cores, as the meshes of real nodes are tried out. From
 * profiles of 50 bundled nodes on two shared cores: the processor's time by kind of work,
 * divided by how often that was done. It is the lower bound: a split cost real nodes
 * about twice what this makes of it.
 */
export const gatewayOnTwoCores: ProcessorConfig = Object.freeze({
  count: 2,
  nodesPerMachine: Number.POSITIVE_INFINITY,
  quantumUs: 4_000,
  frameUs: 150,
  sendUs: 60,
  gossipUs: 1_000,
  duplicateUs: 150,
  publishUs: 1_200,
  dialUs: 1_500,
  handshakeUs: 4_000,
  linkUs: 500,
  timerUs: 50,
  stepUs: 50,
})
