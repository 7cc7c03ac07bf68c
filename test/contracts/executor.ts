// What every executor promises, whatever kind of task it runs. A fixture says how a
// behaviour is written for its kind; the claims are the same for all.

import type { ExecutionContext, TestFn } from 'ava'
import { taskId } from '../../src/core/ids.js'
import type { Json } from '../../src/core/json.js'
import type { CopyId } from '../../src/core/step.js'
import type { TaskRun, TaskSpec } from '../../src/core/tasks/spec.js'
import type { CopyListener, Executor } from '../../src/ports.js'

export interface ExecutorFixture {
  readonly executor: Executor
  /** Ends at once, without an error. */
  readonly returns: TaskRun
  /** Ends with an error whose text contains `broken pump`. */
  readonly fails: TaskRun
  /** Logs `ready`, then ends without an error as soon as it is asked to. */
  readonly waits: TaskRun
  /** Logs `ready`, then goes on whatever it is asked. */
  readonly ignores: TaskRun
  /** Logs one line of JSON: `{task, epoch, input, checkpoint}`, and ends. */
  readonly echoes: TaskRun
  readonly missing: TaskRun
  cleanUp(): Promise<void>
}

export const specOf = (run: TaskRun, more: Partial<TaskSpec> = {}): TaskSpec => ({
  id: taskId('t1'),
  run,
  when: 'always',
  input: null,
  replicas: 1,
  needs: {},
  spread: null,
  weight: 1,
  stopGrace: '5s',
  overlap: false,
  onPartition: 'run',
  ...more,
})

export const copyOf = (slot = 0): CopyId => ({ task: taskId('t1'), slot, epoch: '1794960001-12D3KooTest' })

export interface Watched {
  readonly listener: CopyListener
  readonly calls: string[]
  readonly lines: string[]
  readonly saved: Json[]
  readonly exited: Promise<{ readonly error: string | null; readonly result: Json }>
  readonly started: Promise<void>
  /** Resolves when a line that contains the text was logged; rejects if it ended before. */
  line(text: string): Promise<string>
}

const deferred = <T>() => {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>(settle => {
    resolve = settle
  })
  return { promise, resolve }
}

export const watch = (): Watched => {
  const exited = deferred<{ readonly error: string | null; readonly result: Json }>()
  const started = deferred<void>()
  const calls: string[] = []
  const lines: string[] = []
  const saved: Json[] = []
  const waiting = new Map<string, (line: string) => void>()
  return {
    calls,
    lines,
    saved,
    exited: exited.promise,
    started: started.promise,
    line: text =>
      new Promise((resolve, reject) => {
        const seen = lines.find(line => line.includes(text))
        if (seen !== undefined) return resolve(seen)
        waiting.set(text, resolve)
        void exited.promise.then(end =>
          reject(new Error(`ended (${end.error}) without ${text}: ${lines.join(' | ')}`)),
        )
        return undefined
      }),
    listener: {
      started() {
        calls.push('started')
        started.resolve()
      },
      exited(outcome) {
        calls.push('exited')
        exited.resolve(outcome)
      },
      async saved(checkpoint) {
        saved.push(checkpoint)
      },
      logged(_stream, line) {
        lines.push(line)
        for (const [text, resolve] of waiting) if (line.includes(text)) resolve(line)
      },
    },
  }
}

export const executorContract = (test: TestFn, name: string, open: () => Promise<ExecutorFixture>): void => {
  const claim = (
    text: string,
    check: (t: ExecutionContext, fixture: ExecutorFixture) => Promise<void>,
  ): void => {
    test(`${name}: ${text}`, async t => {
      const fixture = await open()
      try {
        await check(t, fixture)
      } finally {
        await fixture.cleanUp()
      }
    })
  }

  claim('a run is started once and exits once', async (t, { executor, returns }) => {
    const seen = watch()
    executor.start({ copy: copyOf(), spec: specOf(returns), checkpoint: null }, seen.listener)
    t.deepEqual(seen.calls, [], 'the listener is not called from within start')
    t.deepEqual(await seen.exited, { error: null, result: null })
    await executor.close()
    t.deepEqual(seen.calls, ['started', 'exited'])
  })

  claim('a failure is told in words', async (t, { executor, fails }) => {
    const seen = watch()
    executor.start({ copy: copyOf(), spec: specOf(fails), checkpoint: null }, seen.listener)
    t.regex((await seen.exited).error ?? '', /broken pump/)
  })

  claim(
    'what is not there is an exit with an error, and was never started',
    async (t, { executor, missing }) => {
      const seen = watch()
      executor.start({ copy: copyOf(), spec: specOf(missing), checkpoint: null }, seen.listener)
      t.regex((await seen.exited).error ?? '', /no-such-thing/)
      t.deepEqual(seen.calls, ['exited'])
    },
  )

  claim('a task that obeys its stop ends without an error', async (t, { executor, waits }) => {
    const seen = watch()
    executor.start({ copy: copyOf(), spec: specOf(waits), checkpoint: null }, seen.listener)
    await seen.line('ready')
    executor.stop(copyOf(), 60_000)
    t.is((await seen.exited).error, null)
  })

  claim(
    'a task that ignores its stop is ended after the grace, with an error',
    async (t, { executor, ignores }) => {
      const seen = watch()
      executor.start({ copy: copyOf(), spec: specOf(ignores), checkpoint: null }, seen.listener)
      await seen.line('ready')
      executor.stop(copyOf(), 20)
      t.regex((await seen.exited).error ?? '', /did not stop within 20 ms/)
    },
  )

  claim('a stop right after the start gives one exit and no error', async (t, { executor, waits }) => {
    const seen = watch()
    executor.start({ copy: copyOf(), spec: specOf(waits), checkpoint: null }, seen.listener)
    executor.stop(copyOf(), 60_000)
    t.is((await seen.exited).error, null)
    await executor.close()
    t.is(seen.calls.filter(call => call === 'exited').length, 1)
  })

  claim('a stop of what does not run is nothing', async (t, { executor, returns }) => {
    t.notThrows(() => executor.stop(copyOf(7), 10))
    const seen = watch()
    executor.start({ copy: copyOf(), spec: specOf(returns), checkpoint: null }, seen.listener)
    await seen.exited
    t.notThrows(() => executor.stop(copyOf(), 10))
  })

  claim('a run is given its task, epoch, input and checkpoint', async (t, { executor, echoes }) => {
    const seen = watch()
    const input = { host: 'plc-3.local', 'schlüssel "a"': [1, null, 'x\ny'] }
    const checkpoint = { line: 3, done: [true] }
    executor.start({ copy: copyOf(), spec: specOf(echoes, { input }), checkpoint }, seen.listener)
    const told = JSON.parse(await seen.line('plc-3'))
    t.deepEqual(told, { task: 't1', epoch: copyOf().epoch, input, checkpoint })
    t.is((await seen.exited).error, null)
  })

  claim('an input and a checkpoint of 64 KB arrive', async (t, { executor, echoes }) => {
    const seen = watch()
    const big = 'x'.repeat(65_534)
    executor.start({ copy: copyOf(), spec: specOf(echoes, { input: big }), checkpoint: big }, seen.listener)
    t.is((await seen.exited).error, null)
    t.true(seen.lines.some(line => line.includes('xxxx')))
  })

  claim('the same copy can run again after it ended', async (t, { executor, returns }) => {
    for (const _ of [1, 2, 3]) {
      const seen = watch()
      executor.start({ copy: copyOf(), spec: specOf(returns), checkpoint: null }, seen.listener)
      t.is((await seen.exited).error, null)
    }
  })

  claim('two slots run side by side, and one is stopped alone', async (t, { executor, waits }) => {
    const [first, second] = [watch(), watch()]
    executor.start({ copy: copyOf(0), spec: specOf(waits), checkpoint: null }, first.listener)
    executor.start({ copy: copyOf(1), spec: specOf(waits), checkpoint: null }, second.listener)
    await Promise.all([first.line('ready'), second.line('ready')])
    executor.stop(copyOf(0), 60_000)
    await first.exited
    t.deepEqual(second.calls, ['started'])
    executor.stop(copyOf(1), 60_000)
    t.is((await second.exited).error, null)
  })

  claim('close ends what runs, obedient or not, and nothing starts after it', async (t, fixture) => {
    const { executor, waits, ignores, returns } = fixture
    const [first, second, late] = [watch(), watch(), watch()]
    executor.start({ copy: copyOf(0), spec: specOf(waits), checkpoint: null }, first.listener)
    executor.start({ copy: copyOf(1), spec: specOf(ignores), checkpoint: null }, second.listener)
    await Promise.all([first.line('ready'), second.line('ready')])
    await executor.close()
    t.deepEqual(first.calls, ['started', 'exited'])
    t.deepEqual(second.calls, ['started', 'exited'])
    executor.start({ copy: copyOf(2), spec: specOf(returns), checkpoint: null }, late.listener)
    t.regex((await late.exited).error ?? '', /closing/)
  })
}
