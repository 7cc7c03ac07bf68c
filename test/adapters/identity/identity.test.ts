import '../../../src/polyfill.js'
import { createHash } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { createIdentity, loadIdentity } from '../../../src/adapters/identity/identity.js'
import { createMeshKey, meshIdOf, readMeshKey } from '../../../src/adapters/identity/mesh-key.js'

const directory = async (t: { teardown(work: () => Promise<void>): void }): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'shoal-identity-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}

test('an identity is made once and read ever after', async t => {
  const data = join(await directory(t), 'new', 'data')
  const first = await loadIdentity(data)
  const second = await loadIdentity(data)
  t.is(first.id, second.id)
  t.regex(first.id, /^12D3Koo/)
  t.is(first.warning, null)
  t.deepEqual(first.seed, second.seed)
  t.is((await stat(join(data, 'identity.key'))).mode & 0o777, 0o600)
  t.deepEqual(await readdir(data), ['identity.key'])
})

test('processes that start at once in one directory get one identity', async t => {
  const data = await directory(t)
  const identities = await Promise.all(Array.from({ length: 8 }, () => loadIdentity(data)))
  t.is(new Set(identities.map(each => each.id)).size, 1)
  t.deepEqual(await readdir(data), ['identity.key'])
})

test('an identity that cannot be read is left as it is', async t => {
  const data = await directory(t)
  await writeFile(join(data, 'identity.key'), 'nonsense', { mode: 0o600 })
  await t.throwsAsync(loadIdentity(data), { code: 'IDENTITY_INVALID' })
  t.is(await readFile(join(data, 'identity.key'), 'utf8'), 'nonsense')
})

test('an identity that everybody may write is refused, one that everybody may read is remarked on', async t => {
  const data = await directory(t)
  await loadIdentity(data)
  await chmod(join(data, 'identity.key'), 0o644)
  t.regex((await loadIdentity(data)).warning ?? '', /mode 644/)
  await chmod(join(data, 'identity.key'), 0o666)
  await t.throwsAsync(loadIdentity(data), { code: 'KEY_FILE_WRITABLE' })
})

test('every identity is another', t => {
  t.not(createIdentity().id, createIdentity().id)
})

test('a mesh key is a libp2p pre-shared key, mode 0600, never written over another file', async t => {
  const file = join(await directory(t), 'mesh.key')
  const made = await createMeshKey(file)
  const text = await readFile(file, 'utf8')
  t.regex(text, /^\/key\/swarm\/psk\/1\.0\.0\/\n\/base16\/\n[0-9a-f]{64}\n$/)
  t.is((await stat(file)).mode & 0o777, 0o600)
  t.deepEqual(await readMeshKey(file), made)
  await t.throwsAsync(createMeshKey(file), { code: 'KEY_EXISTS' })
  t.is(await readFile(file, 'utf8'), text)
})

test('the meshId is the first 16 hex digits of the SHA-256 of "shoal-mesh\\n" and the key', t => {
  const key = Uint8Array.from({ length: 32 }, (_, i) => i)
  const expected = createHash('sha256')
    .update(Buffer.concat([Buffer.from('shoal-mesh\n'), key]))
    .digest('hex')
  t.is(meshIdOf(key), expected.slice(0, 16))
  t.is(meshIdOf(key), meshIdOf(Buffer.from(key)))
})

test('a mesh key that everybody may write is refused, one that everybody may read is remarked on', async t => {
  const file = join(await directory(t), 'mesh.key')
  await createMeshKey(file)
  await chmod(file, 0o604)
  t.regex((await readMeshKey(file)).warning ?? '', /mode 604/)
  await chmod(file, 0o602)
  await t.throwsAsync(readMeshKey(file), { code: 'KEY_FILE_WRITABLE' })
})

test('what is no mesh key is refused by name', async t => {
  const file = join(await directory(t), 'mesh.key')
  await t.throwsAsync(readMeshKey(file), { code: 'KEY_FILE_MISSING', message: /does not exist/ })
  for (const text of [
    '',
    'x',
    '/key/swarm/psk/1.0.0/\n/base16/\nabc\n',
    `/key/swarm/psk/1.0.0/\n/base64/\n${'a'.repeat(64)}\n`,
  ]) {
    await writeFile(file, text, { mode: 0o600 })
    await t.throwsAsync(readMeshKey(file), { code: 'KEY_FILE_INVALID' })
  }
})

test('a data directory that is a file, or within one, is refused by name and left as it is', async t => {
  const file = join(await directory(t), 'file')
  await writeFile(file, 'mine')
  for (const path of [file, join(file, 'data')]) {
    const error = await t.throwsAsync(loadIdentity(path), { code: 'DATA_DIR_UNUSABLE' })
    t.true(error?.message.startsWith(`the data directory is ${path} and cannot be used (`))
  }
  t.is(await readFile(file, 'utf8'), 'mine')
})

test('nobody is told to make a new mesh key over one that cannot be read', async t => {
  const error = await t.throwsAsync(readMeshKey(await directory(t)), { code: 'KEY_FILE_MISSING' })
  t.regex(error?.message ?? '', /cannot be read \(EISDIR\); it must be a file/)
})
