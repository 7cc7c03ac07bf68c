// A fleet's node in one file, as the command is shipped (`npm run bundle`): a process that
// reads six hundred modules starts half a second later and holds 25 MB more, and neither is
// Shoal's. Benches measure this one, and the meshes of the end-to-end tests run it; whoever
// tests what a node opens beside itself (a thread's own entry) runs the modules as they are
// compiled.

import { renameSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { threadId } from 'node:worker_threads'
import type { BuildOptions } from 'esbuild'

const FROM = fileURLToPath(new URL('./node.js', import.meta.url))
const TO = fileURLToPath(new URL('./bundled/node.mjs', import.meta.url))
/** Seen from the compiled file; the compiler does not read what the workshop is written in. */
const WORKSHOP = new URL('../../../.workshop/one-file.mjs', import.meta.url)

interface OneFile {
  buildOneFile(options: BuildOptions): Promise<unknown>
}

let made: Promise<string> | null = null

/** The file to run; made anew in each thread that asks, once. */
export const bundledNode = (): Promise<string> => {
  made ??= make()
  return made
}

const make = async (): Promise<string> => {
  const { buildOneFile } = (await import(WORKSHOP.href)) as OneFile
  // Others make it as well and run it meanwhile.
  const outfile = `${TO}.${process.pid}-${threadId}`
  await buildOneFile({ entryPoints: [FROM], outfile, legalComments: 'none' })
  renameSync(outfile, TO)
  return TO
}
