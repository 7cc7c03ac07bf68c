// The gate alone, in each shell that this machine has: it opens for the word and for
// nothing else, and what goes through it comes out as it went in.

import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import test from 'ava'
import { GATE_SHELL, GATE_WORD, gateCommand } from '../../../src/adapters/executors/gate.js'

/** It is the same under either of its names; bash is not. */
const isDashAgain = (shell: string): boolean =>
  shell === '/bin/dash' && realpathSync(shell) === realpathSync(GATE_SHELL)
const SHELLS = [GATE_SHELL, '/bin/dash', '/bin/bash', '/bin/ksh', '/bin/busybox'].filter(
  shell => existsSync(shell) && !isDashAgain(shell),
)
// Prints what it was given, as the kernel has it, and its name.
const DUMP = `const { readFileSync } = require('node:fs')
process.stdout.write(JSON.stringify({
  environment: readFileSync('/proc/self/environ', 'utf8').split('\\0').filter(entry => entry !== '').sort(),
  args: process.argv.slice(1),
  name: process.argv0,
  cwd: process.cwd(),
  signals: readFileSync('/proc/self/status', 'utf8').split('\\n').filter(line => /^Sig(Blk|Ign|Cgt)/.test(line)),
  files: require('node:fs').existsSync('/proc/self/fd/3') &&
    require('node:fs').readlinkSync('/proc/self/fd/3').startsWith('socket'),
}))`

const pass = async (
  shell: string,
  exec: readonly [string, ...string[]],
  env: Record<string, string>,
  word: string | null = GATE_WORD,
) => {
  const command = gateCommand(exec, exec[0], env)
  const child: ChildProcess = spawn(shell, command.args, {
    argv0: 'sh',
    cwd: '/',
    env: command.env,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  const gate = child.stdio[3] as Writable
  gate.on('error', () => {})
  const [out, err] = [text(child.stdout as Readable), text(child.stderr as Readable)]
  if (word === null) gate.destroy()
  else gate.end(word, () => gate.destroy())
  const code = await new Promise<number | null>(resolve => child.once('exit', resolve))
  return { code, out: await out, err: await err }
}

const dump = async (shell: string, env: Record<string, string>, ...args: string[]) => {
  const { out, err, code } = await pass(shell, [process.execPath, '-e', DUMP, '--', ...args], env)
  return { ...JSON.parse(out || '{}'), err, code }
}
const entries = (env: Record<string, string>): string[] =>
  Object.entries(env)
    .map(([name, value]) => `${name}=${value}`)
    .sort()

const PLAIN = { PATH: '/usr/bin:/bin', HOME: '/nowhere', LANG: 'xx_XX.UTF-8', TZ: 'UTC', SHOAL_TOKEN: 't' }
const EVERY_CHARACTER = `${Array.from({ length: 127 }, (_, i) => String.fromCharCode(i + 1)).join('')}\u0080ä€😀`
// What a shell sets, reads, guards, drops or takes for something of its own.
const SPECIAL = {
  ...{
    PWD: '/elsewhere',
    OLDPWD: '',
    SHLVL: '7',
    _: 'x',
    IFS: 'o',
    OPTIND: 'no number',
    PPID: '1',
    UID: '0',
  },
  ...{ LC_ALL: 'zz', BASH_ENV: '/no/such', ENV: '/no/such', SHELLOPTS: 'xtrace', TMOUT: '0', LINENO: '3' },
  ...{ 'BASH_FUNC_read%%': '() { echo caught; }', BASH_VERSION: '0', RANDOM: '4', PS4: '$(id)', CDPATH: '/' },
  ...{ 'a.name': '1', '-x': '2', 'a name': '3', '1st': '4', ä: '5', POSIXLY_CORRECT: '', SHOAL_GATE: 'stop' },
}

for (const shell of SHELLS) {
  test(`${shell}: the environment that goes in comes out, and no other`, async t => {
    for (const env of [
      {},
      PLAIN,
      { ...PLAIN, EMPTY: '', ANY: EVERY_CHARACTER, EDGE: '\n', CODE: '$(id) `id` "$HOME" \\' },
      { ...PLAIN, ...SPECIAL },
      ...Object.entries(SPECIAL).map(([name, value]) => ({ ...PLAIN, [name]: value })),
    ] as Record<string, string>[]) {
      const { environment, err, code } = await dump(shell, env)
      t.deepEqual(environment, entries(env), err)
      t.is(err, '')
      t.is(code, 0)
    }
  })

  test(`${shell}: arguments, name, folder, signals and descriptors are those of a program started plainly`, async t => {
    const words = ['', ' ', '-', '--', '-c', '*', '$1', 'a=b', EVERY_CHARACTER, '\n\n', 'x'.repeat(100_000)]
    for (const env of [PLAIN, { ...PLAIN, LC_ALL: 'C' }]) {
      const { args, name, cwd, signals, files } = await dump(shell, env, ...words)
      t.deepEqual(args, words)
      t.is(name, process.execPath)
      t.is(cwd, '/')
      t.false(files, 'descriptor 3 was closed')
      const plain = spawn(process.execPath, ['-e', DUMP], { stdio: ['ignore', 'pipe', 'inherit'] })
      t.deepEqual(signals, JSON.parse(await text(plain.stdout)).signals)
    }
  })

  test(`${shell}: a large environment comes out whole`, async t => {
    const env: Record<string, string> = { ...PLAIN }
    for (let i = 0; i < 8; i += 1) env[`BIG_${i}`] = String(i).repeat(120_000)
    for (let i = 0; i < 500; i += 1) env[`MANY_${i}`] = `value ${i}`
    const { environment } = await dump(shell, env)
    t.deepEqual(environment, entries(env))
  })

  test(`${shell}: no name of a program is taken for something else`, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-gate-'))
    try {
      for (const name of ['a=b', '-x', 'exec', 'true', 'a b', '$x', '--', '%builtin']) {
        const path = join(folder, name)
        writeFileSync(path, '#!/bin/sh\necho "this one $1"\n')
        chmodSync(path, 0o755)
        for (const env of [
          { PATH: `${folder}:/usr/bin:/bin` },
          { PATH: `${folder}:/usr/bin:/bin`, LC_ALL: 'C' },
        ]) {
          const command = name.startsWith('-') ? path : name
          const { out, err } = await pass(shell, [command, 'x'], env)
          t.is(out, 'this one x\n', `${name}: ${err}`)
        }
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test(`${shell}: without the word nothing is executed`, async t => {
    for (const word of [null, '', 'g', '\n', 'stop\n', ' go\n', 'go']) {
      const { code, out } = await pass(shell, ['echo', 'executed'], PLAIN, word)
      t.is(out, '', JSON.stringify(word))
      t.is(code, 125)
    }
    t.is((await pass(shell, ['echo', 'executed'], PLAIN)).out, 'executed\n')
  })
}

test('no value but that of a name with a meaning for shells is ever an argument', t => {
  const secret = 'a secret'
  const plain = gateCommand(['true'], '/bin/true', {
    SHOAL_TOKEN: secret,
    SHOAL_INPUT: secret,
    API_KEY: secret,
  })
  t.false(plain.args.some(word => word.includes(secret)))
  t.deepEqual(plain.env, { SHOAL_TOKEN: secret, SHOAL_INPUT: secret, API_KEY: secret })
  const special = gateCommand(['true'], '/bin/true', { 'a.b': '1', API_KEY: secret })
  t.true(special.args.includes('a.b=1'))
  t.deepEqual(special.env, { API_KEY: secret })
})
