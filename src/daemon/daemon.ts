// Runs a node as a process of its own: one ready line on stdout, the log on stderr,
// and the signals that operators and systemd send. SIGINT and SIGTERM give the tasks
// away, say goodbye and end with 0 within five seconds; a second one ends at once.

import '../polyfill.js'
import { constants } from 'node:os'
import { collectAfterStart } from '../adapters/system/engine.js'
import { FAILED, UsageError } from '../cli/errors.js'
import { line } from '../cli/output.js'
import { ShoalError } from '../core/errors.js'
import { type Composed, composeNode } from '../runtime/compose.js'
import { type ApiServer, serveApi } from '../runtime/compose-api.js'
import type { Configuration, Flags } from './configuration.js'
import { createNotifier } from './notify.js'
import { reload } from './reload.js'

/** The contract gives five seconds; the rest is for ending the process. */
const LEAVE_MS = 4_500

/** What is in force, and the flags that it is read with again; `onSignalsHeard` is called when this node answers signals itself. */
export const runDaemon = async (
  configuration: Configuration,
  flags: Flags,
  json: boolean,
  onSignalsHeard: () => void,
): Promise<void> => {
  const isDemo = process.env.SHOAL_DEMO === '1' && process.channel !== undefined
  const demo = isDemo ? await import('./demo-control.js') : null
  demo?.dieWithParent()
  demo?.watchSockets()
  const { settings } = configuration
  const composed = await composeNode(settings).catch(error => {
    throw explain(error)
  })
  const { node, log } = composed
  const notifier = createNotifier(text => log.warn(text))
  let server: ApiServer | null = null
  let current = configuration

  const end = (code: number): never => {
    notifier.close()
    process.exit(code)
  }
  let isLeaving = false
  const onStop = (signal: NodeJS.Signals): void => {
    if (isLeaving) end(128 + constants.signals[signal])
    isLeaving = true
    log.info('leaving', { signal })
    notifier.stopping()
    setTimeout(() => {
      log.warn('leaving took too long; the others find out by themselves')
      end(0)
    }, LEAVE_MS).unref()
    node.leave().then(
      () => end(0),
      error => {
        log.error('leaving failed', { error: String(error) })
        end(0)
      },
    )
  }
  process.on('SIGINT', onStop)
  process.on('SIGTERM', onStop)
  process.on('SIGHUP', () => {
    notifier.reloading()
    current = reload(current, flags, composed)
    notifier.ready(statusOf(composed))
  })
  onSignalsHeard()
  node.onStopped(reason => {
    void server?.close()
    if (isLeaving) return
    // Asked to leave over HTTP, or stood down because it was cloned.
    if (reason !== null) process.stderr.write(`shoal: the node stopped: ${reason}\n`)
    setImmediate(() => end(reason === null ? 0 : FAILED))
  })

  try {
    // Before the node starts: what it runs from its first moment on is told where the interface is.
    server = await serveApi(composed, configuration.api, settings)
    await node.start(settings.join)
  } catch (error) {
    isLeaving = true
    await server?.close()
    await node.close()
    throw explain(error)
  }
  for (const text of [...configuration.warnings, ...composed.warnings, server.warning]) {
    if (text !== null) log.warn(text)
  }
  const isOpen = settings.meshKey === null
  if (isOpen && process.getuid?.() === 0) {
    log.warn(
      'this is a playground that runs as root: whoever can reach its interface can run anything as root',
    )
  }
  demo?.obeyDemo(server.address)
  const { id, name, addrs } = node.info()
  line(
    json
      ? JSON.stringify({ id, name, addrs, api: server.address })
      : readyLine(composed, server.address, isOpen),
  )
  notifier.ready(statusOf(composed))
  collectAfterStart()
  if (settings.join.length > 0)
    setTimeout(() => remarkOnJoin(composed, settings.join), JOIN_REMARK_MS).unref()
}

/** A seed that answers does so within a second; a mistyped one is tried for ever and looks like patience. */
const JOIN_REMARK_MS = 5_000

const remarkOnJoin = ({ node, log }: Composed, join: readonly string[]): void => {
  if (
    node.status !== 'ready' ||
    node.members().some(({ id, verdict }) => id !== node.id && verdict === 'alive')
  )
    return
  log.warn('none of the members to join answers yet; they are tried on, and "shoal doctor" may say why', {
    join,
  })
}

/** What the user of the command can do about it. */
const LISTEN_HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'end that, or choose another with --listen',
  EADDRNOTAVAIL: 'choose one of its own with --listen',
  EACCES: 'choose one above 1023 with --listen',
}

/**
 * What no second try mends: a setting says what is not accepted, or names a file or a folder that is not
 * what it should be. All else, such as a port that is taken or a full disk, is that the start failed.
 */
const WRONG_SETTINGS: readonly string[] = [
  'OPTION_INVALID',
  'ADDRESS_INVALID',
  'LISTEN_NEEDS_KEY',
  'DATA_DIR_UNUSABLE',
  'IDENTITY_INVALID',
  'KEY_FILE_MISSING',
  'KEY_FILE_INVALID',
  'KEY_FILE_WRITABLE',
  'TOKEN_FILE',
  'STORE_PATH',
  'STORE_FOREIGN',
  'STORE_NEWER',
  'STORE_READ_ONLY',
]

const explain = (error: unknown): unknown => {
  if (!(error instanceof ShoalError)) return error
  if (WRONG_SETTINGS.includes(error.code)) return new UsageError(error.message, { cause: error })
  if (error.code === 'API_LISTEN_FAILED')
    return new ShoalError(error.code, `${error.message}; choose another with --api`, { cause: error })
  if (error.code !== 'LISTEN_FAILED') return error
  const message = error.message.replace(/ \((E[A-Z]+)\)$/, (given, code: string) =>
    code in LISTEN_HINTS ? `; ${LISTEN_HINTS[code]}` : given,
  )
  return new ShoalError(error.code, message, { cause: error })
}

const readyLine = ({ node }: Composed, api: string, isOpen: boolean): string => {
  const { id, name, addrs } = node.info()
  const where = addrs.join(' ')
  const ready = `shoal: ready: ${name} ${id} listens on ${where}; look at http://${api}/`
  if (!isOpen) return ready
  const root = process.getuid?.() === 0 ? ', and it runs as root: tasks can do anything here' : ''
  return `${ready}; playground without a mesh key: loopback only, open to everybody on this machine${root}`
}

const statusOf = ({ node }: Composed): string => {
  const alive = node.members().filter(member => member.verdict === 'alive').length
  return `ready as ${node.info().name}, ${alive} ${alive === 1 ? 'member' : 'members'} alive`
}
