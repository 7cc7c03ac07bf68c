// What a run came to, in figures. Counts and virtual times alone: how long it took
// on the machine is measured by whoever started it.

import type { World } from './world.js'

export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

export interface SimReport {
  readonly seed: number
  readonly nodes: number
  readonly virtualSeconds: number
  readonly traceHash: string
  /** Events that reached a core. */
  readonly events: number
  readonly tally: Readonly<World['tally']>
  /** Per node and virtual second, with the overhead of the packets. */
  readonly sentBytesPerSecond: Spread
  readonly receivedBytesPerSecond: Spread
}

export const createReport = (world: World): SimReport => {
  const seconds = Math.max(world.nowMs / 1000, 0.001)
  return {
    seed: world.seed,
    nodes: world.nodes.length,
    virtualSeconds: world.nowMs / 1000,
    traceHash: world.trace.hash,
    events: world.trace.events,
    tally: { ...world.tally },
    sentBytesPerSecond: spreadOf(world.nodes.map(node => node.bytesSent / seconds)),
    receivedBytesPerSecond: spreadOf(world.nodes.map(node => node.bytesReceived / seconds)),
  }
}

/** The report as lines for people. */
export const formatReport = (report: SimReport): string[] => {
  const { tally } = report
  return [
    `nodes      ${report.nodes}, ${report.virtualSeconds} virtual seconds`,
    `events     ${report.events}`,
    `messages   ${tally.messagesDelivered} delivered, ${tally.messagesLost} lost`,
    `gossip     ${tally.gossipPublished} published, ${tally.gossipDelivered} delivered, ${tally.gossipDuplicates} duplicates`,
    `links      ${tally.linksOpened} opened, ${tally.linksBroken} broken; ${tally.dials} dials, ${tally.dialsFailed} failed`,
    `sent       ${formatSpread(report.sentBytesPerSecond)} bytes a second and node`,
    `received   ${formatSpread(report.receivedBytesPerSecond)} bytes a second and node`,
    `trace      ${report.traceHash}`,
  ]
}

const formatSpread = ({ min, median, max }: Spread): string =>
  `${Math.round(min)} / ${Math.round(median)} / ${Math.round(max)}`

const spreadOf = (values: readonly number[]): Spread => {
  const sorted = [...values].sort((a, b) => a - b)
  return {
    min: sorted[0] ?? 0,
    median: sorted[sorted.length >> 1] ?? 0,
    max: sorted[sorted.length - 1] ?? 0,
  }
}
