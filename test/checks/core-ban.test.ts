// The scanner that keeps the core deterministic, and the core under it.

import { fileURLToPath } from 'node:url'
import test from 'ava'
import { findBanned, findBannedIn } from './core-ban.js'

const found = (text: string): string[] => findBanned('sample.ts', text).map(finding => finding.what)

const BANNED: readonly [claim: string, text: string, what: readonly string[]][] = [
  ['the clock', 'const now = Date.now()', ['Date']],
  ['a date', 'const at = new Date(0)', ['Date']],
  ['a date as a type', 'const f = (at: Date): void => {}', ['Date']],
  ['the monotonic clock', 'const t = performance.now()', ['performance']],
  ['chance', 'const x = Math.random()', ['Math.random']],
  ['chance by index', "const x = Math['random']()", ['Math']],
  ['chance taken out of Math', 'const { random } = Math', ['Math']],
  ['Math handed on', 'const roll = (m = Math) => m.random()', ['Math']],
  ['a timeout', 'setTimeout(() => {}, 1)', ['setTimeout']],
  ['an interval', 'setInterval(() => {}, 1)', ['setInterval']],
  ['an immediate', 'setImmediate(() => {})', ['setImmediate']],
  ['a microtask', 'queueMicrotask(() => {})', ['queueMicrotask']],
  ['a timer handed on', 'const later = { after: setTimeout }', ['setTimeout']],
  ['a timer in short form', 'const timers = { setTimeout }', ['setTimeout']],
  ['an async function', 'async function f() {}', ['async']],
  ['an async arrow', 'const f = async () => 1', ['async']],
  ['an async method', 'class A { async b() {} }', ['async']],
  ['await', 'const a = await b', ['await']],
  ['for await', 'for await (const a of b) {}', ['await']],
  ['a promise', 'new Promise(() => {})', ['Promise']],
  ['a promise as a type', 'type A = Promise<void>', ['Promise']],
  ['the process', 'const e = process.env', ['process']],
  ['a global by a detour', "globalThis['Date']", ['globalThis']],
  ['a built-in', "import { readFileSync } from 'node:fs'", ['node:fs']],
  ['a built-in without its prefix', "import fs from 'fs'", ['fs']],
  ['a built-in as a type', "import type { Socket } from 'node:net'", ['node:net']],
  ['a built-in in a type', "type A = import('node:net').Socket", ['node:net']],
  ['a built-in passed on', "export * from 'node:os'", ['node:os']],
  ['a package', "import { z } from 'zod'", ['zod']],
  ['a late import', "import('./other.js')", ['import()']],
  ['chance from lib0', "import * as random from 'lib0/random'", ['lib0/random']],
  ['the order of a language', 'a.localeCompare(b)', ['localeCompare']],
  ['the global object of a page', 'document.title', ['document']],
  ['the collector', 'new WeakRef(a)', ['WeakRef']],
]

for (const [claim, text, what] of BANNED) {
  test(`the core may not use ${claim}`, t => {
    t.deepEqual(found(text), what)
  })
}

const ALLOWED: readonly [claim: string, text: string][] = [
  [
    'a comment that speaks of Date',
    '// Date.now() and setTimeout are not for us; await nothing\nconst a = 1',
  ],
  ['a text that speaks of Date', "const a = 'Date.now() or process'"],
  ['a field with a forbidden name', 'const a = b.process + b.performance; const c = { Date: 1, process: 2 }'],
  ['a field in a type', 'interface A { readonly process: number; performance(): number }'],
  ['a field taken out under another name', 'const { process: job } = a'],
  ['an ordinary word that it declares', 'const f = (document: string, self = 1) => document + self'],
  ['arithmetic', 'const a = Math.imul(1, 2) + Math.max(3, 4)'],
  [
    'itself and Yjs',
    "import * as Y from 'yjs'\nimport { x } from 'lib0/encoding'\nimport { y } from './y.js'",
  ],
]

for (const [claim, text] of ALLOWED) {
  test(`the core may use ${claim}`, t => {
    t.deepEqual(found(text), [])
  })
}

test('a finding names the place and the reason', t => {
  const [finding] = findBanned('core/a.ts', '// first\n  const at = Date.now()')
  t.deepEqual(finding, {
    file: 'core/a.ts',
    line: 2,
    column: 14,
    what: 'Date',
    why: 'the time is the argument `now`',
  })
})

test('a whole folder is searched, folders in it included', t => {
  // This very folder holds an import of a package, so it cannot pass.
  const folder = fileURLToPath(new URL('../../../test/checks', import.meta.url))
  t.true(findBannedIn(folder).some(finding => finding.what === 'typescript'))
})

test('the core is deterministic', t => {
  const folder = fileURLToPath(new URL('../../../src/core', import.meta.url))
  t.deepEqual(findBannedIn(folder), [])
})
