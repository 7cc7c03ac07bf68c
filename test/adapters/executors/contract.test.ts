import test from 'ava'
import { executorContract } from '../../contracts/executor.js'
import { openTestBed } from './fixture.js'

executorContract(test, 'handler', async () => {
  const bed = await openTestBed()
  const forEver = new Promise<never>(() => {})
  bed.handlers.register('returns', () => undefined)
  bed.handlers.register('fails', async () => {
    throw new Error('broken pump')
  })
  bed.handlers.register('waits', ({ signal, log }) => {
    log('ready')
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  })
  bed.handlers.register('ignores', ({ log }) => {
    log('ready')
    return forEver
  })
  bed.handlers.register('echoes', ({ task, epoch, input, checkpoint, log }) =>
    log(JSON.stringify({ task, epoch, input, checkpoint })),
  )
  return {
    executor: bed.executor,
    returns: { handler: 'returns' },
    fails: { handler: 'fails' },
    waits: { handler: 'waits' },
    ignores: { handler: 'ignores' },
    echoes: { handler: 'echoes' },
    missing: { handler: 'no-such-thing' },
    cleanUp: bed.cleanUp,
  }
})

executorContract(test, 'module', async () => {
  const bed = await openTestBed()
  const { module } = bed
  return {
    executor: bed.executor,
    returns: { module: await module('returns.mjs', 'export default () => {}') },
    fails: {
      module: await module('fails.mjs', "export default async () => { throw new Error('broken pump') }"),
    },
    waits: {
      module: await module(
        'waits.mjs',
        `export default ({ signal, log }) => new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason))
          log('ready')
        })`,
      ),
    },
    ignores: {
      module: await module('ignores.mjs', "export default ({ log }) => { log('ready'); for (;;) {} }"),
    },
    echoes: {
      module: await module(
        'echoes.mjs',
        `export default ({ task, epoch, input, checkpoint, log }) =>
          log(JSON.stringify({ task, epoch, input, checkpoint }))`,
      ),
    },
    missing: { module: 'no-such-thing.mjs' },
    cleanUp: bed.cleanUp,
  }
})

executorContract(test, 'exec', async () => {
  const bed = await openTestBed()
  const sh = (script: string) => ({ exec: ['/bin/sh', '-c', script] })
  return {
    executor: bed.executor,
    returns: sh('exit 0'),
    fails: sh('echo broken pump >&2; exit 3'),
    waits: sh('echo ready; exec sleep 600'),
    ignores: sh("trap '' TERM; echo ready; while :; do sleep 600; done"),
    echoes: sh(
      'printf \'{"task":"%s","epoch":"%s","input":%s,"checkpoint":%s}\\n\' "$SHOAL_TASK" "$SHOAL_EPOCH" "$SHOAL_INPUT" "$SHOAL_CHECKPOINT"',
    ),
    missing: { exec: ['no-such-thing'] },
    cleanUp: bed.cleanUp,
  }
})
