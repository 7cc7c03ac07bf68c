import test from 'ava'
import { startLoopLagMeter } from '../../src/adapters/system/loop-lag.js'

test('a blocked event loop shows as lag, and is forgotten once it was read', async t => {
  const meter = startLoopLagMeter()
  t.deepEqual(meter.take(), { medianMs: 0, p99Ms: 0, maxMs: 0 })
  // The meter measures from its second tick on.
  await new Promise(resolve => setTimeout(resolve, 300))
  const until = performance.now() + 400
  while (performance.now() < until);
  // The meter's own tick is overdue by now; it comes before this timer does.
  await new Promise(resolve => setTimeout(resolve, 150))
  const { maxMs, p99Ms } = meter.take()
  t.true(maxMs >= 150, `${maxMs} ms`)
  t.true(p99Ms <= maxMs)
  meter.stop()
  t.deepEqual(meter.take(), { medianMs: 0, p99Ms: 0, maxMs: 0 })
})
