// How an answer leaves: JSON with its length, nothing, or a large object piece by piece,
// so that sixty megabytes of state neither block the node nor stand in memory as text.

import type { ServerResponse } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'

export type Headers = Readonly<Record<string, string>>

/** On every answer: what comes from here is data, for this origin only, and never cached. */
export const COMMON_HEADERS: Headers = Object.freeze({
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
})

const PIECE_CHARS = 65_536

export const sendText = (
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  headers: Headers,
): void => {
  const bytes = Buffer.from(text)
  response.writeHead(status, { ...headers, 'Content-Type': type, 'Content-Length': String(bytes.length) })
  response.end(bytes)
}

export const sendJson = (response: ServerResponse, status: number, value: unknown, headers: Headers): void =>
  sendText(response, status, 'application/json; charset=utf-8', JSON.stringify(value), headers)

export const sendNothing = (response: ServerResponse, headers: Headers): void => {
  response.writeHead(204, headers)
  response.end()
}

/** Sends `{key: value, …}` as fast as the reader takes it, a turn of the event loop for each piece. */
export const sendEntries = async (
  response: ServerResponse,
  entries: readonly (readonly [string, unknown])[],
  headers: Headers,
): Promise<void> => {
  response.writeHead(200, { ...headers, 'Content-Type': 'application/json; charset=utf-8' })
  let piece = '{'
  let isFirst = true
  for (const [key, value] of entries) {
    piece += `${isFirst ? '' : ','}${JSON.stringify(key)}:${JSON.stringify(value)}`
    isFirst = false
    if (piece.length < PIECE_CHARS) continue
    if (!response.write(piece)) await drained(response)
    else await nextTurn()
    if (response.destroyed) return
    piece = ''
  }
  response.end(`${piece}}`)
}

const drained = (response: ServerResponse): Promise<void> =>
  new Promise(resolve => {
    const done = (): void => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
