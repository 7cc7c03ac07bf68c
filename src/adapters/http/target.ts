// Where a request goes: the path in decoded pieces and the query. Percent-encoding is
// strict (and strictly UTF-8), nothing is normalised, and a parameter that nobody
// knows is refused, so that a misspelt one is not silently without effect.

import { HttpError } from './failure.js'

export interface Target {
  readonly path: string
  readonly segments: readonly string[]
  readonly query: ReadonlyMap<string, string>
}

const decode = (text: string, what: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new HttpError(400, 'URL_INVALID', `${what} is ${show(text)}; percent-encoded UTF-8 is accepted`)
  }
}

export const readTarget = (url: string): Target => {
  if (!url.startsWith('/')) {
    throw new HttpError(400, 'URL_INVALID', `the request target is ${show(url)}; it must begin with /`)
  }
  const at = url.indexOf('?')
  const path = at < 0 ? url : url.slice(0, at)
  const segments = path
    .slice(1)
    .split('/')
    .map(segment => decode(segment, 'a part of the path'))
  const query = new Map<string, string>()
  const text = at < 0 ? '' : url.slice(at + 1)
  for (const pair of text.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const raw = (part: string): string => decode(part.replaceAll('+', ' '), 'a part of the query')
    const name = raw(equals < 0 ? pair : pair.slice(0, equals))
    if (query.has(name)) {
      throw new HttpError(400, 'QUERY_INVALID', `${show(name)} is given twice; once is accepted`)
    }
    query.set(name, equals < 0 ? '' : raw(pair.slice(equals + 1)))
  }
  return { path, segments, query }
}

/** A text as it may stand in a message. */
export const show = (text: string): string =>
  JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)

/** A whole number of the query, or undefined without one. */
export const wholeOf = (
  query: ReadonlyMap<string, string>,
  name: string,
  least: number,
  most: number,
): number | undefined => {
  const text = query.get(name)
  if (text === undefined) return undefined
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  const accepted = `a whole number from ${least} to ${most} is accepted`
  throw new HttpError(400, 'QUERY_INVALID', `${name} is ${show(text)}; ${accepted}`)
}

/** Any value as it may stand in a message. */
export const showValue = (value: unknown): string => {
  const text = value === undefined ? 'missing' : JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
