import test from 'ava'
import { createCopyTokens } from '../../../src/adapters/executors/tokens.js'
import { copyOf } from '../../contracts/executor.js'

test('a token names its copy while it lives, and still does when it is over', t => {
  const tokens = createCopyTokens()
  const token = tokens.issue(copyOf(3))
  t.deepEqual(tokens.check(token), { copy: copyOf(3), live: true })
  tokens.revoke(token)
  t.deepEqual(tokens.check(token), { copy: copyOf(3), live: false })
})

test('two runs of one copy have different tokens', t => {
  const tokens = createCopyTokens()
  const [first, second] = [tokens.issue(copyOf()), tokens.issue(copyOf())]
  tokens.revoke(first)
  t.true(tokens.check(second)?.live)
  t.false(tokens.check(first)?.live)
})

test('what this boot did not seal is nobody', t => {
  const tokens = createCopyTokens()
  const token = tokens.issue(copyOf())
  const [prefix, body, seal] = token.split('.')
  t.is(createCopyTokens().check(token), null)
  for (const forged of ['', 'x', 'a.b.c', `${prefix}.${body}.`, `${prefix}.${body}A.${seal}`, `${token}.x`]) {
    t.is(tokens.check(forged), null, forged)
  }
})
