// Everything that somebody outside could make grow, and how far. What a limit trades
// stands beside it; tests bring smaller ones.

import type { Millis } from '../../core/ids.js'

export interface HttpLimits {
  /** A value of shared state or a checkpoint, as it is sent. 64 KB, as the contract has it. */
  readonly valueBytesMax: number
  /** A task as it is sent: twice what a spec may have as compact JSON, for who indents it. */
  readonly taskBytesMax: number
  /** Any other body. 64 KB: a plan without a thousand members is 55 KB. */
  readonly bodyBytesMax: number
  /** Nesting of a body. 64, as state and tasks accept; deeper would cost stack. */
  readonly depthMax: number
  /** The request line and all headers. 16 KB: a key of 256 bytes, percent-encoded, is under 1 KB. */
  readonly headerBytesMax: number
  readonly headersMax: number
  /** Open connections; the next is closed at once. 1,500: a thousand streams and room for others. */
  readonly connectionsMax: number
  /** Live event streams. */
  readonly streamsMax: number
  /** Requests under way, streams aside. With the largest body of each: 64 MB. */
  readonly requestsMax: number
  /** Until the headers are there, and until the whole request is. A slow sender holds a connection so long. */
  readonly headersMs: Millis
  readonly requestMs: Millis
  readonly keepAliveMs: Millis
  /** An operation that is not done by then is answered all the same. 10 s: the command waits for 15. */
  readonly answerMs: Millis
  /** Log lines for one answer, and their bytes. */
  readonly logLinesMax: number
  readonly logBytesMax: number
  /** Addresses in one join, members in one plan. */
  readonly listMax: number
  readonly streams: StreamLimits
  /** How long answers under way have to get out when the server closes. */
  readonly closeMs: Millis
}

export interface StreamLimits {
  /** A comment so often, so that both ends notice a dead connection. */
  readonly heartbeatMs: Millis
  /** Bytes handed to one client at a time; it gets no more until its socket took them. */
  readonly chunkBytes: number
  /** A client that is so many events behind is dropped, and may resume: what it would miss is forgotten now. What the journal keeps. */
  readonly behindMax: number
  /** So is one whose socket takes nothing for so long. */
  readonly stalledMs: Millis
  /** Batches go out no closer than this: a thousand clients cost about 10 ms each time. */
  readonly batchMs: Millis
  /** Clients served in one turn of the event loop, so that heartbeats of the mesh get theirs between. */
  readonly clientsPerTurn: number
}

export const HTTP_LIMITS: HttpLimits = Object.freeze({
  valueBytesMax: 65_536,
  taskBytesMax: 262_144,
  bodyBytesMax: 65_536,
  depthMax: 64,
  headerBytesMax: 16_384,
  headersMax: 100,
  connectionsMax: 1_500,
  streamsMax: 1_200,
  requestsMax: 256,
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 15_000,
  answerMs: 10_000,
  logLinesMax: 10_000,
  logBytesMax: 262_144,
  listMax: 1_000,
  streams: Object.freeze({
    heartbeatMs: 15_000,
    chunkBytes: 65_536,
    behindMax: 10_000,
    stalledMs: 30_000,
    batchMs: 25,
    clientsPerTurn: 32,
  }),
  closeMs: 1_000,
})
