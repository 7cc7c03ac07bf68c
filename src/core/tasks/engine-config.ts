// The task engine's knobs, each with the reason for its default and what it trades.

import type { Millis } from '../ids.js'

export interface EngineConfig {
  /** A copy that failed waits this long, doubled at each further failure: quick for a glitch … */
  readonly backOffMinMs: Millis
  /** … and rare for a crash loop, which then costs one start a minute. */
  readonly backOffMaxMs: Millis
  /** A copy that ran this long is steady: its earlier failures are forgotten. Shorter forgives crash loops too soon. */
  readonly steadyMs: Millis
  /** Added to a task's `stopGrace`: how long a planned move may take before the next owner starts regardless. */
  readonly handoverMarginMs: Millis
  /** While the last owner is up, what its copy saved is waited for so long: it is on its way, and to begin without it would lose it. */
  readonly savedWaitMs: Millis
  /** A copy that is to move runs on for this long: the view settles, a way to the next owner opens, and nobody is busy with the news when the copy stops. */
  readonly moveSettleMs: Millis
  /** … and for this long if its next owner was held dead until lately and so runs it already: it will say so. */
  readonly backSettleMs: Millis
  /** How long a way that was opened to a node that is no neighbor counts as open; the transport closes it after 10 s. */
  readonly wayOpenMs: Millis
  /** A last owner's word that is this late is asked for, then after twice as long, and so on. Gossip takes a tenth of it. */
  readonly handoverLookMs: Millis
  /** The others hear this much later how a copy fares, unless somebody waits for it: each word to all costs every node a signature check, and what soon follows travels with it. */
  readonly passingLazyMs: Millis
  /** … how a planned move went, of which those two know that take part in it. At 50 ms the gossip of ten moves kept two cores busy while the moves themselves waited (gaps of 300 to 700 ms in a rolling restart of 20 nodes; 11 to 91 ms so). */
  readonly plannedLazyMs: Millis
  /** … and that a claim is gone which nobody needs any more. */
  readonly removalLazyMs: Millis
  /** A claim of a member that is held dead is left alone for this long by whoever runs the copy too: it may be the first word of a healed split, and two that remove or outbid each other's claims until they have met are a quarrel which all must listen to. */
  readonly deadClaimMs: Millis
  /** A copy that stops says so only if that takes longer: most have ended by then, and one word is enough. */
  readonly stoppingMs: Millis
  /** How far apart the mesh time of two nodes may be: a period that begins this soon after a death is skipped, never doubled. */
  readonly clockErrorMs: Millis
  /** A periodic copy that nobody handed over waits this long with its first run: nodes whose views differ for a moment see each other's claims first. */
  readonly viewSettleMs: Millis
  /** Checkpoints enter shared state at this pace per copy; the next two in rank get each one at once. Lower loads every node. */
  readonly checkpointPaceMs: Millis
  /** Contract, section 2: what a task may save. */
  readonly checkpointBytesMax: number
  /** How many nodes get each checkpoint straight away: two deaths at once are survived. */
  readonly checkpointHolders: number
  /** Who is next in rank is looked at again this long after members changed: many change at once, and each look ranks all of them for every copy that saved lately. */
  readonly ranksSettleMs: Millis
  /** A result that nobody confirmed to hold is asked about again after this long, of another member. */
  readonly resultAskMs: Millis
  /** Jobs (`once`) that run on this node at the same time; the rest of its share queues. Ten thousand must not start together. */
  readonly jobsRunningMax: number
  /** Claims, checkpoints and results of tasks that nobody knows are removed after this long: long enough for the task to arrive after them. */
  readonly orphanMs: Millis
  /** A full table refuses new tasks; the design's scale is 10,000. */
  readonly tasksMax: number
  /** Gaps and overlaps remembered for each task; older ones only count in the sums. */
  readonly gapsMax: number
  /** Errors of periodic runs reach the others at most this often. */
  readonly errorPaceMs: Millis
  readonly bootGate: {
    /** Whether there are members to be heard of first: from an earlier life, or because it is to join them. */
    readonly awaits: boolean
    /** Contract, section 2: it starts no task, and takes none on, before its first exchange with one of them, or this long. */
    readonly waitMs: Millis
    /** With a link open, an exchange is under way, and is waited for so long instead; on a busy machine it takes seconds. */
    readonly linkMs: Millis
  }
}

export const ENGINE_DEFAULTS: EngineConfig = Object.freeze({
  backOffMinMs: 1_000,
  backOffMaxMs: 60_000,
  steadyMs: 60_000,
  handoverMarginMs: 1_000,
  savedWaitMs: 10_000,
  moveSettleMs: 150,
  backSettleMs: 1_000,
  wayOpenMs: 5_000,
  handoverLookMs: 300,
  passingLazyMs: 50,
  plannedLazyMs: 300,
  removalLazyMs: 1_000,
  deadClaimMs: 10_000,
  stoppingMs: 250,
  clockErrorMs: 25,
  viewSettleMs: 150,
  checkpointPaceMs: 10_000,
  checkpointBytesMax: 65_536,
  checkpointHolders: 2,
  ranksSettleMs: 150,
  resultAskMs: 1_000,
  jobsRunningMax: 64,
  orphanMs: 60_000,
  tasksMax: 20_000,
  gapsMax: 20,
  errorPaceMs: 10_000,
  bootGate: { awaits: false, waitMs: 3_000, linkMs: 10_000 },
})
