// A fleet's node in one file, as the command is shipped (`npm run bundle`): a process that
// reads six hundred modules starts half a second later and holds 25 MB more, and neither is
// Shoal's. Benches measure this one; tests run the modules as they are compiled.

import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const FROM = fileURLToPath(new URL('./node.js', import.meta.url))
const TO = fileURLToPath(new URL('./bundled/node.mjs', import.meta.url))

let made: Promise<string> | null = null

/** The file to run; made anew in each process that asks, once. */
export const bundledNode = (): Promise<string> => {
  made ??= build({
    entryPoints: [FROM],
    outfile: TO,
    bundle: true,
    platform: 'node',
    format: 'esm',
    minify: true,
    external: ['classic-level'],
    logLevel: 'warning',
    // Some packages are CommonJS and call `require` for what Node has built in.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  }).then(() => TO)
  return made
}
