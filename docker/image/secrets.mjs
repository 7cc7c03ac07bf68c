// Makes what the nodes of one mesh share: the mesh key, and one token for their HTTP
// interfaces. Run once by the service `init` before any node starts; what is there stays,
// so a mesh survives `docker compose down` and `up`.

import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = process.argv[2] ?? '/run/shoal'
const command = fileURLToPath(new URL('../shoal.mjs', import.meta.url))

const key = join(folder, 'mesh.key')
if (!existsSync(key)) {
  const { status } = spawnSync(process.execPath, [command, 'key', key], { stdio: 'inherit' })
  if (status !== 0) process.exit(1)
}
const token = join(folder, 'api.token')
if (!existsSync(token)) {
  writeFileSync(token, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' })
}
