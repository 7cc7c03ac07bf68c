// Every block of code in the READMEs of devices/ runs as it stands, and every
// configuration is one that is accepted. A program that goes on for ever has passed when
// it has said something and is still well.

import { spawn } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import test from 'ava'
import { readGatewaySettings as readCity } from '../../devices/city-sensor-gateway/settings.js'
import { readGatewaySettings as readFactory } from '../../devices/factory-gateway/settings.js'

const READMES = [
  'README.md',
  'devices/README.md',
  ...readdirSync('devices', { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => `devices/${name}/README.md`),
]

interface Block {
  readonly file: string
  readonly language: string
  readonly line: number
  readonly text: string
}

const blocksOf = (file: string): readonly Block[] => {
  let markdown: string
  try {
    markdown = readFileSync(file, 'utf8')
  } catch {
    // Not every folder has a page; what has none has no blocks.
    return []
  }
  return [...markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(match => ({
    file,
    language: match[1] ?? '',
    line: markdown.slice(0, match.index).split('\n').length,
    text: match[2] ?? '',
  }))
}

const blocks = READMES.flatMap(blocksOf)

/** A folder in which `shoal` is installed, as a user has it. */
const folder = mkdtempSync(join(tmpdir(), 'shoal-readme-'))
mkdirSync(join(folder, 'node_modules'))
writeFileSync(join(folder, 'package.json'), '{"private": true}')
symlinkSync(resolve('.'), join(folder, 'node_modules', 'shoal'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a file until it ends, or until it has printed and then lived for a second more. */
const run = (file: string): Promise<{ readonly code: number | null; readonly said: string }> =>
  new Promise(done => {
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    const hear = (chunk: Buffer): void => {
      if (said === '') setTimeout(() => child.kill('SIGKILL'), 1_500)
      said += chunk
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.on('exit', code => done({ code, said }))
  })

for (const { file, language, line, text } of blocks.filter(block => /^(js|ts)$/.test(block.language))) {
  test.serial(`the code in ${file}, line ${line}, runs as it stands`, async t => {
    const program = join(folder, `${file.replaceAll('/', '-')}-${line}.${language === 'ts' ? 'mts' : 'mjs'}`)
    writeFileSync(program, text)
    const { code, said } = await run(program)
    t.true(code === 0 || code === null, said)
    t.not(said, '', 'it said something')
    t.notRegex(said, /Error/)
  })
}

test('the configurations in the READMEs are accepted', t => {
  const settings = blocks.filter(({ language, file }) => language === 'json' && file.startsWith('devices/'))
  t.true(settings.length >= 2)
  for (const { file, text } of settings) {
    const path = join(folder, 'settings.json')
    writeFileSync(path, text)
    t.notThrows(
      () => (dirname(file).endsWith('city-sensor-gateway') ? readCity(path) : readFactory(path)),
      file,
    )
  }
})

test('the programs that the READMEs of devices start are there', t => {
  const commands = blocks
    .filter(({ language, file }) => language === 'sh' && file.startsWith('devices/'))
    .flatMap(({ text }) => [...text.matchAll(/node dist\/(\S+)\.js/g)].map(match => `${match[1]}.ts`))
  t.true(commands.length >= 5)
  for (const source of commands) t.notThrows(() => readFileSync(source), source)
})
