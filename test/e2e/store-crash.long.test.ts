// A tenth of the soak (`test/soak/store.ts`), with counts in place of times.

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { createRng } from '../../src/core/rng.js'
import { checkStore, killRepeatedly, tearEverywhere, writeLog } from './store-crash-check.js'

const seed = Number(process.env.SHOAL_SEED ?? Date.now() % 1_000_000)

test.before(t => {
  t.log(`seed ${seed}; replay with SHOAL_SEED=${seed}`)
})

test('nothing acknowledged is lost in 20 kills, and the store opens after each', async t => {
  t.timeout(120_000)
  const { batches, acknowledged } = await killRepeatedly(20, createRng(seed))
  t.log(`${batches} batches, ${acknowledged} of them acknowledged before a kill`)
  t.true(acknowledged > 0)
})

test('a log cut at every byte of its last two records keeps every batch before the cut', async t => {
  t.timeout(120_000)
  const store = await writeLog([10, 20, 0, 15])
  const from = store.ends[1] as number
  const to = store.ends[3] as number
  const cuts = Array.from({ length: to - from + 1 }, (_, i) => from + i)
  t.is(await tearEverywhere(store, cuts, ['short'], createRng(seed)), cuts.length)
  await store.dispose()
})

test('a log that ends in zeros or in noise keeps every batch before them', async t => {
  t.timeout(120_000)
  const store = await writeLog([10, 12_000, 30])
  const rng = createRng(seed)
  const [first, second, third] = store.ends as [number, number, number]
  // Around the ends of records, and around the border of LevelDB's 32 KiB blocks.
  const borders = [first, second, third, 32_768].flatMap(at => [at - 8, at - 1, at, at + 1])
  const cuts = borders.filter(at => at >= first && at <= third)
  t.true((await tearEverywhere(store, cuts, ['zeros', 'noise'], rng)) > 20)
  await store.dispose()
})

test('a store whose disk refuses writes again and again loses and reorders nothing', async t => {
  t.timeout(60_000)
  const root = await mkdtemp(join(tmpdir(), 'shoal-full-'))
  const directory = join(root, 'store')
  const script = fileURLToPath(new URL('./store-crash-full-writer.js', import.meta.url))
  const command = `ulimit -f 400; exec "${process.execPath}" "${script}" "${directory}" 200`
  const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  for await (const chunk of child.stdout) said += chunk
  const { acknowledged, full, well } = JSON.parse(said)
  t.is(acknowledged, 200)
  t.true(full > 2, `the disk was full ${full} times`)
  t.is(well, full)
  t.is(await checkStore(directory), 200)
  await rm(root, { recursive: true })
})
