// The transport contract over real sockets on loopback.

import '../../src/polyfill.js'
import { randomBytes } from 'node:crypto'
import test from 'ava'
import { createIdentity } from '../../src/adapters/identity/identity.js'
import { createLibp2pTransport } from '../../src/adapters/libp2p/transport.js'
import { transportContract } from '../contracts/transport.js'

const meshKey = randomBytes(32)

transportContract(test, {
  name: 'libp2p',
  create: () =>
    createLibp2pTransport({ seed: createIdentity().seed, meshKey, listen: ['/ip4/127.0.0.1/tcp/0'] }),
  // The discard port: nobody listens there.
  nowhere: '/ip4/127.0.0.1/tcp/9',
})
