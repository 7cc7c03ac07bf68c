// The test command: one line for each check with its time, and on red everything that
// the failed check had to say. The cheap checks come first; the first red one ends it.
//
//   node .workshop/test.mjs            all that needs Node and loopback alone
//   node .workshop/test.mjs long       the same for stories of many nodes and many kills
//   node .workshop/test.mjs machine    what needs namespaces, root or Debian packages
//
// With SHOAL_TEST_REPORT=FILE the counts are also written there, as JSON.

import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { root, setup } from './setup.mjs'
import { SetupFailed } from './setup-failed.mjs'

const isTerminal = process.stdout.isTTY === true
const report = { passed: 0, failed: 0, checks: [] }

const main = async () => {
  process.chdir(root)
  const checks = process.argv[2] === undefined ? CHECKS : BY_NAME[process.argv[2]]
  if (checks === undefined) {
    process.stderr.write(
      `test: there is no ${process.argv[2]}; there are ${Object.keys(BY_NAME).join(' and ')}\n`,
    )
    process.exit(2)
  }
  for (const [name, check] of checks) {
    const startedAt = performance.now()
    const result = await check()
    const ms = Math.round(performance.now() - startedAt)
    const { ok, note = '', output = '', passed = ok ? 1 : 0, failed = ok ? 0 : 1 } = result
    report.passed += passed
    report.failed += failed
    report.checks.push({ name, ok, ms, passed, failed })
    writeReport()
    line(`${ok ? paint(32, '✔') : paint(31, '✘')} ${name.padEnd(10)} ${seconds(ms).padStart(7)}  ${note}`)
    if (!ok) {
      process.stdout.write(`\n${output.trimEnd()}\n`)
      process.exitCode = 1
      return
    }
  }
}

// The checks. Each gives {ok, note, output} and never throws for what it found.

const types = async () => {
  try {
    const done = await setup()
    return { ok: true, note: done.includes('build') ? 'compiled, the types hold' : 'nothing to compile' }
  } catch (error) {
    if (!(error instanceof SetupFailed)) throw error
    return { ok: false, output: error.message }
  }
}

const coreBan = async () => {
  const { findBannedIn } = await import('../dist/test/checks/core-ban.js')
  const findings = findBannedIn(join('src', 'core'))
  const output = findings
    .map(({ file, line, column, what, why }) => `${file}:${line}:${column} uses ${what}: ${why}`)
    .join('\n')
  return {
    ok: findings.length === 0,
    note: findings.length === 0 ? 'no clock, chance, timer, promise or built-in in src/core' : '',
    output,
  }
}

const layers = () =>
  tool('dependency-cruiser/bin/dependency-cruise.mjs', [
    ...['src', 'devices', 'test'].filter(folder => existsSync(folder)),
    '--config',
    '.dependency-cruiser.cjs',
    '--output-type',
    'err-long',
  ]).then(withNote('every import goes the way it should'))

const format = () =>
  tool('@biomejs/biome/bin/biome', [
    'ci',
    '--error-on-warnings',
    `--colors=${isTerminal ? 'force' : 'off'}`,
    '.',
  ]).then(withNote('format and lint'))

const unused = () =>
  tool('knip/bin/knip.js', ['--no-progress', '--no-config-hints']).then(
    withNote('no dead file, export or dependency'),
  )

const packaging = () =>
  tool('publint/src/cli.js', ['--strict', '--pack', 'false']).then(withNote('the package can be imported'))

const withNote = note => result => ({ ...result, note: result.ok ? note : '' })

const CHECKS = [
  ['types', types],
  ['core', coreBan],
  ['layers', layers],
  ['format', format],
  ['unused', unused],
  ['package', packaging],
  ['tests', () => tests(['--config', '.ava-mixed.config.mjs'])],
]

const BY_NAME = {
  long: [
    ['types', types],
    ['long', () => tests(['--config', '.ava-long.config.mjs'])],
  ],
  machine: [
    ['types', types],
    ['machine', () => tests(['--config', '.ava-machine.config.mjs'])],
  ],
}

/**
 * Runs ava and counts. A skipped test, one that is known to fail and a run without a
 * single test are as red as a failure: each looks like safety that is not there.
 */
const tests = async args => {
  let passedSoFar = 0
  const result = await tool('ava/entrypoints/cli.mjs', args, chunk => {
    passedSoFar += chunk.split('✔').length - 1
    if (isTerminal) process.stdout.write(`\r  ${passedSoFar} tests passed so far`)
  })
  const text = stripVTControlCharacters(result.output)
  const count = pattern => Number(text.match(pattern)?.[1] ?? 0)
  const passed = count(/^\s*(\d+) tests? passed/m)
  const broken =
    count(/^\s*(\d+) tests? failed/m) +
    count(/^\s*(\d+) hooks? failed/m) +
    count(/^\s*(\d+) unhandled rejections?/m) +
    count(/^\s*(\d+) uncaught exceptions?/m)
  const missing =
    count(/^\s*(\d+) tests? skipped/m) + count(/^\s*(\d+) tests? todo/m) + count(/^\s*(\d+) known failures?/m)
  const ok = result.ok && passed > 0 && broken === 0 && missing === 0
  const ticks = text.split('\n').filter(each => /^\s*✔/.test(each)).length
  return {
    ok,
    note: ok ? `${passed} tests` : describe({ passed, failed: broken, skipped: missing }),
    passed: ok ? passed : Math.max(passed, ticks),
    failed: ok ? 0 : Math.max(broken + missing, 1),
    // The ticked lines are many and say nothing about what broke.
    output: result.output
      .split('\n')
      .filter(each => !/^\s*✔/.test(stripVTControlCharacters(each)))
      .join('\n'),
  }
}

const describe = counts =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ')

/**
 * A program that says nothing for so long is stuck: a test file ends when nothing runs in it
 * any more, so one that failed and left something running would be waited for for ever.
 */
const SILENT_MS = 8 * 60_000

/** Runs a package's program under this Node and keeps what it printed. */
const tool = (path, args, onChunk = () => {}) =>
  new Promise(resolve => {
    const env = { ...process.env }
    if (isTerminal && env.NO_COLOR === undefined) env.FORCE_COLOR = '1'
    const child = spawn(process.execPath, [join(root, 'node_modules', path), ...args], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const stuck = setTimeout(() => {
      output += `\n${path} said nothing for ${SILENT_MS / 60_000} minutes and was ended; what it last said stands above`
      child.kill('SIGKILL')
    }, SILENT_MS)
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', chunk => {
        stuck.refresh()
        output += chunk
        onChunk(chunk)
      })
    }
    child.on('error', error => {
      clearTimeout(stuck)
      resolve({ ok: false, output: `${output}${error.message}` })
    })
    child.on('close', (code, signal) => {
      clearTimeout(stuck)
      const end = code === 0 ? '' : `\n${path} ended with ${signal ?? `exit code ${code}`}`
      resolve({ ok: code === 0, output: output + end })
    })
  })

const paint = (colour, text) =>
  isTerminal && process.env.NO_COLOR === undefined ? `\u001b[${colour}m${text}\u001b[0m` : text
const seconds = ms => `${(ms / 1000).toFixed(1)} s`
const line = text => process.stdout.write(`${isTerminal ? '\r\u001b[K' : ''}${text}\n`)

const writeReport = () => {
  const file = process.env.SHOAL_TEST_REPORT
  if (file !== undefined && file !== '') writeFileSync(file, JSON.stringify(report))
}

await main()
