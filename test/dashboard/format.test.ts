import test from 'ava'
import {
  describeEvent,
  formatAge,
  formatRun,
  formatSpan,
  formatWhen,
  nameMembers,
  shortId,
} from '../../src/dashboard/format.js'
import type { Member, MeshEvent } from '../../src/dashboard/model.js'

test('spans read like a person says them', t => {
  t.deepEqual([0, 180, 9_990, 12_300, 240_000, 11_520_000, 7_200_000, 432_000_000, -5].map(formatSpan), [
    '0.0 s',
    '0.1 s',
    '9.9 s',
    '12 s',
    '4 min',
    '3 h 12 min',
    '2 h',
    '5 d',
    '0 s',
  ])
  t.is(formatSpan(Number.NaN), 'unknown')
  t.is(formatAge(2_900), '2 s')
})

test('names that are not unique get the end of their ids', t => {
  const named = (id: string, name: string): Member => ({ id, name }) as Member
  const names = nameMembers([
    named('12D3KooAAAAAA', 'pi'),
    named('12D3KooBBBBBB', 'pi'),
    named('12D3KooCCCCCC', 'hub'),
    named('12D3KooDDDDDD', ''),
  ])
  t.deepEqual([...names.values()], ['pi …AAAAAA', 'pi …BBBBBB', 'hub', '…DDDDDD'])
  t.is(shortId('short'), 'short')
})

test('every way to run and every schedule has its words', t => {
  t.is(formatRun({ handler: 'h' }), 'handler h')
  t.is(formatRun({ module: 'm.js' }), 'module m.js')
  t.is(formatRun({ exec: ['ls', '-l'] }), 'exec ls -l')
  t.is(formatRun(null), 'unknown')
  t.is(formatWhen(undefined), 'always')
  t.is(formatWhen('once'), 'once')
  t.is(formatWhen({ every: '1s' }), 'every 1s')
  t.is(formatWhen({ cron: '0 3 * * *', zone: 'UTC' }), 'cron 0 3 * * * (UTC)')
})

test('an event is a sentence about its member or its task', t => {
  const say = (kind: string, more: Record<string, unknown>): string => {
    const event: MeshEvent = { seq: 1, at: 1, kind, ...more }
    const { subject, text } = describeEvent(event, id => `<${id}>`)
    return `${subject?.id ?? ''} ${text}`.trim()
  }
  t.is(say('member.dead', { member: 'm', cause: 'crashed' }), 'm is dead (its process is gone)')
  t.is(say('member.alive', { member: 'm', cause: null }), 'm is alive')
  t.is(
    say('task.moved', { task: 'x', from: 'a', to: 'b', cause: 'died' }),
    'x moved from <a> to <b> (its node died)',
  )
  t.is(
    say('task.moved', { task: 'x', from: 'a', to: null, cause: 'died' }),
    'x moved from <a> to nowhere (its node died)',
  )
  t.is(say('task.failed', { task: 'x', node: 'a', error: 'exit 1' }), 'x failed on <a>: exit 1')
  t.is(
    say('state.changed', { space: 's', keys: ['a', 'b', 'c', 'd', 'e'] }),
    'space s changed: a, b, c and 2 more',
  )
  t.is(
    say('state.changed', { space: 'shoal.claims', keys: ['t/0/12D3KooW'] }),
    'space shoal.claims changed: 1 key',
  )
  t.is(say('node.cloned', { message: 'two of me' }), 'node.cloned: two of me')
})
