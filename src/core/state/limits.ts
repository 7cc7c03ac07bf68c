// What the application may ask: every refusal names the field, the value and the
// limit, and comes before anything has changed.

import { invariant, ShoalError } from '../errors.js'
import { isName } from '../ids.js'
import type { StateChange } from '../step.js'
import { checkUpdate, OWN_LEVELS } from './check.js'
import type { StateConfig } from './config.js'
import type { Interest } from './interest.js'
import { jsonBytes, utf8Bytes } from './json-size.js'
import type { Replica } from './replica.js'
import { limitExceededBy, writersWith } from './room.js'

/** A name that is none, or that this node does not hold. */
export const refuseUnheld = (name: string, interest: Interest): ShoalError | null => {
  if (!isName(name)) {
    return new ShoalError(
      'SPACE_INVALID',
      `the name is ${JSON.stringify(name)}; it must be 1 to 63 of a-z, 0-9, dot, underscore and dash, beginning with a letter or digit`,
    )
  }
  if (interest.holds(name)) return null
  return new ShoalError(
    'SPACE_NOT_HELD',
    `${name} is not among the spaces that this node holds (its setting \`spaces\`)`,
  )
}

/** What the application changed in its copy of a raw document. */
export const checkDocumentUpdate = (
  name: string,
  update: Uint8Array,
  replica: Replica | undefined,
  totalBytes: number,
  config: StateConfig,
): ShoalError | null => {
  if (replica === undefined)
    return new ShoalError(
      'DOCUMENT_CLOSED',
      `the document ${name} was not opened; open it before it is changed`,
    )
  const checked = checkUpdate(update, 'doc', null, config)
  if (!checked.ok)
    return new ShoalError('DOCUMENT_INVALID', `the update of the document ${name} is ${checked.reason}`)
  const writers = tooManyWith(replica, checked.writers.keys(), config)
  if (writers !== null)
    return new ShoalError(
      'STATE_LIMIT',
      `the clients that wrote to the document ${name} would be ${writers}; writersMax is ${config.writersMax}`,
    )
  const limit = limitExceededBy(replica, checked, update.length, totalBytes, config, 1)
  if (limit === null) return null
  const what = limit === 'totalBytesMax' ? 'take the state past' : 'exceed'
  return new ShoalError('STATE_LIMIT', `the document ${name} would ${what} ${limit} (${config[limit]})`)
}

/** Spaces that Shoal alone writes. */
export const isReserved = (space: string): boolean => space.startsWith('shoal.')

/**
 * What Shoal itself wants written, in transactions of bounded size. A death may change the
 * claims of 10,000 tasks in one step, and refusing that would be the end of the node.
 */
export const ownParts = (changes: readonly StateChange[], config: StateConfig): StateChange[][] => {
  const parts: StateChange[][] = [[]]
  let bytes = 0
  for (const change of changes) {
    const { key, value } = change
    const keyBytes = utf8Bytes(key)
    invariant(key !== '' && keyBytes <= config.keyBytesMax, `an own key fits: ${key}`)
    if (value !== undefined)
      invariant(jsonBytes(value, config.valueDepthMax + OWN_LEVELS) >= 0, `${key} is JSON`)
    const valueBytes = value === undefined ? 0 : utf8Bytes(JSON.stringify(value))
    invariant(valueBytes <= config.reservedValueBytesMax, `${key} has ${valueBytes} bytes, which is too many`)
    const last = parts[parts.length - 1] as StateChange[]
    const isFull =
      last.length === config.changesPerWriteMax || bytes + keyBytes + valueBytes > config.writeBytesMax
    if (last.length > 0 && isFull) {
      parts.push([change])
      bytes = keyBytes + valueBytes
    } else {
      last.push(change)
      bytes += keyBytes + valueBytes
    }
  }
  return parts
}

/** `replica` undefined: the space is new, or its own limits do not apply. */
export const checkWrite = (
  space: string,
  changes: readonly StateChange[],
  replica: Replica | undefined,
  totalBytes: number,
  config: StateConfig,
): ShoalError | null => {
  const limit = (what: string, got: number, name: keyof StateConfig): ShoalError =>
    new ShoalError('STATE_LIMIT', `${what} ${got}; ${name} is ${config[name]}`)
  if (changes.length > config.changesPerWriteMax)
    return limit(`the number of changes to ${space} is`, changes.length, 'changesPerWriteMax')
  let written = 0
  let grown = 0
  let keys = replica?.entries.size ?? 0
  for (const { key, value } of changes) {
    if (typeof key !== 'string' || key === '')
      return new ShoalError(
        'KEY_INVALID',
        `the key is ${typeof key === 'string' ? 'empty' : typeof key}; it must be a text`,
      )
    const keyBytes = utf8Bytes(key)
    const shown = JSON.stringify(key.slice(0, 40))
    if (keyBytes > config.keyBytesMax) return limit(`bytes of the key ${shown} are`, keyBytes, 'keyBytesMax')
    const before = replica?.entries.winner(key)
    grown -= before?.bytes ?? 0
    if (value === undefined) {
      if (before !== undefined) keys--
      continue
    }
    if (jsonBytes(value, config.valueDepthMax) < 0) {
      return new ShoalError(
        'VALUE_INVALID',
        `the value of ${shown} is not JSON, or nested deeper than valueDepthMax (${config.valueDepthMax})`,
      )
    }
    const bytes = utf8Bytes(JSON.stringify(value))
    if (bytes > config.valueBytesMax)
      return limit(`bytes of the value of ${shown} are`, bytes, 'valueBytesMax')
    written += keyBytes + bytes
    grown += keyBytes + bytes
    if (before === undefined) keys++
  }
  if (written > config.writeBytesMax)
    return limit(`bytes written to ${space} at once are`, written, 'writeBytesMax')
  const writers = replica === undefined ? null : tooManyWith(replica, [replica.client], config)
  if (writers !== null) return limit(`nodes that wrote to ${space} would be`, writers, 'writersMax')
  // A write that makes things smaller is always welcome.
  if (keys > config.spaceKeysMax && keys > (replica?.entries.size ?? 0))
    return limit(`keys of ${space} would be`, keys, 'spaceKeysMax')
  const bytes = (replica?.entries.bytes ?? 0) + grown
  if (grown > 0 && bytes > config.spaceBytesMax)
    return limit(`bytes of ${space} would be`, bytes, 'spaceBytesMax')
  if (grown > 0 && totalBytes + grown > config.totalBytesMax)
    return limit('bytes of all spaces and documents would be', totalBytes + grown, 'totalBytesMax')
  return null
}

/**
 * How many writers there would be, where that is too many. This node itself has a place past `writersMax`, as it has
 * at the others (writer-places.ts); what its application brings in from elsewhere has none.
 */
const tooManyWith = (replica: Replica, writers: Iterable<number>, config: StateConfig): number | null => {
  const { size } = replica.doc.store.clients
  const after = writersWith(replica, writers)
  const most = config.writersMax * (after > size + 1 ? 1 : config.remoteSlack)
  return after > Math.max(most, size) ? after : null
}
