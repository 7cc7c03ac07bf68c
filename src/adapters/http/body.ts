// Reads a body and nothing more of it than its limit: JSON in UTF-8, nested no deeper
// than the rest of the house can bear. What a client calls it matters little: `curl -d`
// says it is a form and means JSON. What is plainly something else is refused.

import type { IncomingMessage } from 'node:http'
import type { Json } from '../../core/json.js'
import { HttpError } from './failure.js'
import { show } from './target.js'

const TYPES = [
  'application/json',
  'text/plain',
  'application/x-www-form-urlencoded',
  'application/octet-stream',
]

const checkType = (request: IncomingMessage): void => {
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new HttpError(
      415,
      'ENCODING_UNSUPPORTED',
      `Content-Encoding is ${show(encoding)}; none is accepted`,
    )
  }
  const given = request.headers['content-type']
  if (given === undefined) return
  const [type = '', ...parameters] = given.toLowerCase().split(';')
  const name = type.trim()
  if (!TYPES.includes(name) && !name.endsWith('+json')) {
    throw new HttpError(
      415,
      'TYPE_UNSUPPORTED',
      `Content-Type is ${show(given)}; application/json is accepted`,
    )
  }
  for (const parameter of parameters) {
    const [key, value = ''] = parameter.split('=')
    if (key?.trim() !== 'charset' || /^\s*"?utf-?8"?\s*$/.test(value)) continue
    throw new HttpError(415, 'TYPE_UNSUPPORTED', `Content-Type is ${show(given)}; charset=utf-8 is accepted`)
  }
}

const tooLarge = (bytesMax: number): HttpError =>
  // What is still to come is not read: the connection ends with the answer.
  new HttpError(413, 'BODY_TOO_LARGE', `the body is too large; at most ${bytesMax} bytes are accepted`, {
    Connection: 'close',
  })

const readBytes = (request: IncomingMessage, bytesMax: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > bytesMax) {
      reject(tooLarge(bytesMax))
      return
    }
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= bytesMax) {
        chunks.push(chunk)
        return
      }
      request.removeAllListeners('data')
      request.pause()
      reject(tooLarge(bytesMax))
    })
    request.on('end', () => resolve(Buffer.concat(chunks)))
    const broken = (): void => reject(new HttpError(400, 'BODY_INCOMPLETE', 'the body ended too early'))
    request.on('error', broken)
    request.on('close', broken)
  })

/** How deep a text of JSON is nested, found without parsing it: a parser's stack is not for strangers. */
const depthOf = (text: string): number => {
  let depth = 0
  let deepest = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (quoted) {
      if (code === 0x5c) i++
      else if (code === 0x22) quoted = false
    } else if (code === 0x22) quoted = true
    else if (code === 0x5b || code === 0x7b) deepest = Math.max(deepest, ++depth)
    else if (code === 0x5d || code === 0x7d) depth--
  }
  return deepest
}

export const readJson = async (
  request: IncomingMessage,
  bytesMax: number,
  depthMax: number,
): Promise<Json> => {
  checkType(request)
  const bytes = await readBytes(request, bytesMax)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new HttpError(400, 'BODY_INVALID', 'the body is not UTF-8; JSON in UTF-8 is accepted')
  }
  if (text.trim() === '') throw new HttpError(400, 'BODY_INVALID', 'the body is empty; it must be JSON')
  if (depthOf(text) > depthMax) {
    throw new HttpError(
      400,
      'BODY_INVALID',
      `the body is nested deeper than ${depthMax}, which is the most accepted`,
    )
  }
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 200) : ''
    throw new HttpError(400, 'BODY_INVALID', `the body is not JSON: ${why}`)
  }
}
