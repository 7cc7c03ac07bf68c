// A fleet's node in one file, as the command is shipped (`npm run bundle`): a process that
// reads six hundred modules starts half a second later and holds 25 MB more, and neither is
// Shoal's. Benches measure this one; tests run the modules as they are compiled.

import { fileURLToPath } from 'node:url'
import type { BuildOptions } from 'esbuild'

const FROM = fileURLToPath(new URL('./node.js', import.meta.url))
const TO = fileURLToPath(new URL('./bundled/node.mjs', import.meta.url))
/** Seen from the compiled file; the compiler does not read what the workshop is written in. */
const WORKSHOP = new URL('../../../.workshop/one-file.mjs', import.meta.url)

interface OneFile {
  buildOneFile(options: BuildOptions): Promise<unknown>
}

let made: Promise<string> | null = null

/** The file to run; made anew in each process that asks, once. */
export const bundledNode = (): Promise<string> => {
  made ??= make()
  return made
}

const make = async (): Promise<string> => {
  const { buildOneFile } = (await import(WORKSHOP.href)) as OneFile
  await buildOneFile({ entryPoints: [FROM], outfile: TO })
  return TO
}
