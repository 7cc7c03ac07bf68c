// An executor over an in-memory space, with everything allowed, for the tests beside.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createExecutor,
  type ExecutorOptions,
  type TaskExecutor,
} from '../../../src/adapters/executors/executor.js'
import { createHandlers, type Handlers } from '../../../src/adapters/executors/handlers.js'
import type { TaskSpace } from '../../../src/adapters/executors/run.js'
import { type CopyTokens, createCopyTokens } from '../../../src/adapters/executors/tokens.js'
import { ShoalError } from '../../../src/core/errors.js'
import { nodeId } from '../../../src/core/ids.js'
import type { Json } from '../../../src/core/json.js'
import type { Log } from '../../../src/ports.js'

export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

export const memorySpace = (): TaskSpace => {
  const values = new Map<string, Json>()
  const listeners = new Set<(keys: readonly string[]) => void>()
  const tell = (key: string): void => {
    for (const listener of listeners) listener([key])
  }
  return {
    get: key => values.get(key),
    has: key => values.has(key),
    entries: () => [...values],
    async set(key, value) {
      values.set(key, value)
      tell(key)
    },
    async delete(key) {
      values.delete(key)
      tell(key)
    },
    observe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export interface TestBed {
  readonly executor: TaskExecutor
  readonly handlers: Handlers
  readonly tokens: CopyTokens
  readonly space: TaskSpace
  readonly modulesDir: string
  /** Writes a module and gives its name. */
  module(name: string, source: string): Promise<string>
  cleanUp(): Promise<void>
}

export const openTestBed = async (more: Partial<ExecutorOptions> = {}): Promise<TestBed> => {
  const modulesDir = await mkdtemp(join(tmpdir(), 'shoal-modules-'))
  const handlers = createHandlers()
  const tokens = createCopyTokens()
  const space = memorySpace()
  const executor = createExecutor({
    node: nodeId('12D3KooTest'),
    handlers,
    modulesDir,
    allow: ['handler', 'module', 'exec'],
    log: silent,
    tokens,
    api: () => 'http://127.0.0.1:4780',
    space: name => {
      if (name === 'closed') throw new ShoalError('SPACE_UNKNOWN', 'space closed is not held here')
      return space
    },
    now: Date.now,
    ...more,
  })
  return {
    executor,
    handlers,
    tokens,
    space,
    modulesDir,
    async module(name, source) {
      await writeFile(join(modulesDir, name), source)
      return name
    },
    async cleanUp() {
      await executor.close()
      await rm(modulesDir, { recursive: true, force: true })
    },
  }
}
