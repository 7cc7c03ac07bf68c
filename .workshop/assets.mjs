// Everything in dist/ that the compiler does not put there: bundles, pages, schemas.
// The setup calls it after each compilation.
//
// To add one: read from `root`, write under `dist`, throw when it fails. It runs after
// the packages are installed, so import them here with `await import(...)`, inside the
// function: the setup loads this file before there are any.

import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const buildAssets = async ({ root, dist }) => {
  await buildDashboard({ root, dist })
}

/**
 * The page of a node: one file with everything in it, because `/` is all that is served
 * without a token. Its policy names the hash of its one script and its one style, so that
 * nothing else runs even where a text from a peer found a way into the page.
 */
const buildDashboard = async ({ root, dist }) => {
  const { build } = await import('esbuild')
  const from = join(root, 'src', 'dashboard')
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [join(from, 'main.ts'), join(from, 'style.css')],
    outdir: join(dist, 'src', 'dashboard'),
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: ['es2022', 'chrome111', 'firefox113', 'safari16.4'],
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'silent',
  })
  const textOf = ending => outputFiles.find(({ path }) => path.endsWith(ending)).text.trim()
  // The end of an element is the one thing that HTML looks for inside it.
  const script = textOf('.js').replaceAll('</script', '<\\/script')
  const style = textOf('.css').replaceAll('</style', '<\\/style')
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const parts = { '%CSP%': policy, '/*%STYLE%*/': style, '/*%SCRIPT%*/': script }
  const template = readFileSync(join(from, 'page.html'), 'utf8')
  const page = template.replace(/%CSP%|\/\*%(STYLE|SCRIPT)%\*\//g, name => parts[name])
  mkdirSync(join(dist, 'src', 'dashboard'), { recursive: true })
  writeFileSync(join(dist, 'src', 'dashboard', 'dashboard.html'), `${page}${noticesOf(root)}`)
}

/** Whose work the page carries: their licenses ask that this is said with every copy. */
const noticesOf = root => {
  const notices = ['preact', 'htm', 'uplot', 'd3-force', 'd3-dispatch', 'd3-quadtree', 'd3-timer'].map(
    name => {
      const { version, license } = JSON.parse(
        readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'),
      )
      const text = readFileSync(join(root, 'node_modules', name, 'LICENSE'), 'utf8')
      return `${name} ${version}, ${license}: ${/copyright (\(c\) )?\d{4}.*/i.exec(text)?.[0].trim() ?? ''}`
    },
  )
  return `<!-- Contains:\n${notices.join('\n').replaceAll('--', '- -')}\n-->\n`
}

const hashOf = text => `sha256-${createHash('sha256').update(text).digest('base64')}`
