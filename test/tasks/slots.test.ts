import test from 'ava'
import { nodeId, taskId } from '../../src/core/ids.js'
import { createReader } from '../../src/core/tasks/reader.js'
import { SlotTable } from '../../src/core/tasks/slots.js'

const a = taskId('a')
const b = taskId('b')

test('a slot is found by its task and number and by its key, whether its task has one or several', t => {
  const table = new SlotTable()
  const only = table.add(b, 3, 0)
  t.is(table.get(b, 3), only)
  t.is(table.get(b, 0), undefined)
  t.is(table.find('b/3'), only)
  t.is(table.find('b/03x'), undefined)
  const more = [7, 0, 4_000_000_000].map(index => table.add(a, index, 0))
  for (const slot of more) t.is(table.find(slot.key), slot)
  t.deepEqual([...table.of(a)], more)
  t.deepEqual([...table.of(b)], [only])
  t.deepEqual([...table.of(taskId('c'))], [])
})

test('all slots come in the order in which they were made', t => {
  const table = new SlotTable()
  const made = [table.add(b, 0, 0), table.add(a, 0, 0), table.add(b, 1, 0), table.add(a, 1, 0)]
  t.deepEqual(table.all(), made)
})

test('a slot that is gone is found no more, and what replaced it is not taken for it', t => {
  const table = new SlotTable()
  const first = table.add(a, 0, 0)
  const second = table.add(a, 1, 0)
  table.delete(first)
  t.false(table.has(first))
  t.true(table.has(second))
  table.delete(second)
  t.deepEqual(table.all(), [])
  const again = table.add(a, 0, 0)
  const other = table.add(a, 1, 0)
  t.false(table.has(first))
  table.delete(first)
  table.delete(second)
  t.true(table.has(again))
  t.true(table.has(other))
})

test('a claim names its node by the text that is known, and holds no further one', t => {
  const asked: string[] = []
  const reader = createReader(
    () => 0,
    node => {
      asked.push(node)
      return nodeId('the known text')
    },
  )
  const claim = reader.claim('a/0/n1', { epoch: '5-n1', phase: 'running' })
  t.is(claim?.epoch.node, nodeId('the known text'))
  t.deepEqual(asked, ['n1'])
})
