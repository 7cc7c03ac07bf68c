// What a field from the wire may be. Every reader goes through these, so that a
// peer's nonsense ends here as a `WireError` and never reaches the core.

import { isName, type Millis, type NodeId } from '../../core/ids.js'
import type { Json } from '../../core/json.js'
import { nodeIdOfKey } from './keys.js'

/** `malformed` and `seal` are a peer's fault; `unknown` is a message of a newer version. */
export type WireFault = 'malformed' | 'seal' | 'unknown'

export class WireError extends Error {
  override readonly name = 'WireError'
  readonly fault: WireFault

  constructor(fault: WireFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.fault = fault
  }
}

export const wireLimits = {
  messageBytesMax: 1024 * 1024,
  sealedBytesMax: 32 * 1024,
  addressCharsMax: 256,
  labelKeyCharsMax: 128,
  labelValueCharsMax: 512,
  abilityCharsMax: 256,
  patternCharsMax: 128,
  reasonCharsMax: 512,
  versionCharsMax: 64,
  documentCharsMax: 256,
  epochCharsMax: 128,
  /** The JSON of a checkpoint is at most 64 KB; in other spellings it may be longer. */
  jsonCharsMax: 80 * 1024,
  jsonDepthMax: 64,
} as const

export const malformed = (field: string, why: string): never => {
  throw new WireError('malformed', `${field} ${why}`)
}

export const present = <T>(field: string, value: T | undefined | null): T =>
  value ?? malformed(field, 'is missing')

export const text = (field: string, value: string, charsMax: number): string =>
  value.length <= charsMax ? value : malformed(field, `has ${value.length} characters, more than ${charsMax}`)

export const texts = (field: string, values: readonly string[], charsMax: number): readonly string[] =>
  values.map(value => text(field, value, charsMax))

export const name = (field: string, value: string): string =>
  isName(value) ? value : malformed(field, 'is no name')

export const bytes = (
  field: string,
  value: Uint8Array,
  lengthMax: number = wireLimits.messageBytesMax,
): Uint8Array =>
  value.byteLength <= lengthMax
    ? value
    : malformed(field, `has ${value.byteLength} bytes, more than ${lengthMax}`)

export const integer = (field: string, value: number): number =>
  Number.isSafeInteger(value) && value >= 0 ? value : malformed(field, 'is no whole number')

export const time = (field: string, value: number): Millis => integer(field, value)

export const node = (field: string, key: Uint8Array): NodeId =>
  key.byteLength === 32 ? nodeIdOfKey(key) : malformed(field, 'is no key of 32 bytes')

export const instance = (field: string, value: Uint8Array): string =>
  value.byteLength === 8 ? Buffer.from(value).toString('hex') : malformed(field, 'has not 8 bytes')

export const oneOf = <T extends string>(field: string, value: string, accepted: readonly T[]): T =>
  accepted.find(each => each === value) ?? malformed(field, 'is none of the accepted words')

/** Parses JSON whose nesting is bounded: deeper values would overflow the stack of whoever walks them. */
export const json = (field: string, source: string): Json => {
  text(field, source, wireLimits.jsonCharsMax)
  if (depthOf(source) > wireLimits.jsonDepthMax)
    malformed(field, `is nested deeper than ${wireLimits.jsonDepthMax}`)
  try {
    return JSON.parse(source) as Json
  } catch {
    return malformed(field, 'is no JSON')
  }
}

const depthOf = (source: string): number => {
  let depth = 0
  let deepest = 0
  let inText = false
  for (let i = 0; i < source.length; i++) {
    const char = source[i]
    if (inText) {
      if (char === '\\') i++
      else if (char === '"') inText = false
    } else if (char === '"') inText = true
    else if (char === '[' || char === '{') deepest = Math.max(deepest, ++depth)
    else if (char === ']' || char === '}') depth--
  }
  return deepest
}
