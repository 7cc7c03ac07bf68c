// The virtual machines as commands: what a newcomer gets wrong is one sentence.

import { spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const run = (program: 'plc' | 'sensors', ...flags: string[]) => {
  const file = fileURLToPath(new URL(`../../devices/virtual/${program}.js`, import.meta.url))
  return spawnSync(process.execPath, [file, ...flags], { encoding: 'utf8', input: '', timeout: 60_000 })
}

for (const [program, flags, says] of [
  ['plc', ['--port', 'x'], /^plc\.js: --port x will not do: it takes a TCP port.*0 to 65535\n$/],
  ['plc', ['--bogus', '1'], /^plc\.js: Unknown option '--bogus' \(see "plc\.js --help"\)\n$/],
  ['plc', ['--unit', '300'], /^plc\.js: --unit 300 will not do: it takes a Modbus unit, 0 to 255\n$/],
  [
    'sensors',
    ['--broker', 'localhost'],
    /^sensors\.js: --broker localhost will not do.*mqtt:\/\/HOST:PORT\n$/,
  ],
  ['sensors', ['--districts', '0'], /^sensors\.js: --districts 0 will not do.*1 to 1000\n$/],
] as const) {
  test(`${program} ${flags.join(' ')} is refused with what is accepted`, t => {
    const { status, stdout, stderr } = run(program, ...flags)
    t.is(status, 2)
    t.is(stdout, '')
    t.regex(stderr, says)
  })
}

test('each lists its flags', t => {
  for (const [program, flag] of [
    ['plc', '--speed'],
    ['sensors', '--time-scale'],
  ] as const) {
    const { status, stdout } = run(program, '--help')
    t.is(status, 0)
    t.true(stdout.includes(flag))
  }
})

test('a port that is taken is one line', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const { status, stderr } = run('plc', '--port', `${port}`)
  t.is(status, 1)
  t.regex(stderr, /^plc\.js: listen EADDRINUSE: address already in use 127\.0\.0\.1:\d+\n$/)
  server.close()
})
