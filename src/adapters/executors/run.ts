// What a task is given and how one of its runs is driven: the words that the three
// kinds of executor (function, module, program) share. A kind only knows how to
// begin, ask and force; grace periods, tokens, fences and logs are the composition's
// (executor.ts), so that they are the same for all three.

import { ShoalError } from '../../core/errors.js'
import type { Json } from '../../core/json.js'
import type { CopyListener, CopyOrder } from '../../ports.js'

/** A checkpoint or the result of a job, as JSON, in UTF-8 (contract, section 2). */
export const valueBytesMax = 65_536
/** Error texts travel in claims and events; what is longer is cut. */
export const errorCharsMax = 500

/** A space as a task sees it: reads are of this node's replica and answer at once. */
export interface TaskSpace {
  get(key: string): Json | undefined
  has(key: string): boolean
  entries(): Iterable<readonly [string, Json]>
  /** Readable at once; resolves when durable. */
  set(key: string, value: Json): Promise<void>
  delete(key: string): Promise<void>
  /** Calls back with the keys that changed, whoever changed them; returns its cancellation. */
  observe(listener: (keys: readonly string[]) => void): () => void
}

/** What a handler is called with. */
export interface TaskContext {
  readonly task: string
  readonly input: Json
  /** A number and the owner's id, `"1794960001-12D3Koo…"`; grows with every hand-over. */
  readonly epoch: string
  /** What an earlier run saved last, or null. */
  readonly checkpoint: Json
  /** Resolves when the checkpoint is durable; 64 KB at most. */
  save(checkpoint: Json): Promise<void>
  /** Aborts when the task has to stop. */
  readonly signal: AbortSignal
  /** Writes to the task's log, formatted like `console.log`. */
  log(...parts: readonly unknown[]): void
  /** A space of the mesh's shared state. */
  space(name: string): TaskSpace
}

/** A task's code: registered under a name, or the default export of a module. */
export type Handler = (context: TaskContext) => unknown

/** Everything that a kind needs to run one copy once. */
export interface RunOrder extends CopyOrder {
  readonly token: string
  readonly listener: CopyListener
  readonly space: (name: string) => TaskSpace
}

/** One copy under way. After either call `exited` follows; both may be called at any time. */
export interface Run {
  /** Asks it to end by itself. */
  ask(): void
  /** Ends it now. `why` becomes its error. */
  force(why: string): void
}

/** A kind of task. Never throws at its caller: what goes wrong comes as `exited` with an error. */
export interface RunKind {
  start(order: RunOrder): Run
  close(): Promise<void>
}

/** A value as JSON would carry it, copied, so that a later change of the original changes nothing. */
export const toJson = (what: string, value: unknown): Json => {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (cause) {
    throw new ShoalError('VALUE_INVALID', `${what} cannot be written as JSON: ${errorText(cause)}`, { cause })
  }
  if (text === undefined) {
    throw new ShoalError('VALUE_INVALID', `${what} is ${typeof value}; it must be a JSON value`)
  }
  const bytes = Buffer.byteLength(text)
  if (bytes > valueBytesMax) {
    throw new ShoalError(
      'VALUE_TOO_LARGE',
      `${what} has ${bytes} bytes as JSON; ${valueBytesMax} are accepted`,
    )
  }
  return JSON.parse(text) as Json
}

/** The result of a run: recorded for jobs (`once`) alone, ignored otherwise. */
export const resultOf = (order: CopyOrder, value: unknown): Json =>
  order.spec.when !== 'once' || value === undefined ? null : toJson('result', value)

/** One line that says what went wrong. */
export const errorText = (error: unknown): string => {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return text.length > errorCharsMax ? `${text.slice(0, errorCharsMax)}…` : text
}

/** Whether a failure is only the echo of our own request to stop. */
export const isAbort = (error: unknown, signal: AbortSignal): boolean =>
  signal.aborted &&
  (error === signal.reason ||
    (error instanceof Error && (error.name === 'AbortError' || error.cause === signal.reason)))
