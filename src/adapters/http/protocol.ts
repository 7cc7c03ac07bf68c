// What HTTP/1.1 itself asks of a request. Node.js would answer these mistakes by itself,
// without a body or not at all; here they are answered like every other one. What is no
// request at all has no response to answer with, and gets its status on the bare socket.

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { COMMON_HEADERS } from './answers.js'
import { HttpError } from './failure.js'
import { HTTP_LIMITS } from './limits.js'
import { show } from './target.js'

/** How long the other end has to hang up after its answer. */
const LINGER_MS = 1_000

/** Throws where a request lacks its one `Host`, or expects what is not done here (RFC 9110, 9112). */
export const checkForm = ({ httpVersion, rawHeaders, headers }: IncomingMessage): void => {
  // Before 1.1 neither was known.
  if (httpVersion !== '1.1') return
  const close = { Connection: 'close' }
  const hosts = rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === 'host').length
  if (hosts !== 1) {
    const how = hosts === 0 ? 'missing' : 'given twice'
    throw new HttpError(400, 'HOST_INVALID', `Host is ${how}; in HTTP/1.1 one is accepted`, close)
  }
  const { expect } = headers
  if (expect === undefined || expect.toLowerCase() === '100-continue') return
  throw new HttpError(417, 'EXPECTATION_FAILED', `Expect is ${show(expect)}; 100-continue is accepted`, close)
}

/** To a `clientError`. */
export const answerBroken = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const most = HTTP_LIMITS.headerBytesMax
  if (error.code === 'HPE_HEADER_OVERFLOW')
    answer(
      socket,
      '431 Request Header Fields Too Large',
      'HEADERS_TOO_LARGE',
      `the headers are too large; ${most} bytes are accepted`,
    )
  else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT')
    answer(socket, '408 Request Timeout', 'REQUEST_TIMEOUT', 'the request took too long to arrive')
  else answer(socket, '400 Bad Request', 'REQUEST_INVALID', 'this is not HTTP/1.1')
}

/** To a CONNECT, whose socket Node.js has let go of. */
export const answerConnect = (_request: IncomingMessage, socket: Duplex): void =>
  answer(
    socket,
    '405 Method Not Allowed',
    'METHOD_NOT_ALLOWED',
    'CONNECT is not accepted, for this is no proxy; /v1/openapi.json lists what there is',
  )

const answer = (socket: Duplex, status: string, code: string, message: string): void => {
  const body = JSON.stringify({ error: { code, message } })
  const headers = {
    ...COMMON_HEADERS,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  // The other end went away: nothing is left to say.
  socket.on('error', () => {})
  // What it still sends is not kept, and must not keep it from hearing this.
  socket.resume()
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${body}`)
  setTimeout(() => socket.destroy(), LINGER_MS).unref()
}
