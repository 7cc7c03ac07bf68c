// The knobs of membership: a unit in every name, a reason for every default, and
// what is traded by turning it.

import type { Millis } from '../ids.js'

export interface MembershipConfig {
  /** Observers of each member; they stand on one ring less. Rapid (ATC 2018) uses 10 for tens of thousands of nodes; 4 keeps idle traffic under 600 B/s and still needs three independent errors for a wrong verdict. */
  readonly observersPerMember: number
  /** How many observers get heartbeats; the others are asked at the first silence. */
  readonly primaryObservers: number
  /** Between heartbeats. Shorter finds silence sooner and costs bytes in proportion. */
  readonly heartbeatMs: Millis
  /** Share by which periods vary, so that nodes do not beat in step. */
  readonly jitter: number
  /** A subject is pinged after this much silence, at the least. */
  readonly lateFloorMs: Millis
  /** Silence becomes evidence between these two; where, is learned from each link's own regularity. */
  readonly silentFloorMs: Millis
  readonly silentCeilingMs: Millis
  /** How long the answer to a ping may take on a link that was late already. */
  readonly probeTimeoutMs: Millis
  /** The same for an observer that only hears of another's accusation: it has no other evidence, and at 5 % loss one question in 130 takes longer than 400 ms (retransmissions after 200 and 400 ms), but one in 2,000 longer than this. */
  readonly askTimeoutMs: Millis
  /** How long a dial may take before it counts as silence. */
  readonly dialEvidenceMs: Millis
  /** The same on a machine whose dials usually take long. */
  readonly dialEvidenceMaxMs: Millis
  /** And one whose call the other host has taken: what is slow then is its process, which is there. Of 50 nodes on two cores that were cut in halves, each held busy neighbors for silent ones whose handshake had waited for a processor. */
  readonly handshakeMs: Millis
  /** A subject that this observer never met in its present life is given this long: others may have met it, and on a starting machine everything takes its time. */
  readonly neverMetMs: Millis
  /** One that it had met in this life, before it came to watch it or before the subject was away: the first packet of a dial may be lost, which costs a second. */
  readonly reachAgainMs: Millis
  /** For so long whoever a member introduced itself to first looks after it: its observers have met it by then. Of several, who speaks first is drawn within the second time. */
  readonly hostMs: Millis
  readonly hostTurnMs: Millis
  /** An accusation of a version that has not come yet is kept for so long: as late as gossip over one path may be behind another that lost a packet twice. */
  readonly earlyWordMs: Millis
  readonly earlyWordsMax: number
  /** After its own start a node takes nobody's silence for evidence for so long; after a freeze, for `reachAgainMs`. */
  readonly quietMs: Millis
  /** Lag of this much doubles an observer's patience, up to the stretch; half of it is forgotten after each memory. */
  readonly lagHalfMs: Millis
  readonly lagStretchMax: number
  readonly lagMemoryMs: Millis
  /** From this stretch on a node holds its own machine for busy: those whom it only asks, because it sweeps, are not accused then. */
  readonly busyStretch: number
  /** A lone accusation becomes a verdict after the longer one, one short of the quorum after the shorter (Lifeguard, section IV-B). Refutations cross a mesh of thousands in well under a second. */
  readonly suspicionMinMs: Millis
  readonly suspicionMaxMs: Millis
  /** Where one voice is a majority, the subject has this long to answer: two lost packets in a row cost 600 ms. */
  readonly suspicionAloneMs: Millis
  /** From the third rank on, each observer holds its refusal back for this long more, because two are enough, and each word to all costs every node a millisecond or more: at 25 ms the third and fourth spoke too while 20 nodes on two cores were busy with the first two. */
  readonly refusalStaggerMs: Millis
  /** From the third rank on, an observer that lost its link dials so much later: by then the first two have mostly found out, and on few cores they do so sooner when the others leave them the processor. */
  readonly secondDialMs: Millis
  /** How long one of the first two that found a refusal waits for the other's word, to tell both at once. */
  readonly fellowMs: Millis
  /** And the second of them for both words to come round from the first. */
  readonly secondWordMs: Millis
  /** So long after a proof began to run along the links it is published as well, for those that they left out: 50 nodes on two cores take 100 ms to hand it on, and gossip meanwhile would only keep them from it. */
  readonly afterBranchesMs: Millis
  /** When the ways along which a proof runs are computed anew after a change; whoever needs them before computes them then. */
  readonly branchesAfterMs: Millis
  /** How often an accuser reaches for a suspect that it has no link to. */
  readonly knockMs: Millis
  /** Between two answers of this node to accusations; well below the shortest suspicion, so that a liar costs the mesh three messages a second and no verdict. */
  readonly answerPauseMs: Millis
  /** How often an accuser that was refuted may repeat itself: from, doubling, to. */
  readonly repeatMinMs: Millis
  readonly repeatMaxMs: Millis
  /** So many members that came back within this time are the end of a cut. Then everybody has much to do, and silence proves nothing until so long after the last of them; in all no longer than the maximum, and again only after a pause. On two cores 20 nodes held each other dead by the dozen after a cut had healed, and each death made more work. */
  readonly crowdMembers: number
  readonly crowdMs: Millis
  readonly crowdQuietMs: Millis
  readonly crowdQuietMaxMs: Millis
  readonly crowdPauseMs: Millis
  /** Meanwhile each has an answer for all, and each word to all costs every node some milliseconds: answers go to one neighbor, which gathers them for so long, and what others handed on is passed on only if gossip has not brought it after the longer one. */
  readonly crowdGatherMs: Millis
  readonly crowdRelayMs: Millis
  /** And a node compares its view on one new link in so long. */
  readonly crowdGreetMs: Millis
  /** What was held against others by one that has come back with many, and is handed on so soon after, is no evidence on this side of the cut. */
  readonly outsideMs: Millis
  /** So many are dead or back at once, and no fewer than one in so many, where a mesh was split. */
  readonly splitMembers: number
  readonly splitShare: number
  /** That many who are here are held dead elsewhere is told within so long, by one for all. Who has not answered after a pause is looked for; and what was told is remembered for so long. */
  readonly warnWithinMs: Millis
  readonly warnPauseMs: Millis
  readonly warnMemoryMs: Millis
  /** A step that comes this much later than it was due means that this node was frozen or is too busy to judge others. */
  readonly lagMs: Millis
  /** So many such steps, each beginning so soon after the one before ended, that are so much of the time together, and until so long after the last only a long silence is evidence. 50 nodes that came back at once on two cores held each other dead by the dozen, and had not ended after 200 s. */
  readonly stallsMany: number
  readonly stallsMs: Millis
  readonly stallsShare: number
  readonly starvedMs: Millis
  /** Until so long after a busy node has read most words later than an answer may take, silence proves nothing either. 50 nodes that started within a second on two cores read each word 2 to 10 s late while their timers were 80 ms late, held each other dead for it, and never agreed. */
  readonly deafMs: Millis
  /** The long silence, on the wall: a machine that is always busy must still find out some time. It must have listened for so long meanwhile. */
  readonly starvedSilenceMs: Millis
  readonly starvedListenMs: Millis
  /** When most subjects seem silent at once, an observer doubts itself for this long; the time of an answer runs meanwhile. */
  readonly selfDoubtMs: Millis
  /** Accusations of one accuser, refuted without ever being right, until it is no longer believed alone, and where its word is needed the subject has the time of an answer. */
  readonly falseAlarmsMax: number
  /** A neighbor whose link broke is dialled no sooner than this, but by its first observers: where it died, these have told by then, and nobody else needs to dial at all. */
  readonly redialAfterMs: Millis
  /** Redialling a wanted neighbor: from, doubling, to. */
  readonly redialMinMs: Millis
  readonly redialMaxMs: Millis
  /** A node tries one of the dead members that fall to it this often, while the death is fresh. */
  readonly deadRedialMs: Millis
  /** How often a node that has lost everybody tries some of them, while that is fresh, or while it has just started and has not tried each of them once. */
  readonly aloneRedialMs: Millis
  /** With so many handshakes of its own under way a busy node begins no other, and looks again so much later. */
  readonly handshakesBusy: number
  readonly occupiedMs: Millis
  /** So long a node that starts waits for the first few that it dials, before it dials all that it wants. A handshake takes 20 ms of a process that has just started: with eleven at once nobody knew of it before all were done. */
  readonly firstLinkMs: Millis
  /** The same for members that have been dead for long. */
  readonly oldDeadRedialMs: Millis
  /** A change of the view settles for this long before neighbors are sought or let go. */
  readonly viewDebounceMs: Millis
  /** A link that neither end wants is kept for this long. */
  readonly lingerMs: Millis
  /** The node whose id is larger waits this long for the other one to dial. */
  readonly dialTurnMs: Millis
  /** How many members a sweep dials in all, and at a time. */
  readonly sweepMembersMax: number
  readonly sweepParallel: number
  /** The same on a busy machine: on the smaller side of a split, and on another. */
  readonly sweepParallelFew: number
  readonly sweepParallelBusy: number
  readonly sweepPauseMs: Millis
  /** Who hears few of its neighbors, and has more than so many others to reach for, dials a sample of them first and waits so long for their hosts to take the call: of 50 busy ones each would dial 40, and be busier. */
  readonly sweepAtOnce: number
  readonly sweepSample: number
  readonly sweepSampleMs: Millis
  /** How long it listens before it dials those whom nobody accuses: who speaks need not be dialled. */
  readonly sweepListenMs: Millis
  /** So long after a sweep has begun, and so long after each death in it, more verdicts are to come: neighbors are sought among those who are left then. In all no longer than the maximum. */
  readonly upheavalMs: Millis
  readonly upheavalMoreMs: Millis
  readonly upheavalMaxMs: Millis
  /** A busy node looks so much later whether words have come to rest, before it seeks neighbors. */
  readonly seekLaterMs: Millis
  /** New neighbors are dialled within so long after it: all at once would take from each other the time to answer. */
  readonly upheavalSpreadMs: Millis
  /** What is found silent while a sweep runs waits for so long for more: much less than a lone word needs to decide, because its subject must hear of it before. */
  readonly sweepWordsMs: Millis
  /** How long the words of those that are nearest to a member on the rings are given to decide, before all dial it. */
  readonly sweepVerdictMs: Millis
  /** Rumors of one batch wait for each other this long; accusations never wait. */
  readonly rumorBatchMs: Millis
  readonly rumorRecordsMax: number
  /** News that came by exchange is passed on by gossip unless gossip brings it within this time. */
  readonly relayDelayMs: Millis
  /** A node with its first link since it was alone publishes its record after the first time, and again after the second; until then it passes nothing on, because all is news to it. */
  readonly introduceMs: Millis
  readonly newcomerMs: Millis
  /** A view that stays another than a neighbor's is compared after the second heartbeat, again after this long, then doubling up to `exchangeMs`; while both sides keep changing, after so many beats. */
  readonly apartWaitMs: Millis
  readonly apartBeats: number
  /** Between digest exchanges with a random neighbor. */
  readonly exchangeMs: Millis
  readonly digestBuckets: number
  /** Lines of a digest in one message. */
  readonly summaryLinesMax: number
  /** A node that came back calls itself settled after this long, doubled for each recent return, up to the maximum. */
  readonly settleMs: Millis
  readonly settleMaxMs: Millis
  /** How often it looks whether anybody is settled: where nobody is, nobody has to wait. */
  readonly settleLookMs: Millis
  /** A return this long ago no longer counts as flapping. */
  readonly flapMemoryMs: Millis
  /** A health level has to last this long before it is published: when it worsens, when it betters. */
  readonly healthWorseMs: Millis
  readonly healthBetterMs: Millis
  /** Members that changed are written to disk together, so long after the first of them. */
  readonly rememberMs: Millis
  /** Between looks for what has grown too old. */
  readonly expireMs: Millis
  /** How long proofs stand beside a dead member. */
  readonly proofKeepMs: Millis
  readonly forgetLeftMs: Millis
  readonly forgetDeadMs: Millis
  readonly strikeKeepMs: Millis
  /** Two answers of another process with this identity within this time are a clone. */
  readonly cloneWindowMs: Millis
  /** Most members this node keeps in mind, dead ones included. */
  readonly membersMax: number
  /** Joining: between attempts at the given addresses, from, doubling, to. */
  readonly joinMinMs: Millis
  readonly joinMaxMs: Millis
  /** A node in company still tries the addresses that it never met this often: its company may be an island. */
  readonly joinInCompanyMs: Millis
  /** For so long a node that is alone tries those whom it remembers, and the addresses to join, before it asks; well below the second for which a node waits for company before it starts tasks. Of 200 that came back from a power cut 192 asked, and each was to hear 38,000 answers of up to a kilobyte. */
  readonly searchAloneMs: Millis
  /** So long after their start a few of a company ask the local network once more; then, while members are gone, one node of a company about this often, for so long. An answer of each is as much as an hour of nothing else costs. */
  readonly searchFirstMs: Millis
  readonly searchEveryMs: Millis
  readonly searchForMs: Millis
  /** And while nobody is gone: islands that never met do not know of each other. 200 answers of 400 bytes in this time are 130 bytes a second. */
  readonly searchIdleMs: Millis
  /** Of those who answer a few are dialled in this time: whoever is on the network may answer, with addresses where nobody is. Each is tried for 2 s, and all that a node dials waits in one line. */
  readonly searchDialsMs: Millis
  /** Between dials that prove the addresses of subjects. */
  readonly verifyAfterMs: Millis
}

export const membershipLan: MembershipConfig = {
  observersPerMember: 4,
  primaryObservers: 2,
  heartbeatMs: 1_000,
  jitter: 0.05,
  lateFloorMs: 1_200,
  silentFloorMs: 1_550,
  silentCeilingMs: 4_000,
  probeTimeoutMs: 400,
  askTimeoutMs: 650,
  dialEvidenceMs: 900,
  dialEvidenceMaxMs: 5_000,
  handshakeMs: 3_000,
  neverMetMs: 12_000,
  reachAgainMs: 1_400,
  hostMs: 1_200,
  hostTurnMs: 150,
  earlyWordMs: 1_000,
  earlyWordsMax: 64,
  quietMs: 4_000,
  lagHalfMs: 150,
  lagStretchMax: 4,
  lagMemoryMs: 2_000,
  busyStretch: 1.5,
  suspicionMinMs: 500,
  suspicionMaxMs: 3_000,
  suspicionAloneMs: 850,
  refusalStaggerMs: 60,
  secondDialMs: 60,
  fellowMs: 30,
  secondWordMs: 80,
  afterBranchesMs: 150,
  branchesAfterMs: 1_000,
  knockMs: 1_000,
  answerPauseMs: 300,
  repeatMinMs: 4_000,
  repeatMaxMs: 600_000,
  crowdMembers: 3,
  crowdMs: 2_000,
  crowdQuietMs: 5_000,
  crowdQuietMaxMs: 20_000,
  crowdPauseMs: 60_000,
  crowdGatherMs: 600,
  crowdRelayMs: 5_000,
  crowdGreetMs: 1_000,
  outsideMs: 10_000,
  splitMembers: 3,
  splitShare: 8,
  warnWithinMs: 100,
  warnPauseMs: 3_000,
  warnMemoryMs: 20_000,
  lagMs: 300,
  stallsMany: 3,
  stallsMs: 5_000,
  stallsShare: 1 / 3,
  starvedMs: 10_000,
  deafMs: 3_000,
  starvedSilenceMs: 120_000,
  starvedListenMs: 10_000,
  selfDoubtMs: 500,
  falseAlarmsMax: 4,
  redialAfterMs: 120,
  redialMinMs: 250,
  redialMaxMs: 15_000,
  deadRedialMs: 2_000,
  aloneRedialMs: 500,
  handshakesBusy: 1,
  occupiedMs: 500,
  firstLinkMs: 200,
  oldDeadRedialMs: 30_000,
  viewDebounceMs: 150,
  lingerMs: 20_000,
  dialTurnMs: 250,
  sweepMembersMax: 256,
  sweepParallel: 64,
  sweepParallelFew: 16,
  sweepParallelBusy: 4,
  sweepPauseMs: 5_000,
  sweepAtOnce: 24,
  sweepSample: 8,
  sweepSampleMs: 200,
  sweepListenMs: 300,
  upheavalMs: 2_500,
  upheavalMoreMs: 1_000,
  upheavalMaxMs: 12_000,
  upheavalSpreadMs: 2_000,
  seekLaterMs: 500,
  sweepWordsMs: 40,
  sweepVerdictMs: 400,
  rumorBatchMs: 20,
  rumorRecordsMax: 80,
  relayDelayMs: 200,
  introduceMs: 60,
  newcomerMs: 1_500,
  apartWaitMs: 2_000,
  apartBeats: 4,
  exchangeMs: 20_000,
  digestBuckets: 32,
  summaryLinesMax: 256,
  settleMs: 5_000,
  settleMaxMs: 300_000,
  settleLookMs: 1_000,
  flapMemoryMs: 3_600_000,
  healthWorseMs: 2_000,
  healthBetterMs: 10_000,
  rememberMs: 250,
  expireMs: 60_000,
  proofKeepMs: 3_600_000,
  forgetLeftMs: 86_400_000,
  forgetDeadMs: 30 * 86_400_000,
  strikeKeepMs: 30 * 86_400_000,
  cloneWindowMs: 10_000,
  membersMax: 20_000,
  joinMinMs: 250,
  joinMaxMs: 10_000,
  joinInCompanyMs: 5_000,
  searchAloneMs: 400,
  searchFirstMs: 10_000,
  searchEveryMs: 60_000,
  searchForMs: 3_000,
  searchIdleMs: 600_000,
  searchDialsMs: 5_000,
  verifyAfterMs: 300,
}
