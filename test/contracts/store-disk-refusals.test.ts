// A directory that cannot be a store is refused in one sentence, and left as it was.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import anyTest, { type ExecutionContext, type TestFn } from 'ava'
import { openDiskStore } from '../../src/adapters/disk/disk-store.js'
import { checksum, lookAtLog } from '../../src/adapters/disk/log-tail.js'
import { createRng } from '../../src/core/rng.js'
import { VirtualClock } from '../runtime/virtual-clock.js'
import { collect, put } from './store.js'

const test = anyTest as TestFn<{ root: string; directory: string }>

test.beforeEach(async t => {
  const root = await mkdtemp(join(tmpdir(), 'shoal-refusal-'))
  await chmod(root, 0o755)
  t.context = { root, directory: join(root, 'store') }
})
test.afterEach.always(t => rm(t.context.root, { recursive: true, force: true }))

const open = (directory: string) => openDiskStore(directory, { clock: new VirtualClock() })

const makeStore = async (directory: string): Promise<void> => {
  const store = await open(directory)
  const done = store.write([put('kept', 'yes')], true)
  await store.close()
  await done
}

/** Names, times, modes and contents of all that is there. The lock is never read: closing it would release it. */
const fingerprint = async (directory: string): Promise<string> => {
  const lines: string[] = []
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const { mtimeMs, mode, size } = await stat(path)
    const content = entry.isFile() && entry.name !== 'LOCK' ? await readFile(path) : ''
    lines.push([path, mtimeMs, mode, size, createHash('sha256').update(content).digest('hex')].join(' '))
  }
  return lines.sort().join('\n')
}

interface Child {
  readonly answer: { readonly code: string; readonly message: string }
  end(): Promise<void>
}

const openInChild = async (...args: string[]): Promise<Child> => {
  const script = fileURLToPath(new URL('./store-child.js', import.meta.url))
  const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = new Promise<void>(resolve => child.on('exit', () => resolve()))
  const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()
  return {
    answer: JSON.parse(value ?? '{"code":"nothing"}'),
    end: () => {
      child.stdin.end()
      return exited
    },
  }
}

/** Opening fails with this code and a sentence that names the directory, and nothing in it changes. */
const isRefused = async (t: ExecutionContext, directory: string, code: string): Promise<string> => {
  const before = await fingerprint(directory)
  const error = await t.throwsAsync(() => open(directory), { code })
  t.true(error.message.includes(directory), error.message)
  t.false(error.message.includes('\n'))
  t.is(await fingerprint(directory), before)
  return error.message
}

test('a store that another process holds is refused', async t => {
  const { directory } = t.context
  await makeStore(directory)
  const holder = await openInChild(directory)
  t.is(holder.answer.code, 'OPENED')
  await isRefused(t, directory, 'STORE_LOCKED')
  await holder.end()
  await t.notThrowsAsync(async () => (await open(directory)).close())
})

test('a store that this process holds is refused, and the holder keeps working', async t => {
  const { directory } = t.context
  const holder = await open(directory)
  await isRefused(t, directory, 'STORE_LOCKED')
  const done = holder.write([put('a', '1')], true)
  await holder.close()
  await t.notThrowsAsync(done)
})

test('a read-only store is refused', async t => {
  const { directory } = t.context
  await makeStore(directory)
  for (const name of await readdir(directory, { recursive: true })) {
    const path = join(directory, name)
    await chmod(path, (await stat(path)).isDirectory() ? 0o555 : 0o444)
  }
  await chmod(directory, 0o555)
  const before = await fingerprint(directory)
  const child = await openInChild(directory, 'as-nobody')
  await child.end()
  t.deepEqual(child.answer, {
    code: 'STORE_READ_ONLY',
    message: `the store in ${directory} cannot be written to`,
  })
  t.is(await fingerprint(directory), before)
  await chmod(directory, 0o755)
  await chmod(join(directory, 'level'), 0o755)
})

test('a place where no directory can be made is refused', async t => {
  await chmod(t.context.root, 0o555)
  const child = await openInChild(join(t.context.root, 'new', 'store'), 'as-nobody')
  await child.end()
  t.is(child.answer.code, 'STORE_READ_ONLY')
  await chmod(t.context.root, 0o755)
})

test('a store of a newer version is refused', async t => {
  const { directory } = t.context
  await makeStore(directory)
  await writeFile(join(directory, 'FORMAT'), 'shoal-store 2\n')
  const message = await isRefused(t, directory, 'STORE_NEWER')
  t.regex(message, /has format 2; this version of Shoal reads formats up to 1/)
})

test('a directory that is no store is refused', async t => {
  const { directory } = t.context
  await mkdir(directory)
  await writeFile(join(directory, 'thesis.txt'), 'years of work')
  t.regex(await isRefused(t, directory, 'STORE_FOREIGN'), /thesis\.txt/)
})

test('a store whose format line cannot be read is refused', async t => {
  const { directory } = t.context
  await makeStore(directory)
  await writeFile(join(directory, 'FORMAT'), '')
  await isRefused(t, directory, 'STORE_FOREIGN')
})

test('a file in place of the directory is refused', async t => {
  await writeFile(t.context.directory, 'a file')
  const error = await t.throwsAsync(() => open(t.context.directory), { code: 'STORE_PATH' })
  t.true(error.message.includes(t.context.directory))
  t.is(await readFile(t.context.directory, 'utf8'), 'a file')
})

test('what a kill during the very first start leaves behind is opened', async t => {
  const { directory } = t.context
  await mkdir(directory)
  await writeFile(join(directory, 'FORMAT.new'), 'shoal-st')
  await makeStore(directory)
  const store = await open(directory)
  t.deepEqual(await collect(store.read('')), [['kept', 'yes']])
  await store.close()
})

test('a store is readable by its owner alone', async t => {
  const { directory } = t.context
  await mkdir(directory, { mode: 0o755 })
  await makeStore(directory)
  t.is((await stat(directory)).mode & 0o777, 0o700)
  t.is((await stat(join(directory, 'level'))).mode & 0o777, 0o700)
})

test('a store whose CURRENT file is cut at any byte, or gone, is rebuilt whole', async t => {
  const { directory } = t.context
  const current = join(directory, 'level', 'CURRENT')
  await makeStore(directory)
  for (let length = (await readFile(current)).length - 1; length >= -1; length--) {
    const whole = await readFile(current)
    if (length < 0) await rm(current)
    else await writeFile(current, whole.subarray(0, length))
    const store = await open(directory)
    const done = store.write([put(`after-${length}`, 'yes')], true)
    t.true((await collect(store.read('kept'))).length === 1, `cut at ${length}`)
    await store.close()
    await done
  }
  const store = await open(directory)
  t.true((await collect(store.read('after-'))).length >= 17)
  await store.close()
})

test('a log that is damaged in its middle is opened with what is left, and says how much is lost', async t => {
  const { directory } = t.context
  const level = join(directory, 'level')
  const store = await openDiskStore(directory, { clock: new VirtualClock(), commitBytesMax: 1 })
  const done = Array.from({ length: 100 }, (_, i) => store.write([put(`key-${i}`, 'x'.repeat(200))], true))
  await store.close()
  await Promise.all(done)
  const copy = `${directory}-copy`
  await cp(directory, copy, { recursive: true })
  const whole = await open(copy)
  t.is(whole.lostBytes, 0)
  await whole.close()
  await rm(copy, { recursive: true })
  await cp(directory, copy, { recursive: true })
  const [log] = (await readdir(level)).filter(name => name.endsWith('.log'))
  const path = join(copy, 'level', log as string)
  const bytes = await readFile(path)
  bytes[3_000] = (bytes[3_000] as number) ^ 0xff
  await writeFile(path, bytes)
  const said: string[] = []
  const note = (text: string) => said.push(text)
  const listening = { debug: note, info: note, warn: note, error: note }
  const damaged = await openDiskStore(copy, { clock: new VirtualClock(), log: listening as never })
  t.true(damaged.lostBytes > 0)
  t.regex(said.join('\n'), /the log of the store was damaged/)
  await damaged.close()
})

const HEADER = 7

/** Where the records of a log of less than a block begin. */
const recordsOf = (log: Buffer): number[] => {
  const starts: number[] = []
  for (let at = 0; at + HEADER <= log.length; at += HEADER + log.readUInt16LE(at + 4)) starts.push(at)
  return starts
}

/** Of forty records. `lacks`: the log shows that what was acknowledged is missing. */
const DAMAGE: readonly {
  readonly what: string
  readonly left: number
  readonly lacks: boolean
  readonly damage: (log: Buffer, at: number, last: number) => Buffer
}[] = [
  // It is a shorter log then: the neighbors alone know better.
  { what: 'a cut between two records', left: 30, lacks: false, damage: (log, at) => log.subarray(0, at) },
  // As a power cut leaves the last write, under way and acknowledged to nobody.
  { what: 'a cut within a record', left: 30, lacks: false, damage: (log, at) => log.subarray(0, at + 20) },
  { what: 'a cut within a header', left: 30, lacks: false, damage: (log, at) => log.subarray(0, at + 3) },
  { what: 'zeros', left: 30, lacks: false, damage: (log, at) => log.fill(0, at) },
  {
    what: 'zeros in its last record',
    left: 39,
    lacks: false,
    damage: (log, _, last) => log.fill(0, last + 40),
  },
  {
    what: 'another bit in its last record',
    left: 39,
    lacks: false,
    damage: (log, _, last) => flip(log, last + 40),
  },
  { what: 'noise behind it', left: 40, lacks: false, damage: log => Buffer.concat([log, noise(500)]) },
  // Records that were written later are whole.
  { what: 'a length beyond the end', left: 30, lacks: true, damage: (log, at) => lengthen(log, at) },
  {
    what: 'another bit in a record before others',
    left: 30,
    lacks: true,
    damage: (log, at) => flip(log, at + 30),
  },
  { what: 'zeros before others', left: 30, lacks: true, damage: (log, at) => log.fill(0, at, at + 60) },
  // It is whole but for its length.
  {
    what: 'a length of its last record beyond the end',
    left: 39,
    lacks: true,
    damage: (log, _, last) => lengthen(log, last),
  },
]

const flip = (log: Buffer, at: number): Buffer => {
  log[at] = (log[at] as number) ^ 1
  return log
}

const lengthen = (log: Buffer, at: number): Buffer => {
  log.writeUInt16LE(20_000, at + 4)
  return log
}

const noise = (length: number): Buffer => {
  const rng = createRng(length)
  return Buffer.from(Array.from({ length }, () => rng.below(256)))
}

for (const { what, left, lacks, damage } of DAMAGE) {
  test(`a log with ${what} ${lacks ? 'lacks what was acknowledged, and its store says so' : 'is what a power cut leaves'}`, async t => {
    const { directory } = t.context
    const store = await openDiskStore(directory, { clock: new VirtualClock(), commitBytesMax: 1 })
    const done = Array.from({ length: 40 }, (_, i) => store.write([put(`key-${i}`, 'x'.repeat(100))], true))
    await store.close()
    await Promise.all(done)
    const level = join(directory, 'level')
    const name = (await readdir(level)).find(each => each.endsWith('.log')) as string
    const bytes = await readFile(join(level, name))
    t.deepEqual(lookAtLog(bytes), { unreadBytes: 0, isDamage: false })
    const starts = recordsOf(bytes)
    await writeFile(join(level, name), damage(bytes, starts.at(-10) as number, starts.at(-1) as number))
    const said: string[] = []
    const note = (text: string) => said.push(text)
    const log = { debug: note, info: note, warn: note, error: note }
    const damaged = await openDiskStore(directory, { clock: new VirtualClock(), log: log as never })
    t.is(damaged.mayLack, lacks)
    t.is(damaged.lostBytes > 0, lacks)
    t.is(said.length > 0, what !== 'a cut between two records', said.join('\n'))
    t.is((await collect(damaged.read(''))).length, left)
    await damaged.close()
    // What is lost is lost once.
    const again = await open(directory)
    t.false(again.mayLack)
    await again.close()
  })
}

// A gateway without a battery shows 1970 when it boots: its disk knows better.
test('a store tells when it was written last, as the clock was then', async t => {
  const { directory } = t.context
  const store = await open(directory)
  t.is(store.lastWrittenMs, 0)
  await Promise.all([store.write([put('a', 'b')], true), store.close()])
  const level = join(directory, 'level')
  const [first, ...others] = await readdir(level)
  for (const name of others) await utimes(join(level, name), 5, 5)
  await utimes(join(level, first as string), 1_790_000_000, 1_790_000_000)
  const again = await open(directory)
  t.is(again.lastWrittenMs, 1_790_000_000_000)
  await again.close()
})

test('a log that is cut at any byte, or has zeros from there on, is no damage', async t => {
  const { directory } = t.context
  const store = await openDiskStore(directory, { clock: new VirtualClock(), commitBytesMax: 1 })
  const sizes = [10, 40_000, 100_000, 3]
  const done = sizes.map((size, i) => store.write([put(`key-${i}`, noise(size).toString('latin1'))], true))
  await store.close()
  await Promise.all(done)
  const level = join(directory, 'level')
  const name = (await readdir(level)).find(each => each.endsWith('.log')) as string
  const whole = await readFile(join(level, name))
  t.deepEqual(lookAtLog(whole), { unreadBytes: 0, isDamage: false })
  for (let cut = 0; cut < whole.length; cut += 1 + (cut % 997)) {
    t.false(lookAtLog(whole.subarray(0, cut)).isDamage, `cut at ${cut}`)
    t.false(lookAtLog(Buffer.from(whole).fill(0, cut)).isDamage, `zeros from ${cut}`)
  }
})

test('records that fill several blocks are whole where their last piece is there', t => {
  const piece = (kind: number, length: number): Buffer => {
    const record = Buffer.alloc(HEADER + length, 1)
    record.writeUInt16LE(length, 4)
    record[6] = kind
    record.writeUInt32LE(checksum(record, 6, record.length), 0)
    return record
  }
  const unread = (log: Buffer): number => lookAtLog(log).unreadBytes
  const [full, first, middle, last] = [1, 2, 3, 4]
  const room = 32_768 - HEADER
  const whole = Buffer.concat([piece(first, room), piece(middle, room), piece(last, 100), piece(full, 50)])
  t.is(unread(whole), 0)
  t.is(unread(Buffer.alloc(0)), 0)
  // Six bytes are too few for a header: they are left zero.
  const filled = Buffer.concat([piece(full, room - 6), Buffer.alloc(6), piece(full, 10)])
  t.is(unread(filled), 0)
  t.is(unread(filled.subarray(0, 32_768)), 0)
  // The last piece never came, though each that did is whole.
  t.is(unread(whole.subarray(0, 2 * 32_768)), 2 * 32_768)
  t.is(unread(Buffer.concat([piece(full, 10), piece(first, 20)])), HEADER + 20)
  t.false(lookAtLog(whole.subarray(0, 2 * 32_768)).isDamage)
  // One of its pieces is gone, and another record stands behind.
  t.true(lookAtLog(Buffer.from(whole).fill(0, 32_768, 2 * 32_768)).isDamage)
})
