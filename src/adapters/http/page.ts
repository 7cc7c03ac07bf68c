// The dashboard: one file with everything in it, because `/` is all that is served without
// a token. Read when it is first asked for, compressed once, kept with its ETag. It may
// load nothing from elsewhere and be framed by nobody.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import type { Headers } from './answers.js'

export interface Page {
  send(request: IncomingMessage, response: ServerResponse, headers: Headers): Promise<void>
}

const PAGE_HEADERS: Headers = Object.freeze({
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-cache',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  Vary: 'Accept-Encoding',
})
/** For a page that brings no policy of its own. */
const STRICT_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'"
/** What counts in a header alone. */
const UNFRAMED = "frame-ancestors 'none'"

const ABSENT = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Shoal</title></head><body>
<h1>Shoal</h1>
<p>This node is running, but its dashboard was not built. In the source folder <code>npm start</code> builds it.</p>
<p>The same is told by <code>shoal members</code>, <code>shoal tasks</code> and <code>shoal events</code>.</p>
</body></html>
`

interface Built {
  readonly bytes: Buffer
  readonly zipped: Buffer
  readonly etag: string
  readonly policy: string
}

const zip = promisify(gzip)

const build = async (bytes: Buffer): Promise<Built> => {
  // The page knows the hashes of its own script and style; its policy counts from the first byte.
  const own = /<meta http-equiv="Content-Security-Policy" content="([\x20-\x7e]*?)">/.exec(
    bytes.toString('latin1'),
  )
  return {
    bytes,
    zipped: await zip(bytes, { level: constants.Z_BEST_COMPRESSION }),
    etag: createHash('sha256').update(bytes).digest('base64url').slice(0, 22),
    policy: `${own?.[1] ?? STRICT_POLICY}; ${UNFRAMED}`,
  }
}

export const createPage = (file: string): Page => {
  let built: Promise<Built> | null = null
  const load = async (): Promise<Built> => {
    try {
      return await build(await readFile(file))
    } catch {
      // Not built yet: it may be there the next time.
      built = null
      return build(Buffer.from(ABSENT))
    }
  }
  return {
    async send(request, response, common) {
      built ??= load()
      const { bytes, zipped, etag, policy } = await built
      const isZipped = /\bgzip\b/i.test(String(request.headers['accept-encoding'] ?? ''))
      const tag = `"${etag}${isZipped ? '-gzip' : ''}"`
      const headers = { ...common, ...PAGE_HEADERS, 'Content-Security-Policy': policy, ETag: tag }
      if ((request.headers['if-none-match'] ?? '').includes(tag)) {
        response.writeHead(304, headers)
        response.end()
        return
      }
      const body = isZipped ? zipped : bytes
      response.writeHead(200, {
        ...headers,
        ...(isZipped ? { 'Content-Encoding': 'gzip' } : {}),
        'Content-Length': String(body.length),
      })
      response.end(body)
    },
  }
}
