// The messages of membership.

import type { Sealed, Verdict } from '../../core/member.js'
import type { MemberSummary, MembershipMessage } from '../../core/membership/message.js'
import { instance, integer, node, oneOf, present, time } from './checks.js'
import { converter } from './converter.js'
import { keyOfNodeId } from './keys.js'
import type * as pb from './message.generated.js'
import { accusationSeal, type Opener, recordSeal, type Seal, strikeSeal } from './seals.js'

type Of<K extends MembershipMessage['kind']> = Extract<MembershipMessage, { readonly kind: K }>

export const membership = {
  hello: converter<Of<'hello'>, pb.Hello>({
    write: message => ({ record: shut(message.record) }),
    read: (part, opener) => ({
      kind: 'hello',
      record: openOne(recordSeal, present('record', part.record), opener),
    }),
  }),
  heartbeat: converter<Of<'heartbeat'>, pb.Heartbeat>({
    write: message => ({
      meshTime: Math.round(message.meshTime),
      ...(message.view !== null && { view: message.view }),
    }),
    read: part => ({
      kind: 'heartbeat',
      meshTime: time('meshTime', part.meshTime),
      view: part.view ?? null,
    }),
  }),
  ping: converter<Of<'ping'>, pb.Ping>({
    write: message => ({ nonce: message.nonce, meshTime: Math.round(message.meshTime) }),
    read: part => ({ kind: 'ping', nonce: part.nonce, meshTime: time('meshTime', part.meshTime) }),
  }),
  pong: converter<Of<'pong'>, pb.Pong>({
    write: message => ({ nonce: message.nonce, meshTime: Math.round(message.meshTime) }),
    read: part => ({ kind: 'pong', nonce: part.nonce, meshTime: time('meshTime', part.meshTime) }),
  }),
  want: converter<Of<'want'>, pb.Want>({
    write: message => ({ on: message.on }),
    read: part => ({ kind: 'want', on: part.on }),
  }),
  rumor: converter<Of<'rumor'>, pb.Rumor>({
    write: message => ({
      records: message.records.map(shut),
      accusations: message.accusations.map(shut),
      strikes: message.strikes.map(shut),
    }),
    read: (part, opener) => ({
      kind: 'rumor',
      records: part.records.map(each => openOne(recordSeal, each, opener)),
      accusations: part.accusations.map(each => openOne(accusationSeal, each, opener)),
      strikes: part.strikes.map(each => openOne(strikeSeal, each, opener)),
    }),
  }),
  memberDigest: converter<Of<'memberDigest'>, pb.MemberDigest>({
    write: message => ({ buckets: [...message.buckets] }),
    read: part => ({ kind: 'memberDigest', buckets: part.buckets }),
  }),
  memberSummaries: converter<Of<'memberSummaries'>, pb.MemberSummaries>({
    write: message => ({
      buckets: [...message.buckets],
      lines: message.lines.map(writeLine),
      answer: message.answer,
    }),
    read: part => ({
      kind: 'memberSummaries',
      buckets: part.buckets,
      lines: part.lines.map(readLine),
      answer: part.answer,
    }),
  }),
  memberWants: converter<Of<'memberWants'>, pb.MemberWants>({
    write: message => ({ ids: message.ids.map(keyOfNodeId) }),
    read: part => ({ kind: 'memberWants', ids: part.ids.map(id => node('ids', id)) }),
  }),
  hearsay: converter<Of<'hearsay'>, pb.Hearsay>({
    write: message => ({ lines: message.lines.map(writeLine) }),
    read: part => ({ kind: 'hearsay', lines: part.lines.map(readLine) }),
  }),
}

const shut = (sealed: Sealed<unknown>): pb.Sealed => ({ body: sealed.bytes, signature: sealed.signature })

const openOne = <Body>(kind: Seal<Body>, sealed: pb.Sealed, opener: Opener): Sealed<Body> =>
  opener.open(kind, sealed.body, sealed.signature)

const VERDICTS = { ALIVE: 'alive', SUSPECT: 'suspect', DEAD: 'dead', LEFT: 'left' } as const

const writeLine = (line: MemberSummary): pb.Summary => ({
  id: keyOfNodeId(line.id),
  generation: line.generationNumber,
  instance: Buffer.from(line.generationInstance, 'hex'),
  refutation: line.refutation,
  verdict: line.verdict.toUpperCase() as pb.Verdict,
  ageMs: Math.max(0, Math.round(line.ageMs)),
})

const readLine = (line: pb.Summary): MemberSummary => ({
  id: node('id', line.id),
  generationNumber: integer('generation', line.generation),
  generationInstance: instance('instance', line.instance),
  refutation: integer('refutation', line.refutation),
  verdict: VERDICTS[
    oneOf('verdict', line.verdict, Object.keys(VERDICTS) as (keyof typeof VERDICTS)[])
  ] as Verdict,
  ageMs: integer('ageMs', line.ageMs),
})
