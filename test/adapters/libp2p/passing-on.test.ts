import test from 'ava'
import { PassingOn } from '../../../src/adapters/libp2p/passing-on.js'

test('what waits is passed on later, all in one turn and in the order in which it came', async t => {
  const passed: string[] = []
  const inFirstTurn = new Promise<readonly string[]>(resolve => {
    const passingOn = new PassingOn((id, from) => {
      if (passed.push(`${id} of ${from}`) === 1) queueMicrotask(() => resolve([...passed]))
    })
    passingOn.add('m1', 'a')
    passingOn.add('m2', 'b')
    passingOn.add('m3', 'a')
  })
  t.deepEqual(passed, [])
  t.deepEqual(await inFirstTurn, ['m1 of a', 'm2 of b', 'm3 of a'])
})

test('a node that stops passes on what waits, once', t => {
  const passed: string[] = []
  const passingOn = new PassingOn(id => passed.push(id))
  passingOn.add('m1', 'a')
  passingOn.flush()
  passingOn.flush()
  t.deepEqual(passed, ['m1'])
})

test('in a flood nothing waits for its time', t => {
  const passed: string[] = []
  const passingOn = new PassingOn(id => passed.push(id))
  for (let i = 0; i < 300; i++) passingOn.add(`m${i}`, 'a')
  t.is(passed.length, 256)
  passingOn.flush()
  t.is(passed.length, 300)
})
