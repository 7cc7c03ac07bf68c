// libp2p's own log, switched off: it formats a line for every frame, and what a
// user should know comes as events and counters.

import type { ComponentLogger, Logger } from '@libp2p/interface'

const silent: Logger = Object.assign(() => {}, {
  error: () => {},
  trace: () => {},
  enabled: false,
  newScope: () => silent,
})

export const silentLogger = (): ComponentLogger => ({ forComponent: () => silent })
