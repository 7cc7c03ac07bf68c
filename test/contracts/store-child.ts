// Another process that opens a store, says how that went in one line of JSON, and
// holds the store until its standard input ends. As root it first becomes nobody
// when asked to, because no directory is read-only to root.
// Arguments: directory, `as-nobody` or nothing.

import { writeSync } from 'node:fs'
import { openDiskStore } from '../../src/adapters/disk/disk-store.js'
import { realClock } from '../e2e/real-clock.js'

const NOBODY = 65_534
const [directory = '', who] = process.argv.slice(2)

if (who === 'as-nobody' && process.getuid?.() === 0) {
  process.setgroups?.([])
  process.setgid?.(NOBODY)
  process.setuid?.(NOBODY)
}
try {
  const store = await openDiskStore(directory, { clock: realClock() })
  writeSync(1, `${JSON.stringify({ code: 'OPENED', message: '' })}\n`)
  for await (const _ of process.stdin);
  await store.close()
} catch (error) {
  const { code, message } = error as { code?: string; message: string }
  writeSync(1, `${JSON.stringify({ code, message })}\n`)
}
