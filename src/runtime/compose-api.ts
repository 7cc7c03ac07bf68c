// Opens the node's HTTP interface beside it: which token guards it, where it may listen,
// what it shows of the node.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DemoControl } from '../adapters/http/demo.js'
import { type HttpServer, type HttpStats, isLoopback, startHttp } from '../adapters/http/server.js'
import { type ApiToken, createApiToken, loadApiToken } from '../adapters/identity/api-token.js'
import { createMetrics } from '../adapters/metrics/metrics.js'
import { startVitals } from '../adapters/system/vitals.js'
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

/** The dashboard, beside the compiled program. */
const PAGE_FILE = fileURLToPath(new URL('../dashboard/dashboard.html', import.meta.url))

export const serveApi = async (
  composed: Composed,
  address: string,
  settings: Pick<NodeSettings, 'dataDir' | 'meshKey'>,
  /** The demo's levers; nothing else brings any. */
  demo?: DemoControl,
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
      : await readToken(settings.dataDir)
  // A node that keeps something is meant to last and looks after its machine; one that
  // lives inside another program for a while leaves that to the program.
  const vitals =
    settings.dataDir === null
      ? null
      : startVitals({
          dataDir: settings.dataDir,
          report: (source, level, reason) => node.report(source, level, reason),
        })
  let server: HttpServer | null = null
  const metrics = createMetrics({
    node,
    version: VERSION,
    vitals: () => vitals?.latest ?? null,
    http: () => server?.stats() ?? { streams: 0, streamsDropped: 0, answers: new Map() },
  })
  const stop = (): void => {
    vitals?.stop()
    metrics.close()
  }
  const opened = await startHttp({
    node,
    host,
    port,
    token,
    checkToken: text => tokens.check(text),
    metrics,
    pageFile: PAGE_FILE,
    version: VERSION,
    log: node.log,
    ...(demo === undefined ? {} : { demo }),
  }).catch(error => {
    stop()
    throw error
  })
  server = opened
  composed.setApi(opened.url)
  return {
    address: opened.address,
    token,
    warning,
    stats: opened.stats,
    async close() {
      stop()
      await opened.close()
    },
  }
}

/** A token that cannot be read is a file that is wrong, whatever the system calls it. */
const readToken = async (dataDir: string): Promise<ApiToken> => {
  try {
    return await loadApiToken(dataDir)
  } catch (error) {
    if (error instanceof ShoalError) throw error
    const { code, message } = error as NodeJS.ErrnoException
    throw new ShoalError(
      'TOKEN_FILE',
      `${join(dataDir, 'api.token')} cannot be used (${code ?? message}); it must be a file that this user may read, there already or to be made`,
      { cause: error },
    )
  }
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
