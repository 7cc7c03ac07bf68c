// Opens the node's HTTP interface beside it.

import { ShoalError } from '../core/errors.js'
import type { Composed, NodeSettings } from './compose.js'

export interface ApiServer {
  /** `HOST:PORT`, with the port that it really has. */
  readonly address: string
  close(): Promise<void>
}

export const serveApi = async (
  _composed: Composed,
  address: string,
  _settings: NodeSettings,
): Promise<ApiServer> => {
  throw new ShoalError('NOT_YET', `api is ${address}; the HTTP interface is not there yet`)
}
