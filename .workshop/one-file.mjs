// How Shoal becomes one file: the options that whatever is shipped is built with, so that
// a bench which measures a bundled node measures what a gateway runs.
//
// Built-ins only until it is called: an image is made of a finished bundle where no
// package is installed.

import { root } from './setup.mjs'

/** The one package with a native part: it stays beside the file, as a package. */
export const STORE = 'classic-level'

/** Builds what these options of esbuild name: at least where from and where to. */
export const buildOneFile = async options => {
  const { build } = await import('esbuild')
  return build({
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    minify: true,
    legalComments: 'linked',
    external: [STORE],
    logLevel: 'warning',
    // Some packages are CommonJS and call `require` for what Node has built in.
    banner: {
      js: "import { createRequire as shoalRequire } from 'node:module'; const require = shoalRequire(import.meta.url);",
    },
    ...options,
  })
}
