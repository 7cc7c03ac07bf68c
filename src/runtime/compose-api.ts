// Opens the node's HTTP interface beside it: which token guards it, where it may listen,
// what it shows of the node.

import { fileURLToPath } from 'node:url'
import { type HttpStats, isLoopback, startHttp } from '../adapters/http/server.js'
import { createApiToken, loadApiToken } from '../adapters/identity/api-token.js'
import { ShoalError } from '../core/errors.js'
import { type Composed, type NodeSettings, VERSION } from './compose.js'

export interface ApiServer {
  /** `HOST:PORT`, with the port that it really has. */
  readonly address: string
  /** What opens it; null in a playground, which is open to its machine. */
  readonly token: string | null
  readonly warning: string | null
  readonly stats: () => HttpStats
  /** Resolves when what was under way is answered, at most a second later. */
  close(): Promise<void>
}

/** The dashboard's files, beside the compiled program. */
const PAGE_FOLDER = fileURLToPath(new URL('../dashboard/', import.meta.url))

export const serveApi = async (
  composed: Composed,
  address: string,
  settings: Pick<NodeSettings, 'dataDir' | 'meshKey'>,
): Promise<ApiServer> => {
  const { node, tokens } = composed
  const { host, port } = readAddress(address)
  const isPlayground = settings.meshKey === null
  if (isPlayground && !isLoopback(host)) {
    throw new ShoalError(
      'OPTION_INVALID',
      `api is ${address}; without a mesh key a node is a playground, and a loopback address such as 127.0.0.1:${port} is accepted`,
    )
  }
  const { token, warning } = isPlayground
    ? { token: null, warning: null }
    : settings.dataDir === null
      ? { token: createApiToken(), warning: null }
      : await loadApiToken(settings.dataDir)
  const server = await startHttp({
    node,
    host,
    port,
    token,
    checkToken: text => tokens.check(text),
    metrics: { contentType: 'text/plain; version=0.0.4; charset=utf-8', render: async () => '' },
    pageFolder: PAGE_FOLDER,
    version: VERSION,
    log: node.log,
  })
  composed.setApi(server.url)
  return { address: server.address, token, warning, stats: server.stats, close: () => server.close() }
}

const readAddress = (address: string): { readonly host: string; readonly port: number } => {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address)
  const port = Number(found?.[3])
  const host = found?.[1] ?? found?.[2]
  if (host === undefined || port > 65_535) {
    throw new ShoalError('OPTION_INVALID', `api is ${address}; it must be HOST:PORT, such as 127.0.0.1:4780`)
  }
  return { host: host === '*' ? '0.0.0.0' : host, port }
}
