// The unit of docker/systemd, judged by systemd itself.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const UNIT = fileURLToPath(new URL('../../../docker/systemd/shoal.service', import.meta.url))
/** Out of 10; what is left is the network, which a node needs, and what V8 needs to compile. */
const EXPOSURE_MAX = 2

const analyze = (...args: string[]) => {
  const done = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
  if (done.error !== undefined)
    throw new Error('systemd-analyze is missing: apt install systemd', { cause: done.error })
  return done
}

test('systemd-analyze verify finds nothing wrong with the unit', t => {
  const { status, stdout, stderr } = analyze('verify', UNIT)
  t.is(status, 0, stderr)
  t.is(`${stdout}${stderr}`.trim(), '')
})

test('systemd-analyze security finds the unit hardly exposed', t => {
  const { stdout } = analyze('security', '--offline=true', '--no-pager', UNIT)
  const exposure = Number(/Overall exposure level for shoal\.service: ([\d.]+)/.exec(stdout)?.[1])
  t.true(exposure <= EXPOSURE_MAX, stdout)
})
