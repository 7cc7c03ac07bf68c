// The factory story with a small broker, so that it needs nothing but Node; with a real
// one it is told again in test/machine.

import test from 'ava'
import { createTestBroker } from './broker.js'
import { factoryStory } from './factory-story.js'

test('a gateway is killed while a batch runs: no sample twice, none lost beyond the take-over, alarms once', async t => {
  t.timeout(150_000)
  const broker = await createTestBroker()
  t.teardown(() => broker.close())
  await factoryStory(t, broker.url)
})
