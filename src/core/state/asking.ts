// From whom this node takes what it lacks. A little is sent at once by whoever is asked, so that a lost broadcast
// costs nobody time. More of a document comes from one source at a time: a node that lacks much was sent all of it by
// each of its neighbors.
//
// The first who is asked about a document may send a little unasked; the others say what they have, and those
// that have little more are asked for it as well, up to `smallGapBytesPerSecond`. Who has much is asked for all, if
// nobody is already. It is left for the next when it delivers too little (sources.ts), when its link ends, when it
// says that it has nothing, and when it has sent all that it had.
//
// Nothing depends on it: comparisons go on as if it were not there (voice.ts), and find whatever was not sent.
// It never decides what is compared with whom.

import type { DeadlineQueue } from '../deadline-queue.js'
import type { Millis, NodeId } from '../ids.js'
import type { StateConfig } from './config.js'
import type { Vector } from './digest.js'
import { ALL_BYTES } from './message.js'
import { Sources } from './sources.js'

export interface AskingHost {
  readonly config: StateConfig
  readonly deadlines: DeadlineQueue<string>
  /** Whether not all is here that this vector names, and the rest may come. */
  lacks(document: string, vector: Vector, from: NodeId): boolean
  /** Asks about a document, of which it is sent up to so much. */
  question(to: NodeId, document: string, bytesMax: number): void
  /** What it was known to have is here, by way of others. */
  caughtUp(from: NodeId, document: string): void
  /** All neighbors are to be compared with: who was relied on has gone. */
  compare(): void
}

/** How far this node is with a document that it lacks something of. */
interface Course {
  /** Who was asked for all, when, when it last brought something new, and whether it did. */
  source: NodeId | null
  askedAt: Millis
  heardAt: Millis
  hasBrought: boolean
  /** When anybody last brought something new. */
  newAt: Millis
  /** Who may send a little unasked, and until when its answer is waited for. */
  first: NodeId | null
  firstUntil: Millis
}

/** What somebody said that it has. */
export interface Held {
  readonly document: string
  readonly bytesMax: number
  readonly bytes: number
  readonly later: boolean
}

export class Asking {
  readonly #host: AskingHost
  readonly #sources: Sources
  readonly #courses = new Map<string, Course>()
  /** What each source brought between two looks, the latest first, as far back as nothing may come at all. */
  readonly #windows = new Map<NodeId, number[]>()
  /** What may still be taken from others beside the source, and when that was counted. */
  #room: number
  #roomAt: Millis = 0

  constructor(host: AskingHost) {
    this.#host = host
    this.#sources = new Sources(host.config)
    this.#room = host.config.smallGapBytesPerSecond
  }

  /** Up to how much a neighbor may send of a document that it is asked about; `vector`: it is known to have more. */
  bytesMaxOf(now: Millis, to: NodeId, document: string, vector: Vector | null): number {
    const course = this.#courseOf(now, document)
    if (vector !== null) this.#sources.add(document, to, vector, now)
    if (course.source === null && course.first !== to && now < course.firstUntil) return this.#little(now)
    if (vector !== null && this.#mayBegin(now, course, to)) {
      const [best] = this.#ready(now, document)
      if (best?.node === to) this.#begin(now, document, course, to)
      else this.#next(now, document, course, false)
    }
    if (course.source === to) return ALL_BYTES
    if (course.source !== null) return this.#little(now)
    const { smallGapBytes, smallGapMs } = this.#host.config
    course.first = to
    course.firstUntil = now + smallGapMs
    this.#againAt(document, course.firstUntil)
    return smallGapBytes
  }

  /** A neighbor says what it has of a document, in place of sending it. */
  onHeld(now: Millis, from: NodeId, held: Held, vector: Vector, isEqual: boolean): void {
    const { document, bytes, bytesMax, later } = held
    const { smallGapBytes, smallGapMs, turnAgainMs } = this.#host.config
    const course = this.#courseOf(now, document)
    const hasMore = bytes > 0 && !isEqual
    if (hasMore) this.#sources.add(document, from, vector, later ? now + turnAgainMs : now)
    else this.#sources.drop(document, from)
    if (isEqual) this.#host.caughtUp(from, document)
    if (course.first === from) course.firstUntil = now
    if (course.source === from) {
      // What it says of an earlier question is no answer to this one.
      if (bytesMax !== ALL_BYTES) return
      if (!later) this.#sources.drop(document, from)
      course.source = null
    }
    const isLittle = hasMore && bytes <= smallGapBytes
    if (isLittle && this.#mayTake(now, bytes)) {
      this.#againAt(document, now + smallGapMs)
      this.#host.question(from, document, smallGapBytes)
    } else if (isLittle && course.source === null && now < course.firstUntil)
      this.#againAt(document, course.firstUntil)
    else if (course.source === null || (hasMore && this.#mayBegin(now, course, from)))
      this.#next(now, document, course, false)
  }

  /** A piece came. */
  received(
    now: Millis,
    from: NodeId,
    document: string,
    bytes: number,
    isNew: boolean,
    isLast: boolean,
  ): void {
    const window = this.#windows.get(from)
    if (window !== undefined && isNew) window[0] = (window[0] ?? 0) + bytes
    const course = this.#courses.get(document)
    if (course === undefined) return
    // Who knows nothing of all this sends everything.
    if (course.source === null && course.first === from && !isLast) this.#begin(now, document, course, from)
    const isSource = course.source === from
    if (isNew) course.newAt = now
    if (isSource && isNew) course.heardAt = now
    if (isSource) course.hasBrought ||= isNew
    // What it was let to send was counted as the least that it can be.
    else if (course.first !== from) this.#room -= Math.max(0, bytes - TAKEN_BYTES_MIN)
    if (!isLast) return
    this.#sources.drop(document, from)
    if (course.first === from) course.firstUntil = now
    if (isSource) course.source = null
    if (course.source === null && now >= course.firstUntil)
      this.#next(now, document, course, isSource ? course.hasBrought : isNew)
  }

  linkDown(now: Millis, node: NodeId): void {
    this.#sources.linkDown(node)
    this.#windows.delete(node)
    this.#host.deadlines.delete(`source ${node}`)
    let isLost = false
    for (const [document, course] of [...this.#courses]) {
      if (course.first === node) course.firstUntil = now
      if (course.source !== node && course.first !== node) continue
      const wasSource = course.source === node
      if (wasSource) course.source = null
      if (course.source === null && !this.#next(now, document, course, false)) isLost ||= wasSource
    }
    if (isLost) this.#host.compare()
  }

  /** Who was waited for has not answered, or who was put off may be asked again. */
  again(now: Millis, document: string): void {
    const course = this.#courses.get(document)
    if (course !== undefined && course.source === null) this.#next(now, document, course, false)
  }

  /** What a source delivered is looked at, as long as something is asked of it. */
  look(now: Millis, node: NodeId): void {
    const { catchUpTimeoutMs, sourceLookMs, sourceBytesPerSecond, sourceWindowMs } = this.#host.config
    const looks = this.#windows.get(node) ?? [0]
    const perWindow = Math.ceil(sourceWindowMs / sourceLookMs)
    const courses = [...this.#courses].filter(([, { source }]) => source === node)
    const bytes = sum(looks.slice(0, perWindow + 1))
    const mean = (sum(looks) * perWindow) / looks.length
    const isDue = courses.some(([, { askedAt }]) => now - askedAt >= sourceWindowMs)
    const isSlow = isDue && bytes < (sourceBytesPerSecond * sourceWindowMs) / 1_000
    if (isSlow) this.#sources.leave(now, node, mean)
    else if (isDue) this.#sources.delivers(node)
    let isLost = false
    for (const [document, course] of courses) {
      const isMute = now - Math.max(course.askedAt, course.heardAt) >= catchUpTimeoutMs
      if (isSlow || isMute) isLost = !this.#leave(now, document, course, mean) || isLost
    }
    if (isLost) this.#host.compare()
    if (![...this.#courses.values()].some(({ source }) => source === node)) {
      this.#windows.delete(node)
      return
    }
    if (looks.unshift(0) > catchUpTimeoutMs / sourceLookMs) looks.pop()
    this.#host.deadlines.set(`source ${node}`, now + sourceLookMs)
  }

  /** Goes over to somebody better, if there is one; false when there is nobody to ask any more. */
  #leave(now: Millis, document: string, course: Course, bytes: number): boolean {
    const { catchUpTimeoutMs } = this.#host.config
    const node = course.source as NodeId
    const isSettled = now - course.askedAt >= catchUpTimeoutMs
    const better = this.#ready(now, document).find(
      other => other.node !== node && this.#sources.isBetter(now, other.node, bytes, isSettled),
    )
    if (better === undefined) {
      // Little is more than nothing, and where all are slow the way is: what was asked for before is still under way.
      if (now - Math.max(course.askedAt, course.newAt) < catchUpTimeoutMs) return true
      this.#sources.drop(document, node)
      this.#end(document)
      return false
    }
    this.#begin(now, document, course, better.node)
    this.#host.question(better.node, document, ALL_BYTES)
    return true
  }

  /** Whether a neighbor may become the source: nobody is, or one that is to be tried last. */
  #mayBegin(now: Millis, { source }: Course, node: NodeId): boolean {
    return source === null || (this.#sources.isLast(now, source) && !this.#sources.isLast(now, node))
  }

  #begin(now: Millis, document: string, course: Course, source: NodeId): void {
    // Who is left is told so, or would go on.
    if (course.source !== null && course.source !== source) this.#host.question(course.source, document, 0)
    course.source = source
    course.askedAt = now
    course.heardAt = now
    course.hasBrought = false
    this.#host.deadlines.delete(`ask ${document}`)
    this.#watch(now, source)
  }

  #watch(now: Millis, node: NodeId): void {
    if (this.#windows.has(node)) return
    this.#windows.set(node, [0])
    this.#host.deadlines.set(`source ${node}`, now + this.#host.config.sourceLookMs)
  }

  /** Asks the next that has more; `onlyWhatLacks`: of whom it is not sure, a comparison will find it. False when nobody has. */
  #next(now: Millis, document: string, course: Course, onlyWhatLacks: boolean): boolean {
    let again = Number.POSITIVE_INFINITY
    for (const source of this.#sources.inOrder(now, document)) {
      const { node, notBefore, vector } = source
      if (onlyWhatLacks && !this.#host.lacks(document, vector, node)) {
        this.#sources.drop(document, node)
        this.#host.caughtUp(node, document)
        continue
      }
      again = Math.min(again, notBefore)
      if (notBefore > now) continue
      this.#begin(now, document, course, node)
      this.#host.question(node, document, ALL_BYTES)
      return true
    }
    const isOver = again === Number.POSITIVE_INFINITY
    if (isOver) this.#end(document)
    else this.#host.deadlines.set(`ask ${document}`, again)
    return !isOver
  }

  #end(document: string): void {
    this.#courses.delete(document)
    this.#host.deadlines.delete(`ask ${document}`)
  }

  #againAt(document: string, at: Millis): void {
    const { deadlines } = this.#host
    if (deadlines.get(`ask ${document}`) === null) deadlines.set(`ask ${document}`, at)
  }

  /** Who may be asked for all now, the best first. */
  #ready(now: Millis, document: string): { readonly node: NodeId }[] {
    return this.#sources.inOrder(now, document).filter(({ notBefore }) => notBefore <= now)
  }

  /** Of a document that somebody else has been asked about. */
  #little(now: Millis): number {
    return this.#mayTake(now, 0) ? this.#host.config.smallGapBytes : 0
  }

  #mayTake(now: Millis, bytes: number): boolean {
    const most = this.#host.config.smallGapBytesPerSecond
    this.#room = Math.min(most, this.#room + ((now - this.#roomAt) * most) / 1_000)
    this.#roomAt = now
    const cost = Math.max(bytes, TAKEN_BYTES_MIN)
    if (this.#room < cost) return false
    this.#room -= cost
    return true
  }

  #courseOf(now: Millis, document: string): Course {
    const known = this.#courses.get(document)
    if (known !== undefined) return known
    const course = {
      source: null,
      askedAt: now,
      heardAt: now,
      hasBrought: false,
      newAt: now,
      first: null,
      firstUntil: now,
    }
    this.#courses.set(document, course)
    return course
  }
}

/** A question and its answer cost as much at least. */
const TAKEN_BYTES_MIN = 1_024

const sum = (list: readonly number[]): number => list.reduce((all, each) => all + each, 0)
