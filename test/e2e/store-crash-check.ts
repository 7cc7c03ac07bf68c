// What a store written by the crash writer must look like, wherever it was killed or
// cut: a whole number of batches, none of them in part, and none missing before the last.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { appendFile, cp, mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openDiskStore } from '../../src/adapters/disk/disk-store.js'
import type { Rng } from '../../src/core/rng.js'
import type { StoreWrite } from '../../src/core/step.js'
import { realClock } from './real-clock.js'

/** A batch's keys are deleted by the batch this many later. */
export const KEPT_BATCHES = 40

const KEYS_PER_BATCH = ['a', 'b', 'c']

export const keysOf = (n: number): string[] => KEYS_PER_BATCH.map(part => `batch/${n}/${part}`)

/** Bytes that name their batch at both ends. */
export const batchValue = (n: number, padding: number): Uint8Array =>
  new TextEncoder().encode(`${n}:${'.'.repeat(padding)}:${n}`)

/** Opens the store and returns the number of its last batch; throws if any batch is there in part or missing. */
export const checkStore = async (directory: string): Promise<number> => {
  const store = await openDiskStore(directory, { clock: realClock() })
  try {
    let last = 0
    for await (const { value } of store.read('last')) last = Number(new TextDecoder().decode(value))
    const found = new Map<string, string>()
    for await (const { key, value } of store.read('batch/')) found.set(key, new TextDecoder().decode(value))
    const expected = new Set<string>()
    for (let n = Math.max(1, last - KEPT_BATCHES + 1); n <= last; n++)
      for (const key of keysOf(n)) {
        expected.add(key)
        assert.match(found.get(key) ?? 'nothing', new RegExp(`^${n}:\\.*:${n}$`), `${key} of ${last} batches`)
      }
    for (const key of found.keys()) assert.ok(expected.has(key), `${key} is left of ${last} batches`)
    return last
  } finally {
    await store.close()
  }
}

/** Lets the writer run and kills it after a random time; returns the last batch it acknowledged. */
export const writeAndKill = async (directory: string, seed: number, rng: Rng): Promise<number> => {
  const script = fileURLToPath(new URL('./store-crash-writer.js', import.meta.url))
  const child = spawn(process.execPath, [script, directory, String(seed)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let complaint = ''
  child.stderr.on('data', chunk => {
    complaint += chunk
  })
  let acknowledged = 0
  // A third of the kills hit the process while it starts and recovers, the others while it writes.
  let killer: NodeJS.Timeout | null = null
  const killAfter = (ms: number): void => {
    killer ??= setTimeout(() => child.kill('SIGKILL'), ms)
  }
  if (rng.below(3) === 0) killAfter(50 + rng.below(250))
  const runMs = rng.below(2) === 0 ? rng.below(30) : rng.below(400)
  for await (const line of createInterface({ input: child.stdout })) {
    const [word, number] = line.split(' ')
    if (word === 'acknowledged') acknowledged = Number(number)
    if (word === 'opened') killAfter(runMs)
  }
  clearTimeout(killer ?? undefined)
  assert.equal(complaint, '', 'the writer complained')
  assert.ok(child.killed, 'the writer ended by itself')
  return acknowledged
}

/** Kills a writer of one store again and again; returns how many batches it came to. */
export const killRepeatedly = async (
  times: number,
  rng: Rng,
): Promise<{ batches: number; acknowledged: number }> => {
  const root = await mkdtemp(join(tmpdir(), 'shoal-crash-'))
  const directory = join(root, 'store')
  let last = 0
  let sum = 0
  for (let i = 0; i < times; i++) {
    const acknowledged = await writeAndKill(directory, rng.u32(), rng)
    const found = await checkStore(directory)
    const least = Math.max(last, acknowledged)
    assert.ok(
      found >= least,
      `kill ${i + 1}: batch ${least} was acknowledged, ${found} is the last that is left`,
    )
    sum += Math.max(0, acknowledged - last)
    last = found
  }
  await rm(root, { recursive: true })
  return { batches: last, acknowledged: sum }
}

/** How a log may end after the power failed: short, or with its length but not its bytes. */
export type TornEnd = 'short' | 'zeros' | 'noise'

/** A store of some batches in one log, and where in the log each of them ends. */
export interface LoggedStore {
  readonly directory: string
  /** The log's file name within the store. */
  readonly log: string
  /** The log's length after batch n stands at n − 1. */
  readonly ends: readonly number[]
  dispose(): Promise<void>
}

/** Writes batches with values of these sizes, one commit each. */
export const writeLog = async (sizes: readonly number[]): Promise<LoggedStore> => {
  const root = await mkdtemp(join(tmpdir(), 'shoal-torn-'))
  const directory = join(root, 'store')
  const store = await openDiskStore(directory, { clock: realClock(), groupCommitMs: 0 })
  const level = join(directory, 'level')
  const name = (await readdir(level)).find(name => name.endsWith('.log'))
  assert.ok(name !== undefined)
  const log = join('level', name)
  const ends: number[] = []
  for (const [i, size] of sizes.entries()) {
    const n = i + 1
    const writes: StoreWrite[] = keysOf(n).map(key => ({ key, value: batchValue(n, size) }))
    await store.write([{ key: 'last', value: new TextEncoder().encode(String(n)) }, ...writes], true)
    ends.push((await stat(join(directory, log))).size)
  }
  await store.close()
  return { directory, log, ends, dispose: () => rm(root, { recursive: true }) }
}

/** Copies the store with its log torn at a byte, opens the copy and returns the last batch in it. */
export const openTorn = async (from: LoggedStore, at: number, end: TornEnd, rng: Rng): Promise<number> => {
  const copy = `${from.directory}-torn`
  await rm(copy, { recursive: true, force: true })
  await cp(from.directory, copy, { recursive: true })
  const path = join(copy, from.log)
  const lost = (await stat(path)).size - at
  await truncate(path, at)
  if (end === 'zeros') await truncate(path, at + lost)
  if (end === 'noise')
    await appendFile(
      path,
      Uint8Array.from({ length: lost }, () => rng.below(256)),
    )
  return checkStore(copy)
}

/** Tears the log at each of these bytes, in each way, and checks that exactly the batches before it remain. */
export const tearEverywhere = async (
  from: LoggedStore,
  cuts: readonly number[],
  ends: readonly TornEnd[],
  rng: Rng,
): Promise<number> => {
  let opened = 0
  for (const at of cuts)
    for (const end of ends) {
      const whole = from.ends.filter(batchEnd => batchEnd <= at).length
      const found = await openTorn(from, at, end, rng)
      assert.equal(
        found,
        whole,
        `torn at byte ${at} (${end}): ${whole} batches stand before it, ${found} are left`,
      )
      opened++
    }
  return opened
}
