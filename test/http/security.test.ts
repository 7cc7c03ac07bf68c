// The interface from the attacker's side: each refusal of the contract's section 4, tried.

import { readFile, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { isLoopback } from '../../src/adapters/http/server.js'
import { createApiToken, loadApiToken } from '../../src/adapters/identity/api-token.js'
import type { CopyId } from '../../src/core/step.js'
import { sendRaw, startNode, steady, type TestNode, until, withNode } from './fixture.js'

const WRITES = [
  ['PUT', '/v1/state/s/k', 5],
  ['DELETE', '/v1/state/s/k', undefined],
  ['PUT', '/v1/tasks/t', { run: { handler: 'x' } }],
  ['DELETE', '/v1/tasks/t', undefined],
  ['POST', '/v1/tasks/t/restart', undefined],
  ['PUT', '/v1/tasks/t/checkpoint', 5],
  ['DELETE', '/v1/members/gate', undefined],
  ['POST', '/v1/plan', { without: [] }],
  ['POST', '/v1/join', { addrs: ['x'] }],
  ['POST', '/v1/drain', { on: true }],
  ['POST', '/v1/leave', undefined],
  ['POST', '/v1/nothing', undefined],
] as const

const body = (json: unknown) => (json === undefined ? {} : { json })

test('a page whose name was rebound to loopback is refused by its Host', async t => {
  await withNode({}, async node => {
    for (const Host of [
      'evil.example',
      'evil.example:4780',
      'localhost.evil.example',
      '10.0.0.1',
      '[::2]',
      '',
      '127.0.0.1.nip.io',
    ]) {
      for (const path of ['/v1/self', '/metrics', '/v1/events', '/', '/healthz']) {
        const answer = await node.ask('GET', path, { headers: { Host } })
        t.true(answer.status === 403 || (Host === '' && answer.status === 400), `${Host} ${path}`)
      }
    }
    for (const Host of ['localhost', 'LOCALHOST:1', '127.0.0.1', '127.8.9.1:4780', '[::1]:9']) {
      t.is((await node.ask('GET', '/v1/self', { headers: { Host } })).status, 200, Host)
    }
  })
})

test('a page of another origin may neither read nor write', async t => {
  await withNode({}, async node => {
    const host = `127.0.0.1:${node.port}`
    const foreign: Record<string, string>[] = [
      { Origin: 'http://evil.example' },
      { Origin: 'null' },
      { Origin: `https://${host}` },
      { Origin: 'http://127.0.0.1:1' },
      { Origin: `http://localhost:${node.port}` },
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' },
    ]
    for (const headers of foreign) {
      for (const [method, path, json] of [
        ...WRITES,
        ['GET', '/v1/self', undefined],
        ['GET', '/v1/events', undefined],
      ] as const) {
        const answer = await node.ask(method, path, { headers, ...body(json) })
        t.is(answer.status, 403, `${JSON.stringify(headers)} ${method} ${path}`)
      }
    }
    t.is(node.node.space('s').get('k'), undefined)
    const own = { Origin: `http://${host}`, 'Sec-Fetch-Site': 'same-origin' }
    t.is((await node.ask('PUT', '/v1/state/s/k', { headers: own, json: 5 })).status, 204)
  })
})

test('a link from elsewhere leads to the page and no further', async t => {
  await withNode({}, async node => {
    const headers = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' }
    t.is((await node.ask('GET', '/', { headers })).status, 200)
    t.is((await node.ask('GET', '/metrics', { headers })).status, 403)
    const embedded = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' }
    t.is((await node.ask('GET', '/', { headers: embedded })).status, 403)
  })
})

test('no answer invites another origin in', async t => {
  await withNode({}, async node => {
    for (const [method, path] of [
      ['GET', '/v1/self'],
      ['GET', '/'],
      ['OPTIONS', '/v1/self'],
      ['GET', '/none'],
    ] as const) {
      const { headers } = await node.ask(method, path)
      t.deepEqual(
        Object.keys(headers).filter(name => name.startsWith('access-control-')),
        [],
      )
      t.is(headers['x-content-type-options'], 'nosniff')
      t.is(headers['cross-origin-resource-policy'], 'same-origin')
    }
    const { headers } = await node.ask('GET', '/')
    t.is(headers['x-frame-options'], 'DENY')
  })
})

test('with a mesh key every request but GET needs the token of the data folder', async t => {
  await withNode({ keyed: true }, async node => {
    const file = join(node.folder, 'data', 'api.token')
    const token = (await readFile(file, 'utf8')).trim()
    t.is((await stat(file)).mode & 0o777, 0o600)
    t.is(Buffer.from(token, 'base64url').length, 32)
    t.is(token, node.server.token ?? '')
    for (const [method, path, json] of WRITES) {
      const none = await node.ask(method, path, body(json))
      t.is(none.status, 401, `${method} ${path}`)
      t.is(none.code, 'TOKEN_REQUIRED')
      t.regex(String(none.headers['www-authenticate']), /^Bearer/)
      for (const wrong of [
        createApiToken(),
        token.slice(0, -1),
        `${token}A`,
        token.toLowerCase(),
        'copy.e30.AAAA',
      ]) {
        const answer = await node.ask(method, path, { ...body(json), token: wrong })
        t.is(answer.code, 'TOKEN_INVALID', `${method} ${path}`)
      }
    }
    for (const Authorization of [`Basic ${token}`, token, 'Bearer', `Bearer ${token} x`]) {
      t.is((await node.ask('PUT', '/v1/state/s/k', { json: 1, headers: { Authorization } })).status, 401)
    }
    t.is(node.node.space('s').get('k'), undefined)
    t.is((await node.ask('GET', '/v1/self')).status, 200)
    t.is((await node.ask('GET', '/metrics')).status, 200)
    t.is((await node.ask('PUT', '/v1/state/s/k', { json: 5, token })).status, 204)
    t.is((await node.ask('GET', `/v1/state/s/k?token=${token}`)).status, 400)
  })
})

test('a valid token stands in for the checks of Host and Origin', async t => {
  await withNode({ keyed: true }, async node => {
    const headers = { Host: 'gate.example', Origin: 'https://ops.example' }
    t.is((await node.ask('GET', '/v1/self', { headers })).status, 403)
    t.is((await node.ask('GET', '/v1/self', { headers, token: node.server.token as string })).status, 200)
  })
})

test('an interface beyond loopback needs the token for all but the page and the probes', async t => {
  await withNode({ keyed: true, api: '0.0.0.0:0' }, async node => {
    const headers = { Host: 'gate.example:4780' }
    for (const path of ['/', '/healthz', '/readyz']) {
      t.is((await node.ask('GET', path, { headers })).status, 200, path)
    }
    for (const path of [
      '/v1/self',
      '/v1/members',
      '/v1/events',
      '/v1/state',
      '/metrics',
      '/v1/openapi.json',
      '/none',
      '/v1',
    ]) {
      t.is((await node.ask('GET', path, { headers })).status, 401, path)
      t.is((await node.ask('GET', path)).status, 401, path)
    }
    for (const [method, path] of [
      ['POST', '/'],
      ['PUT', '/healthz'],
      ['HEAD', '/v1/self'],
      ['OPTIONS', '/v1/self'],
    ] as const) {
      t.is((await node.ask(method, path, { headers })).status, 401, `${method} ${path}`)
    }
    t.is((await node.ask('GET', '/v1/self', { headers, token: node.server.token as string })).status, 200)
  })
})

test('a playground does not listen beyond loopback', async t => {
  const error = await t.throwsAsync(startNode({ api: '0.0.0.0:0' }), { code: 'OPTION_INVALID' })
  t.regex(error?.message ?? '', /0\.0\.0\.0:0.*loopback/)
  for (const host of ['0.0.0.0', '::', '192.168.1.4', 'example.org', '128.0.0.1'])
    t.false(isLoopback(host), host)
})

test('an address that is taken is named', async t => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  const error = await t.throwsAsync(startNode({ api: `127.0.0.1:${port}` }), { code: 'API_LISTEN_FAILED' })
  t.regex(error?.message ?? '', new RegExp(`${port}.*already`))
  other.close()
})

const copyOf = async (node: TestNode, id: string): Promise<CopyId> => {
  node.handlers.register('steady', steady)
  await node.node.tasks.put({ id, run: { handler: 'steady' } })
  const find = () =>
    ((node.node.tasks.get(id)?.copies ?? []) as { slot: number; epoch: string; phase: string }[]).find(
      ({ phase }) => phase === 'running',
    )
  await until(node, () => find() !== undefined)
  const { slot, epoch } = find() as { slot: number; epoch: string }
  return { task: id as CopyId['task'], slot, epoch }
}

for (const keyed of [true, false]) {
  const where = keyed ? 'with a mesh key' : 'in a playground'

  test(`${where}, a task's token opens its checkpoint and state, and nothing else`, async t => {
    await withNode({ keyed }, async node => {
      const token = node.tokens.issue(await copyOf(node, 'worker'))
      t.is((await node.ask('PUT', '/v1/tasks/worker/checkpoint', { body: '{"n":1}', token })).status, 204)
      t.is((await node.ask('PUT', '/v1/state/s/k', { body: '7', token })).status, 204)
      t.is(node.node.space('s').get('k'), 7)
      t.is((await node.ask('DELETE', '/v1/state/s/k', { token })).status, 204)
      t.is((await node.ask('GET', '/v1/state/s', { token })).status, 200)
      const other = await node.ask('PUT', '/v1/tasks/other/checkpoint', { body: '1', token })
      t.is(other.code, 'TOKEN_OF_ANOTHER')
      t.is((await node.ask('PUT', '/v1/state/shoal.tasks/x', { body: '1', token })).code, 'SPACE_RESERVED')
      for (const [method, path, json] of WRITES) {
        if (path.includes('/state/') || path.endsWith('/checkpoint')) continue
        const answer = await node.ask(method, path, { ...body(json), token })
        t.true(answer.status === 403 || answer.status === 404, `${method} ${path} ${answer.status}`)
      }
    })
  })

  test(`${where}, a copy that is no longer the owner's is fenced`, async t => {
    await withNode({ keyed }, async node => {
      const copy = await copyOf(node, 'worker')
      const over = node.tokens.issue(copy)
      node.tokens.revoke(over)
      const older = node.tokens.issue({ ...copy, epoch: `1-${node.node.id}` })
      for (const token of [over, older]) {
        for (const [method, path] of [
          ['PUT', '/v1/tasks/worker/checkpoint'],
          ['PUT', '/v1/state/s/k'],
          ['DELETE', '/v1/state/s/k'],
        ] as const) {
          const answer = await node.ask(method, path, { ...(method === 'PUT' ? { body: '1' } : {}), token })
          t.is(answer.status, 409, `${method} ${path}`)
          t.is(answer.code, 'FENCED')
        }
      }
      t.is(node.node.space('s').get('k'), undefined)
      const forged = `${over.slice(0, -2)}AA`
      t.is((await node.ask('PUT', '/v1/state/s/k', { body: '1', token: forged })).status, 401)
    })
  })
}

test('a checkpoint without a task is nobody’s, even for the operator', async t => {
  await withNode({ keyed: true }, async node => {
    const token = node.server.token as string
    const answer = await node.ask('PUT', '/v1/tasks/t/checkpoint', { body: '1', token })
    t.is(answer.status, 401)
  })
})

test('a token file that others can write, or that holds none, is refused', async t => {
  await withNode({ keyed: true }, async node => {
    const data = join(node.folder, 'data')
    const { chmod, writeFile } = await import('node:fs/promises')
    t.is((await loadApiToken(data)).warning, null)
    await chmod(join(data, 'api.token'), 0o644)
    t.regex((await loadApiToken(data)).warning ?? '', /644/)
    await chmod(join(data, 'api.token'), 0o606)
    await t.throwsAsync(loadApiToken(data), { code: 'KEY_FILE_WRITABLE' })
    await chmod(join(data, 'api.token'), 0o600)
    await writeFile(join(data, 'api.token'), 'short\n')
    await t.throwsAsync(loadApiToken(data), { code: 'TOKEN_FILE' })
  })
})

test('what is no HTTP gets its status, and the node goes on', async t => {
  await withNode({}, async node => {
    const host = 'Host: localhost\r\n'
    const cases: [string, RegExp][] = [
      [`GET /v1/self HTTP/1.1\r\n${host}X: ${'x'.repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
      ['NONSENSE\r\n\r\n', /^HTTP\/1\.1 400 /],
      [`GET http://evil/v1/self HTTP/1.1\r\n${host}Connection: close\r\n\r\n`, /^HTTP\/1\.1 400 /],
      [`OPTIONS * HTTP/1.1\r\n${host}Connection: close\r\n\r\n`, /^HTTP\/1\.1 400 /],
      [
        `PUT /v1/state/s/k HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`,
        /^HTTP\/1\.1 400 /,
      ],
      ['GET /v1/self HTTP/1.1\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 400 /],
      ['GET /v1/self HTTP/1.0\r\n\r\n', /^HTTP\/1\.1 403 /],
      [
        `GET /v1/self HTTP/1.1\r\n${host}Host: evil.example\r\nConnection: close\r\n\r\n`,
        /^HTTP\/1\.1 (200|400) /,
      ],
    ]
    for (const [bytes, expected] of cases)
      t.regex(await sendRaw(node.port, bytes), expected, bytes.slice(0, 60))
    t.is((await node.ask('GET', '/healthz')).status, 200)
  })
})

test('a connection that asks hundreds of times without reading takes nothing from the others', async t => {
  await withNode({}, async node => {
    const one = 'GET /v1/self HTTP/1.1\r\nHost: localhost\r\n\r\n'
    for (let burst = 0; burst < 3; burst++) await sendRaw(node.port, one.repeat(600))
    for (const path of ['/healthz', '/readyz', '/v1/self'])
      t.is((await node.ask('GET', path)).status, 200, path)
    t.is(node.server.stats().underWay, 0)
  })
})

test('what does not become durable is answered all the same, and who asks for life is not told of it', async t => {
  await withNode({}, async node => {
    node.node.tasks.put = () => new Promise(() => {})
    const waiting = Array.from({ length: 256 }, () =>
      node.ask('PUT', '/v1/tasks/a', { json: { run: { handler: 'x' } } }),
    )
    while (node.server.stats().underWay < 256) await sleep(5)
    t.is((await node.ask('GET', '/v1/self')).code, 'BUSY')
    for (const probe of ['/healthz', '/readyz']) t.is((await node.ask('GET', probe)).status, 200, probe)
    for (const answer of await Promise.all(waiting)) {
      t.is(answer.status, 503)
      t.is(answer.code, 'NOT_DURABLE_YET')
    }
  })
})

test('what HTTP/1.1 itself forbids is answered in JSON like every other mistake', async t => {
  await withNode({}, async node => {
    const wrong = [
      ['GET /v1/self HTTP/1.1\r\n\r\n', 400, 'HOST_INVALID'],
      ['GET /v1/self HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n', 400, 'HOST_INVALID'],
      ['GET /v1/self HTTP/1.1\r\nHost: localhost\r\nExpect: tea\r\n\r\n', 417, 'EXPECTATION_FAILED'],
      ['CONNECT elsewhere:80 HTTP/1.1\r\nHost: localhost\r\n\r\n', 405, 'METHOD_NOT_ALLOWED'],
      ['nonsense\r\n\r\n', 400, 'REQUEST_INVALID'],
    ] as const
    for (const [bytes, status, code] of wrong) {
      const [head = '', body = ''] = (await sendRaw(node.port, bytes)).split('\r\n\r\n')
      t.true(head.startsWith(`HTTP/1.1 ${status} `), head)
      t.regex(head, /^content-type: application\/json; charset=utf-8$/im)
      t.regex(head, /^x-content-type-options: nosniff$/im)
      const { error } = JSON.parse(body) as { error: { code: string; message: string } }
      t.is(error.code, code)
      t.true(error.message.length > 10)
    }
    const continued = await sendRaw(
      node.port,
      'PUT /v1/state/s/k HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 1\r\n\r\n5',
    )
    t.regex(continued, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 204 /)
    t.is((await node.ask('GET', '/healthz')).status, 200)
  })
})
