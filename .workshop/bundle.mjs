// `npm run bundle`: the whole of Shoal as a folder that runs anywhere that has a Node.js,
// with nothing to install: dist/bundle/shoal.mjs, the files that it opens beside itself
// (they keep their place under src/), and the one package with a native part, the store.
//
//   dist/bundle/shoal.mjs                                  the command, one file
//   dist/bundle/adapters/executors/module-worker.js        a thread's own entry
//   dist/bundle/{sim,demo}/…                               what a node never needs
//   dist/bundle/dashboard/dashboard.html                   the page
//   dist/devices-bundle/…                                 the devices, for the image's stage of that name
//   dist/bundle/node_modules/classic-level/…               the store, with its prebuilt parts
//   dist/bundle/package.json                               `npm pack` here gives one file to carry
//
// It does nothing where the bundle was made of these very sources, so that an image can
// be built from a finished one without npm. It fails where the command is larger than a Pi should have to parse, and it never takes
// a source from anywhere but src/ and the installed packages.

import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { whileBusy } from './busy.mjs'
import { buildOneFile, STORE } from './one-file.mjs'
import { root, setupOrExit } from './setup.mjs'

const COMMAND_BYTES_MAX = 1_600_000
/** How the sources name a file beside themselves. */
const BESIDE = /(new URL\(|fileBeside\()'(\.[^']+)'/g
/** The simulator and the demo. */
const APART = /\/(sim\/command|demo\/demo)\.js$/

const source = join(root, 'src')
const built = join(root, 'dist', 'src')
const DEVICES = ['factory-gateway/gateway', 'city-sensor-gateway/gateway', 'virtual/plc', 'virtual/sensors']
const bundle = join(root, 'dist', 'bundle')
/** Written last: what the bundle was made of. */
const madeOf = join(bundle, '.made-of')

const main = async () => {
  rmSync(bundle, { recursive: true, force: true })
  mkdirSync(bundle, { recursive: true })
  const beside = new Set()
  const bundleTo = (entry, to) =>
    buildOneFile({
      entryPoints: [join(source, entry)],
      outfile: join(bundle, to),
      plugins: [keepPlaces(beside, to)],
    })
  await bundleTo('cli.ts', 'shoal.mjs')
  // The list grows while it is walked: what is brought may open more.
  for (const place of beside) await bring(place, bundleTo)
  const devices = join(root, 'dist', 'devices-bundle')
  rmSync(devices, { recursive: true, force: true })
  await buildOneFile({
    entryPoints: DEVICES.map(name => join(root, 'devices', `${name}.ts`)),
    outdir: devices,
    plugins: [keepPlaces(new Set(), join('devices', 'any', 'any.js'))],
  })
  const carried = carryStore()
  writePackage(carried)
  if (report(join(bundle, 'shoal.mjs'))) writeFileSync(madeOf, sourcesHash())
}

const isCurrent = () => existsSync(madeOf) && readFileSync(madeOf, 'utf8') === sourcesHash()

const sourcesHash = () => {
  const hash = createHash('sha256')
  const files = [source, join(root, 'devices')]
    .flatMap(folder => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter(each => each.isFile())
    .map(each => relative(root, join(each.parentPath ?? each.path, each.name)).replaceAll('\\', '/'))
  files.push(
    'docker/pi/install.sh',
    'docker/systemd/shoal.service',
    'package-lock.json',
    '.workshop/assets.mjs',
    '.workshop/bundle.mjs',
    '.workshop/one-file.mjs',
  )
  for (const file of files.sort()) {
    const bytes = readFileSync(join(root, file))
    hash.update(`${file}\0${bytes.length}\0`).update(bytes)
  }
  return hash.digest('hex')
}

/**
 * A file that the code opens beside itself keeps its place under src/, seen from the file
 * that opens it. So do the parts that a node never needs: they are not parsed by it.
 */
const keepPlaces = (beside, from) => ({
  name: 'keep-places',
  setup: ({ onLoad, onResolve }) => {
    const seenFromHere = place => {
      const path = relative(dirname(from), place).replaceAll('\\', '/')
      return path.startsWith('.') ? path : `./${path}`
    }
    onResolve({ filter: APART }, ({ path, kind, resolveDir }) => {
      if (kind !== 'dynamic-import') return undefined
      const place = relative(source, resolve(resolveDir, path)).replaceAll('\\', '/')
      beside.add(place)
      return { path: seenFromHere(place), external: true }
    })
    onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      const contents = text.replace(BESIDE, (_, call, name) => {
        const place = relative(source, resolve(dirname(path), name)).replaceAll('\\', '/')
        if (place === 'cli.js') return `${call}'${seenFromHere('shoal.mjs')}'`
        beside.add(place)
        return `${call}'${seenFromHere(place)}${name.endsWith('/') ? '/' : ''}'`
      })
      return { contents, loader: 'ts' }
    })
  },
})

const bring = async (place, bundleTo) => {
  const to = join(bundle, place)
  if (!place.endsWith('.js')) {
    // What is no program (the page) or a folder of small ones that import nothing (the
    // demo's tasks) is taken as it was built.
    cpSync(join(built, place), to, {
      recursive: true,
      filter: file => !/\.(map|d\.ts)$/.test(file) && !isProgramOfThePage(file),
    })
    return
  }
  await bundleTo(place.replace(/\.js$/, '.ts'), place)
}

/** The page's own programs are inside its HTML file already. */
const isProgramOfThePage = file => file.includes(join('src', 'dashboard')) && file.endsWith('.js')

/** The store and what it needs, found as Node would find them. */
const carryStore = () => {
  const carried = new Map()
  const carry = name => {
    if (carried.has(name)) return
    const from = join(root, 'node_modules', name)
    const { version, dependencies = {} } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'))
    carried.set(name, version)
    cpSync(from, join(bundle, 'node_modules', name), {
      recursive: true,
      dereference: true,
      // The sources of the native part are for who compiles it, which nobody does here.
      filter: file => !isForCompiling(relative(from, file)),
    })
    for (const each of Object.keys(dependencies)) carry(each)
  }
  carry(STORE)
  return carried
}

const isForCompiling = file =>
  /^(deps|node_modules|binding\.(gyp|cc)|test)([\\/]|$)/.test(file) ||
  /^prebuilds[\\/](android|win32|darwin)/.test(file) ||
  /^(CHANGELOG|UPGRADING)\.md$/.test(file)

const writePackage = carried => {
  const { name, version, description, license, engines } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  )
  const manifest = {
    name,
    version,
    description: `${description} (one file)`,
    license,
    type: 'module',
    engines,
    os: ['linux'],
    bin: { shoal: 'shoal.mjs' },
    dependencies: { [STORE]: carried.get(STORE) },
    // They travel inside the package, so that a gateway without a registry can install it.
    bundleDependencies: [STORE],
  }
  writeFileSync(join(bundle, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  cpSync(join(root, 'LICENSE'), join(bundle, 'LICENSE'))
  // What makes a machine a member of a mesh is in the one file that is carried there.
  for (const file of ['pi/install.sh', 'systemd/shoal.service']) {
    cpSync(join(root, 'docker', file), join(bundle, basename(file)))
  }
}

const report = command => {
  const { size } = statSync(command)
  process.stdout.write(`${relative(root, command)}: ${Math.round(size / 1000)} KB\n`)
  if (size <= COMMAND_BYTES_MAX) return true
  process.stderr.write(`bundle: that is more than ${COMMAND_BYTES_MAX / 1000} KB\n`)
  process.exitCode = 1
  return false
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!isCurrent()) {
    await setupOrExit()
    // Asked again: another run may have made it while this one waited.
    await whileBusy(async () => {
      if (!isCurrent()) await main()
    })
  }
}
