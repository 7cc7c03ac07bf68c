// Every knob and every limit of shared state: unit last in the name, the default,
// why it is so and what it trades. Nothing in `state/` grows past what stands here.

import { ShoalError } from '../errors.js'
import type { Millis } from '../ids.js'

export interface StateConfig {
  /** UTF-8 bytes of a key. 256 holds any path people type; keys are repeated in every entry. */
  readonly keyBytesMax: number
  /** Bytes of a value's JSON. 64 KB as for a task's input; larger things are files, not state. */
  readonly valueBytesMax: number
  /**
   * Bytes of the JSON of a value that Shoal itself writes (`shoal.…`). 136 KB: a task may be 128 KB,
   * a checkpoint or a result 64 KB, and each is written with a few fields beside it.
   */
  readonly reservedValueBytesMax: number
  /** Levels of nesting of a value. 64; deeper ones overflow the stack of whoever prints them. */
  readonly valueDepthMax: number
  /** Changes in one transaction. 10,000 take about 50 ms to apply. */
  readonly changesPerWriteMax: number
  /** Bytes of one transaction, keys and values. 1 MB: it is one entry of the log. */
  readonly writeBytesMax: number
  /** Keys of a space. 200,000: about 80 MB of memory. */
  readonly spaceKeysMax: number
  /** Bytes of a space's keys and values. 64 MB. */
  readonly spaceBytesMax: number
  /**
   * Spaces with keys and documents that this node's application uses, and as many that others do and it does not
   * (places.ts: of those, one author fills four fifths at most). 1,000; with those that are empty again four times as many
   * in all, whose names and hashes still fit one message.
   */
  readonly documentsMax: number
  /** How long one for which there was no place is not asked for again. 60 s: where somebody has filled all places, each comparison would bring all of it. */
  readonly fullPauseMs: Millis
  /** Encoded bytes of a raw document. 4 MB: the application's copy holds all of it in memory, and takes seconds to be filled if it is all single letters. */
  readonly documentBytesMax: number
  /**
   * ClientIDs that ever wrote to a space or document: nothing can forget one. 20,000: a vector of them is 220 KB,
   * a fifth of what one message of a comparison may have; a node has one, and a new one after damage of its disk. Up to
   * `remoteSlack` times as many where members speak for themselves (writer-places.ts).
   */
  readonly writersMax: number
  /** Bytes of all spaces and documents together. 256 MB: what a gateway of 1 GB can spare. What this node's application does not use fills three quarters of it at most. */
  readonly totalBytesMax: number
  /**
   * How far others may take a space or document past this node's limits, as a factor. 1.25:
   * two sides of a partition may each fill the rest of a space; refusing at the very same
   * figure would keep their replicas apart for ever.
   */
  readonly remoteSlack: number
  /** Bytes of an update that a peer may send in one message. 256 KB, as no message is larger. */
  readonly updateBytesMax: number
  /** Bytes of updates in one broadcast. 32 KB; more is left to the direct exchange, which has flow control. */
  readonly broadcastBytesMax: number
  /**
   * How long a node that booted and remembers others, or is to join them, keeps its broadcasts back while it has not
   * compared itself with anybody. 3 s: its disk may be an old copy, and what it says under clocks
   * that others know better would be lost on them. As long as its tasks wait.
   */
  readonly firstExchangeMs: Millis
  /**
   * Once a node that has booted has met one to rely on, it waits so long for what its other neighbors show, before it tells
   * anything of its own. 1.5 s: who asked for everything a moment ago, and was killed, is answered after `askAllPauseMs`
   * (1 s); more would only wait for those that are frozen.
   */
  readonly restExchangeMs: Millis
  /**
   * Of a document that not everybody holds, so many neighbors that have just booted themselves are as good as one that
   * has been up, or all who hold it where they are fewer. 4: that all of them are put back to old copies of their disks,
   * and nobody else is near, is unlikely.
   */
  readonly surePeers: number
  /**
   * So many lineages of a document are given up after `firstExchangeMs` when nobody has shown what is known of them; then
   * twice that is waited for each time. 8: each is 100 to 250 bytes for good, and of a mesh that is switched off every
   * night one may always be late. With the doublings it is some 35 in the lifetime of a gateway.
   */
  readonly leftLineages: number
  /**
   * So many lineages of a document are given up at the word of others that more is known of them than is here, which they
   * then do not show; after that it has to be shown first. 8: a link may break between the two; and whoever lies
   * could have one each time he speaks.
   */
  readonly claimedLineages: number
  /**
   * Least time between two broadcasts of a document, times the nodes that write to it. 20 ms: fifty
   * broadcasts a second in the whole mesh, about what two cores can carry for twenty nodes on them.
   */
  readonly broadcastShareMs: Millis
  /**
   * A node that is behind leaves what can wait (broadcasts, questions, tidings) for so many times its
   * lag: 10, at most 2 s. On a machine that is 100 ms behind, one that hurries makes it later still.
   */
  readonly lagFactor: number
  readonly patienceMsMax: Millis
  /** Lateness that is noted. 20 ms: timers come a little late on every machine. */
  readonly lagNotedMs: Millis
  /** Half of it is forgotten after so long. 2 s. */
  readonly lagMemoryMs: Millis
  /** Least time between two broadcasts of what Shoal itself keeps. 100 ms: what a change of the mesh makes one node say of its tasks is one message or two. */
  readonly ownBroadcastIntervalMs: Millis
  /**
   * How long after a space or document has begun at a node what it writes there is broadcast to all, who holds it or not.
   * 3 s: gossip needs a heartbeat of a second or two to carry a topic that is new.
   */
  readonly newsMs: Millis
  /** And how many bytes of it. 64 KB: it goes to those as well who do not hold it. */
  readonly newsBytesMax: number
  /** How far ahead of the wall clock a stamp is still followed. 60 s: clocks of gateways without NTP drift by less between looks. */
  readonly stampAheadMsMax: Millis
  /** Mean time between two comparisons with a random neighbor, ±50 %. 20 s: what gossip lost is found within a minute. */
  readonly compareIntervalMs: Millis
  /** Wait before telling neighbors that a comparison brought something new. 50 ms: many documents are told of once. */
  readonly tellDelayMs: Millis
  /** What was cut off a series, because it was not durable yet, is asked about again after this long: 500 ms, in which most disks are done. */
  readonly cutAgainMs: Millis
  /**
   * The same while more keeps coming: twice as long each time, up to this, and only to some. 2 s:
   * what gossip is about to bring looks like news for a moment, and nodes that tell of it at once
   * make a storm of it (150 messages a node in 4 s after a cut of 20 nodes on two cores healed).
   */
  readonly tellDelayMaxMs: Millis
  /** How many neighbors hear of each of that. 2. */
  readonly tellSome: number
  /** Least time between two comparisons that a neighbor begins, then twice as long, up to the maximum, until nothing differs. 250 ms to 2 s: as above. */
  readonly answerPauseMs: Millis
  readonly answerPauseMaxMs: Millis
  /** Least time between two summaries for a neighbor that asks for everything. 1 s: one that has booted asks once or twice. */
  readonly askAllPauseMs: Millis
  /** Bytes of questions a second that a neighbor is answered, and how many at once. 2 MB, 16 MB: of 1,000 documents one comparison asks 1 MB. */
  readonly askBytesPerSecond: number
  readonly askBytesMax: number
  /** Wait before asking a neighbor for what an update refers to and is not here. 60 ms: gossip often delivers it late, not never. */
  readonly gapDelayMs: Millis
  /** Wait between two looks whether what a catch-up begins with is durable. 5 ms: about a commit. */
  readonly diskLookMs: Millis
  /** How long it waits for that; then it leaves out what is not. 50 ms: a key that is written all the time must not keep others from arriving. */
  readonly diskPatienceMs: Millis
  /** Bytes of one piece of a catch-up. 48 KB: a few milliseconds of work, and a fair share of a slow link. */
  readonly pieceBytes: number
  /**
   * What a piece has where the way is slow or not known yet, 4 KB, and how long one may take on it, 500 ms: four under
   * way are no more than what comes in two seconds, or four such pieces.
   */
  readonly firstPieceBytes: number
  readonly pieceMs: Millis
  /**
   * Structs of one piece of a catch-up, and of a part of a snapshot, which is one step of a start.
   * 1,000: 3 ms of work for whoever applies it, 10 where the document has 4 MB. A text that was
   * typed letter by letter here and there has 5,000 in 48 KB.
   */
  readonly pieceStructsMax: number
  /** Time between two of them to one neighbor, if more follow. 1 ms: the next turn. */
  readonly pieceGapMs: Millis
  /** Pieces under way to one neighbor before it confirms. 4. */
  readonly pieceWindow: number
  /**
   * What a node lacks of a document and is at most so much is sent at once by whoever is asked; more of it by one
   * neighbor at a time. 8 KB: from ten of them as much as two pieces.
   */
  readonly smallGapBytes: number
  /** And so much a second it takes from others beside the one that it takes a document from. 16 KB. */
  readonly smallGapBytesPerSecond: number
  /** How long a neighbor is left to answer whether it has more than that, before another is asked as well. 1 s: longer than most ways there and back. */
  readonly smallGapMs: Millis
  /**
   * A source that delivers less than so much a second over such a window is left for the next, while there is another;
   * that is looked at every so often. 32 KB, 2.5 s, 0.5 s: who promises and does not send costs 3 s.
   */
  readonly sourceBytesPerSecond: number
  readonly sourceWindowMs: Millis
  readonly sourceLookMs: Millis
  /**
   * How long who was left so is tried last: 60 s, and twice as long each time that it happens again before it has delivered, up to
   * 16 min. To try all anew costs four pieces each, which a way of 1 KB a second carries in a quarter of a minute.
   */
  readonly sourceLastMs: Millis
  readonly sourceLastMaxMs: Millis
  /**
   * What a node wrote itself goes to one neighbor first. The others are told so for at most so long, and after it has
   * gone for `turnRestMs` more, in which they get it from there. 3 s, 1 s.
   */
  readonly turnMs: Millis
  readonly turnRestMs: Millis
  /** How long who was told so waits before it asks again. 500 ms. */
  readonly turnAgainMs: Millis
  /** A catch-up without a sign of life is given up and begun anew. 15 s: longer than a slow link needs for a window. */
  readonly catchUpTimeoutMs: Millis
  /**
   * A document that differs from a neighbor's, and has not changed on either side for so long, is asked about after twice
   * the time since then, and so on, up to the maximum: 60 s, 8 min. What a node refuses for want of a place or of room
   * would come with each comparison, of 20,000 writers 9 MB a minute; but what a way has swallowed for long waits as well.
   */
  readonly standstillMs: Millis
  readonly standstillMaxMs: Millis
  /** Time between two log lines of a long catch-up. 2 s. */
  readonly progressIntervalMs: Millis
  /** Wait before losing entries of a key are removed. 200 ms, ±50 %: their own writers often come first. */
  readonly tidyDelayMs: Millis
  /** Losing entries removed in one transaction. 2,000. */
  readonly tidyEntriesMax: number
  /** Bytes of log before it is folded into a snapshot. 256 KB, or the snapshot's own size if that is larger: at most doubles what is written. */
  readonly foldBytes: number
  /** Entries of log before it is folded. 4,000: a start reads them one by one. */
  readonly foldEntries: number
  /** Bytes of snapshot written in one step. 128 KB. */
  readonly foldStepBytes: number
  /** Stored bytes of a raw document that is read in one go at a start. 64 KB: some ten milliseconds; a larger one is read over many turns. */
  readonly loadWholeBytes: number
  /** Bytes of its log that are read in one step; of its snapshot it is a part. 1 KB: some 120 deletes all over it, which take 20 ms where it has 2 MB. */
  readonly loadStepBytes: number
  /**
   * Structs up to which the application's copy of a raw document is filled at once when it is
   * opened. 2,000: some 10 ms; a larger one is filled over many turns, piece by piece.
   */
  readonly openWholeStructs: number
  /** The same for its stored bytes. 512 KB: some milliseconds if they are few structs, and twice what a log has before it is folded. */
  readonly openWholeBytes: number
  /**
   * In so many openings a copy may write before it is filled, under a clientID of that opening; after that the
   * document is filled in the call that opens it, however large it is. 256: each is some 25 bytes in the document for good, 6 KB in
   * all; and a document of 100 KB keeps the event loop for some 50 ms then, one of 4 MB that is all single letters for
   * some seconds, which is the price of never awaiting its `whenLoaded`.
   */
  readonly earlyWriters: number
  /** Structs of such a piece. 500: 2 ms of work, 5 where the document has 4 MB; several may go into a turn. */
  readonly openPieceStructs: number
  /** Bytes that Yjs may hold back because something before them is missing. 1 MB; beyond that they are dropped and fetched in order. */
  readonly pendingBytesMax: number
  /** The same for broadcasts that came early, of all spaces together. 8 MB: a peer with many spaces must not multiply it. */
  readonly pendingTotalBytesMax: number
  /** Offences of a peer within a minute before it is ignored. 10: an honest node commits none. */
  readonly offencesMax: number
  /** How long an offender is ignored. 60 s. */
  readonly throttleMs: Millis
  /** Neighbors wanted for rare spaces. 16: each is a connection. */
  readonly wantedNeighborsMax: number
}

export const defaultStateConfig: StateConfig = Object.freeze({
  keyBytesMax: 256,
  valueBytesMax: 65_536,
  reservedValueBytesMax: 139_264,
  valueDepthMax: 64,
  changesPerWriteMax: 10_000,
  writeBytesMax: 1_048_576,
  spaceKeysMax: 200_000,
  spaceBytesMax: 67_108_864,
  documentsMax: 1_000,
  fullPauseMs: 60_000,
  documentBytesMax: 4_194_304,
  writersMax: 20_000,
  totalBytesMax: 268_435_456,
  remoteSlack: 1.25,
  updateBytesMax: 262_144,
  broadcastBytesMax: 32_768,
  firstExchangeMs: 3_000,
  restExchangeMs: 1_500,
  surePeers: 4,
  leftLineages: 8,
  claimedLineages: 8,
  broadcastShareMs: 20,
  lagFactor: 10,
  patienceMsMax: 2_000,
  lagNotedMs: 20,
  lagMemoryMs: 2_000,
  ownBroadcastIntervalMs: 100,
  newsMs: 3_000,
  newsBytesMax: 65_536,
  stampAheadMsMax: 60_000,
  compareIntervalMs: 20_000,
  tellDelayMs: 50,
  cutAgainMs: 500,
  tellDelayMaxMs: 2_000,
  tellSome: 2,
  answerPauseMs: 250,
  answerPauseMaxMs: 2_000,
  askAllPauseMs: 1_000,
  askBytesPerSecond: 2_097_152,
  askBytesMax: 16_777_216,
  gapDelayMs: 60,
  diskLookMs: 5,
  diskPatienceMs: 50,
  pieceBytes: 49_152,
  firstPieceBytes: 4_096,
  pieceMs: 500,
  pieceStructsMax: 1_000,
  pieceGapMs: 1,
  pieceWindow: 4,
  smallGapBytes: 8_192,
  smallGapBytesPerSecond: 16_384,
  smallGapMs: 1_000,
  sourceBytesPerSecond: 32_768,
  sourceWindowMs: 2_500,
  sourceLookMs: 500,
  sourceLastMs: 60_000,
  sourceLastMaxMs: 960_000,
  turnMs: 3_000,
  turnRestMs: 1_000,
  turnAgainMs: 500,
  catchUpTimeoutMs: 15_000,
  standstillMs: 60_000,
  standstillMaxMs: 480_000,
  progressIntervalMs: 2_000,
  tidyDelayMs: 200,
  tidyEntriesMax: 2_000,
  foldBytes: 262_144,
  foldEntries: 4_000,
  foldStepBytes: 131_072,
  loadWholeBytes: 65_536,
  loadStepBytes: 1_024,
  openWholeStructs: 2_000,
  openWholeBytes: 524_288,
  earlyWriters: 256,
  openPieceStructs: 500,
  pendingBytesMax: 1_048_576,
  pendingTotalBytesMax: 8_388_608,
  offencesMax: 10,
  throttleMs: 60_000,
  wantedNeighborsMax: 16,
})

/** The defaults with what differs; refuses what cannot work. */
export const resolveStateConfig = (changes: Partial<StateConfig> = {}): StateConfig => {
  const config = { ...defaultStateConfig, ...changes }
  for (const [name, value] of Object.entries(config)) {
    if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
      throw new ShoalError('CONFIG_INVALID', `state.${name} is ${String(value)}; it must be a number above 0`)
    }
  }
  // A piece is closed by the entry that fills it, which may be as large as a value may be.
  if (config.pieceBytes + 2 * config.valueBytesMax > config.updateBytesMax) {
    throw new ShoalError(
      'CONFIG_INVALID',
      `state.pieceBytes is ${config.pieceBytes}; with twice valueBytesMax it must be at most updateBytesMax (${config.updateBytesMax})`,
    )
  }
  if (config.pieceBytes + config.reservedValueBytesMax + config.keyBytesMax > config.updateBytesMax) {
    throw new ShoalError(
      'CONFIG_INVALID',
      `state.reservedValueBytesMax is ${config.reservedValueBytesMax}; with pieceBytes and keyBytesMax it must be at most updateBytesMax (${config.updateBytesMax})`,
    )
  }
  return Object.freeze(config)
}
