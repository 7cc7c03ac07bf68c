// The dashboard's files: a handful, read when they are first asked for and then kept with
// their ETags. A page from here may load nothing from elsewhere and be framed by nobody.
// Only names on the list are ever looked for, so no path leads anywhere else.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { type Headers, sendText } from './answers.js'

export interface Page {
  /** Whether this path is one of the page's. */
  has(path: string): boolean
  send(request: IncomingMessage, response: ServerResponse, path: string, headers: Headers): Promise<void>
}

const FILES: Readonly<Record<string, { readonly file: string; readonly type: string }>> = {
  '/': { file: 'dashboard.html', type: 'text/html; charset=utf-8' },
  '/dashboard.js': { file: 'dashboard.js', type: 'text/javascript; charset=utf-8' },
  '/dashboard.css': { file: 'dashboard.css', type: 'text/css; charset=utf-8' },
  '/dashboard.svg': { file: 'dashboard.svg', type: 'image/svg+xml' },
  '/dashboard.webmanifest': { file: 'dashboard.webmanifest', type: 'application/manifest+json' },
  '/favicon.ico': { file: 'favicon.ico', type: 'image/x-icon' },
}

const PAGE_HEADERS: Headers = Object.freeze({
  'Cache-Control': 'no-cache',
  // Styles from script are what drawing needs; everything else comes from this node or not at all.
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
})

const ABSENT = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Shoal</title>
<h1>Shoal</h1>
<p>This node is running. Its dashboard was not built; <code>npm test</code> or <code>npm start</code> in the
source folder builds it.</p>
<p>The interface is described at <a href="/v1/openapi.json">/v1/openapi.json</a>.</p>
</html>
`

interface Asset {
  readonly bytes: Buffer
  readonly etag: string
}

export const createPage = (folder: string): Page => {
  const assets = new Map<string, Asset>()
  const load = async (file: string): Promise<Asset | null> => {
    const known = assets.get(file)
    if (known !== undefined) return known
    try {
      const bytes = await readFile(join(folder, file))
      const asset = {
        bytes,
        etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
      }
      assets.set(file, asset)
      return asset
    } catch {
      // Not built, or this file is none of its parts: it may be there the next time.
      return null
    }
  }
  return {
    has: path => Object.hasOwn(FILES, path),
    async send(request, response, path, common) {
      const { file, type } = FILES[path] as { file: string; type: string }
      const headers = { ...common, ...PAGE_HEADERS }
      const asset = await load(file)
      if (asset === null) {
        if (path === '/') sendText(response, 200, 'text/html; charset=utf-8', ABSENT, headers)
        else sendText(response, 404, 'text/plain; charset=utf-8', 'the dashboard was not built\n', headers)
        return
      }
      if ((request.headers['if-none-match'] ?? '').includes(asset.etag)) {
        response.writeHead(304, { ...headers, ETag: asset.etag })
        response.end()
        return
      }
      response.writeHead(200, {
        ...headers,
        'Content-Type': type,
        'Content-Length': String(asset.bytes.length),
        ETag: asset.etag,
      })
      response.end(asset.bytes)
    },
  }
}
