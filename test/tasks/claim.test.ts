import test from 'ava'
import { nodeId, taskId } from '../../src/core/ids.js'
import { createRng } from '../../src/core/rng.js'
import {
  type Claim,
  claimKey,
  compareEpochs,
  formatEpoch,
  nextEpochNumber,
  parseClaimKey,
  parseEpoch,
  readClaim,
  storeClaim,
} from '../../src/core/tasks/claim.js'

const node = nodeId('12D3KooA')
const claim: Claim = {
  task: taskId('poll'),
  slot: 3,
  epoch: { number: 1_794_960_001, node },
  phase: 'running',
  since: 5,
  restarts: 2,
  lastError: 'boom',
  cause: 'died',
  boot: 4,
  covered: null,
  saved: 0,
  execution: 77,
}
const key = claimKey(claim.task, claim.slot, node)

test('an epoch is written as the contract has it, and read back', t => {
  t.is(formatEpoch(claim.epoch), '1794960001-12D3KooA')
  t.deepEqual(parseEpoch('1794960001-12D3KooA'), claim.epoch)
  for (const wrong of ['', '-', '1-', '-x', 'x-y', '1.5-x', '-1-x', '1234567890123456-x'])
    t.is(parseEpoch(wrong), null, wrong)
})

test('epochs are ordered by number, then by node, and equal only to themselves', t => {
  const rng = createRng(1)
  const draw = () => ({ number: rng.below(4), node: nodeId(`n${rng.below(4)}`) })
  for (let i = 0; i < 2_000; i++) {
    const [a, b, c] = [draw(), draw(), draw()]
    t.is(Math.sign(compareEpochs(a, b)), -Math.sign(compareEpochs(b, a)) + 0)
    t.is(compareEpochs(a, b) === 0, formatEpoch(a) === formatEpoch(b))
    if (compareEpochs(a, b) <= 0 && compareEpochs(b, c) <= 0) t.true(compareEpochs(a, c) <= 0)
    if (a.number < b.number) t.true(compareEpochs(a, b) < 0)
  }
})

test('the next number is above all seen and above every earlier task of the name', t => {
  t.is(nextEpochNumber(0, 1_794_960_000_999), 1_794_960_001)
  t.is(nextEpochNumber(1_794_970_000, 1_794_960_000_000), 1_794_970_001)
})

test('a claim survives the way through shared state', t => {
  t.deepEqual(readClaim(key, JSON.parse(JSON.stringify(storeClaim(claim)))), claim)
  t.deepEqual(parseClaimKey(key), { task: claim.task, slot: 3, node })
})

test('a claim under another node’s key, or malformed, is nobody’s', t => {
  const stored = storeClaim(claim)
  t.is(readClaim(claimKey(claim.task, 3, nodeId('12D3KooB')), stored), null)
  for (const wrong of [
    undefined,
    null,
    5,
    'x',
    [],
    {},
    { ...(stored as object), phase: 'waiting' },
    { ...(stored as object), epoch: 7 },
  ])
    t.is(readClaim(key, wrong as never), null)
  for (const wrong of ['', 'poll', 'poll/0', 'poll/x/n', 'poll/-1/n', 'poll/0/n/more', '/0/n'])
    t.is(parseClaimKey(wrong), null)
})
