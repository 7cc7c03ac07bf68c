// Anti-entropy: how two nodes find out what differs, and send each other just that.
//
//   A                               B
//   hello (hash of everything) ──►      equal: the end
//         ◄── summary (a hash per document)
//   digest (vector, hashes of deletes) ──►   for each document that differs
//         ◄── want (vector, ranges)  and  ◄── pieces of what A lacks
//   pieces of what B lacks ──►
//
// Pieces are small, confirmed one by one, and only a few are under way, so a node
// that was away for a month catches up in bounded memory on both sides. What has
// arrived is kept: after a broken connection the next digest begins from there.
//
// When a hello is answered is answers.ts, how much a peer may ask asked.ts, from whom what is lacking is
// taken asking.ts, and how pieces follow each other sending.ts.

import type { Millis, NodeId } from '../ids.js'
import { Answers } from './answers.js'
import { Asked } from './asked.js'
import {
  decodeRanges,
  decodeVector,
  differingRanges,
  EMPTY_DIGEST,
  encodeRanges,
  encodeVector,
  sameBytes,
  type Vector,
} from './digest.js'
import type { ExchangeHost } from './exchange-host.js'
import { Hearsay } from './hearsay.js'
import { ASK_ALL, readHello, writeHello } from './hello.js'
import { isReserved } from './limits.js'
import { ALL_BYTES, type StateMessage } from './message.js'
import { isDocument, nameOf } from './names.js'
import { Overview } from './overview.js'
import { Progress } from './progress.js'
import { Questions } from './questions.js'
import { Sending } from './sending.js'
import { Standstill } from './standstill.js'
import { areApart, type Range } from './structs.js'

interface Peer {
  /** Whether it knows what the mesh knows, as it says itself. */
  isSure: boolean
  /** Documents of the first comparison after a boot that are not equal yet; null before its summary. */
  awaited: Set<string> | null
  /** Documents of which a piece of the series under way was not applied, because own clocks were in doubt. */
  readonly missed: Set<string>
  /** It has just booted and asked for everything: it is to see what is known here of its own writing, in any case. */
  asksAll: boolean
}

export class Exchange {
  readonly #host: ExchangeHost
  readonly #peers = new Map<NodeId, Peer>()
  readonly #sending: Sending
  readonly #asked: Asked
  readonly #questions: Questions
  readonly #answers: Answers
  readonly #progress: Progress
  readonly #hearsay: Hearsay
  readonly #overview: Overview
  readonly #standstill: Standstill

  constructor(host: ExchangeHost) {
    this.#host = host
    this.#sending = new Sending(host)
    this.#asked = new Asked(host.config)
    this.#answers = new Answers({
      config: host.config,
      deadlines: host.deadlines,
      asked: this.#asked,
      sendSummary: to => this.#send(to, this.#overview.summaryFor(to)),
      offence: (now, from, what) => host.offence(now, from, what),
    })
    this.#questions = new Questions(host, {
      compare: () => this.helloSome(),
      isAwaited: (from, document) => this.#peers.get(from)?.awaited?.has(document) === true,
    })
    this.#progress = new Progress(host)
    this.#hearsay = new Hearsay(host)
    this.#overview = new Overview(host)
    this.#standstill = new Standstill(host.config)
  }

  get links(): readonly NodeId[] {
    return [...this.#peers.keys()]
  }

  linkUp(node: NodeId): void {
    this.#sending.linkUp(node)
    this.#asked.linkUp(node)
    this.#answers.linkUp(node)
    this.#progress.linkUp(node)
    this.#hearsay.linkUp(node)
    this.#peers.set(node, { isSure: true, awaited: null, missed: new Set(), asksAll: false })
    // One side is enough: the comparison goes both ways.
    if (!this.#host.isSure() || this.#host.self < node) this.question(node)
  }

  /** Who has just booted asks for everything, and so learns when it has it. */
  question(to: NodeId): void {
    if (this.#host.isSure()) return this.hello(to)
    const peer = this.#peers.get(to)
    // More may be here than what was being compared: when that is done, it is not all.
    if (peer !== undefined) peer.awaited = null
    this.#send(to, { kind: 'stateHello', root: ASK_ALL })
  }

  linkDown(now: Millis, node: NodeId): void {
    this.#peers.delete(node)
    this.#sending.linkDown(node)
    this.#progress.linkDown(node)
    this.#hearsay.linkDown(node)
    this.#standstill.linkDown(node)
    this.#host.deadlines.delete(`again ${node}`)
    this.#answers.linkDown(node)
    this.#questions.linkDown(now, node)
  }

  hello(to: NodeId): void {
    this.#send(to, { kind: 'stateHello', root: writeHello(this.#overview.rootWith(to), this.#host.isSure()) })
  }

  /**
   * To neighbors that have booted and met nobody to rely on: how far this node knows the writers of each document, as
   * far as that is not told yet, and then of whom it has heard.
   */
  tellMet(now: Millis, met: readonly number[]): void {
    for (const [to, { isSure }] of this.#peers) {
      if (isSure) continue
      for (const { document } of this.#hearsay.takeUntold(to, this.#overview.sharedWith(to)))
        this.#questions.ask(now, to, document)
      const root = writeHello(this.#overview.rootWith(to), this.#host.isSure(), met)
      this.#send(to, { kind: 'stateHello', root })
    }
  }

  helloSome(count = Number.POSITIVE_INFINITY): void {
    for (const node of this.#host.rng.shuffle(this.links).slice(0, count)) this.hello(node)
  }

  helloTo(node: NodeId): void {
    if (this.#peers.has(node)) this.hello(node)
    else this.helloSome(1)
  }

  /** Asks for what an update referred to: of the node that sent it, or any that holds the document. */
  ask(now: Millis, document: string, preferred: NodeId | null): void {
    const holders = this.links.filter(node => this.#host.isHeldBy(node, document))
    if (holders.length === 0) return
    const to = preferred !== null && holders.includes(preferred) ? preferred : this.#host.rng.pick(holders)
    this.#questions.ask(now, to, document)
  }

  /** Something is due, of a neighbor or, to be asked for, of a document. */
  onDeadline(
    now: Millis,
    what: 'again' | 'summary' | 'stalled' | 'disk' | 'source' | 'ask',
    subject: string,
  ): void {
    const node = subject as NodeId
    // Who awaits more than it was shown asks for everything once more.
    if (what === 'again' && (this.#peers.get(node)?.awaited?.size ?? 0) > 0) this.question(node)
    else if (what === 'again') this.hello(node)
    else if (what === 'summary') this.#answers.late(node)
    // The series came to nothing: it is let go of, and begun anew.
    else if (what === 'stalled') this.#stalled(node)
    else if (what === 'disk') this.#sending.pump(now, node)
    else this.#questions.onDeadline(now, what, subject)
  }

  #stalled(node: NodeId): void {
    if (this.#sending.giveUp(node)) this.hello(node)
  }

  handle(now: Millis, from: NodeId, message: StateMessage): void {
    // What arrives before its link is announced would be answered into the void.
    if (!this.#peers.has(from)) return
    if (!this.#asked.mayAsk(now, from, message)) {
      // No offence: an honest node with thousands of documents whose link flaps asks as much.
      this.#host.dropped('asks-too-much')
      return
    }
    switch (message.kind) {
      case 'stateHello':
        this.#onHello(now, from, message.root)
        return
      case 'stateSummary':
        this.#onSummary(now, from, message.documents, message.hashes)
        return
      case 'stateDigest':
      case 'stateWant':
      case 'statePiece':
      case 'stateHeld':
      case 'stateGot':
        if (!isDocument(message.document)) this.#host.offence(now, from, 'document-name')
        else if (message.kind === 'stateGot') this.#sending.onGot(now, from, message.number)
        else if (!this.#host.holds(message.document)) this.#host.dropped('unheld')
        else if (message.kind === 'stateDigest') this.#onDigest(now, from, message)
        else if (message.kind === 'stateWant') this.#onWant(now, from, message)
        else if (message.kind === 'stateHeld') this.#questions.onHeld(now, from, message)
        else this.#onPiece(now, from, message)
        return
      case 'stateUpdate':
        this.#host.offence(now, from, 'update-unasked')
    }
  }

  #onHello(now: Millis, from: NodeId, bytes: Uint8Array): void {
    const { asksAll, isSure, met, root } = readHello(bytes)
    const asking = this.#peers.get(from)
    const isEqual = sameBytes(root, this.#overview.rootWith(from))
    // Who has met somebody to rely on since may have more to show than it showed before.
    if (asking !== undefined) asking.isSure = isSure && (asking.isSure || isEqual)
    // What it asks after that, before it has been shown, does not take it back.
    if (asking !== undefined && asksAll) {
      asking.asksAll = true
      this.#hearsay.begin(from)
      if (!this.#host.isSure()) this.#host.tellMetSoon(now)
    }
    this.#hearsay.says(from, isSure, met)
    this.#look(now, from)
    const isInDoubt = (): boolean =>
      this.#overview.sharedWith(from).some(replica => this.#questions.isInDoubt(replica))
    if (!asksAll && isEqual && !isInDoubt()) {
      this.#answers.isEqual(from)
      if (asking !== undefined) Object.assign(asking, { asksAll: false, awaited: new Set<string>() })
      this.#firstDone(now, from)
    }
    // This node's own question is under way, and finds the same difference.
    else if (asksAll) this.#answers.askedAll(now, from)
    else if (!this.#host.awaitsFirst() || asking?.awaited?.size === 0) this.#answers.askedWhether(now, from)
  }

  #firstDone(now: Millis, from: NodeId): void {
    this.#host.firstDone(now, from, this.#peers.get(from)?.isSure === true)
    this.#look(now, from)
  }

  /** A document of the first comparison is as the other has it. */
  #isEqual(now: Millis, from: NodeId, document: string): void {
    const awaited = this.#peers.get(from)?.awaited
    if (awaited?.delete(document) && awaited.size === 0) this.#firstDone(now, from)
  }

  #onSummary(now: Millis, from: NodeId, documents: readonly string[], hashes: Uint8Array): void {
    const { config } = this.#host
    if (hashes.length !== 8 * documents.length || documents.length > 4 * config.documentsMax) {
      this.#host.offence(now, from, 'summary')
      return
    }
    const told = new Map<string, Uint8Array>()
    const different = new Set<string>()
    const doubted = new Set<string>()
    documents.forEach((document, i) => {
      if (!isDocument(document)) {
        this.#host.offence(now, from, 'document-name')
        return
      }
      const hash = hashes.slice(8 * i, 8 * i + 8)
      told.set(document, hash)
      if (!this.#host.isWanted(document, from)) return
      const replica = this.#host.find(document)
      const isSame = replica !== undefined && sameBytes(replica.visible.digest().hash, hash)
      if (isSame) this.#hearsay.knows(from, replica)
      if (replica !== undefined && this.#questions.isInDoubt(replica)) doubted.add(document)
      if (!isSame || doubted.has(document)) different.add(document)
    })
    for (const { document } of this.#overview.sharedWith(from))
      if (!told.has(document)) different.add(document)
    const asked = this.#standstill.toAsk(
      now,
      from,
      [...different].map(document => ({
        document,
        mine: this.#host.find(document)?.visible.digest().hash ?? EMPTY_DIGEST.hash,
        theirs: told.get(document) ?? EMPTY_DIGEST.hash,
        room: this.#host.roomFor(document),
      })),
    )
    const isListening = this.#host.isListening()
    for (const document of isListening ? different : new Set([...asked, ...doubted]))
      this.#questions.ask(now, from, document)
    const peer = this.#peers.get(from)
    if (peer === undefined || !isListening) return
    peer.awaited = different
    if (different.size === 0) this.#firstDone(now, from)
  }

  #onDigest(now: Millis, from: NodeId, message: StateMessage & { kind: 'stateDigest' }): void {
    const { document } = message
    const replica = this.#host.find(document)
    let theirs: Vector
    let ranges: Range[]
    try {
      theirs = decodeVector(message.vector)
      if (replica === undefined) {
        this.#answerOfNew(now, from, message, theirs)
        return
      }
      this.#host.sawVector(now, from, replica, theirs)
      this.#hearsay.shows(from, document, theirs)
      ranges = differingRanges(replica.deleteHashes, theirs, message.deletes)
    } catch {
      this.#host.offence(now, from, 'digest')
      return
    }
    const mine = replica.visible.vector()
    let lacks = ranges.length > 0
    for (const [client, clock] of theirs) if ((mine.get(client) ?? 0) < clock) lacks = true
    if (lacks || this.#peers.get(from)?.asksAll === true) {
      const vector = replica.visible.digest().vector
      this.#send(from, {
        kind: 'stateWant',
        document: replica.document,
        vector,
        ranges: encodeRanges(ranges),
        ...this.#questions.bytesMaxOf(now, from, document, lacks ? theirs : null),
      })
    }
    this.#sending.begin(now, from, replica, theirs, ranges, message.bytesMax)
  }

  /** It begins when something of it comes: who names it alone takes up no place. Of what has none, nothing is wanted. */
  #answerOfNew(
    now: Millis,
    from: NodeId,
    { document, bytesMax }: StateMessage & { kind: 'stateDigest' },
    theirs: Vector,
  ): void {
    if (bytesMax === ALL_BYTES) this.#sending.sendNothing(from, document)
    if (theirs.size === 0) return
    const isWanted = this.#host.isWanted(document, from)
    if (isWanted) this.#hearsay.shows(from, document, theirs)
    const vector = isWanted ? EMPTY_DIGEST.vector : encodeVector(theirs)
    const most = isWanted ? this.#questions.bytesMaxOf(now, from, document, theirs) : {}
    this.#send(from, { kind: 'stateWant', document, vector, ranges: encodeRanges([]), ...most })
  }

  #onWant(now: Millis, from: NodeId, message: StateMessage & { kind: 'stateWant' }): void {
    const replica = this.#host.find(message.document)
    if (replica === undefined) {
      if (message.bytesMax === ALL_BYTES) this.#sending.sendNothing(from, message.document)
      return
    }
    let theirs: Vector
    let ranges: Range[]
    try {
      theirs = decodeVector(message.vector)
      this.#host.sawVector(now, from, replica, theirs)
      ranges = decodeRanges(message.ranges)
      if (!areApart(ranges)) throw new Error('ranges overlap')
    } catch {
      this.#host.offence(now, from, 'want')
      return
    }
    this.#sending.begin(now, from, replica, theirs, ranges, message.bytesMax)
    // Pieces follow if it has what is missing here; otherwise this was its whole answer.
    const mine = replica.visible.vector()
    if ([...theirs].every(([client, clock]) => (mine.get(client) ?? 0) >= clock))
      this.#isEqual(now, from, message.document)
  }

  #onPiece(now: Millis, from: NodeId, message: StateMessage & { kind: 'statePiece' }): void {
    const { document, update } = message
    const replica = this.#host.find(document) ?? this.#host.begin(now, from, document, update)
    this.#send(from, { kind: 'stateGot', document, number: message.number })
    const isSure = replica !== undefined && this.#host.weigh(now, from, replica, update, message.last)
    const isNew = isSure && this.#host.receive(now, from, replica, update)
    if (isNew) this.#host.tellSoon(now)
    this.#progress.received(now, from, document, update.length, message.last)
    this.#questions.received(now, from, document, update.length, isNew, message.last)
    const peer = this.#peers.get(from)
    if (replica !== undefined && !isSure) peer?.missed.add(document)
    if (!message.last) return
    // An application may write all the time; what is known of tasks comes to rest, and who acts on half of it does harm.
    const isHalf = message.cut === true && isReserved(nameOf(document))
    const isMissed = peer?.missed.delete(document) === true
    if (!isHalf && !isMissed) this.#isEqual(now, from, document)
    else if (peer?.awaited?.has(document) === true) {
      const isSettled = !isHalf && replica?.own.doubt === null
      this.#host.deadlines.set(`again ${from}`, now + (isSettled ? 0 : this.#host.config.cutAgainMs))
    }
    // What others have shown may have come from this one.
    for (const node of this.links) this.#look(now, node)
  }

  #look(now: Millis, from: NodeId): void {
    if (this.#peers.get(from)?.awaited?.size === 0) this.#hearsay.look(now, from)
  }

  #send(to: NodeId, message: StateMessage): void {
    this.#host.emit({ kind: 'send', to, channel: 'bulk', message })
  }
}
