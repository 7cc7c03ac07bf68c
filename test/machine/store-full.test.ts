// A real file system that is full, and one that is read-only. It is mounted in a
// namespace of its own, so nothing of the machine changes and no root is needed.

import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'

test('a disk that fills up under the store delays writes and loses none; full and read-only ones are refused', async t => {
  t.timeout(60_000)
  const root = await mkdtemp(join(tmpdir(), 'shoal-full-'))
  const script = fileURLToPath(new URL('./store-full-child.js', import.meta.url))
  const command = 'mount -t tmpfs -o size=4m shoal-test "$1" && exec "$2" "$3" "$1"'
  const { stdout } = await promisify(execFile)('unshare', [
    '--user',
    '--map-root-user',
    '--mount',
    ...['sh', '-c', command, 'sh', root, process.execPath, script],
  ])
  const seen = JSON.parse(stdout)
  t.deepEqual(seen.troubles, ['STORE_FULL', 'well'])
  t.true(seen.pendingWhenFull > 0)
  t.is(seen.whenFull.code, 'STORE_FULL')
  t.regex(seen.whenFull.message, /no room on the disk .* 0 bytes are free/)
  t.false(seen.whenFull.changed)
  t.is(seen.whenReadOnly.code, 'STORE_READ_ONLY')
  t.false(seen.whenReadOnly.changed)
  t.is(seen.kept, 30)
  await rm(root, { recursive: true })
})
