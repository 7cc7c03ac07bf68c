// Every command against a mesh of two real nodes: what it does, and the errors that its
// users meet most. What needs no node to fail is in usage.test.ts.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import { inProcess } from './in-process.js'
import { cleanUp, eventOf, makeDirectory, type RunningShoal, shoal, up } from './shoal.js'

interface Mesh {
  directory: string
  first: RunningShoal
  second: RunningShoal
}

const test = anyTest as TestFn<Mesh>

const LOOP = ['sh', '-c', 'while :; do echo working; sleep 1; done']

test.before(async t => {
  const directory = makeDirectory()
  t.context.directory = directory
  t.context.first = await up(['--name', 'gw-1', '--data', join(directory, '1'), '--label', 'zone=a'])
  const { addrs } = t.context.first
  t.context.second = await up(['--name', 'gw-2', '--data', join(directory, '2'), '--join', ...addrs])
  await eventOf(
    t.context.first,
    event => event.kind === 'member.alive' && event.member === t.context.second.id,
  )
})

test.after.always(async t => {
  const { first, second, directory } = t.context
  await cleanUp(
    [first, second].filter(node => node !== undefined),
    directory,
  )
})

/** Here, and not in some hundred processes; what is given an input or ended half-way has its own. */
const ask = (t: { context: Mesh }, ...args: string[]) => inProcess(args, { api: t.context.first.api })

test.serial('members: who is here, how old the view is, and the contract as JSON', async t => {
  const { code, out } = await ask(t, 'members')
  t.is(code, 0)
  t.regex(out, /gw-1 .*alive.*this node/)
  t.regex(out, /gw-2 .*alive/)
  t.regex(out, /as node gw-1 saw it \d+\.\d s ago/)
  t.false(out.includes('\u001b'))
  t.true(out.split('\n').every(line => line.length <= 80))
  const members = JSON.parse((await ask(t, 'members', '--json')).out)
  const ids = members.map((each: { id: string }) => each.id).sort()
  t.deepEqual(ids, [t.context.first.id, t.context.second.id].sort())
})

test.serial('members --watch and events --follow are streams of one object a line', async t => {
  const { api } = t.context.first
  const watched = await shoal(['members', '--watch', '--json'], { api, until: /\n[\s\S]*\n/ })
  const members = watched.out
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  t.is(members.length, 2)
  const followed = await shoal(['events', '--follow', '--json', '--since', '1'], { api, until: /\n/ })
  t.is(JSON.parse(followed.out.split('\n')[0] ?? '').seq, 2)
})

test.serial('events: what happened, after a number, and no wrong number', async t => {
  const { code, out } = await ask(t, 'events')
  t.is(code, 0)
  t.regex(out, /member\.alive +gw-2/)
  const lines = (await ask(t, 'events', '--json', '--since', '1')).out.trim().split('\n')
  t.true(lines.every(line => JSON.parse(line).seq > 1))
  const wrong = await ask(t, 'events', '--since', 'yesterday')
  t.is(wrong.code, 2)
  t.regex(wrong.err, /--since is "yesterday"; it must be a whole number/)
})

test.serial('info: this node', async t => {
  const { code, out } = await ask(t, 'info')
  t.is(code, 0)
  t.regex(out, new RegExp(t.context.first.id))
  t.regex(out, /labels +zone=a/)
  t.is(JSON.parse((await ask(t, 'info', '--json')).out).id, t.context.first.id)
})

test.serial('tasks: applied from files and stdin, shown, explained, restarted, removed', async t => {
  const file = join(t.context.directory, 'tasks.json')
  const here = { zone: 'a' }
  writeFileSync(
    file,
    JSON.stringify([
      { id: 'beat', run: { exec: LOOP }, needs: here, stopGrace: '1s' },
      { id: 'idle', run: { exec: ['true'] }, replicas: 0 },
    ]),
  )
  const applied = await ask(t, 'tasks', 'apply', file)
  t.is(applied.code, 0, applied.err)
  t.regex(applied.out, /beat is applied \(revision 1\)\nidle is applied/)
  const again = await shoal(['tasks', 'apply', '-'], {
    api: t.context.first.api,
    input: JSON.stringify({ id: 'idle', run: { exec: ['true'] }, replicas: 0 }),
  })
  t.regex(again.out, /idle is applied \(revision 1\)/)
  await eventOf(t.context.first, event => event.kind === 'task.started' && event.task === 'beat')

  for (const command of ['show', 'why', 'logs', 'restart', 'rm']) {
    const { code, err } = await ask(t, 'tasks', command, 'Beta')
    t.is(code, 1, command)
    t.regex(err, /^shoal: there is no task "Beta"; did you mean beat\?\n$/, command)
  }
  const listed = await ask(t, 'tasks')
  t.regex(listed.out, /beat +always +running +gw-1/)
  t.regex(listed.out, /idle .*paused/)
  t.true(listed.out.split('\n').every(line => line.length <= 80))
  t.is(JSON.parse((await ask(t, 'tasks', '--json')).out).length, 2)
  t.regex((await ask(t, 'tasks', 'show', 'beat')).out, /stopGrace +1s/)
  t.is(JSON.parse((await ask(t, 'tasks', 'show', 'beat', '--json')).out).id, 'beat')
  const shown = (await ask(t, 'tasks', 'show', 'idle', '--json')).out
  const changed = await shoal(['tasks', 'apply', '-'], {
    api: t.context.first.api,
    input: JSON.stringify({ ...JSON.parse(shown), weight: 2 }),
  })
  t.regex(changed.out, /idle is applied \(revision 2\)/, 'what is shown can be changed and applied')
  const why = await ask(t, 'tasks', 'why', 'beat')
  t.regex(why.out, /gw-1 +chosen/)
  t.regex(why.out, /gw-2 +no .*has no label zone, needs a/)
  t.is(JSON.parse((await ask(t, 'tasks', 'why', 'beat', '--json')).out).task, 'beat')
  const logs = await ask(t, 'tasks', 'logs', 'beat', '--lines', '5')
  t.is(logs.code, 0)
  t.regex(logs.out, /gw-1 working|has written nothing yet/)

  const plan = await ask(t, 'plan', '--without', 'gw-1')
  t.is(plan.code, 0)
  t.regex(plan.out, /beat +gw-1 +fits nowhere/)
  t.is(JSON.parse((await ask(t, 'plan', '--without', 'gw-2', '--json')).out).moves.length, 0)

  const since = JSON.parse((await ask(t, 'events', '--json')).out.trim().split('\n').at(-1) ?? '').seq
  const restarted = await ask(t, 'tasks', 'restart', 'beat')
  t.is(restarted.code, 0)
  await eventOf(t.context.first, event => event.seq > since && event.kind === 'task.started')

  const removed = await ask(t, 'tasks', 'rm', 'beat', 'idle')
  t.is(removed.code, 0)
  t.regex((await ask(t, 'tasks')).out, /no tasks are declared/)
})

test.serial('tasks apply is all or nothing: a wrong task, a file that is no JSON, an id twice', async t => {
  const apply = (input: string) => shoal(['tasks', 'apply', '-'], { api: t.context.first.api, input })
  const good = { id: 'good', run: { exec: ['true'] }, when: { every: '1h' } }
  const wrong = await apply(JSON.stringify([good, { ...good, id: 'bad', replicas: -1 }]))
  t.is(wrong.code, 1)
  t.regex(wrong.err, /stdin, task 2: replicas is -1.*nothing was applied/)
  const noJson = await apply('{')
  t.is(noJson.code, 1)
  t.regex(noJson.err, /stdin is no JSON/)
  const twice = await apply(JSON.stringify([good, good]))
  t.is(twice.code, 1)
  t.regex(twice.err, /good is there twice/)
  const missing = await ask(t, 'tasks', 'apply', '/nonexistent.json')
  t.is(missing.code, 2)
  t.regex(missing.err, /\/nonexistent\.json cannot be read/)
  t.is((await ask(t, 'tasks', '--json')).out.trim(), '[]')
})

test.serial('a task that is not there is named by whoever asks for it', async t => {
  for (const command of ['show', 'why', 'logs', 'restart', 'rm']) {
    const { code, err } = await ask(t, 'tasks', command, 'nix')
    t.is(code, 1, command)
    t.regex(err, /nix/, command)
    t.is(err.trim().split('\n').length, 1, command)
    t.is((await ask(t, 'tasks', command)).code, 2, command)
  }
  t.is((await ask(t, 'tasks', 'logs', 'nix', '--lines', 'all')).code, 2)
  t.is((await ask(t, 'tasks', 'lsit')).code, 2)
})

test.serial('why a task that nobody can run waits, and what would help', async t => {
  const { api } = t.context.first
  const input = JSON.stringify([
    { id: 'mod', run: { module: 'x.js' } },
    { id: 'fun', run: { handler: 'poll' } },
  ])
  t.is((await shoal(['tasks', 'apply', '-'], { api, input })).code, 0)
  t.regex(
    (await ask(t, 'tasks', 'why', 'mod')).out,
    /cannot run module[\s\S]*\na node runs modules when .*--modules DIR/,
  )
  t.regex(
    (await ask(t, 'tasks', 'why', 'fun')).out,
    /cannot run handler:poll[\s\S]*\na handler is a function/,
  )
  t.is((await ask(t, 'tasks', 'rm', 'mod', 'fun')).code, 0)
})

test.serial('state: written, listed, read, watched, deleted', async t => {
  const { api } = t.context.first
  t.is((await ask(t, 'state', 'set', 'plant', 'mode', '"night"')).code, 0)
  t.is((await shoal(['state', 'set', 'plant', 'recipe'], { api, input: '{"a":[1,2]}' })).code, 0)
  t.is((await ask(t, 'state', 'get', 'plant', 'mode')).out, '"night"\n')
  t.deepEqual(JSON.parse((await ask(t, 'state', 'list', 'plant', '--json')).out), {
    mode: 'night',
    recipe: { a: [1, 2] },
  })
  t.regex((await ask(t, 'state', 'list')).out, /plant +2/)
  t.regex((await ask(t, 'state', 'list', 'plant')).out, /mode +"night"/)
  t.is((await ask(t, 'state', 'rm', 'plant', 'mode')).code, 0)
  t.is((await ask(t, 'state', 'get', 'plant', 'mode')).code, 1)
})

test.serial(
  'state: a text without quotes, a missing key, a space of the mesh itself, a name that is none',
  async t => {
    const quotes = await ask(t, 'state', 'set', 'plant', 'mode', 'night')
    t.is(quotes.code, 2)
    t.regex(quotes.err, /is "night", which is no JSON; a text needs quotes of its own/)
    t.is((await ask(t, 'state', 'get', 'plant')).code, 2)
    const none = await ask(t, 'state', 'get', 'plant', 'nix')
    t.regex(none.err, /there is no key "nix" in plant; "shoal state list plant" shows what there is/)
    const empty = await ask(t, 'state', 'set', 'plant', '', '1')
    t.is(empty.code, 2)
    t.regex(empty.err, /KEY is empty/)
    for (const args of [
      ['set', 'shoal.mesh', 'k', '1'],
      ['rm', 'shoal.mesh', 'k'],
    ]) {
      const own = await ask(t, 'state', ...args)
      t.is(own.code, 1)
      t.regex(own.err, /shoal\.mesh/)
    }
    for (const args of [
      ['list', 'Not A Name'],
      ['get', 'Not A Name', 'k'],
      ['watch', 'Not A Name'],
    ]) {
      const name = await ask(t, 'state', ...args)
      t.is(name.code, 1)
      t.regex(name.err, /Not A Name/)
    }
  },
)

test.serial('drain gives the tasks away and --off takes them again', async t => {
  t.is((await ask(t, 'drain')).code, 0)
  t.true(JSON.parse((await ask(t, 'info', '--json')).out).draining)
  t.is((await ask(t, 'drain', '--off')).code, 0)
  t.false(JSON.parse((await ask(t, 'info', '--json')).out).draining)
  t.is((await ask(t, 'drain', 'gw-2')).code, 2)
})

test.serial('join takes addresses, and refuses none and wrong ones', async t => {
  const good = await ask(t, 'join', ...t.context.second.addrs)
  t.is(good.code, 0, good.err)
  t.is((await ask(t, 'join')).code, 2)
  const wrong = await ask(t, 'join', 'gw-1:port')
  t.is(wrong.code, 2)
  t.regex(wrong.err, /ADDR is "gw-1:port"; it must be HOST, HOST:PORT or a multiaddr/)
})

test.serial('a name that is not there, and a prefix of two ids, which lists them', async t => {
  const unknown = await ask(t, 'plan', '--without', 'gw-9')
  t.is(unknown.code, 1)
  t.regex(unknown.err, /no member is called gw-9/)
  t.is((await ask(t, 'plan')).code, 2)
  for (const args of [
    ['plan', '--without', '12D3KooW'],
    ['forget', '12D3KooW'],
  ]) {
    const { code, err } = await ask(t, ...args)
    t.is(code, 1)
    t.true(err.includes(t.context.first.id) && err.includes(t.context.second.id))
  }
  const short = await ask(t, 'forget', '12D3Koo')
  t.is(short.code, 1)
  t.regex(short.err, /no member is called 12D3Koo; of an id 8 characters or more are accepted/)
  const nobody = await ask(t, 'forget', 'gw-9')
  t.is(nobody.code, 1)
  const alive = await ask(t, 'forget', 'gw-2')
  t.is(alive.code, 1)
  t.regex(alive.err, /is alive/)
})

test.serial('something else that listens there is told apart from a node', async t => {
  const { createServer } = await import('node:http')
  const server = createServer((_, answer) => answer.end('<html>'))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  const { code, err } = await inProcess(['members'], { api: `127.0.0.1:${port}` })
  t.is(code, 1)
  t.regex(err, /is no Shoal node/)
})

// Last: the second node goes, and the first one strikes it.
test.serial('leave says goodbye and ends the node with 0; forget then strikes it', async t => {
  const { first, second } = t.context
  const ended = new Promise(resolve => second.child.once('exit', resolve))
  const { code } = await shoal(['leave'], { api: second.api })
  t.is(code, 0)
  t.is(await ended, 0)
  await eventOf(first, event => event.kind === 'member.left' && event.member === second.id)
  t.regex((await ask(t, 'members')).out, /gw-2 .*left/)
  const forgotten = await ask(t, 'forget', 'gw-2')
  t.is(forgotten.code, 0, forgotten.err)
  t.notRegex((await ask(t, 'members')).out, /gw-2/)
})
