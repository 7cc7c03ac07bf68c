import '../../src/polyfill.js'
import test from 'ava'
import { createIdentity } from '../../src/adapters/identity/identity.js'
import { MemoryNetwork } from '../../src/adapters/memory/transport.js'
import { transportContract } from '../contracts/transport.js'

const network = new MemoryNetwork()

transportContract(test, {
  name: 'memory',
  create: async () => network.transport(createIdentity().id),
  nowhere: `memory/${createIdentity().id}`,
})
