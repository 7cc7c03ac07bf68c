// Statements that a node signs: its record, its accusations, its strikes. The bytes
// that were signed are kept and travel on as they are, so a field that a newer
// version added survives its way through this one. Each kind is signed under a
// prefix of its own, so that no statement passes for another.
//
// Verifying costs a tenth of a millisecond on a gateway and the same records come
// again and again, so what was verified is remembered, and returned as the same object.

import { createPrivateKey, type KeyObject, sign, verify } from 'node:crypto'
import { invariant } from '../../core/errors.js'
import type { NodeId } from '../../core/ids.js'
import type { Accusation, MemberRecord, Sealed, Strike } from '../../core/member.js'
import type { Sealer } from '../../ports.js'
import {
  bytes as checkBytes,
  instance,
  integer,
  name,
  node,
  oneOf,
  text,
  texts,
  time,
  WireError,
  wireLimits,
} from './checks.js'
import { keyOfNodeId, nodeIdOfKey, publicKeyOf } from './keys.js'
import * as pb from './message.generated.js'
import { Recent } from './recent.js'

/** How one kind of statement is written, read and attributed. */
export interface Seal<Body> {
  readonly prefix: string
  readonly encode: (body: Body) => Uint8Array
  readonly decode: (bytes: Uint8Array) => Body
  readonly signer: (body: Body) => NodeId
}

const SIGNATURE_BYTES = 64
const REMEMBERED_BYTES_MAX = 4 * 1024 * 1024
const HEALTH = { OK: 'ok', STRAINED: 'strained', FAILING: 'failing' } as const
const EVIDENCE = { REFUSED: 'refused', SILENT: 'silent' } as const

export const recordSeal: Seal<MemberRecord> = {
  prefix: 'shoal/record/1\0',
  signer: body => body.id,
  encode: body =>
    pb.Record.encode({
      id: keyOfNodeId(body.id),
      name: body.name,
      generation: body.generation.number,
      instance: Buffer.from(body.generation.instance, 'hex'),
      refutation: body.refutation,
      left: body.left,
      addresses: [...body.addresses],
      dialable: body.dialable,
      labels: new Map(Object.entries(body.labels)),
      ...(body.capacity === null ? {} : { capacity: body.capacity }),
      runs: [...body.runs],
      spaces: [...body.spaces],
      settled: body.settled,
      draining: body.draining,
      health: body.health.toUpperCase() as pb.Health,
      reasons: [...body.reasons],
      version: body.version,
      startedAt: Math.round(body.startedAt),
    }),
  decode: bytes => {
    const record = pb.Record.decode(bytes)
    const labels: Record<string, string> = Object.create(null)
    for (const [key, value] of record.labels) {
      labels[text('label', key, wireLimits.labelKeyCharsMax)] = text(
        'label',
        value,
        wireLimits.labelValueCharsMax,
      )
    }
    return {
      id: node('id', record.id),
      name: name('name', record.name),
      generation: {
        number: integer('generation', record.generation),
        instance: instance('instance', record.instance),
      },
      refutation: integer('refutation', record.refutation),
      left: record.left,
      addresses: texts('addresses', record.addresses, wireLimits.addressCharsMax),
      dialable: record.dialable,
      labels: { ...labels },
      capacity: record.capacity === undefined ? null : integer('capacity', record.capacity),
      runs: texts('runs', record.runs, wireLimits.abilityCharsMax),
      spaces: texts('spaces', record.spaces, wireLimits.patternCharsMax),
      settled: record.settled,
      draining: record.draining,
      health: HEALTH[oneOf('health', record.health, Object.keys(HEALTH) as (keyof typeof HEALTH)[])],
      reasons: texts('reasons', record.reasons, wireLimits.reasonCharsMax),
      version: text('version', record.version, wireLimits.versionCharsMax),
      startedAt: time('startedAt', record.startedAt),
    }
  },
}

export const accusationSeal: Seal<Accusation> = {
  prefix: 'shoal/accusation/1\0',
  signer: body => body.accuser,
  encode: body =>
    pb.Accusation.encode({
      accuser: keyOfNodeId(body.accuser),
      subject: keyOfNodeId(body.subject),
      generation: body.generation.number,
      instance: Buffer.from(body.generation.instance, 'hex'),
      refutation: body.refutation,
      evidence: body.evidence.toUpperCase() as pb.Evidence,
      at: Math.round(body.at),
    }),
  decode: bytes => {
    const accusation = pb.Accusation.decode(bytes)
    return {
      accuser: node('accuser', accusation.accuser),
      subject: node('subject', accusation.subject),
      generation: {
        number: integer('generation', accusation.generation),
        instance: instance('instance', accusation.instance),
      },
      refutation: integer('refutation', accusation.refutation),
      evidence:
        EVIDENCE[oneOf('evidence', accusation.evidence, Object.keys(EVIDENCE) as (keyof typeof EVIDENCE)[])],
      at: time('at', accusation.at),
    }
  },
}

export const strikeSeal: Seal<Strike> = {
  prefix: 'shoal/strike/1\0',
  signer: body => body.issuer,
  encode: body =>
    pb.Strike.encode({
      issuer: keyOfNodeId(body.issuer),
      subject: keyOfNodeId(body.subject),
      generationNumber: body.generationNumber,
      at: Math.round(body.at),
    }),
  decode: bytes => {
    const strike = pb.Strike.decode(bytes)
    return {
      issuer: node('issuer', strike.issuer),
      subject: node('subject', strike.subject),
      generationNumber: integer('generationNumber', strike.generationNumber),
      at: time('at', strike.at),
    }
  },
}

/** What stands before the 32 bytes of an Ed25519 private key in DER (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/** Signs as the node whose identity has this 32-byte seed. */
export const createSealer = (seed: Uint8Array): Sealer => {
  const der = Buffer.concat([PKCS8_PREFIX, seed])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const jwk = key.export({ format: 'jwk' })
  invariant(jwk.x !== undefined, 'an Ed25519 key has a public half')
  const self = nodeIdOfKey(Buffer.from(jwk.x, 'base64url'))
  return {
    record: body => seal(recordSeal, body, key, self),
    accusation: body => seal(accusationSeal, body, key, self),
    strike: body => seal(strikeSeal, body, key, self),
  }
}

const seal = <Body>(kind: Seal<Body>, body: Body, key: KeyObject, self: NodeId): Sealed<Body> => {
  invariant(kind.signer(body) === self, 'a node signs for itself alone')
  const bytes = kind.encode(body)
  invariant(bytes.byteLength <= wireLimits.sealedBytesMax, 'a statement of this node is small enough to send')
  // Read back, so that this node holds the very thing that all others will read.
  return { body: kind.decode(bytes), bytes, signature: sign(null, signed(kind, bytes), key) }
}

/** Opens statements and remembers the ones that were true. */
export class Opener {
  readonly #remembered = new Recent<string, Sealed<unknown>>(
    REMEMBERED_BYTES_MAX,
    each => each.bytes.byteLength + 512,
  )
  verifications = 0

  open<Body>(kind: Seal<Body>, bytes: Uint8Array, signature: Uint8Array): Sealed<Body> {
    if (signature.byteLength !== SIGNATURE_BYTES)
      throw new WireError('malformed', 'a signature has not 64 bytes')
    checkBytes('sealed', bytes, wireLimits.sealedBytesMax)
    const key =
      kind.prefix + Buffer.from(signature.buffer, signature.byteOffset, SIGNATURE_BYTES).toString('latin1')
    const known = this.#remembered.get(key)
    if (known !== undefined && Buffer.compare(known.bytes, bytes) === 0) return known as Sealed<Body>
    const body = kind.decode(bytes)
    this.verifications++
    if (!verify(null, signed(kind, bytes), publicKeyOf(kind.signer(body)), signature)) {
      throw new WireError('seal', `a statement was not signed by ${kind.signer(body)}`)
    }
    // Copies: the bytes that came are windows into the buffer of a whole message.
    const sealed = { body, bytes: Uint8Array.from(bytes), signature: Uint8Array.from(signature) }
    this.#remembered.set(key, sealed)
    return sealed
  }
}

const signed = <Body>(kind: Seal<Body>, bytes: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from(kind.prefix), bytes])
