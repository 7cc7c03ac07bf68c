// The log of a real node: one JSON object a line on stderr, by pino. Peers' texts
// are data in fields, never part of the message.

import { pino } from 'pino'
import type { Log } from '../../ports.js'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

export interface NodeLog extends Log {
  setLevel(level: LogLevel): void
}

export const createLog = (level: LogLevel, name: string): NodeLog => {
  const logger = pino({ level, base: { node: name } }, pino.destination({ fd: 2, sync: true }))
  return {
    debug: (text, fields = {}) => logger.debug(fields, text),
    info: (text, fields = {}) => logger.info(fields, text),
    warn: (text, fields = {}) => logger.warn(fields, text),
    error: (text, fields = {}) => logger.error(fields, text),
    setLevel: next => {
      logger.level = next
    },
  }
}

/** Says nothing: the default of an embedded node, whose program has its own log. */
export const silentLog: NodeLog = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  setLevel: () => {},
}
