// The city story with real brokers: a day passes in a minute.

import test from 'ava'
import { cityStory } from '../devices/city-story.js'
import { createMosquitto } from './mosquitto.js'

test('with mosquitto: no uplink for a day, a gateway lost, every aggregate is there once the uplink is back', async t => {
  t.timeout(290_000)
  const street = await createMosquitto(end => t.teardown(end))
  const uplink = await createMosquitto(end => t.teardown(end))
  await uplink.down()
  await cityStory(t, {
    street: street.url,
    uplink: uplink.url,
    scale: 1_440,
    minutes: 24 * 60,
    uplinkBack: uplink.up,
  })
})
