// The newest lines of a task's log, from whichever nodes run it: asked of them on a
// connection, and answered when they ask.

import { ShoalError } from '../core/errors.js'
import { type Millis, type NodeId, type TaskId, taskId } from '../core/ids.js'
import type { MembersView } from '../core/member.js'
import type { TaskView } from '../core/tasks/views.js'
import type { Log, Transport } from '../ports.js'

const ANSWER_LIMIT_MS = 3_000

export interface TaskLogsHost {
  readonly self: NodeId
  readonly members: MembersView
  readonly transport: Pick<Transport, 'request'>
  readonly log: Log
  /** What ran here has said. */
  here(task: TaskId, lines: number): readonly unknown[]
}

/** What of a line is used here; the rest is for the reader. */
interface LogLine {
  readonly at: Millis
}

export class TaskLogs {
  readonly #host: TaskLogsHost

  constructor(host: TaskLogsHost) {
    this.#host = host
  }

  async read(task: TaskId, { copies }: TaskView, lines: number): Promise<readonly unknown[]> {
    const owners = copies as readonly { readonly node: NodeId | null }[]
    const nodes = new Set([...owners.flatMap(({ node }) => node ?? []), this.#host.self])
    const parts = await Promise.all([...nodes].map(node => this.#of(node, task, lines)))
    const all = parts.flat() as LogLine[]
    return all.sort((a, b) => a.at - b.at).slice(-lines)
  }

  /** A question of another member. Whoever can ask holds the mesh key; the answer is what any member may see. */
  async answer(bytes: Uint8Array): Promise<Uint8Array> {
    const question = JSON.parse(Buffer.from(bytes).toString('utf8')) as {
      ask?: unknown
      task?: unknown
      lines?: unknown
    }
    if (question.ask !== 'logs' || typeof question.task !== 'string' || typeof question.lines !== 'number') {
      throw new ShoalError('QUESTION_UNKNOWN', 'only logs can be asked for')
    }
    return Buffer.from(JSON.stringify(this.#host.here(taskId(question.task), question.lines)))
  }

  async #of(node: NodeId, task: TaskId, lines: number): Promise<readonly unknown[]> {
    const { self, members, transport, log } = this.#host
    if (node === self) return this.#host.here(task, lines)
    const addresses = members.get(node)?.record.addresses ?? []
    const question = Buffer.from(JSON.stringify({ ask: 'logs', task, lines }))
    try {
      const bytes = await transport.request(node, addresses, question, ANSWER_LIMIT_MS)
      const answer = JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown
      if (Array.isArray(answer)) return answer.filter(isLine)
    } catch (error) {
      log.debug('an owner did not answer', { node, error: String(error) })
    }
    throw new ShoalError('OWNER_UNREACHABLE', `${node} runs ${task} and does not answer`)
  }
}

/** A peer may answer anything. */
const isLine = (value: unknown): value is LogLine =>
  typeof value === 'object' && value !== null && typeof (value as Partial<LogLine>).at === 'number'
