// Where a node keeps its data unless it is told (contract, section 3).

import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where the unit of docker/systemd keeps it. */
const SERVICE_DIRECTORY = '/var/lib/shoal'

/** `$STATE_DIRECTORY` is systemd's, and may list several. */
export const defaultDataDirectory = (env: NodeJS.ProcessEnv = process.env): string =>
  env.STATE_DIRECTORY?.split(':')[0] || join(env.HOME || homedir(), '.local', 'state', 'shoal')

/** Where the data of a node on this machine may be, likeliest first. */
export const dataDirectories = (env: NodeJS.ProcessEnv = process.env): readonly string[] => [
  ...(env.SHOAL_DATA ? [env.SHOAL_DATA] : []),
  defaultDataDirectory(env),
  SERVICE_DIRECTORY,
]
