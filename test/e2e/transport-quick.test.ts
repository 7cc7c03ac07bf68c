// A message takes the short way through each layer. Whatever of it a new version of a package
// no longer has, or does in another way, is taken the long way or breaks; here that is said.
// Function calls are counted, which no load disturbs.

import '../../src/polyfill.js'
import { randomBytes } from 'node:crypto'
import { Session } from 'node:inspector/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { gossipsub } from '@chainsafe/libp2p-gossipsub'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import test from 'ava'
import { createLibp2p } from 'libp2p'
import { createIdentity } from '../../src/adapters/identity/identity.js'
import { gossipOptions } from '../../src/adapters/libp2p/gossip.js'
import { createLibp2pTransport } from '../../src/adapters/libp2p/transport.js'
import { link, Witness } from '../contracts/transport.js'

const PARTS = [
  'opts.idontwantMinDataSize opts.maxInboundDataLength decodeRpcLimits.maxMessages',
  'publishConfig.author publishConfig.privateKey.raw peers.has streamsInbound.set streamsOutbound.get',
  'control.has gossip.has fastMsgIdCache.get fastMsgIdCache.put seenCache.has seenCache.put',
  'publishedMessageIds.put mcache.put mcache.observeDuplicate score.duplicateMessage',
  'score.rejectInvalidMessage score.rejectMessage score.validateMessage',
  'gossipTracer.deliverMessage gossipTracer.rejectMessage isStarted acceptFrom msgIdToStrFn',
  'selectPeersToPublish sendIDontWants decodeRpc handleReceivedRpc handleReceivedMessage',
  'handlePeerReadStreamError createInboundStream sendRpc reportMessageValidationResult',
  'onPeerConnected createOutboundStream outboundInflightQueue.push allowedTopics',
].flatMap(line => line.split(' '))

test('gossipsub has the parts that are used of it', async t => {
  const host = await createLibp2p({
    transports: [tcp()],
    services: { identify: identify(), gossip: gossipsub(gossipOptions) },
  })
  t.teardown(() => host.stop())
  for (const part of PARTS) {
    let value: unknown = host.services.gossip
    for (const name of part.split('.')) value = (value as Record<string, unknown> | undefined)?.[name]
    t.true(value !== undefined && value !== null, `gossipsub no longer has ${part}`)
  }
})

const MESSAGES = 50
/** Calls a message at most, at both ends together, in packages whose long way took tens or hundreds. */
const AT_MOST = {
  'uint8arraylist/': 30,
  'protons-runtime/': 10,
  'it-pushable/': 0.5,
  'multiformats/': 1,
  'it-length-prefixed/': 1,
  '@libp2p/utils/': 8,
  '@libp2p/crypto/': 1,
  'internal/event_target': 10,
}

test.serial('a message of either kind takes the short way', async t => {
  t.timeout(30_000)
  const meshKey = randomBytes(32)
  const witnesses: Witness[] = []
  for (let i = 0; i < 2; i++) {
    const { seed } = createIdentity()
    const witness = new Witness(
      await createLibp2pTransport({ seed, meshKey, listen: ['/ip4/127.0.0.1/tcp/0'] }),
    )
    await witness.transport.start(witness.listener)
    witness.transport.subscribe('a-topic')
    t.teardown(() => witness.transport.stop())
    witnesses.push(witness)
  }
  const [a, b] = witnesses as [Witness, Witness]
  await link(a, b)
  const heard = (): number => b.count(({ what }) => what === 'gossip')
  while (heard() === 0) {
    a.transport.publish('a-topic', randomBytes(200))
    await sleep(20)
  }
  const session = new Session()
  session.connect()
  t.teardown(() => session.disconnect())
  await session.post('Profiler.enable')
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
  for (const kind of ['gossip', 'message'] as const) {
    const before = b.count(({ what }) => what === kind)
    await session.post('Profiler.takePreciseCoverage')
    for (let i = 0; i < MESSAGES; i++) {
      if (kind === 'gossip') a.transport.publish('a-topic', randomBytes(200))
      else a.transport.send(b.id, 'link', randomBytes(200))
      while (b.count(({ what }) => what === kind) === before + i) await sleep(1)
    }
    const { result } = await session.post('Profiler.takePreciseCoverage')
    for (const [where, most] of Object.entries(AT_MOST)) {
      const functions = result.filter(({ url }) => url.includes(where)).flatMap(script => script.functions)
      const calls = functions.reduce((sum, { ranges }) => sum + (ranges[0]?.count ?? 0), 0) / MESSAGES
      t.true(calls <= most, `${kind}: ${calls} calls a message in ${where}, not ${most}`)
    }
  }
})
