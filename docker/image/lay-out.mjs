// Lays out what goes into the image, so that its last stage only copies. Run in the build
// stage, where there may be no shell: `node lay-out.mjs FOLDER`.

import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const out = resolve(process.argv[2] ?? 'out')
const home = join(out, 'opt', 'shoal')
const docker = fileURLToPath(new URL('..', import.meta.url))

cpSync(resolve(docker, '..', 'dist', 'bundle'), home, { recursive: true })
cpSync(join(docker, 'image'), join(home, 'image'), { recursive: true })
mkdirSync(join(home, 'bin'), { recursive: true })
// For `docker exec NODE shoal members`.
symlinkSync('../image/shoal.mjs', join(home, 'bin', 'shoal'))
mkdirSync(join(out, 'var', 'lib', 'shoal'), { recursive: true, mode: 0o700 })
mkdirSync(join(out, 'run', 'shoal'), { recursive: true, mode: 0o700 })
