// Messages of every kind at random, from a seed, for the tests of the codec.

import { createPrivateKey, randomBytes, sign } from 'node:crypto'
import { createIdentity } from '../../../src/adapters/identity/identity.js'
import { createSealer } from '../../../src/adapters/wire/seals.js'
import { type NodeId, taskId } from '../../../src/core/ids.js'
import type { Accusation, MemberRecord, Strike } from '../../../src/core/member.js'
import type { MemberSummary } from '../../../src/core/membership/message.js'
import type { Message } from '../../../src/core/message.js'
import { createRng, type Rng } from '../../../src/core/rng.js'
import type { Sealer } from '../../../src/ports.js'

export interface Author {
  readonly id: NodeId
  readonly sealer: Sealer
  /** Signs any bytes as if they were a record of this node. */
  signAsRecord(bytes: Uint8Array): Uint8Array
}

export const createAuthor = (): Author => {
  const { id, seed } = createIdentity()
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const signAsRecord = (bytes: Uint8Array): Uint8Array =>
    sign(null, Buffer.concat([Buffer.from('shoal/record/1\0'), bytes]), key)
  return { id, sealer: createSealer(seed), signAsRecord }
}

export const someRecord = (id: NodeId, change: Partial<MemberRecord> = {}): MemberRecord => ({
  id,
  name: 'gw-7.hall-2',
  generation: { number: 12, instance: '0123456789abcdef' },
  refutation: 3,
  left: false,
  addresses: ['/ip4/10.0.0.7/tcp/4701', '/ip6/fd00::7/tcp/4701'],
  dialable: true,
  labels: { zone: 'hall-2', modbus: 'line-3' },
  capacity: null,
  runs: ['exec', 'handler:modbus-poll'],
  spaces: ['*'],
  settled: true,
  draining: false,
  health: 'strained',
  reasons: ['temperature 81 °C'],
  version: '0.1.0',
  startedAt: 1_794_960_001_123,
  ...change,
})

export const someAccusation = (
  accuser: NodeId,
  subject: NodeId,
  change: Partial<Accusation> = {},
): Accusation => ({
  accuser,
  subject,
  generation: { number: 12, instance: '0123456789abcdef' },
  refutation: 3,
  evidence: 'silent',
  at: 1_794_960_002_000,
  ...change,
})

export const someStrike = (issuer: NodeId, subject: NodeId): Strike => ({
  issuer,
  subject,
  generationNumber: 12,
  at: 1_794_960_003_000,
})

const line = (id: NodeId, rng: Rng): MemberSummary => ({
  id,
  generationNumber: rng.below(1_000_000),
  generationInstance: 'fedcba9876543210',
  refutation: rng.below(100),
  verdict: (['alive', 'suspect', 'dead', 'left'] as const)[rng.below(4)] ?? 'alive',
  ageMs: rng.below(1_000_000_000),
})

/** One message of every kind that this version knows. */
export const everyKind = (author: Author, other: Author, seed: number): readonly Message[] => {
  const rng = createRng(seed)
  const record = author.sealer.record(
    someRecord(author.id, { refutation: rng.below(1_000), capacity: rng.below(50) }),
  )
  const accusation = author.sealer.accusation(
    someAccusation(author.id, other.id, { refutation: rng.below(1_000) }),
  )
  const strike = other.sealer.strike(someStrike(other.id, author.id))
  const lines = [line(author.id, rng), line(other.id, rng)]
  const update = new Uint8Array(randomBytes(rng.below(500)))
  const saved = {
    epoch: `1794960001-${author.id}`,
    sequence: 7,
    checkpoint: { n: rng.below(1_000), nested: [1, null, 'ü', { deep: true }] },
    past: ['1794960000-AbCdEfGh/3', '1794959998-x/0'],
  }
  const messages: readonly Message[] = [
    { kind: 'hello', record },
    { kind: 'heartbeat', meshTime: 1_794_960_001_999, view: rng.below(2 ** 32) },
    { kind: 'heartbeat', meshTime: 1, view: null },
    { kind: 'ping', nonce: rng.below(2 ** 32), meshTime: 0 },
    { kind: 'pong', nonce: rng.below(2 ** 32), meshTime: 1_794_960_001_999 },
    { kind: 'want', on: rng.below(2) === 1 },
    { kind: 'rumor', records: [record], accusations: [accusation], strikes: [strike] },
    { kind: 'rumor', records: [], accusations: [], strikes: [] },
    { kind: 'memberDigest', buckets: [0, 2 ** 32 - 1, rng.below(2 ** 32)] },
    { kind: 'memberSummaries', buckets: [3, 5], lines, answer: true },
    { kind: 'memberWants', ids: [author.id, other.id] },
    { kind: 'hearsay', lines },
    { kind: 'stateHello', root: update.slice(0, 8) },
    { kind: 'stateSummary', documents: ['space/plant', 'doc/notes'], hashes: new Uint8Array(16).fill(3) },
    { kind: 'stateDigest', document: 'space/plant', vector: update, deletes: new Uint8Array(5) },
    { kind: 'stateWant', document: 'space/plant', vector: new Uint8Array(), ranges: update },
    { kind: 'statePiece', document: 'space/plant', number: rng.below(99), last: rng.below(2) === 1, update },
    { kind: 'stateDigest', document: 'space/a', vector: update, deletes: update, bytesMax: rng.below(2) },
    { kind: 'stateWant', document: 'doc/a', vector: update, ranges: update, bytesMax: 2 ** 32 - 1 },
    { kind: 'stateGot', document: 'space/plant', number: rng.below(2 ** 31) },
    {
      kind: 'stateHeld',
      document: 'space/plant',
      bytesMax: rng.below(2 ** 32),
      bytes: rng.below(9_000),
      later: rng.below(2) === 1,
      vector: update,
      hash: update.slice(0, 8),
    },
    { kind: 'resultsAsked', tasks: [taskId('a'), taskId('b')] },
    { kind: 'resultsHeld', tasks: [] },
    { kind: 'handoverAhead', tasks: [taskId('a')] },
    { kind: 'handoverAsked', task: taskId('a'), slot: 1, epoch: saved.epoch },
    { kind: 'handoverAnswered', task: taskId('a'), slot: 1, epoch: saved.epoch, saved },
    { kind: 'handoverAnswered', task: taskId('a'), slot: 1, epoch: saved.epoch, saved: null },
    {
      kind: 'handover',
      task: taskId('poll-line-3'),
      slot: 0,
      epoch: `1794960001-${author.id}`,
      cause: 'drained',
      covered: rng.below(2) === 1 ? null : 1_794_960_001_000,
      saved: rng.below(2) === 1 ? null : saved,
    },
    { kind: 'stateUpdate', document: 'space/plant', lineage: 'a1', update },
    {
      kind: 'checkpoint',
      task: taskId('poll-line-3'),
      slot: 2,
      saved,
    },
  ]
  return messages
}
