import '../../../src/polyfill.js'
import test from 'ava'
import { WireError, wireLimits } from '../../../src/adapters/wire/checks.js'
import { createCodec } from '../../../src/adapters/wire/codec.js'
import { Frame } from '../../../src/adapters/wire/message.generated.js'
import { createRng, type Rng } from '../../../src/core/rng.js'
import { createAuthor, everyKind, someAccusation, someRecord, someStrike } from './messages.js'

const author = createAuthor()
const other = createAuthor()
const SEED = Number(process.env.SHOAL_SEED ?? 0) || Math.floor(Math.random() * 2 ** 32)

test('a message of every kind comes back as it was', t => {
  const codec = createCodec()
  for (const message of everyKind(author, other, SEED)) {
    t.deepEqual(plain(createCodec().decode(codec.encode(message))), plain(message), `SHOAL_SEED=${SEED}`)
  }
})

test('a heartbeat is small', t => {
  t.is(
    createCodec().encode({ kind: 'heartbeat', meshTime: 1_794_960_001_999, view: 2 ** 32 - 1 }).byteLength,
    14,
  )
})

test('the bytes of a sealed record travel unchanged, with fields that this version does not know', t => {
  // Field 111, text "A", as a newer version might sign it.
  const newer = Buffer.concat([
    author.sealer.record(someRecord(author.id)).bytes,
    Buffer.from([0xfa, 0x06, 0x01, 0x41]),
  ])
  const signature = author.signAsRecord(newer)
  const codec = createCodec()
  const bytes = Frame.encode({ hello: { record: { body: newer, signature } } })
  const message = codec.decode(bytes)
  if (message.kind !== 'hello') return t.fail('not a hello')
  t.is(message.record.body.name, 'gw-7.hall-2')
  t.deepEqual(Buffer.from(message.record.bytes), newer)
  t.deepEqual(Buffer.from(codec.encode(message)), Buffer.from(bytes))
})

test('a record that was altered, or signed by another, is refused', t => {
  const codec = createCodec()
  const record = author.sealer.record(someRecord(author.id))
  const altered = Uint8Array.from(record.bytes)
  altered[altered.length - 1] = (altered[altered.length - 1] as number) ^ 1
  const foreign = other.sealer.record(someRecord(other.id))
  for (const forged of [
    { ...record, bytes: altered },
    { ...record, signature: foreign.signature },
    { ...foreign, bytes: record.bytes },
  ]) {
    const error = t.throws(() => codec.decode(codec.encode({ kind: 'hello', record: forged })), {
      instanceOf: WireError,
    })
    t.true(error.fault === 'seal' || error.fault === 'malformed')
  }
})

test('a statement of one kind does not pass for one of another', t => {
  const accusation = author.sealer.accusation(someAccusation(author.id, other.id))
  const frame = Frame.encode({
    rumor: {
      records: [],
      accusations: [],
      strikes: [{ body: accusation.bytes, signature: accusation.signature }],
    },
  })
  t.throws(() => createCodec().decode(frame), { instanceOf: WireError })
})

test('what was verified once is the same object again, and what was not is never remembered', t => {
  const codec = createCodec()
  const record = author.sealer.record(someRecord(author.id))
  const bytes = codec.encode({ kind: 'hello', record })
  const [first, second] = [codec.decode(bytes), codec.decode(bytes)]
  t.is(first.kind === 'hello' && first.record, second.kind === 'hello' && second.record)
  const forged = { ...record, bytes: other.sealer.record(someRecord(other.id)).bytes }
  const forgedBytes = codec.encode({ kind: 'hello', record: forged })
  for (let i = 0; i < 2; i++) t.throws(() => codec.decode(forgedBytes), { instanceOf: WireError })
})

test('names, counts and lengths beyond their limits are refused', t => {
  const refused = (frame: Frame): void => {
    t.throws(() => createCodec().decode(Frame.encode(frame)), { instanceOf: WireError })
  }
  refused({ memberWants: { ids: [new Uint8Array(31)] } })
  refused({ memberDigest: { buckets: Array.from({ length: 4_097 }, () => 1) } })
  refused({ stateUpdate: { document: 'x'.repeat(257), update: new Uint8Array(), lineage: '' } })
  const saved = { epoch: '', checkpoint: '1', sequence: 0, past: [] }
  const deep = '['.repeat(30_000) + ']'.repeat(30_000)
  refused({ checkpoint: { task: 'No Name', slot: 0, saved } })
  refused({ checkpoint: { task: 'a', slot: 0, saved: { ...saved, checkpoint: '{' } } })
  refused({ checkpoint: { task: 'a', slot: 0, saved: { ...saved, checkpoint: deep } } })
  refused({ checkpoint: { task: 'a', slot: 0, saved: { ...saved, past: ['x'.repeat(65)] } } })
  refused({ checkpoint: { task: 'a', slot: 0 } })
  refused({ heartbeat: { meshTime: 1 }, want: { on: true } })
  t.throws(() => createCodec().decode(new Uint8Array(wireLimits.messageBytesMax + 1)), {
    instanceOf: WireError,
  })
})

test('a message of a newer version is told from a broken one', t => {
  // Field 99, a message of two bytes.
  const error = t.throws(() => createCodec().decode(Uint8Array.from([0x9a, 0x06, 0x02, 0x08, 0x01])), {
    instanceOf: WireError,
  })
  t.is(error.fault, 'unknown')
})

test('a node seals for itself alone', t => {
  t.throws(() => author.sealer.record(someRecord(other.id)), { name: 'InvariantViolated' })
  t.throws(() => author.sealer.strike(someStrike(other.id, author.id)), { name: 'InvariantViolated' })
})

test('100,000 random and mutated messages give a message or a WireError, and no forged statement', t => {
  const rng = createRng(SEED)
  const codec = createCodec()
  const valid = everyKind(author, other, SEED).map(message => codec.encode(message))
  const genuine = new Set(
    everyKind(author, other, SEED).flatMap(message =>
      message.kind === 'hello' ? [Buffer.from(message.record.bytes).toString('hex')] : [],
    ),
  )
  let accepted = 0
  for (let i = 0; i < 100_000; i++) {
    const bytes = i % 4 === 0 ? randomBytes(rng) : mutate(rng.pick(valid), rng)
    try {
      const message = codec.decode(bytes)
      accepted++
      if (message.kind === 'hello' && !genuine.has(Buffer.from(message.record.bytes).toString('hex'))) {
        t.fail(`a forged record was accepted, SHOAL_SEED=${SEED}, round ${i}`)
      }
    } catch (error) {
      if (!(error instanceof WireError)) t.fail(`${String(error)}, SHOAL_SEED=${SEED}, round ${i}`)
    }
  }
  t.true(accepted > 0 && accepted < 100_000)
})

const randomBytes = (rng: Rng): Uint8Array => Uint8Array.from({ length: rng.below(64) }, () => rng.below(256))

const mutate = (bytes: Uint8Array, rng: Rng): Uint8Array => {
  const out = Array.from(bytes)
  for (let n = 1 + rng.below(3); n > 0; n--) {
    const at = rng.below(out.length + 1)
    const way = rng.below(4)
    if (way === 0) out[Math.min(at, out.length - 1)] = rng.below(256)
    else if (way === 1) out.splice(at, 1 + rng.below(4))
    else if (way === 2) out.splice(at, 0, rng.below(256))
    else out.length = at
    if (out.length === 0) return new Uint8Array()
  }
  return Uint8Array.from(out)
}

/** Buffers and Uint8Arrays alike, as text. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, each) =>
      each instanceof Uint8Array
        ? `bytes ${Buffer.from(each).toString('hex')}`
        : each?.type === 'Buffer'
          ? `bytes ${Buffer.from(each.data).toString('hex')}`
          : each,
    ),
  )
