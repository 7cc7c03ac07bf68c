// Every route's happy path and its refusals, on a real node.

import test from 'ava'
import { openApi } from '../../src/adapters/http/openapi.js'
import { OPERATIONS } from '../../src/adapters/http/operations.js'
import { type Answer, startNode, steady, type TestNode, until, withNode } from './fixture.js'

let node: TestNode

test.before(async () => {
  node = await startNode()
  node.handlers.register('steady', steady)
})
test.after.always(() => node.close())

const running = (id: string) => (): boolean =>
  ((node.node.tasks.get(id)?.copies ?? []) as { phase: string }[]).some(({ phase }) => phase === 'running')

const isError = (answer: Answer): boolean => {
  const { error } = answer.json as { error?: { code?: unknown; message?: unknown } }
  return typeof error?.code === 'string' && typeof error.message === 'string'
}

const CONTRACT = `GET /v1/self
GET /v1/members
DELETE /v1/members/{id}
GET /v1/tasks
PUT /v1/tasks/{id}
GET /v1/tasks/{id}
DELETE /v1/tasks/{id}
POST /v1/tasks/{id}/restart
GET /v1/tasks/{id}/why
GET /v1/tasks/{id}/logs
PUT /v1/tasks/{id}/checkpoint
POST /v1/plan
GET /v1/state
GET /v1/state/{space}
GET /v1/state/{space}/{key}
PUT /v1/state/{space}/{key}
DELETE /v1/state/{space}/{key}
GET /v1/events
POST /v1/join
POST /v1/drain
POST /v1/leave
GET /healthz
GET /readyz
GET /metrics
GET /v1/openapi.json
GET /`.split('\n')

test('the OpenAPI document has every route of the contract, and no other', async t => {
  const { json } = await node.ask('GET', '/v1/openapi.json')
  const { paths, openapi } = json as { paths: Record<string, Record<string, unknown>>; openapi: string }
  const routes = Object.entries(paths).flatMap(([path, byMethod]) =>
    Object.keys(byMethod).map(method => `${method.toUpperCase()} ${path}`),
  )
  t.is(openapi, '3.1.0')
  t.deepEqual(routes.sort(), [...CONTRACT].sort())
})

test('every reference in the document leads somewhere', t => {
  const document = openApi('0', OPERATIONS)
  const { schemas } = document.components as { schemas: Record<string, unknown> }
  const names = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
    ([, name]) => name,
  )
  t.true(names.length > 20)
  t.deepEqual(
    names.filter(name => !Object.hasOwn(schemas, String(name))),
    [],
  )
})

test('every path knows its methods, and names them to who tries another', async t => {
  for (const path of new Set(OPERATIONS.map(operation => operation.path))) {
    const real = path.replace('{space}', 'notes').replace(/\{\w+\}/g, 'x')
    const answer = await node.ask('PATCH', real)
    t.is(answer.status, 405, path)
    t.is(answer.code, 'METHOD_NOT_ALLOWED')
    const methods = OPERATIONS.filter(operation => operation.path === path).map(({ method }) => method)
    const expected = methods.flatMap(method => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    t.deepEqual(answer.headers.allow?.split(', ').sort(), expected.sort(), path)
  }
})

test('a node tells of itself and of the members, with the age of its view', async t => {
  const self = await node.ask('GET', '/v1/self')
  t.is(self.status, 200)
  t.regex(String(self.headers['shoal-view-age-ms']), /^\d+$/)
  const fields =
    'id,name,meshId,generation,addrs,labels,capacity,runs,spaces,dialable,settled,draining,health,reasons,version,startedAt'
  t.deepEqual(Object.keys(self.json as object).sort(), fields.split(',').sort())
  const members = await node.ask('GET', '/v1/members')
  const shown =
    'id,name,verdict,cause,health,reasons,generation,refutation,addrs,labels,capacity,runs,settled,draining,since,rttMs,observers'
  const [first] = members.json as object[]
  t.deepEqual(Object.keys(first ?? {}).sort(), shown.split(',').sort())
})

test('HEAD answers as GET would, without a body', async t => {
  const answer = await node.ask('HEAD', '/v1/self')
  t.is(answer.status, 200)
  t.true(Number(answer.headers['content-length']) > 100)
  t.is(answer.text, '')
})

test('a task goes in with its defaults filled, keeps its revision, changes it, and goes', async t => {
  const spec = { run: { handler: 'steady' } }
  const first = await node.ask('PUT', '/v1/tasks/pump', { json: spec })
  t.is(first.status, 200)
  t.like(first.json, { id: 'pump', when: 'always', replicas: 1, stopGrace: '5s', revision: 1 })
  const again = await node.ask('PUT', '/v1/tasks/pump', { json: { ...spec, id: 'pump' } })
  t.like(again.json, { revision: 1 })
  const changed = await node.ask('PUT', '/v1/tasks/pump', { json: { ...spec, input: 5 } })
  t.like(changed.json, { revision: 2, input: 5 })
  await until(node, running('pump'))
  const shown = await node.ask('GET', '/v1/tasks/pump')
  t.like((shown.json as { copies: unknown[] }).copies[0], { slot: 0, node: node.node.id, phase: 'running' })
  t.true(((await node.ask('GET', '/v1/tasks')).json as { id: string }[]).some(({ id }) => id === 'pump'))
  t.is((await node.ask('POST', '/v1/tasks/pump/restart')).status, 204)
  t.is((await node.ask('DELETE', '/v1/tasks/pump')).status, 204)
  t.is((await node.ask('GET', '/v1/tasks/pump')).status, 404)
})

test('a task that is deleted while it is stored is answered as it was stored', async t => {
  // Found by the fuzzer (`api-fuzz 7`): the answer was looked up when the task was gone.
  for (let i = 0; i < 20; i++) {
    const put = node.node.tasks.put({ id: 'brief', run: { handler: 'steady' }, input: i })
    const deleted = node.node.tasks.delete('brief')
    t.like(await put, { id: 'brief', input: i })
    await deleted
  }
})

test('a task that is wrong is refused in words', async t => {
  const wrong: [unknown, RegExp][] = [
    [{}, /run/],
    [{ run: { handler: 'x' }, replica: 2 }, /replica/],
    [{ run: { handler: 'x' }, id: 'other' }, /other.*path/],
    [{ run: { handler: 'x' }, onPartition: 'stay' }, /onPartition/],
    [{ run: { handler: 'x' }, when: { every: '1y' } }, /every/],
    [[], /task/],
    [null, /task/],
  ]
  for (const [json, words] of wrong) {
    const answer = await node.ask('PUT', '/v1/tasks/bad', { json })
    t.is(answer.status, 400, JSON.stringify(json))
    t.regex((answer.json as { error: { message: string } }).error.message, words)
  }
  t.is((await node.ask('PUT', '/v1/tasks/Not%20A%20Name', { json: { run: { handler: 'x' } } })).status, 400)
})

test('what is not there is 404, by every door', async t => {
  for (const [method, path] of [
    ['GET', '/v1/tasks/none'],
    ['DELETE', '/v1/tasks/none'],
    ['POST', '/v1/tasks/none/restart'],
    ['GET', '/v1/tasks/none/why'],
    ['GET', '/v1/tasks/none/logs'],
    ['DELETE', '/v1/members/none'],
    ['GET', '/v1/state/notes/none'],
    ['GET', '/v1/nothing'],
    ['GET', '/v1'],
    ['GET', '/v1/self/'],
    ['GET', '//v1/self'],
    ['GET', '/v1/../v1/self'],
  ] as const) {
    const answer = await node.ask(method, path)
    t.is(answer.status, 404, `${method} ${path}`)
    t.true(isError(answer))
  }
})

test('why and plan explain a placement; a member is named by name, id or prefix', async t => {
  await node.ask('PUT', '/v1/tasks/placed', { json: { run: { handler: 'steady' } } })
  const why = await node.ask('GET', '/v1/tasks/placed/why')
  t.like(why.json, {
    task: 'placed',
    candidates: [{ node: node.node.id, eligible: true, chosen: true, rank: 1 }],
  })
  const { id } = node.node
  for (const without of ['gate', id, id.slice(0, 20)]) {
    const plan = await node.ask('POST', '/v1/plan', { json: { without: [without] } })
    const { moves } = plan.json as { moves: { task: string; from: string; to: null }[] }
    t.like(
      moves.find(({ task }) => task === 'placed'),
      { from: id, to: null },
    )
  }
  t.is((await node.ask('POST', '/v1/plan', { json: { without: ['nobody'] } })).status, 404)
  for (const json of [{}, { without: 'gate' }, { without: [1] }, { without: [], also: 1 }, 7]) {
    t.is((await node.ask('POST', '/v1/plan', { json })).status, 400, JSON.stringify(json))
  }
  await node.ask('DELETE', '/v1/tasks/placed')
})

test('a member that is alive is not forgotten', async t => {
  const answer = await node.ask('DELETE', `/v1/members/${node.node.id}`)
  t.is(answer.status, 409)
  t.is(answer.code, 'MEMBER_ALIVE')
})

test('the logs of a task are its newest lines', async t => {
  node.handlers.register('talker', async ({ log, signal }) => {
    for (let i = 0; i < 50; i++) log(`line ${i}`)
    await steady({ signal })
  })
  await node.ask('PUT', '/v1/tasks/talk', { json: { run: { handler: 'talker' } } })
  await until(node, running('talk'))
  const answer = await node.ask('GET', '/v1/tasks/talk/logs?lines=2')
  t.like((answer.json as unknown[])[1], { node: node.node.id, stream: 'log', line: 'line 49' })
  t.is((answer.json as unknown[]).length, 2)
  for (const lines of ['0', '-1', 'x', '99999999', '1.5', '']) {
    t.is((await node.ask('GET', `/v1/tasks/talk/logs?lines=${lines}`)).status, 400, lines)
  }
  await node.ask('DELETE', '/v1/tasks/talk')
})

test('state is set, read, listed and deleted, under any key', async t => {
  for (const key of ['plain', 'a/b', 'ä ö', '__proto__', '..', 'a?b#c%', '\u{1f41f}']) {
    const path = `/v1/state/notes/${encodeURIComponent(key)}`
    // A path of dots alone is taken as it is: nothing is normalised here.
    t.is((await node.ask('PUT', path, { json: { key } })).status, 204, key)
    t.deepEqual((await node.ask('GET', path)).json, { key })
    const all = (await node.ask('GET', '/v1/state/notes')).text
    t.true(all.includes(`${JSON.stringify(key)}:${JSON.stringify({ key })}`), key)
    t.is((await node.ask('DELETE', path)).status, 204)
    t.is((await node.ask('DELETE', path)).status, 204)
    t.is((await node.ask('GET', path)).status, 404)
  }
  await node.ask('PUT', '/v1/state/counts/n', { body: 'null' })
  t.is((await node.ask('GET', '/v1/state/counts/n')).text, 'null')
  const spaces = (await node.ask('GET', '/v1/state')).json as { space: string; keys: number }[]
  t.like(
    spaces.find(({ space }) => space === 'counts'),
    { keys: 1 },
  )
})

test("Shoal's own spaces can be read and not written", async t => {
  t.is((await node.ask('GET', '/v1/state/shoal.tasks')).status, 200)
  for (const method of ['PUT', 'DELETE']) {
    const answer = await node.ask(method, '/v1/state/shoal.tasks/x', method === 'PUT' ? { json: 1 } : {})
    t.is(answer.status, 403)
    t.is(answer.code, 'SPACE_RESERVED')
  }
})

test('a space whose name is none is 400; one that this node does not hold is 404', async t => {
  t.is((await node.ask('GET', '/v1/state/Bad%20Name')).status, 400)
  t.is((await node.ask('PUT', '/v1/state/Bad%20Name/k', { json: 1 })).status, 400)
  await withNode({ spaces: ['mine.*'] }, async other => {
    t.is((await other.ask('GET', '/v1/state/mine.a')).status, 200)
    t.is((await other.ask('GET', '/v1/state/theirs')).code, 'SPACE_NOT_HELD')
    t.is((await other.ask('PUT', '/v1/state/theirs/k', { json: 1 })).status, 404)
  })
})

test('a large space arrives whole, in pieces', async t => {
  await withNode({}, async other => {
    const value = 'x'.repeat(60_000)
    const space = other.node.space('large')
    for (let i = 0; i < 100; i++) await space.set(`k${i}`, value)
    const { json, headers } = await other.ask('GET', '/v1/state/large')
    t.is(headers['content-length'], undefined)
    t.is(Object.keys(json as object).length, 100)
    t.is((json as Record<string, string>).k99, value)
  })
})

test('bodies: JSON in UTF-8 within the limit, whatever curl calls it', async t => {
  const put = (body: string | Buffer, headers: Record<string, string> = {}) =>
    node.ask('PUT', '/v1/state/bodies/k', { body, headers })
  t.is((await put('5', { 'Content-Type': 'application/x-www-form-urlencoded' })).status, 204)
  t.is((await put('5', { 'Content-Type': 'text/plain;charset=UTF-8' })).status, 204)
  t.is((await put('5')).status, 204)
  for (const type of [
    'text/html',
    'multipart/form-data',
    'application/xml',
    'application/json; charset=latin1',
  ]) {
    t.is((await put('5', { 'Content-Type': type })).status, 415, type)
  }
  t.is((await put('5', { 'Content-Encoding': 'gzip' })).status, 415)
  for (const body of ['', '{', '{"a":1,}', 'undefined', '\u0000', '1 2'])
    t.is((await put(body)).status, 400, body)
  t.is((await put(Buffer.from([0x22, 0xff, 0x22]))).status, 400)
  t.is((await put(`${'['.repeat(65)}${']'.repeat(65)}`)).status, 400)
  t.is((await put('['.repeat(60_000))).status, 400)
  t.is((await put(`"${'x'.repeat(65_534)}"`)).status, 204)
  const large = await put(`"${'x'.repeat(65_535)}"`)
  t.is(large.status, 413)
  t.is(large.headers.connection, 'close')
  const chunked = await node.ask('PUT', '/v1/state/bodies/k', {
    body: 'x'.repeat(70_000),
    headers: { 'Transfer-Encoding': 'chunked' },
  })
  t.is(chunked.status, 413)
})

test('an unknown or repeated parameter, and a bad encoding, are refused', async t => {
  for (const path of [
    '/v1/self?x=1',
    '/v1/tasks?lines=3',
    '/v1/events?sinc=3',
    '/v1/events?since=1&since=2',
    '/v1/events?since=-1',
    '/v1/events?since=abc',
    '/v1/events?since=%zz',
    '/v1/tasks/%ff',
    '/v1/tasks/%',
  ]) {
    const answer = await node.ask('GET', path)
    t.is(answer.status, 400, path)
    t.true(isError(answer))
  }
})

test('events are listed, and after a number', async t => {
  await node.node.space('happened').set('a', 1)
  const all = (await node.ask('GET', '/v1/events')).json as { seq: number; at: number; kind: string }[]
  const last = all[all.length - 1]
  t.true(all.length > 1)
  t.deepEqual(Object.keys(last ?? {}).slice(0, 3), ['seq', 'at', 'kind'])
  const after = (await node.ask('GET', `/v1/events?since=${(last?.seq ?? 0) - 1}`)).json as unknown[]
  t.deepEqual(after[0], last)
  t.deepEqual((await node.ask('GET', '/v1/events?since=99999999')).json, [])
})

test('join takes addresses, drain a truth', async t => {
  t.is((await node.ask('POST', '/v1/join', { json: { addrs: ['127.0.0.1:1'] } })).status, 204)
  for (const json of [{}, { addrs: [] }, { addrs: [''] }, { addrs: 'x' }, { addrs: ['a b'] }]) {
    t.is((await node.ask('POST', '/v1/join', { json })).status, 400, JSON.stringify(json))
  }
  t.is((await node.ask('POST', '/v1/drain', { json: { on: true } })).status, 204)
  t.like((await node.ask('GET', '/v1/self')).json, { draining: true })
  t.is((await node.ask('POST', '/v1/drain', { json: { on: false } })).status, 204)
  t.is((await node.ask('POST', '/v1/drain', { json: { on: 'yes' } })).status, 400)
})

test('the probes, the metrics and the page answer', async t => {
  t.is((await node.ask('GET', '/healthz')).status, 200)
  t.deepEqual((await node.ask('GET', '/readyz')).json, { ready: true })
  const metrics = await node.ask('GET', '/metrics')
  t.regex(metrics.text, /^shoal_members\{verdict="alive"\} 1$/m)
  t.true(String(metrics.headers['content-type']).startsWith('text/plain'))
  const page = await node.ask('GET', '/')
  t.is(page.status, 200)
  t.regex(page.text, /<!doctype html>/i)
  t.regex(String(page.headers['content-security-policy']), /default-src 'none'.*frame-ancestors 'none'/)
  const same = await node.ask('GET', '/', { headers: { 'If-None-Match': String(page.headers.etag) } })
  t.is(same.status, 304)
})

test('two members of one name: the name alone is ambiguous, and both ids are told', async t => {
  await withNode({}, async a => {
    await withNode({ join: [a.node.info().addrs[0] as string] }, async b => {
      await until(a, () => a.node.members().length === 2)
      const answer = await a.ask('POST', '/v1/plan', { json: { without: ['gate'] } })
      t.is(answer.status, 409)
      t.is(answer.code, 'AMBIGUOUS')
      t.true(answer.text.includes(a.node.id) && answer.text.includes(b.node.id))
    })
  })
})

test('logs are fetched from the owner; one that does not answer is 504', async t => {
  await withNode({ name: 'asker', allow: [] }, async a => {
    const b = await startNode({ name: 'owner', join: [a.node.info().addrs[0] as string] })
    try {
      b.handlers.register('talker', async ({ log, signal }) => {
        log('far away')
        await steady({ signal })
      })
      await until(a, () => a.node.members().length === 2)
      await a.ask('PUT', '/v1/tasks/far', { json: { run: { handler: 'talker' } } })
      await until(a, () =>
        ((a.node.tasks.get('far')?.copies ?? []) as { phase: string }[]).some(
          ({ phase }) => phase === 'running',
        ),
      )
      t.like((await a.ask('GET', '/v1/tasks/far/logs')).json, [{ node: b.node.id, line: 'far away' }])
    } finally {
      // It stops, and the asker does not find out: it would within milliseconds, and ask nobody.
      const found = a.node.tasks.get('far')
      a.node.tasks.get = () => found
      await b.close()
    }
    const answer = await a.ask('GET', '/v1/tasks/far/logs')
    t.is(answer.status, 504)
    t.is(answer.code, 'OWNER_UNREACHABLE')
  })
})

test('leaving is answered when it is done, and nothing listens any more', async t => {
  const leaver = await startNode()
  t.is((await leaver.ask('POST', '/v1/leave')).status, 204)
  await leaver.server.close()
  await t.throwsAsync(leaver.ask('GET', '/healthz'), { code: 'ECONNREFUSED' })
  await leaver.close()
})

test('the levers of the demo exist only where somebody brought them', async t => {
  t.is((await node.ask('GET', '/v1/demo')).status, 404)
  t.is((await node.ask('POST', '/v1/demo', { json: { action: 'kill', node: 'gate' } })).status, 404)
  const done: string[] = []
  const demo = {
    controls: ['kill'],
    act: async (action: string, member: string) => {
      done.push(`${action} ${member}`)
    },
  }
  await withNode({ demo }, async other => {
    t.deepEqual((await other.ask('GET', '/v1/demo')).json, { controls: ['kill'] })
    t.is((await other.ask('POST', '/v1/demo', { json: { action: 'kill', node: 'gate' } })).status, 204)
    t.deepEqual(done, [`kill ${other.node.id}`])
  })
})
