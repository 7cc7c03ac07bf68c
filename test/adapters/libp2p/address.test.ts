import test from 'ava'
import { multiaddrText, parseAddress } from '../../../src/adapters/libp2p/address.js'

const ID = '12D3KooWGBPjD8XK4CJHoLM2L698C4DzAJhxZAJUt2DoPyZmUx2i'

test('every way to write an address is read', t => {
  const cases: readonly [string, string, string, number, string | null][] = [
    ['10.0.0.7', 'ip4', '10.0.0.7', 4701, null],
    ['10.0.0.7:80', 'ip4', '10.0.0.7', 80, null],
    ['gw-7', 'name', 'gw-7', 4701, null],
    ['gw-7.local:5000', 'name', 'gw-7.local', 5000, null],
    ['fd00::7', 'ip6', 'fd00::7', 4701, null],
    ['[fd00::7]', 'ip6', 'fd00::7', 4701, null],
    ['[fd00::7]:9', 'ip6', 'fd00::7', 9, null],
    ['/ip4/10.0.0.7', 'ip4', '10.0.0.7', 4701, null],
    ['/ip4/10.0.0.7/tcp/80', 'ip4', '10.0.0.7', 80, null],
    ['/ip6/::1/tcp/80', 'ip6', '::1', 80, null],
    ['/dns/gw-7.plant.example/tcp/80', 'name', 'gw-7.plant.example', 80, null],
    ['/dns4/gw-7/tcp/80', 'name', 'gw-7', 80, null],
    [`/ip4/10.0.0.7/tcp/80/p2p/${ID}`, 'ip4', '10.0.0.7', 80, ID],
  ]
  for (const [text, family, host, port, node] of cases) {
    t.deepEqual<unknown, unknown>(parseAddress(text), { family, host, port, node }, text)
  }
})

test('what is no address is refused with what would be accepted', t => {
  const wrong = [
    '',
    ' ',
    ':80',
    'a b',
    'host:',
    'host:0',
    'host:65536',
    'host:x',
    '[fd00::7',
    '[fd00::7]80',
    '[10.0.0.7]:80',
    '10.0.0.256',
    '1.2.3',
    '/',
    '/ip4',
    '/ip4/',
    '/ip4/fd00::7/tcp/1',
    '/ip6/10.0.0.7/tcp/1',
    '/ip4/10.0.0.7/udp/1',
    '/ip4/10.0.0.7/tcp',
    '/ip4/10.0.0.7/tcp/80/ws',
    '/ip4/10.0.0.7/tcp/80/p2p/',
    '/ip4/10.0.0.7/tcp/80/p2p/me',
    'x'.repeat(600),
    '-host',
    'http://host:80',
  ]
  for (const text of wrong) {
    t.throws(() => parseAddress(text), { code: 'ADDRESS_INVALID', message: /accepted are HOST/ }, text)
  }
})

test('a link-local address keeps its zone', t => {
  t.is(multiaddrText('ip6', 'fe80::1%eth0', 4701), '/ip6zone/eth0/ip6/fe80::1/tcp/4701')
  t.is(multiaddrText('ip4', '10.0.0.7', 1), '/ip4/10.0.0.7/tcp/1')
})
