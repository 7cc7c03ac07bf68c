// The factory story with a real broker.

import test from 'ava'
import { factoryStory } from '../devices/factory-story.js'
import { createMosquitto } from './mosquitto.js'

test('with mosquitto: a gateway is killed while a batch runs, no sample twice, none lost beyond the take-over, alarms once', async t => {
  t.timeout(240_000)
  const { url } = await createMosquitto(end => t.teardown(end))
  await factoryStory(t, url)
})
