// Who may ask for what (contract, section 4), decided before anything else is looked at.
//
// 1. A loopback API trusts whoever runs on this machine to look, not web pages that a
//    browser here has open: `Host` must name loopback (a page whose name was rebound to
//    127.0.0.1 says its own), `Origin` and `Sec-Fetch-Site` must be of the page itself.
// 2. With a mesh key every request but GET and HEAD needs the node's token.
// 3. An API beyond loopback needs it for everything but the page and the two probes.
// 4. A token that is shown must be good, also where none is needed: a fenced copy must
//    not write as if it were somebody else. A task's token opens what its task may do.
//
// Without a token nothing of the request but its line and headers is ever read.

import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { CopyId } from '../../core/step.js'
import { HttpError } from './failure.js'
import type { CheckToken } from './node-api.js'
import { show } from './target.js'

export type Caller =
  | { readonly kind: 'anybody' }
  | { readonly kind: 'operator' }
  | { readonly kind: 'copy'; readonly copy: CopyId; readonly live: boolean }

export interface Door {
  /** The node's token; null: a playground, open to this machine. */
  readonly token: string | null
  /** Whether it listens on loopback alone. */
  readonly loopback: boolean
  readonly checkToken: CheckToken
}

/** `page`: what a browser may be sent to from elsewhere; `probe`: health; `mesh`: everything else. */
export type Openness = 'page' | 'probe' | 'mesh'

const CHALLENGE = { 'WWW-Authenticate': 'Bearer realm="shoal"' }

export const admit = (request: IncomingMessage, openness: Openness, door: Door): Caller => {
  const caller = callerOf(request, openness, door)
  if (caller.kind !== 'anybody') return caller
  if (door.loopback) checkBrowser(request, openness)
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  const isFree = openness !== 'mesh' && isRead
  if (!isFree && (!door.loopback || (!isRead && door.token !== null))) {
    throw new HttpError(
      401,
      'TOKEN_REQUIRED',
      `${request.method} needs the token of this node (the file api.token in its data folder) as "Authorization: Bearer …"`,
      CHALLENGE,
    )
  }
  return caller
}

const callerOf = (request: IncomingMessage, openness: Openness, door: Door): Caller => {
  const given = request.headers.authorization
  if (given === undefined) return { kind: 'anybody' }
  const token = /^Bearer +([A-Za-z0-9._~+/=-]{1,8192})$/i.exec(given)?.[1]
  if (token !== undefined) {
    if (door.token !== null && isSame(token, door.token)) return { kind: 'operator' }
    const known = door.checkToken(token)
    if (known !== null) return { kind: 'copy', ...known }
  }
  if (openness !== 'mesh') return { kind: 'anybody' }
  throw new HttpError(401, 'TOKEN_INVALID', 'the token is none of this node, or no bearer token', CHALLENGE)
}

/** Takes the same time whatever is wrong with the token, its length included. */
const isSame = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b))

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i

const checkBrowser = (request: IncomingMessage, openness: Openness): void => {
  const { host, origin } = request.headers
  if (host === undefined || !LOOPBACK_HOST.test(host)) {
    throw new HttpError(
      403,
      'HOST_REFUSED',
      `Host is ${host === undefined ? 'missing' : show(host)}; localhost and loopback addresses are accepted`,
    )
  }
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
    throw new HttpError(
      403,
      'ORIGIN_REFUSED',
      `Origin is ${show(origin)}; only pages of this node (http://${host}) may ask without its token`,
    )
  }
  const site = request.headers['sec-fetch-site']
  const isVisit = openness === 'page' && request.headers['sec-fetch-mode'] === 'navigate'
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isVisit) {
    throw new HttpError(
      403,
      'ORIGIN_REFUSED',
      `Sec-Fetch-Site is ${show(String(site))}; only pages of this node may ask without its token`,
    )
  }
}
