// Puts a real node together: the one place beside the command that knows which
// adapter stands behind which port.

import { stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { StoreTrouble } from '../adapters/disk/commit-queue.js'
import { type DiskStore, openDiskStore } from '../adapters/disk/disk-store.js'
import { createExecutor, type RunName } from '../adapters/executors/executor.js'
import { createHandlers, type Handlers } from '../adapters/executors/handlers.js'
import { type CopyTokens, createCopyTokens } from '../adapters/executors/tokens.js'
import { createIdentity, loadIdentity } from '../adapters/identity/identity.js'
import { readMeshKey } from '../adapters/identity/mesh-key.js'
import { createLog, type LogLevel, type NodeLog, silentLog } from '../adapters/log/pino.js'
import { createMemoryStore } from '../adapters/memory/store.js'
import { createClock } from '../adapters/system/clock.js'
import { createEntropy } from '../adapters/system/entropy.js'
import { createCodec } from '../adapters/wire/codec.js'
import { createSealer } from '../adapters/wire/seals.js'
import { ShoalError } from '../core/errors.js'
import { hashText53 } from '../core/hash.js'
import type { Millis } from '../core/ids.js'
import { type CoreConfig, coreDefaults } from '../core/node-core.js'
import { createRng } from '../core/rng.js'
import { STATE_PREFIX } from '../core/state/log.js'
import type { StoreEntry } from '../core/step.js'
import type { Clock, Store } from '../ports.js'
import { renewFloor, renewWriters } from './compose-writers.js'
import { RunningNode } from './running-node.js'

export const VERSION = '0.1.0'

/** Everything about a node that is decided before it starts; already checked. */
export interface NodeSettings {
  readonly name: string | null
  /** null: nothing is kept, and the identity lives as long as the process. */
  readonly dataDir: string | null
  readonly listen: readonly string[] | null
  readonly announce: readonly string[] | null
  readonly join: readonly string[]
  /** A path, never the key. */
  readonly meshKey: string | null
  readonly labels: Readonly<Record<string, string>>
  readonly capacity: number | null
  readonly allow: readonly RunName[]
  readonly modules: string | null
  readonly spaces: readonly string[]
  readonly mdns: boolean
  /** After how long members that left, and dead ones, are forgotten; null for the preset's. */
  readonly forgetLeftMs: Millis | null
  readonly forgetDeadMs: Millis | null
  readonly logLevel: LogLevel
}

export interface Composed {
  readonly node: RunningNode
  readonly handlers: Handlers
  readonly tokens: CopyTokens
  /** The node's own log, whose level may be changed while it runs. */
  readonly log: NodeLog
  /** Where the node's own interface is, for the programs that it runs; set once it listens. */
  setApi(address: string): void
  readonly warnings: readonly string[]
}

export const composeNode = async (settings: NodeSettings): Promise<Composed> => {
  const clock = createClock()
  const { dataDir } = settings
  await checkModules(settings.modules)
  const identity = dataDir === null ? createIdentity() : await loadIdentity(dataDir)
  const key = settings.meshKey === null ? null : await readMeshKey(settings.meshKey)
  const name = settings.name ?? nameOfHost()
  const log = settings.logLevel === 'silent' ? silentLog : createLog(settings.logLevel, name)
  // The store opens before there is a node that could say how it is.
  let onTrouble: (trouble: StoreTrouble | null) => void = () => {}
  const opening =
    dataDir === null
      ? null
      : openDiskStore(join(dataDir, 'store'), { clock, log, onTrouble: trouble => onTrouble(trouble) })
  // Read no sooner, so that what is wrong with a setting or a file is told half a second earlier; the disk has work meanwhile.
  const libp2p = import('../adapters/libp2p/transport.js')
  const disk = await opening
  const store: Store = disk ?? createMemoryStore({ clock })
  try {
    const { createLibp2pTransport } = await libp2p
    const transport = await createLibp2pTransport({
      seed: identity.seed,
      meshKey: key?.key ?? null,
      ...(settings.listen === null ? {} : { listen: settings.listen }),
      ...(settings.announce === null ? {} : { announce: settings.announce }),
    })
    const handlers = createHandlers()
    const tokens = createCopyTokens()
    let api: string | null = null
    const node = new RunningNode(
      {
        clock,
        entropy: createEntropy(),
        sealer: createSealer(identity.seed),
        codec: createCodec(),
        transport,
        store,
        log,
        ...(settings.logLevel === 'silent' ? { onListenerError: createWarner() } : {}),
        executor: running =>
          createExecutor({
            node: running.id,
            handlers,
            modulesDir: settings.modules,
            allow: settings.allow,
            log,
            tokens,
            api: () => api,
            space: space => {
              const open = running.space(space)
              return {
                ...open,
                observe: listener => open.observe(changes => listener(changes.map(({ key }) => key))),
              }
            },
            now: () => Math.round(clock.now()),
            onBlocked: (task, ms) => running.handlerBlocked(task, ms),
            onAbilities: () => running.abilitiesChanged(),
          }),
      },
      {
        name,
        labels: settings.labels,
        capacity: settings.capacity,
        spaces: settings.spaces,
        version: VERSION,
        meshId: key?.meshId ?? null,
        mdns: settings.mdns,
        awaitMs:
          settings.join.length > 0 ? coreDefaults.tasks.bootGate.waitMs : settings.mdns ? SEARCHING_MS : 0,
      },
      await recoverAll(store, disk, clock, log),
      configOf(settings),
    )
    onTrouble = trouble =>
      node.report('store', trouble === null ? 'ok' : 'failing', trouble === null ? '' : trouble.message)
    if (disk !== null && disk.lostBytes > 0)
      node.report(
        'store log',
        'strained',
        `it was damaged: ${disk.lostBytes} bytes are lost here; what neighbors hold of it comes back`,
      )
    const isIdle = settings.modules !== null && !settings.allow.includes('module')
    const warnings = [
      identity.warning,
      key?.warning ?? null,
      isIdle
        ? `modules is ${settings.modules}, and no task of a module runs here; allow has to name module for that`
        : null,
    ].filter(warning => warning !== null)
    const setApi = (address: string): void => {
      api = address
    }
    return { node, handlers, tokens, log, warnings, setApi }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Texts said once; a listener that throws at every event must not fill a disk. */
const WARNINGS_MAX = 20

/**
 * Without a log the mistake of a listener would be seen by nobody: it is a warning of the process
 * then, as Node.js has them, on stderr or wherever the program wants them.
 */
const createWarner = (): ((error: unknown) => void) => {
  const said = new Set<string>()
  return error => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    if (said.has(text) || said.size >= WARNINGS_MAX) return
    said.add(text)
    process.emitWarning(`a listener of a Shoal node threw: ${text}`, {
      type: 'ShoalWarning',
      code: 'LISTENER_THREW',
    })
  }
}

/** What the modules' folder is, before anything is made; what it holds is looked at when a task runs. */
const checkModules = async (folder: string | null): Promise<void> => {
  if (folder === null) return
  try {
    if ((await stat(folder)).isDirectory()) return
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw modulesError(folder, code === 'ENOENT' ? 'does not exist' : `cannot be looked at (${code})`, error)
  }
  throw modulesError(folder, 'is no folder')
}

const modulesError = (folder: string, why: string, cause?: unknown): ShoalError =>
  new ShoalError(
    'OPTION_INVALID',
    `modules is ${folder}, which ${why}; it must be a folder that is there and that this user may read`,
    { cause },
  )

/** The preset with what the settings change of it. */
export const configOf = ({
  forgetLeftMs,
  forgetDeadMs,
}: Pick<NodeSettings, 'forgetLeftMs' | 'forgetDeadMs'>): CoreConfig => ({
  ...coreDefaults,
  membership: {
    ...coreDefaults.membership,
    ...(forgetLeftMs === null ? {} : { forgetLeftMs }),
    ...(forgetDeadMs === null ? {} : { forgetDeadMs }),
  },
})

/** On a LAN members answer in a tenth of this; usually nobody is there to answer. */
const SEARCHING_MS = 1_000

/** The host's name as a node may bear it. */
const nameOfHost = (): string => {
  const name = hostname()
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 63)
  return name === '' ? 'node' : name
}

const TASKS_PREFIX = 't/'
const PREFIXES = ['m/', STATE_PREFIX, TASKS_PREFIX]

const recoverAll = async (
  store: Store,
  disk: Pick<DiskStore, 'mayLack' | 'lastWrittenMs'> | null,
  clock: Clock,
  log: NodeLog,
): Promise<ReadonlyMap<string, readonly StoreEntry[]>> => {
  const recovered = await recover(store)
  if (disk === null || !disk.mayLack) return recovered
  const rng = createRng(hashText53(Buffer.from(createEntropy().bytes(8)).toString('hex')))
  const heads = renewWriters(recovered.get(STATE_PREFIX) ?? [], rng)
  // A clock without a battery shows 1970, and less than the disk has seen.
  const wallMs = Math.max(clock.wall(), disk.lastWrittenMs)
  // Durable before anything is written under them.
  await store.write([...heads, renewFloor(recovered.get(TASKS_PREFIX) ?? [], wallMs)], true)
  log.warn('own entries may be missing in the store: writing under new lineages', { documents: heads.length })
  return recover(store)
}

const recover = async (store: Store): Promise<ReadonlyMap<string, readonly StoreEntry[]>> => {
  const recovered = new Map<string, readonly StoreEntry[]>()
  for (const prefix of PREFIXES) {
    const entries: StoreEntry[] = []
    for await (const entry of store.read(prefix)) entries.push(entry)
    recovered.set(prefix, entries)
  }
  return recovered
}
