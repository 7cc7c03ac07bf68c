// The first program of a container. It hands a token that was given as a file to the node,
// whose own place for it is its data folder, and then becomes the command `shoal`: no
// process in between, so signals reach the node. It never reads a secret from the
// environment, where every child and `docker inspect` would see it.

import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SECRETS = '/run/shoal'

const given = join(SECRETS, 'api.token')
const data = process.env.SHOAL_DATA ?? '/var/lib/shoal'
if (process.argv[2] === 'up') {
  // The mode is taken along: the file is its owner's alone, here and there.
  if (existsSync(given)) copyFileSync(given, join(data, 'api.token'))
  const key = join(SECRETS, 'mesh.key')
  if (process.env.SHOAL_MESH_KEY === undefined && existsSync(key)) process.env.SHOAL_MESH_KEY = key
}

const command = fileURLToPath(new URL('../shoal.mjs', import.meta.url))
process.argv[1] = command
await import(command)
