// Every wrong way to plug a PLC or a broker in: one line in the log, the reason on the
// health of the node, and recovery without anybody's help. Real TCP, real MQTT.

import test, { type ExecutionContext } from 'ava'
import { createPoller } from '../../devices/factory-gateway/poll.js'
import type { PlcPath } from '../../devices/factory-gateway/settings.js'
import { createVirtualPlc, type PlcFault, type VirtualPlc } from '../../devices/virtual/plc.js'
import { createNode, type ShoalNode } from '../../src/index.js'
import { createTestBroker, type TestBroker } from './broker.js'
import { until } from './until.js'

const POINTS = {
  level: { address: 0, scale: 0.1, unit: '%', min: 0, max: 100 },
  temperature: { address: 1, scale: 0.1, unit: '°C', min: 0, max: 150 },
  state: { address: 2, min: 0, max: 4 },
}

interface Bench {
  readonly plc: VirtualPlc
  readonly broker: TestBroker
  readonly node: ShoalNode
  readonly lines: string[]
  /** The last word to the node from each source: `level reason`. */
  readonly word: (source: string) => string
  readonly reasons: () => string
}

const bench = async (
  t: ExecutionContext,
  change: {
    readonly path?: Partial<PlcPath>
    readonly input?: object
    readonly prepare?: (plc: VirtualPlc, broker: TestBroker) => Promise<void>
  } = {},
): Promise<Bench> => {
  const plc = await createVirtualPlc({ speed: 10 })
  const broker = await createTestBroker()
  await change.prepare?.(plc, broker)
  const node = await createNode({
    name: 'gateway',
    listen: ['/ip4/127.0.0.1/tcp/0'],
    mdns: false,
    labels: { 'plc.line-3': 'yes' },
  })
  t.teardown(async () => {
    await node.close()
    await plc.close()
    await broker.close()
  })
  const lines: string[] = []
  const words = new Map<string, string>()
  node.handle(
    'plc',
    createPoller({
      paths: { 'line-3': { host: '127.0.0.1', port: plc.port, unit: 1, ...change.path } },
      broker: broker.url,
      group: 'plant',
      report: (source, level, reason) => {
        words.set(source, `${level} ${reason}`)
        node.report(source, level, reason)
      },
      log: line => lines.push(line),
      steadyMs: 200,
    }),
  )
  await node.tasks.put({
    id: 'plc-line-3',
    run: { handler: 'plc' },
    needs: { 'plc.line-3': 'yes' },
    input: { plc: 'line-3', periodMs: 20, timeoutMs: 500, retryMaxMs: 100, points: POINTS, ...change.input },
  })
  return {
    plc,
    broker,
    node,
    lines,
    word: source => words.get(source) ?? '',
    reasons: () => node.self().reasons.join('; '),
  }
}

const SETPOINT = { table: 'holding', address: 1, scale: 0.1, min: 0, max: 120, writable: true }
const PLC_OK = /^plc line-3: ok: answers at 127.0.0.1:\d+$/

const recovers = async (
  t: ExecutionContext,
  { lines, word }: Bench,
  expected: RegExp,
  source: 'plc' | 'broker',
  tries: () => boolean,
  mend: () => Promise<void>,
): Promise<void> => {
  const of = (): readonly string[] => lines.filter(line => line.startsWith(source))
  await until('the line', () => of().some(line => expected.test(line)))
  // It was met again and again, and said once.
  await until('more tries', tries)
  const before = of().filter(line => expected.test(line)).length
  t.is(before, 1, lines.join('\n'))
  const name = `${source === 'plc' ? 'plc' : 'broker for'} line-3`
  t.regex(`${name}: ${word(name)}`, expected)
  await mend()
  await until('the good word', () => / ok: /.test(of().at(-1) ?? ''))
  t.is(word(name), 'ok ')
  t.is(of().filter(line => line.includes('strained')).length, 1, lines.join('\n'))
}

const FAULTS: readonly (readonly [PlcFault, RegExp])[] = [
  ['silent', /plc line-3: strained:? unit 1 at \S+ is connected and does not answer/],
  ['slow', /plc line-3: strained:? unit 1 at \S+ is connected and does not answer/],
  ['garbage-values', /plc line-3: strained:? values out of their range are not believed/],
  ['garbage-frames', /plc line-3: strained:? \S+ sends half or broken frames/],
  ['reset', /plc line-3: strained:? \S+ broke the connection/],
  ['stall', /plc line-3: strained:? \S+ sends half or broken frames/],
  ['wrong-unit', /plc line-3: strained:? \S+ knows no unit 1/],
]

test.serial('what is wrong with a PLC is the health of its node, and its recovery too', async t => {
  // A machine that stalls for half a second is no trouble of this PLC, and would begin the calm anew.
  const { plc, node, lines, reasons } = await bench(t, { input: { timeoutMs: 5_000 } })
  await until('the first good sample', () => lines.some(line => PLC_OK.test(line)))
  await plc.fault('silent')
  // On a machine that stalls, its broker may be a reason too.
  const said = /(^|; )plc line-3: unit 1 at \S+ is connected and does not answer/
  await until('the health', () => node.self().health === 'strained' && said.test(reasons()))
  await plc.fault('none')
  await until('the recovery', () => !reasons().includes('plc line-3'))
  t.is(node.self().health, reasons() === '' ? 'ok' : 'strained')
})

for (const [fault, expected] of FAULTS) {
  test.serial(`a PLC that is ${fault} is said once and recovers by itself`, async t => {
    const made = await bench(t)
    const { plc, lines } = made
    await until('the first good sample', () => lines.some(line => PLC_OK.test(line)))
    await plc.fault(fault)
    const from = plc.reads
    await recovers(
      t,
      made,
      expected,
      'plc',
      () => plc.reads > from + 3,
      () => plc.fault('none'),
    )
  })
}

test.serial('a PLC that refuses connections is said once and recovers by itself', async t => {
  const made = await bench(t, { prepare: plc => plc.fault('refuse') })
  let looks = 0
  await recovers(
    t,
    made,
    /plc line-3: strained:? \S+ refuses the connection/,
    'plc',
    () => {
      looks += 1
      return looks > 30
    },
    () => made.plc.fault('none'),
  )
})

test.serial('a wrong unit id in the configuration is said once', async t => {
  const { lines, plc, reasons } = await bench(t, { path: { unit: 9 } })
  await until('several tries', () => plc.reads > 4)
  await until('the reason', () => /knows no unit 9/.test(reasons()))
  t.is(lines.filter(line => line.includes('knows no unit 9')).length, 1, lines.join('\n'))
})

test.serial('no broker is said once, and the PLC is read all the same', async t => {
  const made = await bench(t, { prepare: (_plc, broker) => broker.down() })
  const { broker, plc, lines } = made
  const from = plc.reads
  await recovers(
    t,
    made,
    /broker for line-3: strained:? the broker \S+ refuses the connection/,
    'broker',
    () => plc.reads > from + 40,
    () => broker.up(),
  )
  t.true(lines.some(line => PLC_OK.test(line)))
})

test.serial('a broker that goes away is said once and is found again', async t => {
  const made = await bench(t)
  const { broker, lines } = made
  await until('the session', () => lines.some(line => line.startsWith('broker for line-3: ok')))
  // In place of the broker a port that accepts and hangs up would be another reason; here it is simply gone.
  await broker.down()
  await until('the line', () => lines.some(line => /broker for line-3: strained/.test(line)))
  await broker.up()
  await until('the session again', () =>
    /broker for line-3: ok/.test(lines.filter(line => line.startsWith('broker')).at(-1) ?? ''),
  )
  t.pass()
})

test.serial('a task that says nonsense fails with one sentence that says where', async t => {
  const { node, lines } = await bench(t, { input: { points: { level: { address: -1 } } } })
  await until('the failure', () =>
    JSON.stringify(node.tasks.get('plc-line-3')).includes('input.points.level.address is -1'),
  )
  t.regex(
    lines[0] ?? '',
    /^task plc-line-3: strained: input.points.level.address is -1; it must be a whole number/,
  )
})

test.serial(
  'a setpoint of the mesh is written to the PLC, and one out of range is refused with its name',
  async t => {
    const { node, plc, reasons } = await bench(t, {
      input: {
        points: {
          ...POINTS,
          'temperature-setpoint': SETPOINT,
        },
      },
    })
    await node.space('factory.setpoints').set('line-3.temperature-setpoint', 71.5)
    await until('the write', () => plc.tank.setpoints.temperature === 71.5)
    await node.space('factory.setpoints').set('line-3.temperature-setpoint', 500)
    await until('the refusal', () => reasons().includes('temperature-setpoint is out of its range'))
    t.is(plc.tank.setpoints.temperature, 71.5)
  },
)

test.serial('a setpoint that the PLC refuses is said once, and the samples go on', async t => {
  const { node, plc, lines, word, reasons } = await bench(t, {
    input: {
      shareMs: 1_000,
      points: {
        ...POINTS,
        'temperature-setpoint': SETPOINT,
      },
    },
  })
  await plc.fault('read-only')
  await node.space('factory.setpoints').set('line-3.temperature-setpoint', 71.5)
  await until('the refusal', () => reasons().includes('does not accept this value'))
  const sampleOf = (): number => (node.space('factory.latest').get('line-3') as { sample: number }).sample
  const before = sampleOf()
  await until('more samples', () => sampleOf() > before)
  t.is(word('plc line-3'), 'ok ', lines.join('\n'))
  t.is(lines.filter(line => line.includes('does not accept this value')).length, 1, lines.join('\n'))
})
