// Runs inside a mount namespace of its own, on a file system of a few megabytes that
// it fills up, empties and makes read-only under a store; prints what it saw as JSON.
// Argument: where that file system is mounted.

import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { openDiskStore } from '../../src/adapters/disk/disk-store.js'
import { createClock } from '../../src/adapters/system/clock.js'

const [root = ''] = process.argv.slice(2)
const directory = join(root, 'store')
const filler = join(root, 'filler')
const clock = createClock()

const fill = (): void => {
  const file = openSync(filler, 'w')
  for (const size of [65_536, 4_096, 1]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
  closeSync(file)
}
const listing = (): string =>
  readdirSync(directory, { recursive: true })
    .map(name => `${name} ${statSync(join(directory, String(name))).mtimeMs}`)
    .sort()
    .join('\n')
const openError = async (): Promise<{ code: string; message: string; changed: boolean }> => {
  const before = listing()
  try {
    await (await openDiskStore(directory, { clock })).close()
    return { code: 'OPENED', message: '', changed: before !== listing() }
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    return { code, message, changed: before !== listing() }
  }
}

const troubles: string[] = []
let onFull = (): void => {}
const store = await openDiskStore(directory, {
  clock,
  onTrouble: trouble => {
    troubles.push(trouble?.code ?? 'well')
    if (trouble?.code === 'STORE_FULL') onFull()
  },
})
const write = (n: number): Promise<void> =>
  store.write([{ key: `key/${String(n).padStart(3, '0')}`, value: new Uint8Array(20_000).fill(n) }], true)

for (let n = 0; n < 10; n++) await write(n)
fill()
const isFull = new Promise<void>(resolve => {
  onFull = resolve
})
const during = Array.from({ length: 10 }, (_, i) => write(10 + i))
await isFull
const pendingWhenFull = store.stats().pendingWrites
rmSync(filler)
await Promise.all(during)
for (let n = 20; n < 30; n++) await write(n)
await store.close()

fill()
const whenFull = await openError()
rmSync(filler)
execFileSync('mount', ['-o', 'remount,ro', root])
const whenReadOnly = await openError()
execFileSync('mount', ['-o', 'remount,rw', root])

const again = await openDiskStore(directory, { clock })
let kept = 0
for await (const { value } of again.read('key/')) if (value.every(byte => byte === kept)) kept++
await again.close()
console.log(JSON.stringify({ troubles, pendingWhenFull, whenFull, whenReadOnly, kept }))
