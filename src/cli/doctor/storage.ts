// The disk: whether the data folder can be written, how much room there is, how long a
// durable write takes, and whether the key files are for their owner alone.

import { constants, existsSync } from 'node:fs'
import { access, open, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { checkMode } from '../../adapters/identity/key-file.js'
import { readMeshKey } from '../../adapters/identity/mesh-key.js'
import type { Configuration } from '../../daemon/configuration.js'
import { type Finding, fail, ok, warn } from './finding.js'

const MIB = 1024 * 1024
const ROOM_FAIL_MIB = 32
const ROOM_WARN_MIB = 256
const WRITES = 10
const WRITE_BYTES = 4_096
/** A card that takes longer holds up every acknowledged write. */
const SLOW_MS = 100

/** The folder itself, or the nearest one above it that exists. */
const existing = (path: string): string => {
  let at = path
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at)
  return at
}

export const checkKeys = async ({ settings }: Configuration): Promise<Finding[]> => {
  const findings: Finding[] = []
  if (settings.meshKey === null) {
    findings.push(
      warn(
        'mesh key',
        'there is none, so this node is a playground on loopback',
        'make one with "shoal key mesh.key", copy it to every gateway, and name it with --mesh-key',
      ),
    )
  } else {
    try {
      const { meshId, warning } = await readMeshKey(settings.meshKey)
      findings.push(
        warning === null
          ? ok('mesh key', `the key is that of the mesh ${meshId}`)
          : warn('mesh key', warning, `chmod 600 ${settings.meshKey}`),
      )
    } catch (error) {
      findings.push(
        fail(
          'mesh key',
          messageOf(error),
          `name another file with --mesh-key, or mend this one: ${settings.meshKey}`,
        ),
      )
    }
  }
  for (const name of ['identity.key', 'api.token']) {
    const file = join(settings.dataDir ?? '', name)
    if (!existsSync(file)) continue
    try {
      const warning = await checkMode(name, file)
      findings.push(
        warning === null ? ok(name, 'only its owner can read it') : warn(name, warning, `chmod 600 ${file}`),
      )
    } catch (error) {
      findings.push(fail(name, messageOf(error), `chmod 600 ${file}`))
    }
  }
  return findings
}

export const checkData = async ({ settings }: Configuration): Promise<Finding[]> => {
  const folder = settings.dataDir ?? '.'
  const at = existing(folder)
  try {
    await access(at, constants.W_OK | constants.X_OK)
    if (!(await stat(at)).isDirectory()) throw new Error(`${at} is no folder`)
  } catch (error) {
    return [
      fail(
        'data',
        `${folder} cannot be written (${messageOf(error)})`,
        'make it, owned by the user of the node, or name another with --data',
      ),
    ]
  }
  const state = at === folder ? 'there and writable' : 'made at the first start'
  return [ok('data', `${folder} is ${state}`)]
}

/** What "up" would refuse. */
export const checkModules = async ({ settings }: Configuration): Promise<Finding[]> => {
  const { modules, allow } = settings
  if (modules === null) return []
  const isFolder = await stat(modules).then(
    found => found.isDirectory(),
    () => false,
  )
  if (!isFolder)
    return [fail('modules', `${modules} is no folder`, 'make it, or name another with --modules')]
  if (!allow.includes('module')) {
    const text = `${modules} is named, and no task of a module runs here`
    return [warn('modules', text, 'add module to --allow, or leave --modules out')]
  }
  return [ok('modules', `tasks of modules run from ${modules}`)]
}

export const checkDisk = async ({ settings }: Configuration): Promise<Finding[]> => {
  const at = existing(settings.dataDir ?? '.')
  try {
    const { bavail, bsize } = await statfs(at)
    const room = Math.round((bavail * bsize) / MIB)
    const text = `${room} MB are free where ${at} is`
    const findings =
      room < ROOM_FAIL_MIB
        ? [fail('disk space', text, 'make room: without it nothing can be kept')]
        : room < ROOM_WARN_MIB
          ? [warn('disk space', text, 'make room before it is full')]
          : [ok('disk space', text)]
    const medianMs = await timeWrites(at)
    const speed = `a durable write of 4 KB takes ${medianMs.toFixed(1)} ms`
    findings.push(
      medianMs < SLOW_MS
        ? ok('disk speed', speed)
        : warn(
            'disk speed',
            `${speed}; every acknowledged write waits for it`,
            'use a better card, or a disk; see whether something else writes a lot',
          ),
    )
    return findings
  } catch (error) {
    return [fail('disk speed', `${at} cannot be written (${messageOf(error)})`, 'see the finding on data')]
  }
}

const timeWrites = async (folder: string): Promise<number> => {
  const file = join(folder, `.shoal-doctor-${process.pid}`)
  const handle = await open(file, 'wx', 0o600)
  const times: number[] = []
  try {
    const block = Buffer.alloc(WRITE_BYTES, 1)
    for (let i = 0; i < WRITES; i++) {
      const began = performance.now()
      await handle.write(block)
      await handle.datasync()
      times.push(performance.now() - began)
    }
  } finally {
    await handle.close()
    await rm(file, { force: true })
  }
  return times.sort((a, b) => a - b)[Math.floor(WRITES / 2)] ?? 0
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
