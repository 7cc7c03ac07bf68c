// The command and the devices as they are shipped (`npm run bundle`), made now where they are
// not of these very sources. A process that reads six hundred modules takes 0.8 s of
// processor more to start, and tests start many.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** Seen from the compiled file. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

const isMade = promisify(execFile)(process.execPath, ['.workshop/bundle.mjs'], { cwd: ROOT })

/** The file that is the command. */
export const shippedCommand = async (): Promise<string> => {
  await isMade
  return `${ROOT}dist/bundle/shoal.mjs`
}

/** The folder in which each device is a file. */
export const shippedDevices = async (): Promise<string> => {
  await isMade
  return `${ROOT}dist/devices-bundle`
}
