// Brings the working copy up to date: packages first, then the compiled output in
// dist/, then the assets. It runs before every `npm start` and `npm test`, so its
// first duty is to notice within a blink that there is nothing to do, and to say nothing.
//
// Built-ins only: it runs before anything is installed. It never touches what is up
// to date, never runs a package's install script, and never deletes node_modules
// where that is a link to somebody else's.

import { createHash } from 'node:crypto'
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildAssets } from './assets.mjs'
import { runWhileBusy, whileBusy } from './busy.mjs'
import { SetupFailed, say } from './setup-failed.mjs'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

const OLDEST_NODE = [20, 19]
const SOURCE_FOLDERS = ['src', 'devices', 'test']
/** What changes the output without being a source. */
const SOURCE_FILES = [
  'tsconfig.json',
  'package.json',
  'package-lock.json',
  '.workshop/setup.mjs',
  '.workshop/assets.mjs',
]
const dist = join(root, 'dist')
/** What dist was built from; written last, so that a build that was cut short is seen. */
const built = join(dist, '.built.json')

/** Resolves to what was done: nothing, most of the time. */
export const setup = async () => {
  requireNode()
  const done = []
  if (arePackagesCurrent() && isOutputCurrent(readSources())) return done
  await whileBusy(async () => {
    // Asked again: another run may have done it while this one waited.
    if (!arePackagesCurrent()) {
      await installPackages()
      done.push('packages')
    }
    const sources = readSources()
    if (!isOutputCurrent(sources)) {
      await build(sources)
      done.push('build')
    }
  })
  return done
}

const requireNode = () => {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return
  throw new SetupFailed(
    `this is Node ${process.versions.node}; Shoal needs ${OLDEST_NODE.join('.')} or newer`,
  )
}

// Packages

const readJson = file => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}

/**
 * Compares the lock file with the list that npm writes at the end of an installation.
 * That holds after an `npm install` by hand as well, and fails after one that was cut
 * short, that left out the development packages, or that was made for another machine.
 */
const arePackagesCurrent = () => {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages
  if (wanted === undefined) throw new SetupFailed('package-lock.json is missing or unreadable')
  const present = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages
  if (present === undefined) return false
  for (const [path, want] of Object.entries(wanted)) {
    if (path === '') continue
    const have = present[path]
    if (have === undefined) {
      if (want.optional !== true && want.devOptional !== true) return false
    } else if (have.version !== want.version || have.integrity !== want.integrity) return false
  }
  return Object.values(present).every(isForThisMachine)
}

const isForThisMachine = ({ os, cpu }) =>
  (os === undefined || os.includes(process.platform) || os.some(name => name.startsWith('!'))) &&
  (cpu === undefined || cpu.includes(process.arch) || cpu.some(name => name.startsWith('!')))

const installPackages = async () => {
  const modules = join(root, 'node_modules')
  if (existsSync(modules) && lstatSync(modules).isSymbolicLink()) {
    throw new SetupFailed(
      'node_modules is a link and does not match package-lock.json; run npm ci where it leads to',
    )
  }
  say('installing packages, once')
  // `--include=dev` because NODE_ENV=production would leave the compiler out.
  const args = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  // libp2p's p-retry asks for Node 22 and runs on 20; where engine-strict is set, npm would refuse it.
  args.push('--engine-strict=false')
  const cache = spareCache()
  if (cache !== null) args.push('--cache', cache)
  // npm tells the scripts that it runs where it is itself.
  const npm = process.env.npm_execpath
  const isNpm = npm?.endsWith('npm-cli.js') === true
  const command = isNpm ? process.execPath : process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const { code, output } = await runWhileBusy(command, isNpm ? [npm, ...args] : args, root)
  if (cache !== null) rmSync(cache, { recursive: true, force: true })
  if (code !== 0) throw new SetupFailed(`npm ci failed\n${output}`)
}

/** A cache of its own where the usual one cannot be written, as with a HOME that does not exist. */
const spareCache = () => {
  const usual = process.env.npm_config_cache ?? join(homedir(), '.npm')
  try {
    mkdirSync(usual, { recursive: true })
    accessSync(usual, constants.W_OK)
    return null
  } catch {
    return mkdtempSync(join(tmpdir(), 'shoal-npm-'))
  }
}

// Sources and their output

/** Every source with a hash over all of their names and contents. */
const readSources = () => {
  const files = []
  const walk = folder => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory()) walk(path)
      else if (entry.isFile()) files.push(path)
    }
  }
  for (const folder of SOURCE_FOLDERS) if (existsSync(join(root, folder))) walk(folder)
  files.sort()
  const hash = createHash('sha256')
  for (const file of [...SOURCE_FILES, ...files]) {
    const bytes = readFileSync(join(root, file))
    hash.update(`${file}\0${bytes.length}\0`).update(bytes)
  }
  return { hash: hash.digest('hex'), files }
}

const outputOf = file => join(dist, file.replace(/\.tsx?$/, '.js'))
const isCompiled = file => /\.tsx?$/.test(file) && !file.endsWith('.d.ts')

const isOutputCurrent = sources => readJson(built)?.hash === sources.hash && sources.files.every(hasOutput)

const hasOutput = file => !isCompiled(file) || existsSync(outputOf(file))

const build = async sources => {
  const before = readJson(built)
  const now = new Set(sources.files)
  // A source that vanished leaves its output behind, and a ghost of a deleted test would
  // be run; an output that vanished is not written again by an incremental compiler.
  const isTrusted = before?.files.every(file => now.has(file)) && before.files.every(hasOutput)
  if (!isTrusted) rmSync(dist, { recursive: true, force: true })
  say(isTrusted ? 'compiling what changed' : 'compiling')
  // What follows may be cut short or fail half-way: the list of what may be there stands
  // from the beginning, its hash only at the end.
  mkdirSync(dist, { recursive: true })
  writeBuilt({ hash: null, files: sources.files })
  const tsc = join(root, 'node_modules', '@typescript', 'native', 'bin', 'tsc')
  const pretty = `${process.stderr.isTTY === true}`
  const { code, output } = await runWhileBusy(process.execPath, [tsc, '-p', root, '--pretty', pretty], root)
  if (code !== 0) throw new SetupFailed(`the types do not hold\n${output}`)
  await buildAssets({ root, dist })
  writeBuilt(sources)
}

const writeBuilt = sources => {
  writeFileSync(`${built}.new`, JSON.stringify(sources))
  renameSync(`${built}.new`, built)
}

/** Runs it for a command: prints a failure in one line and sets the exit code. */
export const setupOrExit = async () => {
  try {
    return await setup()
  } catch (error) {
    if (!(error instanceof SetupFailed)) throw error
    say(error.message)
    process.exit(1)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setupOrExit()
