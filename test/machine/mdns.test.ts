// The real multicast, between hosts of a make-believe network: a node answers also when
// it has met others and asks nobody any more.

import test from 'ava'
import { Fleet } from '../fleet/fleet.js'
import { createNetwork } from './namespaces.js'

test('who starts when the others have met is found by mDNS alone', async t => {
  const network = await createNetwork()
  const fleet = new Fleet({ network })
  try {
    await network.addHosts(3)
    for (const index of [0, 1, 2]) {
      await fleet.launch(index, { mdns: true, join: [] }).ready
      await fleet.agree(60_000)
    }
    t.is(fleet.up.length, 3)
  } finally {
    await fleet.stop()
    await network.close()
  }
})
